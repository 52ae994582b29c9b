"""The quickstart and the imports of the package registry's page, run as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.names import lead_to
from tests.support.origin import Origin

IMPORTS = """
from aiohttp_client_cache import CachedSession
from aiohttp_client_cache import SQLiteBackend
"""

QUICKSTART = """
import asyncio
from aiohttp_client_cache import CachedSession, SQLiteBackend
async def main():
    # Initialize CachedSession with a SQLite backend
    # 'demo_cache' will be the filename for the SQLite database
    async with CachedSession(cache=SQLiteBackend('demo_cache')) as session:
        print("First request (will be slow...")
        response = await session.get('http://httpbin.org/delay/1')
        print(f"Response from cache: {response.from_cache}, Status: {response.status}")
        print("Second request (should be fast...")
        response = await session.get('http://httpbin.org/delay/1')
        print(f"Response from cache: {response.from_cache}, Status: {response.status}")
if __name__ == '__main__':
    asyncio.run(main())
"""


def run_as_program(source: str) -> None:
    exec(compile(source, "quickstart.py", "exec", dont_inherit=True), {"__name__": "__main__"})


def test_imports() -> None:
    run_as_program(IMPORTS)


def test_quickstart(
    threaded_origin: Origin,
    in_tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lead_to(monkeypatch, threaded_origin.port)

    run_as_program(QUICKSTART)

    assert capsys.readouterr().out.splitlines() == [
        "First request (will be slow...",
        "Response from cache: False, Status: 200",
        "Second request (should be fast...",
        "Response from cache: True, Status: 200",
    ]
    assert threaded_origin.count() == 1
    assert (in_tmp_path / "demo_cache.sqlite").is_file()


def test_quickstart_run_again_asks_nobody(
    threaded_origin: Origin,
    in_tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lead_to(monkeypatch, threaded_origin.port)

    run_as_program(QUICKSTART)
    run_as_program(QUICKSTART)

    assert capsys.readouterr().out.count("Response from cache: True") == 3
    assert threaded_origin.count() == 1
