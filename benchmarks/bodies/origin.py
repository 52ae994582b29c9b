"""The origin of large bodies: a process of its own, a thread for each connection.

It answers ``GET /<framing>/<bytes>/<pace>/<wait>``: ``framing`` is ``length`` or ``chunked``,
``pace`` the microseconds between the blocks of 64 KiB, 0 for as fast as the client reads, ``wait``
those before the answer begins. Threads that send large blocks hold the interpreter for next to
nothing, so it is the client that is measured.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from contextlib import suppress
from email.utils import formatdate

KIB = 1024
MIB = 1024 * KIB
CHUNK = 64 * KIB


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_NOISE = os.urandom(MIB)
_CHUNKS = b"".join(_chunk(_NOISE[start : start + CHUNK]) for start in range(0, MIB, CHUNK))


def _head(framing: str, size: int) -> bytes:
    length = f"Content-Length: {size}" if framing == "length" else "Transfer-Encoding: chunked"
    return (
        "HTTP/1.1 200 OK\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        "Content-Type: application/octet-stream\r\n"
        'ETag: "5ff000e0-400"\r\n'
        "Cache-Control: max-age=3600\r\n"
        f"{length}\r\n"
        "\r\n"
    ).encode()


def _answer(connection: socket.socket, framing: str, size: int, pace: int) -> None:
    whole, rest = divmod(size, CHUNK if pace else MIB)
    plain, chunked = (_NOISE[:CHUNK], _chunk(_NOISE[:CHUNK])) if pace else (_NOISE, _CHUNKS)
    connection.sendall(_head(framing, size))
    block = plain if framing == "length" else chunked
    for _ in range(whole):
        connection.sendall(block)
        if pace:
            time.sleep(pace / 1e6)
    if framing == "length":
        connection.sendall(_NOISE[:rest])
    else:
        connection.sendall((_chunk(_NOISE[:rest]) if rest else b"") + b"0\r\n\r\n")


def _serve(connection: socket.socket) -> None:
    received = b""
    # Clients that go away before the end are part of what is measured.
    with connection, suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(CHUNK):
            received += data
            while b"\r\n\r\n" in received:
                head, _, received = received.partition(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].partition(b"?")[0].decode()
                _, framing, size, pace, wait = path.split("/")
                time.sleep(int(wait) / 1e6)
                _answer(connection, framing, int(size), int(pace))


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def _listen() -> None:
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(server.getsockname()[1], flush=True)
    while True:
        connection, _ = server.accept()
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _listen()
