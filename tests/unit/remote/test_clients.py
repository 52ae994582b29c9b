"""How the shells of a store on a server come to their clients, and let go of them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from http_client_cache.errors import StoreError, StoreUnavailable
from http_client_cache.shell import remote
from http_client_cache.shell.guard import FAILURES, Guard
from tests.support.line_server import LineServer, Say, SyncLines
from tests.unit.remote.conftest import LONG, SHORT, Ask, Now, client_of, in_its_colour, until


class TestClients:
    async def test_calls_share_one(self, ask: Ask, server: LineServer) -> None:
        assert [await ask("echo", text) for text in ("a", "b")] == ["a", "b"]
        assert server.connections == 1

    async def test_first_calls_at_the_same_time_connect_once(
        self, ask: Ask, server: LineServer
    ) -> None:
        server.greets.clear()
        calls = [asyncio.create_task(ask("echo", str(number))) for number in range(20)]
        await until(lambda: server.connections > 0)
        await asyncio.sleep(0.01)
        server.greets.set()
        assert await asyncio.gather(*calls) == [str(number) for number in range(20)]
        assert server.connections == 1

    async def test_to_connect_may_take_longer_than_a_call(
        self, ask: Ask, server: LineServer, guard: Guard, now: Now
    ) -> None:
        """Else a server that is far away would never be reached."""
        server.greets.clear()
        guard.seconds = SHORT
        begun = time.monotonic()
        for _ in range(FAILURES - 1):
            with pytest.raises(StoreUnavailable, match=r"^no answer within 0\.05 s$"):
                await ask("echo")
        assert time.monotonic() - begun >= SHORT * (FAILURES - 1)
        guard.seconds = LONG
        server.greets.set()
        assert await ask("echo", "late") == "late"
        assert server.connections == 1

    async def test_what_failed_is_tried_again_by_the_next(
        self, ask: Ask, server: LineServer
    ) -> None:
        server.refuses = True
        with pytest.raises(StoreUnavailable, match="the connection"):
            await ask("echo")
        server.refuses = False
        assert await ask("echo", "again") == "again"
        assert server.connections == 2

    async def test_to_close_is_not_the_end(self, ask: Ask, shell: Any, server: LineServer) -> None:
        assert await ask("who") == "1"
        await in_its_colour(shell.close, shell)
        assert shell.ended == ["closed"]
        await until(lambda: server.open == 0)
        assert await ask("who") == "2"

    async def test_to_close_what_was_never_open(self, shell: Any, server: LineServer) -> None:
        for _ in range(2):
            await in_its_colour(shell.close, shell)
        assert (server.connections, shell.ended) == (0, [])

    async def test_closed_while_it_connects(self, ask: Ask, shell: Any, server: LineServer) -> None:
        server.greets.clear()
        calls = [asyncio.create_task(ask("who")) for _ in range(3)]
        await until(lambda: server.connections == 1)
        # Whose thread begins after that has another connection.
        await asyncio.sleep(0.05)
        await in_its_colour(shell.close, shell)
        server.greets.set()
        # It is no cancellation of theirs: they are answered in time, or told why not.
        for end in await asyncio.gather(*calls, return_exceptions=True):
            assert end == "1" or isinstance(end, StoreError)
        await until(lambda: server.open == 0)
        assert await ask("who") == "2"

    async def test_what_cannot_be_closed_is_left(
        self, ask: Ask, shell: Any, server: LineServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await ask("echo")
        client = client_of(shell) if isinstance(shell, SyncLines) else None

        def fail(_: object) -> None:
            raise OSError("the server need not be told")

        monkeypatch.setattr(shell, "_disconnect", fail)
        await in_its_colour(shell.close, shell)
        if client is not None:
            client.connection.close()
        await until(lambda: server.open == 0)


class TestThreads:
    @pytest.fixture
    def shell(self, guard: Guard, server: LineServer) -> Iterator[SyncLines]:
        shell = SyncLines(guard, server.port)
        yield shell
        shell.close()

    def test_they_share_one(self, shell: SyncLines, server: LineServer) -> None:
        together = threading.Barrier(16)
        found: list[str] = []

        def work(number: int) -> None:
            together.wait()
            found.append(shell.run(Say("echo", str(number))))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert sorted(found, key=int) == [str(number) for number in range(16)]
        assert server.connections == 1

    def test_a_thread_that_cannot_be_started_is_a_failure_like_any_other(
        self, shell: SyncLines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: object) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail)
            with pytest.raises(StoreUnavailable, match="can't start new thread"):
                shell.run(Say("echo"))
        assert shell.run(Say("echo", "later")) == "later"

    async def test_one_that_is_never_connected_is_given_up(
        self, shell: SyncLines, server: LineServer, guard: Guard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(remote, "CONNECT_SECONDS", 2 * SHORT)
        server.greets.clear()
        guard.seconds = SHORT
        with pytest.raises(StoreUnavailable):
            shell.run(Say("who"))
        await until(lambda: time.monotonic() - shell._since > 2 * SHORT)
        with pytest.raises(StoreUnavailable):
            shell.run(Say("who"))
        server.greets.set()
        guard.seconds = LONG
        assert shell.run(Say("who")) == "2"
        # Of the first one something came in the end.
        await until(lambda: shell.ended == ["closed"])
        assert server.connections == 2
