"""Bodies that break off, in every framing: never stored as complete, and raised as ever."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
from requests import Session

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
from tests.support.wire import Last, chunked, head, noise, sized

BODY = b"".join(b"%08d %s\n" % (n, noise(3, n).hex().encode()) for n in range(256))
"""4 KiB that can be compressed, but not to nothing."""

PACKED = gzip.compress(BODY, mtime=0)
GZIP = "Content-Encoding: gzip"

# Made when they are sent: whole answers have a date.
FRAMINGS: dict[str, Callable[[], bytes]] = {
    "length": lambda: sized(BODY),
    "chunked": lambda: chunked(BODY),
    "gzip, length": lambda: sized(PACKED, GZIP),
    "gzip, chunked": lambda: chunked(PACKED, GZIP, size=300),
    "http 1.0": lambda: sized(BODY, version="1.0"),
}

# What breaks off without anybody noticing: only the coding tells, to those who ask.
CODINGS: dict[str, Callable[[], bytes]] = {
    "gzip, until close": lambda: head(GZIP) + PACKED,
    "http 1.0, gzip, until close": lambda: head(GZIP, version="1.0") + PACKED,
}


@pytest.fixture(scope="module")
def wired() -> Iterator[Wired]:
    with wired_origin() as wired:
        yield wired


def whole(session: Session, url: str) -> bytes:
    return session.get(url).content


def streamed(session: Session, url: str) -> bytes:
    with session.get(url, stream=True) as response:
        return b"".join(response.iter_content(1000))


def as_far_as_it_goes(session: Session, url: str) -> bytes:
    """What came, and the name of what came then."""
    pieces = []
    with session.get(url, stream=True) as response:
        try:
            for piece in response.iter_content(100):
                pieces.append(piece)  # noqa: PERF402 - what came before the error counts
        except requests.RequestException as error:
            pieces.append(type(error).__name__.encode())
    return b"".join(pieces)


READERS = {"whole": whole, "streamed": streamed, "as far as it goes": as_far_as_it_goes}


def cut(
    session: CachedSession,
    wired: Wired,
    framing: str,
    read: Callable[[Session, str], bytes],
    step: int,
    offset: int = 0,
) -> None:
    """Ask for one URL, whose answer breaks off later each time; at last it is whole."""
    answer = (FRAMINGS | CODINGS)[framing]()
    start = answer.index(b"\r\n\r\n") + 4
    url = wired.url(answer)
    cuts = range(start + offset, len(answer), step)
    with Session() as plain:
        for end in cuts:
            wired.says(url, Last(answer[:end]))
            expected = outcome(lambda: read(plain, url))
            assert outcome(lambda: read(session, url)) == expected, (framing, end)
    # Each was asked for, by both.
    assert wired.count(url) == 2 * len(cuts)
    nothing_is_left(session)
    wired.says(url, Last(answer))
    for _ in range(2):
        assert read(session, url) == BODY
    # Whoever cannot tell a whole coding from a part of one had better not store any.
    assert wired.count(url) == 2 * len(cuts) + (2 if framing in CODINGS else 1)
    session.cache.clear()


@pytest.mark.parametrize("way", READERS)
@pytest.mark.parametrize("framing", FRAMINGS | CODINGS)
def test_every_few_bytes(tmp_path: Path, wired: Wired, framing: str, way: str) -> None:
    with CachedSession(backend=cache_of("memory", tmp_path)) as session:
        cut(session, wired, framing, READERS[way], step=37)


@pytest.mark.parametrize("cache_control", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["whole", "streamed"])
def test_every_backend(
    tmp_path: Path, wired: Wired, kind: str, way: str, *, cache_control: bool
) -> None:
    """Each begins at another byte."""
    offset = KINDS.index(kind) * 2 + cache_control
    cache = cache_of(kind, tmp_path, cache_control=cache_control)
    with CachedSession(backend=cache) as session:
        for framing in FRAMINGS:
            cut(session, wired, framing, READERS[way], step=401, offset=offset)


@pytest.mark.parametrize("kind", KINDS)
def test_large_bodies(tmp_path: Path, wired: Wired, kind: str) -> None:
    """Cut at the borders of what is kept at a time."""
    body = noise(3 * MIB)
    with CachedSession(backend=cache_of(kind, tmp_path)) as session:
        # Less than the last chunk, at the end of which nobody looks.
        for answer, least in ((sized(body), 1), (chunked(body, size=100_000), 5)):
            start = answer.index(b"\r\n\r\n") + 4
            url = wired.url(answer)
            ends = (start, start + 1, start + MIB, start + MIB + 1, len(answer) - least)
            for end in ends:
                wired.says(url, Last(answer[:end]))
                for read in (whole, streamed):
                    assert outcome(partial(read, session, url))[1].startswith("Chunked")
            assert wired.count(url) == 2 * len(ends)
            nothing_is_left(session)
            wired.says(url, answer)
            for read in (streamed, whole, streamed):
                assert read(session, url) == body
            assert wired.count(url) == 2 * len(ends) + 1
            session.cache.clear()


def test_what_is_stored_outlives_it(tmp_path: Path, wired: Wired) -> None:
    with CachedSession(backend=cache_of("sqlite", tmp_path)) as session:
        url = wired.url(sized(BODY, 'ETag: "a"'))
        assert whole(session, url) == BODY
        wired.says(url, Last(sized(b"x" * 100_000, 'ETag: "b"')[:-1]))
        for stream in (False, True):
            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                session.get(url, force_refresh=True, stream=stream).content  # noqa: B018 - it reads
        assert session.get(url).from_cache
        assert whole(session, url) == BODY


def test_what_has_no_body_lacks_nothing(tmp_path: Path, wired: Wired) -> None:
    """The answer to HEAD has the fields of a body that it does not have."""
    for fields in ((GZIP, f"Content-Length: {len(PACKED)}"), (GZIP,)):
        with CachedSession(backend=cache_of("memory", tmp_path)) as session:
            url = wired.url(head(*fields))
            for from_cache in (False, True):
                response = session.head(url)
                assert (response.from_cache, response.content) == (from_cache, b"")


def test_a_coded_stream_without_an_end_is_handed_over(tmp_path: Path, wired: Wired) -> None:
    """Nothing would tell that it is whole, so nobody waits for its end."""
    gate = wired.gate()

    async def answer(wire: object, _: object) -> Last:
        wire.transport.write(head(GZIP) + PACKED[:500])  # type: ignore[attr-defined]
        await gate.permit()
        return Last(PACKED[500:])

    with CachedSession(backend=cache_of("memory", tmp_path)) as session:
        with session.get(wired.url(answer), stream=True, timeout=5) as response:
            gate.open()
            assert b"".join(response.iter_content(100)) == BODY
        nothing_is_left(session)
