"""Real names that lead to the origin of the tests."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest


def lead_to(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Let every host name resolve to 127.0.0.1, and port 80 of it mean ``port``.

    aiohttp's default resolver asks :func:`socket.getaddrinfo`, so programs that know nothing of
    tests reach the origin under the names that are written in them.
    """
    ask_system = socket.getaddrinfo

    def getaddrinfo(host: Any, service: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            address = ("127.0.0.1", port if service == 80 else service)
            return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]
        return ask_system(host, service, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
