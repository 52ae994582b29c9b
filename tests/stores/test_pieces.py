"""The files of large bodies: what every store promises of these is in the contract."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from http_client_cache.body import WHOLE_BYTES, KeptBody
from http_client_cache.errors import StoreError
from http_client_cache.shell import bodies
from http_client_cache.shell.bodies import WAITING_BYTES
from http_client_cache.shell.body_files import BodyDraft
from http_client_cache.shell.jobs import Job
from http_client_cache.store import Store
from http_client_cache.testing.pieces import LARGE, OTHER, PIECES, draft_of, load, put, read
from tests.stores.conftest import Do
from tests.stores.subjects import SUBJECTS, WHOLE, Subject, but, entry, run_as_sync

IN_FILES = [name for name in but(WHOLE) if name.startswith(("sqlite", "files"))]


@pytest.fixture(params=IN_FILES)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    subject = SUBJECTS[request.param](tmp_path)
    yield subject
    subject.sync_shell.close()


def files_in(folder: Path) -> list[Path]:
    """The files of bodies, whole or not; other files are those of the database and the ledger."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != folder.name and path.name != "ledger"
    ]


async def test_another_reads_it_from_the_disk(
    do: Do, store: Store, subject: Subject, request: pytest.FixtureRequest
) -> None:
    await put(do, store)
    subject.sync_shell.close()
    assert await read(do, store, await load(do, store)) == LARGE
    ((_, stored),) = await do(store.page("", 10))
    size = stored.entry.stored_size
    assert size <= await do(store.bytes_size()) < size + 4000
    is_packed = "packed" in request.node.name
    assert (
        (0.75 if is_packed else 1) * len(LARGE) <= size <= (0.85 if is_packed else 1) * len(LARGE)
    )


@pytest.mark.parametrize("way", ["replace", "drop", "delete", "clear", "sweep", "small"])
async def test_its_file_is_read_to_its_end_and_goes(
    do: Do, store: Store, subject: Subject, tmp_path: Path, way: str
) -> None:
    await put(do, store)
    subject.sync_shell.close()
    kept = await load(do, store)
    begun = await do(store.read(kept, 0, 1000))
    if way == "replace":
        await put(do, store, OTHER)
    elif way == "small":
        await do(store.save("a.1", entry(body=b"small"), b"small"))
    elif way == "drop":
        assert await do(store.drop([("a.1", "")])) == 1
    elif way == "delete":
        assert await do(store.delete(["a.1"])) == 1
    elif way == "clear":
        await do(store.clear())
    else:
        (found,) = await do(store.load("a.1"))
        expired = msgspec.structs.replace(found.entry, expires=500.0)
        assert await do(store.freshen([("a.1", "", expired)])) == 1
        assert await do(store.sweep(600.0, 10)) == 1
    subject.sync_shell.close()
    assert begun + await read(do, store, kept[1000:]) == LARGE
    if way == "replace":
        assert await read(do, store, await load(do, store)) == OTHER
        assert len(files_in(tmp_path)) == 1
    elif way == "small":
        assert await load(do, store) == b"small"
    else:
        assert await do(store.load("a.1")) == ()
        assert files_in(tmp_path) == []


async def test_forgotten_it_leaves_nothing(
    do: Do, store: Store, subject: Subject, tmp_path: Path
) -> None:
    draft = await draft_of(do, store, PIECES[:6])
    await do(store.forget(draft))
    subject.sync_shell.close()
    assert files_in(tmp_path) == []


async def test_lost_it_leaves_nothing(
    do: Do, store: Store, subject: Subject, tmp_path: Path
) -> None:
    draft = await draft_of(do, store, PIECES[:6])
    subject.sync_shell.close()
    assert len(files_in(tmp_path)) == 1
    del draft
    assert files_in(tmp_path) == []


async def test_a_large_body_in_memory_is_stored_in_the_same_way(
    do: Do, store: Store, subject: Subject, tmp_path: Path
) -> None:
    await do(store.save("a.1", entry(body=LARGE), LARGE))
    subject.sync_shell.close()
    found = await load(do, store)
    assert isinstance(found, KeptBody)
    assert await read(do, store, found) == LARGE
    assert len(files_in(tmp_path)) == 1


async def test_a_large_body_in_memory_may_take_longer_than_a_piece_of_it(
    do: Do, store: Store, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long each write may take is bounded; a large body is many of them."""
    take = BodyDraft.take

    def slowly(draft: BodyDraft, pieces: Sequence[bytes | memoryview]) -> None:
        time.sleep(0.05 * sum(map(len, pieces)) / WHOLE_BYTES)
        take(draft, pieces)

    monkeypatch.setattr(BodyDraft, "take", slowly)
    monkeypatch.setattr(bodies, "PATIENCE", 0.35)
    body = LARGE * 4
    await do(store.save("a.1", entry(body=body), body))
    subject.sync_shell.close()
    assert await read(do, store, await load(do, store)) == body


async def test_files_are_for_their_owner_alone(
    do: Do, store: Store, subject: Subject, tmp_path: Path
) -> None:
    await put(do, store)
    subject.sync_shell.close()
    (path,) = files_in(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_file_that_is_too_short_is_absent(
    do: Do, store: Store, subject: Subject, tmp_path: Path
) -> None:
    await put(do, store)
    subject.sync_shell.close()
    (path,) = files_in(tmp_path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    assert await do(store.load("a.1")) == ()


async def test_a_file_that_shrinks_while_it_is_read_is_an_error(
    do: Do, store: Store, subject: Subject, tmp_path: Path
) -> None:
    await put(do, store)
    subject.sync_shell.close()
    kept = await load(do, store)
    (path,) = files_in(tmp_path)
    with path.open("r+b") as file:
        file.truncate(2_000_000)
    with pytest.raises(StoreError, match="damaged"):
        await read(do, store, kept)


@pytest.mark.parametrize("name", ["sqlite_signed", "files_signed"])
async def test_another_body_than_the_one_that_was_signed_is_absent(
    name: str, tmp_path: Path
) -> None:
    subject = SUBJECTS[name](tmp_path)
    store, do = subject.store, partial(run_as_sync, subject)
    await put(do, store)
    subject.sync_shell.close()
    assert await read(do, store, await load(do, store)) == LARGE
    (path,) = files_in(tmp_path)
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    assert await do(store.load("a.1")) == ()
    subject.sync_shell.close()


async def test_damage_is_found_by_the_end_where_there_is_a_checksum(tmp_path: Path) -> None:
    subject = SUBJECTS["files"](tmp_path)
    store, do = subject.store, partial(run_as_sync, subject)
    await put(do, store)
    subject.sync_shell.close()
    (path,) = files_in(tmp_path)
    data = bytearray(path.read_bytes())
    data[-LARGE.__len__() // 2] ^= 1
    path.write_bytes(data)
    kept = await load(do, store)
    with pytest.raises(StoreError, match="checksum"):
        await read(do, store, kept)
    # Nobody else is told it, either.
    with pytest.raises(StoreError, match="checksum"):
        await do(store.read(kept, 0, 1000))
    subject.sync_shell.close()


async def test_a_full_disk_costs_one_body(
    do: Do, store: Store, subject: Subject, tmp_path: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    await do(store.save("a.2", entry(), b""))
    subject.sync_shell.close()
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, before[1]))
    try:
        draft = await do(store.begin("a.1", entry()))
        with pytest.raises(StoreError, match="File too large"):
            # The writer may be behind; what comes first may be taken.
            for piece in PIECES:
                await do(store.append(draft, [piece]))
            await do(store.save("a.1", entry(body=LARGE), draft))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    await do(store.forget(draft))
    subject.sync_shell.close()
    assert await do(store.load("a.1")) == ()
    assert len(files_in(tmp_path)) <= 1
    await put(do, store)
    assert await read(do, store, await load(do, store)) == LARGE


def test_how_long_a_disk_is_waited_for() -> None:
    """Those who wait for one below have less patience."""
    assert bodies.PATIENCE == 1


async def test_who_writes_waits_for_the_disk_but_not_for_long(
    do: Do, store: Store, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.2)
    shell: Any = subject.sync_shell
    owner = getattr(shell, "database", None) or shell.folder
    go_on = threading.Event()
    draft = await draft_of(do, store, [b"begun"])
    owner.bodies._writer.put(Job(go_on.wait))
    piece = bytes(WAITING_BYTES)
    assert await do(store.append(draft, [piece])) is True
    begun = time.monotonic()
    with pytest.raises(StoreError, match=r"within 0\.2 s"):
        await do(store.append(draft, [piece]))
    assert 0.18 < time.monotonic() - begun < 1
    go_on.set()
    with pytest.raises(StoreError):
        await do(store.save("a.1", entry(body=b"begun" + 2 * piece), draft))
    assert await do(store.load("a.1")) == ()


async def test_a_checksum_is_computed_once_and_again_when_the_file_has_changed(
    tmp_path: Path,
) -> None:
    subject = SUBJECTS["files"](tmp_path)
    store, do = subject.store, partial(run_as_sync, subject)
    await put(do, store)
    subject.sync_shell.close()
    for _ in range(2):
        assert await read(do, store, await load(do, store)) == LARGE
    (path,) = files_in(tmp_path)
    with path.open("r+b") as file:
        file.seek(-1000, os.SEEK_END)
        file.write(b"x" * 100)
    with pytest.raises(StoreError, match="checksum"):
        await read(do, store, await load(do, store))
    subject.sync_shell.close()


async def test_nobody_else_waits_for_a_disk_that_is_stuck(
    do: Do, store: Store, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "PATIENCE", 0.3)
    shell: Any = subject.sync_shell
    owner = getattr(shell, "database", None) or shell.folder
    go_on = threading.Event()
    drafts = [await draft_of(do, store, [b"begun"]) for _ in range(4)]
    owner.bodies._writer.put(Job(go_on.wait))
    piece = bytes(WAITING_BYTES)
    assert await do(store.append(drafts[0], [piece])) is True
    waited: list[float] = []
    for draft in drafts:
        begun = time.monotonic()
        with pytest.raises(StoreError):
            await do(store.append(draft, [piece]))
        waited.append(time.monotonic() - begun)
    assert max(waited[1:]) < 0.25 < waited[0]
    go_on.set()
    for draft in drafts:
        await do(store.forget(draft))


async def test_freshened_while_it_is_read_it_is_read_to_its_end(tmp_path: Path) -> None:
    """Its times change then, as if somebody had written to it."""
    subject = SUBJECTS["files"](tmp_path)
    store, do = subject.store, partial(run_as_sync, subject)
    await put(do, store)
    subject.sync_shell.close()
    kept = await load(do, store)
    begun = await do(store.read(kept, 0, 1000))
    assert await do(store.freshen([("a.1", "", entry(body=LARGE, expires=5000.0))])) == 1
    assert begun + await read(do, store, kept[1000:]) == LARGE
    assert await read(do, store, await load(do, store)) == LARGE
    subject.sync_shell.close()
