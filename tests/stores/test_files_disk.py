"""Files: a disk that is full, a folder that may only be read, and a fork in between."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from http_client_cache.shell.store_driver import run_sync
from http_client_cache.shell.temps import Temp
from tests.stores.subjects import Subject, entry, files

BODY = b"the body"


def save(subject: Subject, *keys: str, body: bytes = BODY) -> None:
    for key in keys:
        run_sync(subject.store.save(key, entry(body=body), body), subject.sync_shell)


def load(subject: Subject, key: str) -> list[bytes]:
    found = run_sync(subject.store.load(key, follow=True), subject.sync_shell)
    return [stored.body for stored in found]


def size(subject: Subject) -> int:
    return run_sync(subject.store.size(), subject.sync_shell)


def test_a_file_that_may_not_grow_that_large(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    subject = files(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        save(subject, "a.1")
        save(subject, "a.2", body=bytes(100_000))
        save(subject, "a.3")
        assert size(subject) == 2
        assert load(subject, "a.2") == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        f"The cache {tmp_path / 'cache'} cannot be written",
        f"The cache {tmp_path / 'cache'} can be written again",
    ]
    assert list((tmp_path / "cache" / "http_cache_v1" / "tmp").iterdir()) == []
    subject.sync_shell.close()


@contextmanager
def small_disk(folder: Path, size: str) -> Generator[None]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root can make a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with small_disk(tmp_path / "disk", "512k"):
        subject = files(tmp_path / "disk")
        for number in range(20):
            save(subject, f"{number}.1", body=bytes([number]) * 50_000)
        kept = size(subject)
        assert 0 < kept < 20
        for number in range(20):
            assert load(subject, f"{number}.1") in ([], [bytes([number]) * 50_000])
        assert "No space left on device" in caplog.records[0].getMessage()
        run_sync(subject.store.clear(), subject.sync_shell)
        save(subject, "a.1", body=bytes(50_000))
        assert size(subject) == 1
        subject.sync_shell.close()


@contextmanager
def nobody_special() -> Generator[Path]:
    """A folder of one's own; root, who may write everywhere, becomes somebody else meanwhile."""
    nobody, me = 65534, os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        if me == 0:
            os.chown(folder, nobody, nobody)
            os.seteuid(nobody)
        try:
            yield Path(folder)
        finally:
            os.seteuid(me)


def test_a_folder_that_may_only_be_read_is_read(caplog: pytest.LogCaptureFixture) -> None:
    with nobody_special() as folder:
        subject = files(folder)
        save(subject, "a.1")
        subject.sync_shell.close()
        folders = [path for path in folder.rglob("*") if path.is_dir()]
        for path in folders:
            path.chmod(0o500)
        try:
            assert load(subject, "a.1") == [BODY]
            save(subject, "a.2")
            assert size(subject) == 1
            assert load(subject, "a.2") == []
            assert run_sync(subject.store.sweep(1e12, 5), subject.sync_shell) == 0
        finally:
            for path in folders:
                path.chmod(0o700)
        assert len(caplog.records) == 1
        subject.sync_shell.close()


@pytest.mark.parametrize("way", ["discarded", "forgotten"])
def test_a_fork_leaves_what_its_parent_writes(tmp_path: Path, way: str) -> None:
    temp = Temp(f"{tmp_path}/temp")
    temp.open()
    pid = os.fork()
    if not pid:
        if way == "discarded":
            temp.discard()
        del temp
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert (tmp_path / "temp").exists()
    del temp
    assert not (tmp_path / "temp").exists()
