"""How bodies are read: a piece at a time, and nothing is kept of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from aiohttp import ClientResponse

WAYS: dict[str, Callable[[ClientResponse], AsyncIterator[bytes]]] = {
    "iter_any": lambda response: response.content.iter_any(),
    "iter_chunked": lambda response: response.content.iter_chunked(65536),
}

TITLES = {"iter_any": "`iter_any()`", "iter_chunked": "`iter_chunked(65536)`"}


async def read_through(
    response: ClientResponse,
    size: int,
    way: str = "iter_any",
    write: Callable[[bytes], object] | None = None,
) -> None:
    """Read a body to its end.

    Args:
        response: what to read.
        size: bytes that should come.
        way: a name in ``WAYS``.
        write: called with each piece.

    Raises:
        RuntimeError: it is not ``size`` bytes long.
    """
    length = 0
    async for piece in WAYS[way](response):
        length += len(piece)
        if write is not None:
            write(piece)
    if length != size:
        raise RuntimeError(f"{length} bytes instead of {size}")
