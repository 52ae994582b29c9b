"""Files: where they lie, who may read them, what is in them, and what is none of ours."""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from http_client_cache.entry import Entry, Stored
from http_client_cache.errors import ConfigurationError
from http_client_cache.shell.filesystem import folder_path
from http_client_cache.shell.private_files import make_folder
from http_client_cache.shell.store_driver import run_sync
from tests.stores.subjects import Subject, alias, entry, files

BODY = b"the body\nhas lines\n"

HOSTILE = [
    "../../etc/passwd",
    "/etc/passwd",
    "a/../../b.1",
    "..",
    ".",
    "",
    "nul\0.1",
    "line\nfeed.1",
    "C:\\windows.1",
    "con.aux",
    "x" * 5000,
    "ключ." + "й" * 300,
    "lone \udc80.surrogate",
    "A.1",
    "a.1",
]


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    subject = files(tmp_path, fast_save=True)
    yield subject
    subject.sync_shell.close()


def save(subject: Subject, key: str, body: bytes = BODY, variant: str = "") -> Entry:
    kept = entry(body=body)
    run_sync(subject.store.save(key, kept, body, variant=variant), subject.sync_shell)
    return kept


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


# Where they lie, and who may read them.


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("demo_cache", "demo_cache"),
        ("a/b/demo.d", "a/b/demo.d"),
        ("./demo/", "demo"),
        ("../demo", "../demo"),
        (Path("a") / "demo", "a/demo"),
        ("with space & ünïcode?#%41", "with space & ünïcode?#%41"),
    ],
)
def test_a_name_means_a_folder(name: str, path: str, in_tmp_path: Path) -> None:
    found = folder_path(name)
    assert found.is_absolute()
    assert os.path.normpath(found) == os.path.normpath(in_tmp_path / path)
    assert not found.exists()


def test_absolute_home_and_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder_path("~/cache") == tmp_path / "cache"
    assert folder_path("~") == tmp_path
    assert folder_path(tmp_path / "x") == tmp_path / "x"
    assert folder_path("x", use_temp=True) == Path(tempfile.gettempdir()) / "x"
    assert folder_path(tmp_path / "x", use_temp=True) == tmp_path / "x"


@pytest.mark.parametrize("name", ["", "\0", "a\0b", ":memory:", "file:x", 5, None, b"x"])
def test_names_of_nothing(name: object) -> None:
    with pytest.raises(ConfigurationError, match="cache_name"):
        folder_path(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
@pytest.mark.parametrize("size", [10, 200_000])
def test_only_their_owner_may_read_them(tmp_path: Path, umask: int, size: int) -> None:
    before = os.umask(umask)
    try:
        subject = files(tmp_path / "new" / "folders", fast_save=True)
        body = bytes(size)
        save(subject, "a.1", body)
        save(subject, "a.1", body, "de")
        run_sync(subject.store.link("b.1", alias("a.1")), subject.sync_shell)
        changes = [("a.1", "", entry(body=body, created=2000.0))]
        assert run_sync(subject.store.freshen(changes), subject.sync_shell) == 1
        subject.sync_shell.close()
    finally:
        os.umask(before)
    modes = {
        (path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in (tmp_path / "new").rglob("*")
    }
    assert modes == {(True, 0o700), (False, 0o600)}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert len(all_in(tmp_path)) == (4 if size == 10 else 5)


def test_a_folder_of_the_users_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o755)
    subject = files(tmp_path)
    save(subject, "a.1")
    subject.sync_shell.close()
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o755
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache").iterdir()} == {0o700}


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "unmounted").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="unmounted/caches"):
        make_folder(str(tmp_path / "unmounted" / "caches" / "tmp"))


def test_reading_makes_no_folder(tmp_path: Path, subject: Subject) -> None:
    assert load(subject, "a.1") == []
    assert size(subject) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", HOSTILE)
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    outside = tmp_path / "a" / "b"
    subject = files(outside)
    kept = save(subject, key)
    save(subject, key, BODY * 2, variant=key or "v")
    target = f"{key}/target"
    run_sync(subject.store.link(target, alias(key)), subject.sync_shell)
    subject.sync_shell.close()
    found = run_sync(subject.store.load(key), subject.sync_shell)
    assert Stored(key, kept, BODY) in found
    assert Stored(key, entry(body=BODY * 2), BODY * 2, variant=key or "v") in found
    assert len(load(subject, target)) == 2
    assert len(run_sync(subject.store.page("", 10), subject.sync_shell)) == 2
    inside = outside / "cache" / "http_cache_v1"
    for path in all_in(tmp_path):
        assert re.fullmatch(
            r"[0-9a-f]{2}/[0-9a-f]{16}-[0-9a-f]{32}[a-z0-9./-]+", str(path.relative_to(inside))
        )
    assert run_sync(subject.store.purge(key.partition(".")[0]), subject.sync_shell) >= 1
    assert all_in(tmp_path) == []
    subject.sync_shell.close()


def test_a_key_that_is_no_text(subject: Subject) -> None:
    kept = save(subject, "another \ud800.\udfff")
    assert size(subject) == 1
    found = run_sync(subject.store.load("another \ud800.\udfff"), subject.sync_shell)
    assert found == (Stored("another \ud800.\udfff", kept, BODY),)


def test_keys_are_spread_over_folders_and_keys_of_a_url_lie_together(
    tmp_path: Path, subject: Subject
) -> None:
    for number in range(300):
        save(subject, f"{number}.1")
        save(subject, f"{number}.2")
    subject.sync_shell.close()
    shards = list((tmp_path / "cache" / "http_cache_v1").glob("[0-9a-f][0-9a-f]"))
    assert 100 < len(shards) <= 256
    assert all(len(all_in(shard)) % 2 == 0 for shard in shards)


# What is in them.


@pytest.mark.parametrize("serializer", [None, "json"])
@pytest.mark.parametrize("secret_key", [None, "secret"])
def test_a_person_may_read_them(
    tmp_path: Path, serializer: str | None, secret_key: str | None
) -> None:
    subject = files(tmp_path, serializer=serializer, secret_key=secret_key)
    kept = entry("https://example.org/a?b=ü", body=BODY, expires=1_800_000_000.5, status=404)
    run_sync(subject.store.save("a.1", kept, BODY), subject.sync_shell)
    subject.sync_shell.close()
    path = only_file(tmp_path)
    assert path.name.endswith(".response")
    line, _, rest = path.read_bytes().partition(b"\n")
    told = json.loads(line)
    assert {name: told[name] for name in ("key", "method", "url", "status", "body")} == {
        "key": "a.1",
        "method": "GET",
        "url": "https://example.org/a?b=ü",
        "status": 404,
        "body": len(BODY),
    }
    assert told["created"] == "1970-01-01T00:16:40Z"
    assert told["expires"] == "2027-01-15T08:00:00Z"
    assert rest.endswith(b"\n" + BODY)
    assert path.stat().st_mtime == 1_800_000_000
    if serializer == "json" and secret_key is None:
        assert json.loads(rest.split(b"\n")[0])["status"] == 404


@pytest.mark.parametrize("expires", [None, -5.0, 0.0, 1e9, 1e12, float("inf")])
@pytest.mark.parametrize("created", [-1e11, 0.0, 1e12])
def test_odd_times(subject: Subject, expires: float | None, created: float) -> None:
    kept = entry(body=BODY, expires=expires, created=created)
    run_sync(subject.store.save("a.1", kept, BODY), subject.sync_shell)
    assert size(subject) == 1
    (found,) = run_sync(subject.store.load("a.1"), subject.sync_shell)
    assert found.entry == kept
    swept = run_sync(subject.store.sweep(2e9, 10), subject.sync_shell)
    assert swept == (expires is not None and expires <= 2e9)


@pytest.mark.parametrize("secret_key", [None, "secret"])
def test_a_file_cut_short_or_longer_is_absent(tmp_path: Path, secret_key: str | None) -> None:
    subject = files(tmp_path, secret_key=secret_key)
    save(subject, "a.1")
    subject.sync_shell.close()
    path = only_file(tmp_path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert load(subject, "a.1") == []
        assert not run_sync(subject.store.contains("a.1"), subject.sync_shell)
    path.write_bytes(whole + b"\n")
    assert load(subject, "a.1") == []
    path.write_bytes(whole)
    assert load(subject, "a.1") == [BODY]


@pytest.mark.parametrize("length", [8192, 20_000, 200_000])
def test_a_large_file_cut_short_or_longer_is_absent(
    tmp_path: Path, subject: Subject, length: int
) -> None:
    save(subject, "a.1", os.urandom(length))
    subject.sync_shell.close()
    path = only_file(tmp_path)
    whole = path.read_bytes()
    starts = json.loads(whole.split(b"\n")[0])["starts"]
    for cut in (starts - 1, starts, starts + 1, 8191, 8192, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert load(subject, "a.1") == []
    path.write_bytes(whole + b"!")
    assert load(subject, "a.1") == []
    path.write_bytes(whole)
    assert len(load(subject, "a.1")) == 1


@pytest.mark.parametrize("total", [8191, 8192, 8193, 131_071, 131_072, 131_073])
def test_sizes_around_those_of_a_read(tmp_path: Path, subject: Subject, total: int) -> None:
    save(subject, "a.1", bytes(total))
    subject.sync_shell.close()
    body = os.urandom(2 * total - only_file(tmp_path).stat().st_size)
    save(subject, "a.1", body)
    subject.sync_shell.close()
    assert only_file(tmp_path).stat().st_size == total
    assert load(subject, "a.1") == [body]


def test_a_file_with_a_wrong_bit_is_absent(tmp_path: Path, subject: Subject) -> None:
    save(subject, "a.1")
    subject.sync_shell.close()
    path = only_file(tmp_path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        wrong = bytearray(whole)
        wrong[place] ^= 1 << place % 8
        path.write_bytes(wrong)
        assert load(subject, "a.1") == []
    save(subject, "a.1")
    assert size(subject) == 1
    assert load(subject, "a.1") == [BODY]


def test_a_damaged_redirect_leads_nowhere(tmp_path: Path, subject: Subject) -> None:
    save(subject, "b.1")
    run_sync(subject.store.link("a.1", alias("b.1")), subject.sync_shell)
    subject.sync_shell.close()
    (path,) = (tmp_path / "cache").rglob("*.redirect")
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place])
        assert load(subject, "a.1") == []
        wrong = bytearray(whole)
        wrong[place] ^= 1 << place % 8
        path.write_bytes(wrong)
        assert load(subject, "a.1") == []
    assert run_sync(subject.store.links("", 10), subject.sync_shell) == []
    assert not run_sync(subject.store.has_locator("a"), subject.sync_shell)


def test_a_file_under_the_name_of_another_key_is_absent(tmp_path: Path, subject: Subject) -> None:
    save(subject, "a.1")
    save(subject, "b.1", b"other")
    save(subject, "b.1", b"variant", "de")
    subject.sync_shell.close()
    paths = all_in(tmp_path)
    contents = {path: path.read_bytes() for path in paths}
    for path in paths:
        others = [content for other, content in contents.items() if other != path]
        for content in others:
            path.write_bytes(content)
            assert contents[path][contents[path].index(b"\n") :] not in load(subject, "a.1")
            assert len(load(subject, "a.1")) + len(load(subject, "b.1")) == 2
        path.write_bytes(contents[path])


def test_another_secret_or_serializer_reads_nothing(tmp_path: Path) -> None:
    first = files(tmp_path, secret_key="one")
    save(first, "a.1")
    first.sync_shell.close()
    for options in ({}, {"secret_key": "two"}, {"secret_key": "one", "serializer": "json"}):
        other = files(tmp_path, **options)
        assert load(other, "a.1") == []
        assert run_sync(other.store.page("", 10), other.sync_shell) == []
        assert not run_sync(other.store.has_locator("a"), other.sync_shell)
    assert load(files(tmp_path, secret_key=["two", "one"]), "a.1") == [BODY]
