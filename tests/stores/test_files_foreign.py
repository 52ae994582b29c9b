"""Files: what is none of ours, or in the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from http_client_cache.errors import StoreError
from http_client_cache.file_format import Frame
from http_client_cache.file_statements import Link, Raw
from http_client_cache.shell.filesystem import Folder, SyncFiles, shared_folder
from http_client_cache.shell.store_driver import run_sync
from tests.stores.subjects import Subject, alias, entry, files

BODY = b"the body\nhas lines\n"


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    subject = files(tmp_path, fast_save=True)
    yield subject
    subject.sync_shell.close()


def save(subject: Subject, key: str, body: bytes = BODY, variant: str = "") -> None:
    plan = subject.store.save(key, entry(body=body), body, variant=variant)
    run_sync(plan, subject.sync_shell)


def load(subject: Subject, key: str) -> list[bytes]:
    found = run_sync(subject.store.load(key, follow=True), subject.sync_shell)
    return [stored.body for stored in found]


def size(subject: Subject) -> int:
    return run_sync(subject.store.size(), subject.sync_shell)


def all_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def only_file(folder: Path) -> Path:
    (path,) = all_in(folder)
    return path


def test_foreign_files_are_left_alone(tmp_path: Path, subject: Subject) -> None:
    save(subject, "a.1", variant="de")
    save(subject, "b.1")
    run_sync(subject.store.link("c.1", alias("b.1")), subject.sync_shell)
    subject.sync_shell.close()
    root = tmp_path / "cache" / "http_cache_v1"
    (more,) = root.rglob("*.more")
    (led,) = root.rglob("*.redirects")
    foreign = {
        tmp_path / "cache" / "README",
        tmp_path / "cache" / "http_cache_v2" / "00" / f"00{'0' * 14}-{'0' * 32}.response",
        root / "notes.txt",
        root / "tmp" / "notes",
        root / "00" / "notes.response",
        root / "00" / f"00{'0' * 14}-{'0' * 32}.response.bak",
        root / "zz" / f"00{'0' * 14}-{'0' * 32}.response",
        more / "notes.response",
        led / "notes",
    }
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("theirs")
    assert (size(subject), run_sync(subject.store.links_size(), subject.sync_shell)) == (2, 1)
    assert len(run_sync(subject.store.page("", 10), subject.sync_shell)) == 2
    assert run_sync(subject.store.sweep(1e12, 10), subject.sync_shell) == 0
    assert run_sync(subject.store.delete(["a.1", "b.1"]), subject.sync_shell) == 2
    save(subject, "a.1", variant="de")
    run_sync(subject.store.clear(), subject.sync_shell)
    assert size(subject) == 0
    assert set(all_in(tmp_path)) == foreign
    assert {path.read_text() for path in foreign} == {"theirs"}


def test_a_link_to_elsewhere_is_not_followed(tmp_path: Path, subject: Subject) -> None:
    save(subject, "a.1")
    subject.sync_shell.close()
    path = only_file(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert load(subject, "a.1") == []
    save(subject, "a.1", b"new")
    subject.sync_shell.close()
    assert load(subject, "a.1") == [b"new"]
    assert elsewhere.read_bytes().endswith(BODY)


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_in_the_place_of_one(tmp_path: Path, subject: Subject, kind: str) -> None:
    save(subject, "a.1")
    save(subject, "b.1")
    subject.sync_shell.close()
    path = only_file(next(iter((tmp_path / "cache" / "http_cache_v1").glob("[0-9a-f]*"))))
    path.unlink()
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert load(subject, "a.1") + load(subject, "b.1") == [BODY]
    assert len(run_sync(subject.store.page("", 10), subject.sync_shell)) == 1


def test_a_folder_that_cannot_be_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache").write_text("a file")
    subject = files(tmp_path)
    assert isinstance(subject.sync_shell, SyncFiles)
    for number in range(3):
        save(subject, f"a.{number}")
        assert size(subject) == 0
        assert load(subject, f"a.{number}") == []
    with pytest.raises(StoreError, match=r"cannot be written: .*cache"):
        subject.sync_shell._wait(Link("00/0", Raw("", b"", b"", Frame(0, 0, 0, 0, 0, "")), "00/1"))
    (tmp_path / "cache").unlink()
    save(subject, "a.1")
    assert size(subject) == 1
    told = [record.getMessage().replace(str(tmp_path), "") for record in caplog.records]
    assert [text.partition(";")[0].partition(":")[0] for text in told] == [
        "The cache /cache cannot be written",
        "The cache /cache can be written again",
    ]
    subject.sync_shell.close()


def test_a_folder_that_was_deleted_is_made_again(tmp_path: Path, subject: Subject) -> None:
    save(subject, "a.1")
    subject.sync_shell.close()
    for path in sorted((tmp_path / "cache").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "cache").rmdir()
    assert load(subject, "a.1") == []
    save(subject, "a.1")
    assert size(subject) == 1


def test_users_of_one_folder_share_its_owner(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "cache")
    first = shared_folder(tmp_path / "cache")
    assert isinstance(first, Folder)
    assert shared_folder(tmp_path / "link") is first
    assert shared_folder(tmp_path / "cache", fast_save=True) is not first
    assert shared_folder(tmp_path / "other") is not first
