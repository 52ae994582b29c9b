"""How bodies are read: a piece at a time, and nothing is kept of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from aiohttp import ClientResponse

WAYS: dict[str, Callable[[ClientResponse], AsyncIterator[bytes]]] = {
    "iter_any": lambda response: response.content.iter_any(),
    "iter_chunked": lambda response: response.content.iter_chunked(65536),
}

TITLES = {"iter_any": "`iter_any()`", "iter_chunked": "`iter_chunked(65536)`"}


async def read_through(response: ClientResponse, size: int, way: str = "iter_any") -> None:
    """Read a body to its end.

    Raises:
        RuntimeError: it is not ``size`` bytes long.
    """
    length = 0
    async for piece in WAYS[way](response):
        length += len(piece)
    if length != size:
        raise RuntimeError(f"{length} bytes instead of {size}")
