"""The origin of the measurements: small, fast, and a process of its own.

Run as a program it prints its port, serves ``/bytes/<size>`` and ``/vary/<size>``, and ends with
its parent. Only what
the client spends is measured, so it shares neither interpreter nor CPU time with the client.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path


class _Connection(asyncio.Protocol):
    """Answers GET requests without a body, one after the other."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._transport is not None and b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].partition(b"?")[0]
            kind, _, size = path.rpartition(b"/")
            self._transport.write(_answer(int(size), varies=kind == b"/vary"))


def _answer(size: int, *, varies: bool) -> bytes:
    vary = "Vary: Accept-Encoding\r\n" if varies else ""
    head = (
        "HTTP/1.1 200 OK\r\n"
        "Server: benchmark\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        'ETag: "5ff000e0-400"\r\n'
        "Last-Modified: Fri, 01 Jan 2021 12:00:00 GMT\r\n"
        "Cache-Control: max-age=3600\r\n"
        f"{vary}Content-Length: {size}\r\n"
        "\r\n"
    )
    return head.encode() + b"x" * size


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


@contextmanager
def running_origin(program: Path = Path(__file__), core: int | None = None) -> Iterator[str]:
    """Start an origin and yield its address, without a slash at the end.

    Args:
        program: prints its port, and ends with its standard input.
        core: the CPU that it is to run on; any by default.
    """
    command = [sys.executable, str(program)]
    with subprocess.Popen(  # noqa: S603 - this very interpreter
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdout is None:
            raise RuntimeError("the origin has no output")
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(_serve())
