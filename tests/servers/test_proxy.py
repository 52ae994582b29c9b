"""The proxy does to connections what its modes say."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.support.servers import (
    BlackHole,
    Delay,
    Drip,
    Garbage,
    Mode,
    Pass,
    Proxy,
    Refuse,
    Reset,
    Truncate,
    free_port,
    wait_until,
)
from tests.support.servers.shared import valkey_url

PONG = b"+PONG\r\n"


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    url = valkey_url()
    with Proxy(("127.0.0.1", int(url.split(":")[2].split("/")[0]))) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    """Open, and has had an answer."""
    with connected(proxy) as client:
        assert ping(client) == PONG
        yield client


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(proxy.address, timeout=5)


def ping(client: socket.socket) -> bytes:
    """What comes for it, until it is as long as a PONG or the connection ends."""
    client.sendall(b"PING\r\n")
    return answer(client)


def answer(client: socket.socket, size: int = len(PONG)) -> bytes:
    got = b""
    while len(got) < size and (piece := client.recv(size - len(got))):
        got += piece
    return got


def test_pass(proxy: Proxy, client: socket.socket) -> None:
    assert ping(client) == PONG
    with connected(proxy) as second:
        assert ping(second) == PONG
        assert proxy.open_connections == 2
    assert proxy.connections == 2
    assert proxy.bytes_up == 3 * len(b"PING\r\n")
    assert proxy.bytes_down == 3 * len(PONG)
    assert 1024 < proxy.port < 32768


def test_refuse(proxy: Proxy, client: socket.socket) -> None:
    proxy.mode = Refuse()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connected(proxy)
    proxy.mode = Pass()
    with connected(proxy) as again:
        assert ping(again) == PONG


def test_reset(proxy: Proxy, client: socket.socket) -> None:
    proxy.mode = Reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    # It may come while one still connects.
    with pytest.raises(ConnectionResetError), connected(proxy) as new:
        new.recv(1)
    proxy.mode = Pass()
    with connected(proxy) as again:
        assert ping(again) == PONG


def test_resetting_open_connections_alone(proxy: Proxy, client: socket.socket) -> None:
    proxy.reset_connections()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with connected(proxy) as again:
        assert ping(again) == PONG


def test_black_hole_holds_what_comes_until_it_ends(proxy: Proxy, client: socket.socket) -> None:
    proxy.mode = BlackHole()
    up = proxy.bytes_up
    with connected(proxy) as new:
        for connection in (client, new):
            connection.settimeout(0.05)
            with pytest.raises(TimeoutError):
                ping(connection)
        assert proxy.bytes_up == up
        proxy.mode = Pass()
        for connection in (client, new):
            connection.settimeout(5)
            assert answer(connection) == PONG


def test_black_hole_in_the_middle_of_an_answer(proxy: Proxy, client: socket.socket) -> None:
    proxy.mode = BlackHole(after=3)
    client.sendall(b"PING\r\n")
    assert client.recv(100) == PONG[:3]
    client.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.recv(1)
    proxy.mode = Pass()
    client.settimeout(5)
    assert client.recv(100) == PONG[3:]


@pytest.mark.parametrize("after", [0, 3])
def test_truncate(proxy: Proxy, client: socket.socket, after: int) -> None:
    proxy.mode = Truncate(after)
    assert ping(client) == PONG[:after]
    with connected(proxy) as new:
        assert ping(new) == PONG[:after]
    proxy.mode = Pass()
    with connected(proxy) as again:
        assert ping(again) == PONG


def test_garbage(proxy: Proxy, client: socket.socket) -> None:
    proxy.mode = Garbage(b"xyz")
    assert ping(client) == b"xyzxyzx"
    proxy.mode = Pass()
    assert ping(client) == PONG


def test_delay_and_its_early_end(proxy: Proxy, client: socket.socket) -> None:
    proxy.mode = Delay(0.1)
    started = time.monotonic()
    assert ping(client) == PONG
    assert time.monotonic() - started >= 0.1
    proxy.mode = Delay(60)
    client.sendall(b"PING\r\n")
    proxy.mode = Pass()
    assert answer(client) == PONG


def test_drip(proxy: Proxy, client: socket.socket) -> None:
    proxy.mode = Drip(size=2, seconds=0.02)
    started = time.monotonic()
    client.sendall(b"PING\r\n")
    assert client.recv(100) == PONG[:2]
    assert answer(client, 5) == PONG[2:]
    assert time.monotonic() - started >= 4 * 0.02


def test_ends_go_through(proxy: Proxy, client: socket.socket) -> None:
    """The client's, after which the server still answers, and then the server's."""
    client.sendall(b"PING\r\n")
    client.shutdown(socket.SHUT_WR)
    assert client.recv(100) == PONG
    assert client.recv(100) == b""
    wait_until(lambda: proxy.open_connections == 0, "the connection is gone")


def test_a_client_that_leaves_is_not_kept(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert ping(client) == PONG
    wait_until(lambda: proxy.open_connections == 0, "the connection is gone")


def test_no_server_behind_it() -> None:
    with (
        Proxy(("127.0.0.1", free_port())) as proxy,
        pytest.raises(ConnectionResetError),
        connected(proxy) as client,
    ):
        client.recv(1)


@pytest.mark.parametrize("mode", [Pass(), Refuse(), BlackHole(), Delay(60), Drip(1, 60)])
def test_leaving_ends_everything(proxy: Proxy, client: socket.socket, mode: Mode) -> None:
    client.sendall(b"PING\r\n")
    proxy.mode = mode
    address = proxy.address
    proxy.__exit__()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    proxy.__enter__()
    proxy.mode = Pass()
    with connected(proxy) as again:
        assert ping(again) == PONG


def test_through() -> None:
    proxy = Proxy(("127.0.0.1", 1))
    proxy.port = 2
    assert proxy.through("redis://:secret@localhost:1/0") == "redis://:secret@127.0.0.1:2/0"
    assert proxy.through("http://127.0.0.1:1") == "http://127.0.0.1:2"
