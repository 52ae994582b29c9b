"""What becomes of connections that nobody can close any more, as that would have to be awaited.

A program that ends without closing its session is to leave no open socket, and to be told nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any


def let_go(parts: Iterable[Any]) -> None:
    """Close the sockets of some clients of redis-py."""
    for part in parts:
        for connection in _connections(part):
            writer = getattr(connection, "_writer", None)
            connection._reader = connection._writer = None  # noqa: SLF001
            if writer is not None:
                _close(writer.transport, writer)


def _connections(client: Any) -> list[Any]:
    manager = getattr(client, "nodes_manager", None)
    if manager is not None:
        # A cluster of which nothing was asked says so when it is collected, too.
        client._initialize = True  # noqa: SLF001
        nodes = [*manager.nodes_cache.values(), *manager.startup_nodes.values()]
        return [connection for node in nodes for connection in node._connections]  # noqa: SLF001
    pool = client.connection_pool
    return [*pool._available_connections, *pool._in_use_connections]  # noqa: SLF001


def _close(transport: Any, writer: Any = None) -> None:
    loop = getattr(writer, "_loop", None)
    if loop is not None and not loop.is_closed():
        # That one still looks after it.
        with suppress(RuntimeError):
            transport.abort()
        return
    # Transports would tell their loop. Other loops than asyncio's have other ones.
    with suppress(AttributeError):
        inner = transport._ssl_protocol._transport  # noqa: SLF001
        transport._closed = True  # noqa: SLF001
        _close(inner)
    with suppress(AttributeError):
        sock, transport._sock = transport._sock, None  # noqa: SLF001
        transport._closing = True  # noqa: SLF001
        sock.close()
