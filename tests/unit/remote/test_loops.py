"""The shells of a store on a server in event loops: cancelled, held up, closed, many."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from http_client_cache.errors import StoreError, StoreUnavailable
from http_client_cache.shell.guard import FAILURES, Guard
from tests.support.line_server import AsyncLines, LineServer, Say
from tests.unit.remote.conftest import LONG, SHORT, Now, until


class TestLoops:
    """What only event loops do."""

    @pytest.fixture
    async def shell(self, guard: Guard, server: LineServer) -> AsyncIterator[AsyncLines]:
        shell = AsyncLines(guard, server.port)
        yield shell
        await shell.close()

    async def test_who_is_cancelled_while_it_connects_harms_nobody(
        self, shell: AsyncLines, server: LineServer
    ) -> None:
        server.greets.clear()
        calls = [asyncio.create_task(shell.run(Say("who"))) for _ in range(3)]
        await until(lambda: server.connections == 1)
        calls[0].cancel()
        await asyncio.wait([calls[0]])
        server.greets.set()
        assert await asyncio.gather(*calls[1:]) == ["1", "1"]
        assert calls[0].cancelled()

    async def test_who_is_cancelled_in_a_call_harms_nobody(
        self, shell: AsyncLines, server: LineServer
    ) -> None:
        await shell.run(Say("echo"))
        slow = asyncio.create_task(shell.run(Say("sleep", "0.02")))
        hangs = asyncio.create_task(shell.run(Say("hang")))
        await asyncio.sleep(0.005)
        hangs.cancel()
        assert await slow == "0.02"
        assert await shell.run(Say("who")) == "1"
        assert hangs.cancelled()

    async def test_who_is_always_cancelled_leaves_a_server_that_hangs_alone(
        self, shell: AsyncLines, now: Now
    ) -> None:
        await shell.run(Say("echo"))
        now.seconds += 1
        for _ in range(FAILURES):
            call = asyncio.create_task(shell.run(Say("hang")))
            await asyncio.sleep(0.005)
            now.seconds += LONG / 2
            call.cancel()
            await asyncio.wait([call])
            assert call.cancelled()
        with pytest.raises(StoreUnavailable, match="left alone"):
            await shell.run(Say("echo"))

    async def test_all_who_waited_may_be_cancelled(
        self, shell: AsyncLines, server: LineServer
    ) -> None:
        server.greets.clear()
        call = asyncio.create_task(shell.run(Say("who")))
        await until(lambda: server.connections == 1)
        call.cancel()
        await asyncio.wait([call])
        server.greets.set()
        assert await shell.run(Say("who")) == "1"

    async def test_a_loop_that_was_held_up_finds_its_answer(
        self, shell: AsyncLines, guard: Guard, server: LineServer
    ) -> None:
        """It came in time; it is not the server's fault that nobody looked."""
        await shell.run(Say("echo"))
        before = server.answered
        guard.seconds = SHORT
        call = asyncio.create_task(shell.run(Say("sleep", "0.01")))
        begun = time.monotonic()
        await asyncio.sleep(0.002)
        while server.answered == before or time.monotonic() < begun + 4 * SHORT:
            time.sleep(0.01)  # noqa: ASYNC251 - that is what it is about
        assert await call == "0.01"

    async def test_a_loop_that_was_held_up_does_not_wait_on(
        self, shell: AsyncLines, guard: Guard
    ) -> None:
        await shell.run(Say("echo"))
        guard.seconds = SHORT
        call = asyncio.create_task(shell.run(Say("hang")))
        await asyncio.sleep(0.002)
        time.sleep(2 * SHORT)  # noqa: ASYNC251 - that is what it is about
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await call
        assert time.monotonic() - begun < 0.5

    async def test_what_nobody_waits_for_may_take_longer(
        self, shell: AsyncLines, guard: Guard
    ) -> None:
        await shell.run(Say("echo"))
        guard.seconds = SHORT
        assert await shell.run(Say("sleep", "0.1", patience=100.0)) == "0.1"
        with pytest.raises(StoreUnavailable, match=r"^no answer within 0\.1 s$"):
            await shell.run(Say("hang", patience=2.0))

    async def test_a_cancellation_from_outside_is_no_timeout(self, shell: AsyncLines) -> None:
        await shell.run(Say("echo"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SHORT):
                await shell.run(Say("hang"))

    async def test_to_close_does_not_take_long(
        self, shell: AsyncLines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await shell.run(Say("echo"))

        async def hang(_: Any) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(shell, "_disconnect", hang)
        begun = time.monotonic()
        shell.guard.seconds = SHORT
        await shell.close()
        assert time.monotonic() - begun < 1.5
        assert shell.ended == ["abandoned"]


class TestReviving:
    """What calls that are given up have done to a client is made good beside them."""

    @pytest.fixture
    async def shell(self, guard: Guard, server: LineServer) -> AsyncIterator[AsyncLines]:
        shell = AsyncLines(guard, server.port)
        yield shell
        await shell.close()

    async def given_up(self, shell: AsyncLines, times: int = 1) -> None:
        shell.guard.seconds = SHORT
        calls = [shell.run(Say("hang")) for _ in range(times)]
        for end in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(end, StoreUnavailable)
        shell.guard.seconds = LONG

    async def test_once_for_all_that_are_given_up_together(self, shell: AsyncLines) -> None:
        await shell.run(Say("echo"))
        await self.given_up(shell, 5)
        await until(lambda: shell.revived == ["0.2"])

    async def test_again_when_that_has_ended(self, shell: AsyncLines, now: Now) -> None:
        await shell.run(Say("echo"))
        for times in (1, 2):
            await self.given_up(shell)
            await until(lambda times=times: shell.revived == ["0.2"] * times)
            now.seconds += 60

    async def test_for_who_is_cancelled_too(self, shell: AsyncLines) -> None:
        await shell.run(Say("echo"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SHORT):
                await shell.run(Say("hang"))
        await until(lambda: shell.revived == ["0.2"])

    async def test_not_where_the_server_has_answered(self, shell: AsyncLines) -> None:
        with pytest.raises(StoreError):
            await shell.run(Say("refuse"))
        shell.fails = ConnectionResetError()
        with pytest.raises(StoreUnavailable):
            await shell.run(Say("echo"))
        assert shell._reviving == {}

    async def test_not_who_is_not_connected_yet(
        self, shell: AsyncLines, server: LineServer
    ) -> None:
        server.greets.clear()
        await self.given_up(shell)
        assert shell._reviving == {}
        server.greets.set()

    async def test_nobody_is_told_if_it_fails(
        self, shell: AsyncLines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail() -> None:
            raise ConnectionResetError("the connection ended")

        monkeypatch.setattr(shell, "_revive", lambda _: fail())
        await shell.run(Say("echo"))
        await self.given_up(shell)
        (reviving,) = shell._reviving.values()
        await asyncio.wait([reviving])
        assert reviving.exception() is None

    async def test_to_close_ends_it(self, shell: AsyncLines) -> None:
        await shell.run(Say("echo"))
        await self.given_up(shell)
        await asyncio.sleep(0.001)
        await shell.close()
        assert shell.revived == ["CancelledError"]


class TestManyLoops:
    @pytest.fixture
    def shell(self, guard: Guard, server: LineServer) -> AsyncLines:
        return AsyncLines(guard, server.port)

    def test_one_after_the_other_have_clients_of_their_own(
        self, shell: AsyncLines, server: LineServer
    ) -> None:
        for number in ("1", "2", "3"):
            assert asyncio.run(_asked(shell, "who")) == number
        # Those of loops that are closed are let go when another one is made.
        assert shell.ended == ["abandoned"] * 2
        asyncio.run(_closed(shell))
        assert shell.ended == ["abandoned"] * 3

    def test_at_the_same_time_too(self, shell: AsyncLines, server: LineServer) -> None:
        together = threading.Barrier(4)
        found: list[str] = []

        async def work() -> None:
            await asyncio.to_thread(together.wait)
            numbers = {await shell.run(Say("who")) for _ in range(5)}
            await asyncio.to_thread(together.wait)
            found.extend(numbers)
            await shell.close()

        threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert sorted(found) == ["1", "2", "3", "4"]
        assert shell.ended == ["closed"] * 4

    def test_a_loop_that_ends_while_it_connects(
        self, shell: AsyncLines, server: LineServer, guard: Guard
    ) -> None:
        server.greets.clear()
        guard.seconds = SHORT
        with pytest.raises(StoreUnavailable):
            asyncio.run(_asked(shell, "who"))
        server.greets.set()
        guard.seconds = LONG
        assert asyncio.run(_asked(shell, "who")) == "2"
        asyncio.run(_closed(shell))
        assert shell.ended == ["abandoned"]

    def test_loops_come_and_go_in_threads(self, shell: AsyncLines) -> None:
        """Each looks for those that have gone, while others come."""
        failed: list[BaseException] = []

        def work() -> None:
            try:
                for _ in range(10):
                    asyncio.run(_asked(shell, "echo"))
            except BaseException as error:  # noqa: BLE001 - for the test to see
                failed.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        asyncio.run(_closed(shell))
        assert failed == []
        assert len(shell.ended) == 40


async def _asked(shell: AsyncLines, word: str) -> Any:
    return await shell.run(Say(word))


async def _closed(shell: AsyncLines) -> None:
    await shell.close()
