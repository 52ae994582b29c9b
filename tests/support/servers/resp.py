"""Just enough of Redis' protocol to ask a server about itself without the client under test."""

from __future__ import annotations

import socket
import ssl
from typing import BinaryIO

Answer = str | int | list["Answer"] | None


class RespError(OSError):
    """The server answered with an error."""


def ask(
    address: tuple[str, int], *command: str | int, context: ssl.SSLContext | None = None
) -> Answer:
    """Send one command over a connection of its own.

    Raises:
        OSError: there is no answer within two seconds, or it is an error (:class:`RespError`).
    """
    parts = [str(part).encode() for part in command]
    request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)
    with socket.create_connection(address, timeout=2) as plain:
        connection = context.wrap_socket(plain, server_hostname=address[0]) if context else plain
        with connection, connection.makefile("rb") as answers:
            connection.sendall(request)
            return _read(answers)


def fields(address: tuple[str, int], *command: str) -> dict[str, str]:
    """The answer to ``INFO`` and the like, line by line."""
    answer = ask(address, *command)
    assert isinstance(answer, str)
    return dict(line.split(":", 1) for line in answer.splitlines() if ":" in line)


def _read(answers: BinaryIO) -> Answer:
    line = answers.readline()
    if not line.endswith(b"\r\n"):
        message = "the connection ended"
        raise ConnectionResetError(message)
    kind, value = line[:1], line[1:-2].decode()
    if kind == b"-":
        raise RespError(value)
    if kind == b":":
        return int(value)
    if kind == b"$":
        return None if value == "-1" else answers.read(int(value) + 2)[:-2].decode(errors="replace")
    if kind == b"*":
        return None if value == "-1" else [_read(answers) for _ in range(int(value))]
    return value
