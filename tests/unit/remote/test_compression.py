"""Bodies are compressed where there is time for that, not where others wait."""

from __future__ import annotations

import logging
import random
from typing import Any

import pytest

from http_client_cache.body import KeptBody
from http_client_cache.body_statements import Pack, Unpack
from http_client_cache.compression import compress_block, pack
from http_client_cache.errors import MissingDependency
from http_client_cache.shell import remote
from http_client_cache.shell.guard import Guard
from http_client_cache.statements import NOT_NOW
from tests.support.line_server import AsyncLines, LineServer, Say
from tests.unit.remote.conftest import in_its_colour


class TestCompression:
    """Bodies are compressed where there is time for that, not where others wait."""

    SMALL = b"a body " * 100
    LARGE = b"a body " * 20_000

    @pytest.mark.parametrize("body", [SMALL, LARGE])
    async def test_there_and_back(self, shell: Any, body: bytes) -> None:
        packed = await in_its_colour(shell.run, shell, Pack(body))
        assert len(packed) < len(body)
        assert await in_its_colour(shell.run, shell, Unpack(packed, len(body))) == body

    async def test_what_gets_no_smaller_is_left(self, shell: Any) -> None:
        assert await in_its_colour(shell.run, shell, Pack(random.randbytes(1000))) is None

    @pytest.mark.parametrize("body", [SMALL, LARGE])
    async def test_what_is_damaged_is_absent(self, shell: Any, body: bytes) -> None:
        packed = pack(body)
        assert packed is not None
        bad = Unpack(packed[:-5], len(body)), Unpack(packed, len(body) - 1), Unpack(b"", len(body))
        for statement in bad:
            assert await in_its_colour(shell.run, shell, statement) is None
            if isinstance(shell, AsyncLines):
                assert shell.run_now(statement) in (None, NOT_NOW)

    async def test_only_what_is_small_at_once(self, guard: Guard, server: LineServer) -> None:
        shell = AsyncLines(guard, server.port)
        packed = pack(self.SMALL)
        assert shell.run_now(Pack(self.SMALL)) == packed
        assert packed is not None
        assert shell.run_now(Unpack(packed, len(self.SMALL))) == self.SMALL
        assert shell.run_now(Pack(self.LARGE)) is NOT_NOW
        assert shell.run_now(Unpack(b"", len(self.LARGE))) is NOT_NOW
        assert shell.run_now(Say("echo")) is NOT_NOW

    async def test_without_the_library_it_is_absent_and_said_once(
        self, shell: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def missing(*_: object) -> None:
            raise MissingDependency("compression='zstd' needs it")

        packed = compress_block(self.SMALL)
        monkeypatch.setattr(remote, "unpack", missing)
        for _ in range(3):
            statement = Unpack(packed, len(self.SMALL))
            assert await in_its_colour(shell.run, shell, statement) is None
        (line,) = caplog.records
        assert line.levelno == logging.WARNING
        assert line.getMessage().startswith("Compressed responses in the cache are not served")

    async def test_not_what_is_read_in_pieces(self, shell: Any) -> None:
        with pytest.raises(TypeError, match="in pieces"):
            await in_its_colour(shell.run, shell, Unpack(KeptBody(None, 0, 5), 5))
