"""Bodies that their caller reads: in whatever way, as far as he likes, as they come."""

from __future__ import annotations

import gc
import gzip
import io
import shutil
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter

from requests_cache import CachedSession
from tests.faces.requests.wired import (
    KINDS,
    MIB,
    Wired,
    cache_of,
    nothing_is_left,
    outcome,
    wired_origin,
)
from tests.support.wire import Asked, Last, Wire, chunk, chunked, head, noise, sized

BODY = b"".join(b"%08d %s\n" % (n, noise(9, n).hex().encode()) for n in range(4096))
"""More than is read before a response is handed over, and compressible."""

BODIES: dict[str, Callable[[], Any]] = {
    "length": lambda: sized(BODY),
    "chunked": lambda: chunked(BODY),
    "gzip, chunked": lambda: chunked(gzip.compress(BODY), "Content-Encoding: gzip"),
    "until close": lambda: Last(head() + BODY),
}


@pytest.fixture(scope="module")
def wired() -> Iterator[Wired]:
    with wired_origin() as wired:
        yield wired


@pytest.fixture(params=KINDS)
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CachedSession]:
    with CachedSession(backend=cache_of(request.param, tmp_path)) as session:
        yield session


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[CachedSession]:
    with CachedSession(backend=cache_of("memory", tmp_path)) as session:
        yield session


def copied(response: Response) -> bytes:
    file = io.BytesIO()
    response.raw.decode_content = True
    shutil.copyfileobj(response.raw, file, 1000)
    return file.getvalue()


def into_a_buffer(response: Response) -> bytes:
    response.raw.decode_content = True
    taken, buffer = b"", bytearray(5000)
    while size := response.raw.readinto(buffer):
        taken += buffer[:size]
    return taken


def until_nothing(read: Callable[[], bytes]) -> bytes:
    return b"".join(iter(read, b""))


READERS: dict[str, Callable[[Response], bytes]] = {
    "content": lambda response: response.content,
    "text": lambda response: response.text.encode(),
    "pieces": lambda response: b"".join(response.iter_content(777)),
    "as they come": lambda response: b"".join(response.iter_content(None)),
    "lines": lambda response: b"\n".join(response.iter_lines()) + b"\n",
    "iterated": b"".join,
    "raw, all": lambda response: response.raw.read(decode_content=True),
    "raw, pieces": lambda response: until_nothing(
        lambda: response.raw.read(999, decode_content=True)
    ),
    "raw, read1": lambda response: until_nothing(
        lambda: response.raw.read1(999, decode_content=True)
    ),
    "raw, streamed": lambda response: b"".join(response.raw.stream(500, decode_content=True)),
    "raw, iterated": lambda response: b"".join(response.raw),
    "raw, copied": copied,
    "raw, into a buffer": into_a_buffer,
}


@pytest.mark.parametrize("way", READERS)
@pytest.mark.parametrize("framing", BODIES)
def test_ways_to_read(in_memory: CachedSession, wired: Wired, framing: str, way: str) -> None:
    url, read = wired.url(lambda *_: BODIES[framing]()), READERS[way]
    with Session() as plain, plain.get(url, stream=True) as response:
        expected = outcome(lambda: read(response))
    assert expected == (BODY, "")
    for from_cache in (False, True):
        with in_memory.get(url, stream=True) as response:
            assert response.from_cache is from_cache
            assert outcome(lambda: read(response)) == expected
    assert wired.count(url) == 2


@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
def test_as_on_the_wire(in_memory: CachedSession, wired: Wired, framing: str) -> None:
    """What has no coding is the same either way, and kept."""
    url = wired.url(lambda *_: BODIES[framing]())
    for from_cache in (False, True):
        with in_memory.get(url, stream=True) as response:
            assert response.from_cache is from_cache
            assert until_nothing(lambda: response.raw.read(5000, decode_content=False)) == BODY


def test_a_coding_as_on_the_wire(in_memory: CachedSession, wired: Wired) -> None:
    """Whoever reads what was sent gets that; nothing is kept of it."""
    packed = gzip.compress(BODY)
    url = wired.url(chunked(packed, "Content-Encoding: gzip"))
    for _ in range(2):
        with in_memory.get(url, stream=True) as response:
            assert not response.from_cache
            assert response.raw.read(decode_content=False) == packed
    nothing_is_left(in_memory)


@pytest.mark.parametrize("leave", ["close", "drain", "release", "with"])
@pytest.mark.parametrize("framing", BODIES)
def test_who_leaves_half_way(
    in_memory: CachedSession, wired: Wired, framing: str, leave: str
) -> None:
    url = wired.url(lambda *_: BODIES[framing]())
    for _ in range(2):
        response = in_memory.get(url, stream=True)
        assert not response.from_cache
        assert BODY.startswith(next(response.iter_content(100)))
        if leave == "close":
            response.close()
        elif leave == "drain":
            response.raw.drain_conn()
        elif leave == "release":
            response.raw.release_conn()
            del response
        else:
            with response:
                pass
    gc.collect()
    nothing_is_left(in_memory)
    assert in_memory.get(url).content == BODY
    assert in_memory.get(url).from_cache


@pytest.mark.parametrize("stop", [0, 1, MIB + 7, 2 * MIB])
def test_large_ones_that_nobody_reads_to_the_end(
    session: CachedSession, wired: Wired, stop: int
) -> None:
    """The garbage collector finds them, and what was kept of them goes."""
    url = wired.url(sized(noise(3 * MIB)))
    for _ in range(3):
        response = session.get(url, stream=True)
        assert len(response.raw.read(stop)) == stop
        assert not response.from_cache
        del response
    gc.collect()
    nothing_is_left(session)


@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
def test_large_ones(session: CachedSession, wired: Wired, framing: str) -> None:
    body = noise(3 * MIB, 1)
    made: dict[str, Any] = {
        "length": sized(body),
        "chunked": chunked(body, size=70_000),
        "until close": Last(head() + body),
    }
    url = wired.url(made[framing])
    for from_cache in (False, True, True):
        with session.get(url, stream=True) as response:
            assert response.from_cache is from_cache
            assert b"".join(response.iter_content(60_000)) == body
    whole = session.get(url)
    assert (whole.content == body, whole.from_cache) == (True, True)
    assert wired.count(url) == 1


def test_two_read_one_at_the_same_time(session: CachedSession, wired: Wired) -> None:
    """Nobody waits for a caller who reads when he likes; the last one to end is kept."""
    url = wired.url(sized(noise(2 * MIB, 2)))
    with session.get(url, stream=True) as one, session.get(url, stream=True) as other:
        assert not other.from_cache
        first, second = one.iter_content(100_000), other.iter_content(100_000)
        taken = [next(first), next(second)]
        assert b"".join(first) == b"".join(second) == noise(2 * MIB, 2)[len(taken[0]) :]
    assert session.get(url).content == noise(2 * MIB, 2)
    assert wired.count(url) == 2


@pytest.mark.parametrize("kind", ["sqlite", "files"])
def test_memory_is_bounded(tmp_path: Path, wired: Wired, kind: str) -> None:
    """64 MiB on their way in, and out: of them a few are held at a time."""
    piece = noise(MIB, 3)

    async def much(wire: Wire, _: Asked) -> None:
        await wire.send(head(f"Content-Length: {64 * MIB}"))
        for _ in range(64):
            await wire.send(piece)

    url = wired.url(much)
    with CachedSession(backend=cache_of(kind, tmp_path)) as session:
        for from_cache in (False, True):
            tracemalloc.start()
            try:
                with session.get(url, stream=True) as response:
                    assert response.from_cache is from_cache
                    size = sum(map(len, response.iter_content(2**17)))
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert size == 64 * MIB
            assert peak < 12 * MIB, f"{peak / MIB:.1f} MiB"


@pytest.mark.parametrize("length", [True, False], ids=["length", "chunked"])
@pytest.mark.parametrize("stream", [False, True])
def test_timeouts(in_memory: CachedSession, wired: Wired, *, stream: bool, length: bool) -> None:
    """An origin that falls silent in the middle."""

    async def half(wire: Wire, _: Asked) -> None:
        await wire.send(BODIES["length" if length else "chunked"]()[:-1000])

    url = wired.url(half)

    def read(session: Session) -> bytes:
        with session.get(url, stream=stream, timeout=0.2) as response:
            return b"".join(response.iter_content(1000))

    with Session() as plain:
        expected = outcome(lambda: read(plain))
    assert expected[1] == "ConnectionError ReadTimeoutError"
    assert outcome(lambda: read(in_memory)) == expected
    nothing_is_left(in_memory)
    wired.says(url, sized(BODY))
    assert in_memory.get(url).content == BODY


@pytest.mark.parametrize("kind", ["text/event-stream", "text/plain"])
def test_pieces_arrive_as_they_are_sent(in_memory: CachedSession, wired: Wired, kind: str) -> None:
    """Server-sent events are never kept; another body is, at its end."""
    gate = wired.gate()

    async def trickle(wire: Wire, _: Asked) -> bytes:
        await wire.send(head(f"Content-Type: {kind}", "Transfer-Encoding: chunked"))
        for number in range(4):
            await wire.send(chunk(b"data: %d\n\n" % number))
            await gate.permit()
        return b"0\r\n\r\n"

    url = wired.url(trickle)
    with in_memory.get(url, stream=True, timeout=5) as response:
        lines = filter(None, response.iter_lines(chunk_size=None))  # type: ignore[arg-type]
        for number in range(4):
            assert next(lines) == b"data: %d" % number
            gate.open()
        assert list(lines) == []
    gate.open(4)
    again = in_memory.get(url)
    assert again.content.count(b"data") == 4
    assert again.from_cache == (kind == "text/plain")


def test_many_threads_each_with_a_stream(session: CachedSession, wired: Wired) -> None:
    body = noise(2 * MIB, 4)
    url = wired.url(sized(body))
    seen: list[bool] = []

    def read() -> None:
        with session.get(url, stream=True) as response:
            seen.append(b"".join(response.iter_content(50_000)) == body)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == [True] * 8
    assert session.get(url).from_cache
    assert session.cache.size() == 1


class FilesOnly(BaseAdapter):
    """Answers with a file, as adapters for other schemes do."""

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__()
        self._make = make

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        response = Response()
        response.status_code = 200
        response.url = request.url or ""
        response.request = request
        response.raw = self._make()
        response.headers["Content-Type"] = "text/plain"
        return response

    def close(self) -> None:
        pass


@pytest.mark.parametrize("stream", [False, True])
def test_bodies_that_are_files(in_memory: CachedSession, *, stream: bool) -> None:
    """As an adapter for ``file://`` has them: they know nothing of urllib3."""
    files = [io.BytesIO(BODY)]
    in_memory.mount("file://", FilesOnly(files.pop))
    for from_cache in (False, True):
        with in_memory.get("file:///a", stream=stream) as response:
            assert response.from_cache is from_cache
            assert b"".join(response.iter_content(1000)) == BODY


def test_files_are_closed(in_memory: CachedSession, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BODY)
    with (tmp_path / "file").open("rb") as file:
        in_memory.mount("file://", FilesOnly(lambda: file))
        with in_memory.get("file:///a", stream=True) as response:
            assert file.closed
            assert response.content == BODY


def test_a_body_that_does_not_exist(in_memory: CachedSession) -> None:
    in_memory.mount("none://", FilesOnly(lambda: None))
    for stream in (False, True):
        response = in_memory.get("none://a", stream=stream)
        assert response.status_code == 200


def test_hits_outlive_their_entry(wired: Wired, tmp_path: Path) -> None:
    """A hit that has begun is read to its end, whatever becomes of the cache."""
    url = wired.url(sized(noise(3 * MIB, 5)))
    with CachedSession(backend=cache_of("sqlite", tmp_path)) as session:
        assert session.get(url).content == noise(3 * MIB, 5)
        hit = session.get(url, stream=True)
        begun = hit.raw.read(1000)
        session.cache.clear()
        assert begun + hit.raw.read() == noise(3 * MIB, 5)
