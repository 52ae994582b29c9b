"""What becomes of the errors of drivers."""

from __future__ import annotations

import time
from typing import Any

import pytest

from http_client_cache.errors import StoreError, StoreUnavailable
from http_client_cache.shell.guard import FAILURES, Guard
from tests.support.line_server import LineServer, SyncLines
from tests.unit.remote.conftest import SHORT, Ask, Now, client_of


class TestErrors:
    @pytest.mark.parametrize("writes", [True, False])
    async def test_refused(self, ask: Ask, guard: Guard, now: Now, writes: bool) -> None:
        for _ in range(FAILURES):
            with pytest.raises(StoreError, match=r"^RefusedError: too much$") as caught:
                await ask("refuse", "too much", writes=writes)
            assert not isinstance(caught.value, StoreUnavailable)
        # That alone is left alone, and for a while.
        with pytest.raises(StoreUnavailable, match="several times in a row"):
            await ask("echo", writes=writes)
        assert await ask("echo", "still", writes=not writes) == "still"
        now.seconds += 1
        assert await ask("echo", "again", writes=writes) == "again"

    async def test_too_slow(self, ask: Ask, shell: Any, guard: Guard) -> None:
        await ask("echo")
        guard.seconds = SHORT
        if isinstance(shell, SyncLines):
            # Its driver is told when it connects.
            client_of(shell).connection.settimeout(SHORT)
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"^no answer within 0\.05 s$"):
            await ask("hang")
        assert SHORT <= time.monotonic() - begun < 2

    async def test_not_reached(self, ask: Ask, shell: Any, server: LineServer) -> None:
        server.refuses = True
        for _ in range(FAILURES):
            with pytest.raises(StoreUnavailable, match=r"^[^\n]*the connection[^\n]*$"):
                await ask("echo")
        seen = server.connections
        for writes in (True, False):
            with pytest.raises(StoreUnavailable, match="several times in a row"):
                await ask("echo", writes=writes)
        assert server.connections == seen

    async def test_gone_in_the_middle(self, ask: Ask, shell: Any, guard: Guard) -> None:
        with LineServer().serving() as other:
            shell.port = other.port
            await ask("echo")
        with pytest.raises(StoreUnavailable):
            await ask("echo")

    @pytest.mark.parametrize(
        ("raised", "kind", "message"),
        [
            (ConnectionRefusedError(111, "not\n there"), StoreUnavailable, "[Errno 111] not there"),
            (StoreUnavailable("it fails over"), StoreUnavailable, "it fails over"),
            (StoreError("damaged"), StoreError, "damaged"),
            (RuntimeError("so\n  many\r\nlines "), StoreError, "RuntimeError: so many lines"),
            (RuntimeError(), StoreError, "RuntimeError: RuntimeError"),
            (RuntimeError("x" * 1000), StoreError, "RuntimeError: " + "x" * 300),
            (TimeoutError("the driver's"), StoreUnavailable, "no answer within 10 s"),
        ],
    )
    async def test_in_one_line(
        self, ask: Ask, shell: Any, raised: Exception, kind: type, message: str
    ) -> None:
        await ask("echo")
        shell.fails = raised
        with pytest.raises(StoreError) as caught:
            await ask("echo")
        assert type(caught.value) is kind
        assert str(caught.value) == message
        assert caught.value is not raised
        assert caught.value.__cause__ is raised

    async def test_whatever_keeps_it_from_connecting_is_out_of_reach(
        self, ask: Ask, shell: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With a wrong password, say, there is no point in trying to write."""

        def fail() -> Any:
            raise PermissionError("wrong\npassword")

        monkeypatch.setattr(shell, "_connect", fail)
        with pytest.raises(StoreUnavailable, match=r"^PermissionError: wrong password$"):
            await ask("echo")

    async def test_what_is_damaged_is_not_the_servers_failure(
        self, ask: Ask, shell: Any, now: Now
    ) -> None:
        await ask("echo")
        shell.fails = StoreError("damaged")
        for _ in range(FAILURES + 1):
            with pytest.raises(StoreError, match="damaged"):
                await ask("echo")
        shell.fails = None
        assert await ask("echo", "well") == "well"
