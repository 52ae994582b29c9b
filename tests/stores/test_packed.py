"""Stores that compress bodies: what lies there, who can read it, and what a forged one costs."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from http_client_cache.body import WHOLE_BYTES, KeptBody
from http_client_cache.codec import codec_for
from http_client_cache.compression import BLOCK_BYTES, MIN_BYTES, compress_block, library, pack
from http_client_cache.entry import Entry
from http_client_cache.errors import ConfigurationError, StoreError
from http_client_cache.shell.bodies import PACKED_AT_ONCE, UNPACKED_AT_ONCE
from http_client_cache.store import Store
from tests.stores import program
from tests.stores.conftest import Do
from tests.stores.subjects import (
    NOT_NOW,
    SUBJECTS,
    Subject,
    answered_now,
    entry,
    files,
    run_as_sync,
    sqlite,
)

MAKERS: dict[str, Callable[..., Subject]] = {"sqlite": sqlite, "files": files}
TEXT = json.dumps([{"id": number, "square": number**2} for number in range(150_000)]).encode()
SIZES = [
    *(MIN_BYTES, 20_000, PACKED_AT_ONCE, PACKED_AT_ONCE + 1, UNPACKED_AT_ONCE + 1, 700_000),
    *(WHOLE_BYTES, WHOLE_BYTES + 1, 3_000_000),
]


@pytest.fixture(
    params=[name for name in SUBJECTS if name.startswith(("sqlite_packed", "files_packed"))]
)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    subject = SUBJECTS[request.param](tmp_path)
    yield subject
    subject.sync_shell.close()


@pytest.fixture(params=MAKERS)
def maker(request: pytest.FixtureRequest) -> Callable[..., Subject]:
    return MAKERS[request.param]


async def read(do: Do, store: Store, body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    found = b""
    while len(found) < len(body):
        found += await do(store.read(body, len(found), BLOCK_BYTES))
    return found


async def bodies(do: Do, store: Store, key: str = "a.1") -> list[bytes]:
    return [await read(do, store, stored.body) for stored in await do(store.load(key))]


async def entries(do: Do, store: Store) -> list[Entry]:
    return [stored.entry for _, stored in await do(store.page("", 100))]


def lies_in(folder: Path, text: bytes) -> bool:
    """Whether any file holds this."""
    return any(text in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def doing(subject: Subject) -> Do:
    async def do(plan: Any) -> Any:
        return await run_as_sync(subject, plan)

    return do


@pytest.mark.parametrize("size", SIZES)
async def test_a_body_comes_back_and_takes_less(
    do: Do, store: Store, subject: Subject, tmp_path: Path, size: int
) -> None:
    body = TEXT[:size]
    kept = await do(store.save("a.1", entry(body=body), body))
    assert await read(do, store, kept) == body
    assert await bodies(do, store) == [body]
    subject.sync_shell.close()
    assert await bodies(do, store) == [body]
    ((_, stored),) = await do(store.page("", 10, bodies=True))
    assert await read(do, store, stored.body) == body
    (found,) = await entries(do, store)
    assert found == stored.entry
    assert found.body_size == size
    assert found.packed is not None
    assert found.packed < 0.7 * size
    assert found.packed <= await do(store.bytes_size()) < found.packed + 4000
    subject.sync_shell.close()
    assert not lies_in(tmp_path, body[100 : MIN_BYTES - 10])


async def test_what_is_small_stays_as_it_is(
    do: Do, store: Store, subject: Subject, tmp_path: Path
) -> None:
    body = b"a" * (MIN_BYTES - 1)
    await do(store.save("a.1", entry(body=body), body))
    (found,) = await entries(do, store)
    assert found.packed is None
    subject.sync_shell.close()
    assert lies_in(tmp_path, body)


@pytest.mark.parametrize("size", [100_000, 2_000_000])
async def test_what_saves_too_little_stays_as_it_is(
    do: Do, store: Store, subject: Subject, tmp_path: Path, size: int
) -> None:
    body = random.Random(7).randbytes(size)
    await do(store.save("a.1", entry(body=body), body))
    (found,) = await entries(do, store)
    assert found.packed is None
    subject.sync_shell.close()
    assert await bodies(do, store) == [body]
    assert lies_in(tmp_path, body[-200:])


async def test_what_is_large_is_read_a_block_at_a_time_however_little_it_takes(
    do: Do, store: Store, subject: Subject
) -> None:
    body = bytes(5_000_000)
    await do(store.save("a.1", entry(body=body), body))
    subject.sync_shell.close()
    (stored,) = await do(store.load("a.1"))
    assert stored.entry.packed < 5000
    assert isinstance(stored.body, KeptBody)
    piece = await do(store.read(stored.body, 1_000_000, 2_000_000))
    assert piece == bytes(len(piece))
    assert 0 < len(piece) <= BLOCK_BYTES
    assert await read(do, store, stored.body) == body


async def test_freshened_it_is_as_it_was(do: Do, store: Store, subject: Subject) -> None:
    for number, size in enumerate(SIZES):
        body = TEXT[:size]
        await do(store.save(f"a.{number}", entry(body=body), body, variant=str(number)))
        (stored,) = await do(store.load(f"a.{number}"))
        fresh = msgspec.structs.replace(stored.entry, created=2000.0, headers=())
        assert await do(store.freshen([(stored.key, stored.variant, fresh)])) == 1
        subject.sync_shell.close()
        (again,) = await do(store.load(f"a.{number}"))
        assert again.entry == fresh
        assert await read(do, store, again.body) == body


async def test_what_is_told_of_another_body_is_not_taken_over(do: Do, store: Store) -> None:
    body = TEXT[:20_000]
    await do(store.save("a.1", entry(body=body), body))
    ((_, stored),) = await do(store.page("", 10))
    assert stored.entry.packed is not None
    plain = msgspec.structs.replace(stored.entry, packed=None)
    other = msgspec.structs.replace(stored.entry, packed=stored.entry.packed + 1)
    assert await do(store.freshen([("a.1", "", plain), ("a.1", "", other)])) == 0
    assert await bodies(do, store) == [body]


@pytest.mark.parametrize("next_body", [b"small", TEXT[:5000], TEXT[:2_000_000]])
async def test_another_body_is_not_taken_for_the_one_before(
    do: Do, store: Store, next_body: bytes
) -> None:
    await do(store.save("a.1", entry(body=TEXT[:20_000]), TEXT[:20_000]))
    (stored,) = await do(store.load("a.1"))
    # As where parts are put together, or metadata is moved to another variant.
    changed = msgspec.structs.replace(stored.entry, body_size=len(next_body))
    await do(store.save("a.1", changed, next_body))
    await do(store.save("a.2", changed, next_body))
    await do(store.size())
    assert await bodies(do, store, "a.1") == await bodies(do, store, "a.2") == [next_body]


async def test_small_ones_are_packed_and_unpacked_at_once(subject: Subject) -> None:
    do, store = doing(subject), subject.store
    body = TEXT[:PACKED_AT_ONCE]
    await do(store.save("b.1", entry(), b""))
    await do(store.load("b.1"))
    assert answered_now(subject, store.save("a.1", entry(body=body), body)) == body
    await do(store.size())
    (found,) = await do(store.load("a.1"))
    assert found.entry.packed is not None
    (found,) = answered_now(subject, store.load("a.1"))
    assert found.body == body
    # What would hold up the loop is for a thread.
    large = TEXT[: UNPACKED_AT_ONCE + 1]
    assert answered_now(subject, store.save("a.2", entry(body=large), large)) is NOT_NOW
    await do(store.save("a.2", entry(body=large), large))
    await do(store.size())
    assert answered_now(subject, store.load("a.2")) is NOT_NOW


async def test_limits_are_about_what_lies_there(
    maker: Callable[..., Subject], tmp_path: Path
) -> None:
    subject = maker(tmp_path, compression="zstd", max_bytes=60_000)
    do, store, body = doing(subject), subject.store, bytes(2_000_000)
    for number in range(5):
        await do(store.save(f"a.{number}", entry(body=body), body))
    assert await do(store.size()) == 5
    assert await do(store.bytes_size()) < 60_000
    await do(store.save("a.5", entry(body=body), random.Random(8).randbytes(100_000)))
    assert await do(store.size()) == 5
    subject.sync_shell.close()


# Who can read it.


@pytest.mark.parametrize("secret_key", [None, "secret"])
@pytest.mark.parametrize("serializer", ["msgpack", "json"])
async def test_the_option_can_be_turned_on_and_off(
    maker: Callable[..., Subject], tmp_path: Path, serializer: str, secret_key: str | None
) -> None:
    common = {"serializer": serializer, "secret_key": secret_key}
    sizes = (1000, 300_000, 2_000_000)
    for turn, compression in enumerate(["zstd", None, "zstd"]):
        subject = maker(tmp_path, compression=compression, **common)
        do, store = doing(subject), subject.store
        for before in range(turn):
            for size in sizes:
                assert await bodies(do, store, f"a.{before}-{size}") == [TEXT[:size]]
        for size in sizes:
            body = TEXT[:size]
            await do(store.save(f"a.{turn}-{size}", entry(body=body), body))
            # And what is there is replaced.
            await do(store.save(f"b.{size}", entry(body=body), body))
        kinds = {found.packed is not None for found in await entries(do, store)}
        assert kinds == ({True} if turn == 0 else {True, False})
        for size in sizes:
            (stored,) = await do(store.load(f"b.{size}"))
            assert (stored.entry.packed is not None) == (compression is not None)
            fresh = msgspec.structs.replace(stored.entry, created=3000.0)
            assert await do(store.freshen([(stored.key, "", fresh)])) == 1
        subject.sync_shell.close()


async def test_another_process_reads_it_without_the_option(tmp_path: Path) -> None:
    subject = sqlite(tmp_path, compression="zstd")
    await doing(subject)(subject.store.save("a.1", entry(body=TEXT[:9000]), TEXT[:9000]))
    subject.sync_shell.close()
    assert program.run(tmp_path, "print(len(load('a.1')[0]))") == "9000"


async def test_without_the_library_it_is_absent_and_one_line_says_so(tmp_path: Path) -> None:
    subject = sqlite(tmp_path, compression="zstd")
    do, store = doing(subject), subject.store
    for key, size in (("a.1", 9000), ("a.2", 3_000_000)):
        await do(store.save(key, entry(body=TEXT[:size]), TEXT[:size]))
    await do(store.save("a.3", entry(body=b"small"), b"small"))
    subject.sync_shell.close()
    code = """
sys.modules["backports.zstd"] = sys.modules["compression.zstd"] = None
lines = []
logging.getLogger("http_client_cache").addFilter(lambda record: lines.append(record.getMessage()))
print(load("a.1"), load("a.2"), load("a.1"), load("a.3"), *lines, sep="\\n")
"""
    *found, line = program.run(tmp_path, code).splitlines()
    assert found == ["[]", "[]", "[]", "[b'small']"]
    assert "aiohttp-client-cache[zstd]" in line


async def test_records_from_before_are_read(maker: Callable[..., Subject], tmp_path: Path) -> None:
    subject = maker(tmp_path)
    do = doing(subject)
    await do(subject.store.save("a.1", entry(body=b"old"), b"old"))
    subject.sync_shell.close()
    record = codec_for().encode("a.1", "", entry(body=b"old"), b"old")
    shorter = msgspec.msgpack.encode(msgspec.msgpack.decode(record[1:])[:-1])
    assert codec_for().decode("a.1", "", record[:1] + shorter, b"old") == entry(body=b"old")
    packing = maker(tmp_path, compression="zstd")
    assert await bodies(doing(packing), packing.store) == [b"old"]
    packing.sync_shell.close()


def test_another_name_is_refused(maker: Callable[..., Subject], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="compression"):
        maker(tmp_path, compression="gzip")


# What is damaged, and what is forged.


def forge(folder: Path, body: bytes, size: int) -> None:
    """Put a body in the place of the one that lies there, with a record to match."""
    told = msgspec.structs.replace(entry(), body_size=size, packed=len(body))
    record = codec_for().encode("a.1", "", told, body)
    with closing(sqlite3.connect(folder / "cache.sqlite")) as connection, connection:
        connection.execute(
            "UPDATE http_cache_v1_responses SET record = ?, body = ?, size = ?, chain = NULL",
            (record, body, len(body)),
        )


@pytest.fixture
async def forged(tmp_path: Path) -> Subject:
    subject = sqlite(tmp_path)
    await doing(subject)(subject.store.save("a.1", entry(body=b"x"), b"x"))
    subject.sync_shell.close()
    return subject


def bomb() -> bytes:
    zstd = library()
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 17})
    parts = [compressor.compress(bytes(2**20)) for _ in range(2**10)]
    frame = b"".join([*parts, compressor.flush()])
    header = b"\x50\x2a\x4d\x18\x04\x00\x00\x00" + len(frame).to_bytes(4, "little")
    return header + frame


async def test_a_forged_record_that_is_true_is_read(forged: Subject, tmp_path: Path) -> None:
    forge(tmp_path, pack(TEXT[:9000]) or b"", 9000)
    assert await bodies(doing(forged), forged.store) == [TEXT[:9000]]
    forged.sync_shell.close()


@pytest.mark.parametrize("size", [-1, 0, 1, 9000, 200_000, WHOLE_BYTES])
@pytest.mark.parametrize("body", [bomb(), b"", b"no frame", compress_block(bytes(BLOCK_BYTES))])
async def test_a_small_body_that_is_none_is_absent(
    forged: Subject, tmp_path: Path, body: bytes, size: int
) -> None:
    forge(tmp_path, body, size)
    expected = [b""] if body == b"" and size == 0 else []
    assert await bodies(doing(forged), forged.store) == expected
    assert len(await doing(forged)(forged.store.page("", 10, bodies=True))) == len(expected)
    forged.sync_shell.close()


@pytest.mark.parametrize("size", [WHOLE_BYTES + 1, 10**9, 2**60])
@pytest.mark.parametrize("body", [bomb(), b"", b"no frame", compress_block(bytes(BLOCK_BYTES))])
async def test_a_large_body_that_is_none_is_an_error_when_it_is_read(
    forged: Subject, tmp_path: Path, body: bytes, size: int
) -> None:
    forge(tmp_path, body, size)
    with pytest.raises(StoreError, match="damaged"):
        await bodies(doing(forged), forged.store)
    forged.sync_shell.close()


def body_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > 300_000]


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("place", [0.1, 0.5, 0.99])
async def test_a_flipped_bit_is_found(
    maker: Callable[..., Subject], tmp_path: Path, place: float, times: int
) -> None:
    subject = maker(tmp_path, compression="zstd")
    do, store, body = doing(subject), subject.store, TEXT * times
    await do(store.save("a.1", entry(body=body), body))
    subject.sync_shell.close()
    (path,) = body_files(tmp_path)
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 1
    path.write_bytes(data)
    if maker is files and len(data) <= WHOLE_BYTES:
        # It is read as a whole before any of it is handed over.
        assert await bodies(do, store) == []
    else:
        with pytest.raises(StoreError, match="damaged"):
            await bodies(do, store)
    subject.sync_shell.close()


async def test_a_signed_body_that_was_changed_is_absent(
    maker: Callable[..., Subject], tmp_path: Path
) -> None:
    subject = maker(tmp_path, compression="zstd", secret_key="secret")
    do, store = doing(subject), subject.store
    await do(store.save("a.1", entry(body=TEXT), TEXT))
    subject.sync_shell.close()
    (path,) = body_files(tmp_path)
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    assert await do(store.load("a.1")) == ()
    subject.sync_shell.close()
