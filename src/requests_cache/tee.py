"""A body that goes to its reader as it comes, and into the cache on its way."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requests import Response

    from http_client_cache.engine import SyncCache
    from http_client_cache.plan import Later

KEEP_BYTES = 2**20
"""Bytes that have passed before they are kept: so many are written at a time."""

PIECE_COST = 64
"""Bytes that a piece takes beside its own, about: some origins send one byte at a time."""


class Copy:
    """Watches who reads a response of urllib3's, and keeps what they read.

    Only what is read decoded is kept, as ``requests`` itself reads; who reads the body of a coded
    response as it is on the wire, or leaves some of it out, gets all of it and nothing is kept.

    Args:
        engine: the cache.
        later: keeps what passes.
        is_coded: whether the response has a ``Content-Encoding``.
    """

    def __init__(self, engine: SyncCache, later: Later, *, is_coded: bool) -> None:
        self._engine = engine
        self._later: Later | None = later
        self._is_coded = is_coded
        self._pieces: list[bytes] = []
        self._size = 0

    @classmethod
    def attached_to(cls, response: Response, engine: SyncCache, later: Later) -> Copy | None:
        """Watch the body of a response from now on, unless it is none of urllib3's or like them."""
        raw: Any = response.raw
        if not hasattr(raw, "isclosed"):
            return None
        copy = cls(engine, later, is_coded=is_coded(response))
        # In the place of the methods: it stays the response that it is, of the class that it is.
        # By a weak reference, as it would be its own owner.
        seen = weakref.ref(raw)
        kind = cast("type[Any]", raw.__class__)
        for name in ("read", "read1", "read_chunked", "drain_conn", "close"):
            if hasattr(kind, name):
                watched = partial(getattr(copy, f"_{name}"), seen, getattr(kind, name))
                setattr(raw, name, watched)
        weakref.finalize(raw, engine.abandoned.append, copy).atexit = False
        return copy

    def _read(
        self, seen: weakref.ref[Any], read: Callable[..., bytes], *args: Any, **kwargs: Any
    ) -> bytes:
        data, amt = self._watched(seen, read, args, kwargs)
        if amt is None or amt < 0:
            # It was all that there is.
            self._finish()
        return data

    def _read1(
        self, seen: weakref.ref[Any], read: Callable[..., bytes], *args: Any, **kwargs: Any
    ) -> bytes:
        return self._watched(seen, read, args, kwargs)[0]

    def _watched(
        self,
        seen: weakref.ref[Any],
        read: Callable[..., bytes],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> tuple[bytes, int | None]:
        """What is read, and how much was asked for."""
        raw = seen()
        amt, decode_content = _asked(*args, **kwargs)
        try:
            data = read(raw, *args, **kwargs)
        except BaseException:
            self.end()
            raise
        self._passed(raw, data, decode_content)
        if (not data and amt != 0) or _is_over(raw):
            self._finish()
        return data, amt

    def _read_chunked(
        self,
        seen: weakref.ref[Any],
        read: Callable[..., Iterator[bytes]],
        amt: int | None = None,
        decode_content: bool | None = None,  # noqa: FBT001 - urllib3's
    ) -> Iterator[bytes]:
        raw = seen()
        try:
            for data in read(raw, amt, decode_content):
                self._passed(raw, data, decode_content)
                yield data
        except BaseException:
            # Whoever stops in the middle may go on with another iterator.
            self.end()
            raise
        self._finish()

    def _drain_conn(self, seen: weakref.ref[Any], drain: Callable[..., None]) -> None:
        self.end()
        drain(seen())

    def _close(self, seen: weakref.ref[Any], close: Callable[..., None]) -> None:
        raw = seen()
        if raw is not None and _is_over(raw):
            self._finish()
        self.end()
        close(raw)

    def _passed(self, raw: Any, data: bytes, decode_content: bool | None) -> None:  # noqa: FBT001
        if self._later is None or not data:
            return None
        decoded = decode_content
        if decoded is None:
            decoded = getattr(raw, "decode_content", True)
        if self._is_coded and not decoded:
            return self.end()
        self._pieces.append(data)
        self._size += len(data) + PIECE_COST
        if self._size >= KEEP_BYTES:
            pieces, self._pieces, self._size = self._pieces, [], 0
            if not self._engine.run(self._later.keep(pieces)):
                self.end()
        return None

    def _finish(self) -> None:
        later, self._later = self._later, None
        if later is not None:
            pieces, self._pieces = self._pieces, []
            self._engine.run(later.finish(pieces))

    def let_go(self) -> None:
        """Nobody waits for a caller who reads when he likes."""
        if self._later is not None:
            self._later.give_up()

    def end(self) -> None:
        """It will not be whole; may be called again."""
        later, self._later, self._pieces = self._later, None, []
        if later is not None:
            self._engine.run(later.forget())


def _asked(
    amt: int | None = None,
    decode_content: bool | None = None,  # noqa: FBT001 - urllib3's
    *_args: Any,
    **_kwargs: Any,
) -> tuple[int | None, bool | None]:
    """How much is read, and whether it is decoded: stand-ins for urllib3 take fewer arguments."""
    return amt, decode_content


def is_coded(response: Response) -> bool:
    """Whether the body is decoded when it is read."""
    return response.headers.get("Content-Encoding", "identity").lower() not in {"", "identity"}


def is_framed(response: Response) -> bool:
    """Whether it is known where the body ends, other than by the end of the connection."""
    return "Content-Length" in response.headers or "Transfer-Encoding" in response.headers


def _is_over(raw: Any) -> bool:
    """Whether all of the body has been read, and nothing decoded is left to be handed over."""
    if not raw.isclosed() or getattr(raw, "length_remaining", None):
        return False
    decoder = getattr(raw, "_decoder", None)
    left = getattr(raw, "_decoded_buffer", b"")
    return not len(left) and not getattr(decoder, "has_unconsumed_tail", False)


def undelivered(raw: Any) -> bytes:
    """What has come and been decoded when a body broke off, and was not handed over yet."""
    left = getattr(raw, "_decoded_buffer", None)
    return bytes(left.get(len(left))) if left else b""
