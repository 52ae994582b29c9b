"""Whatever happens to the store, requests are answered."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest

from aiohttp_client_cache import CachedSession, SQLiteBackend
from tests.support.files import remove_everything_in
from tests.support.origin import Origin


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and "client_cache" in record.name
    ]


async def ask_everything(session: CachedSession, origin: Origin) -> None:
    """Use each operation that touches the store; none may fail."""
    for n in range(3):
        response = await session.get(origin.url(f"/serial/{n}"))
        assert (response.from_cache, await response.read()) == (False, b"1")
    assert (await session.get(origin.url("/redirect/2"))).status == 200
    assert len(await (await session.get(origin.url("/large"))).read()) == 3 * 2**20
    assert (await session.get(origin.url("/x"), only_if_cached=True)).status == 504


async def test_a_folder_that_cannot_be(
    origin: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("this is no folder")
    backend = SQLiteBackend(tmp_path / "file" / "cache.sqlite")
    async with CachedSession(cache=backend) as session:
        await ask_everything(session, origin)
    complaints_of_it = complaints(caplog)
    assert len(complaints_of_it) in (1, 2), (
        "one that it cannot be read, one that it cannot be written"
    )
    assert all(str(tmp_path) in complaint for complaint in complaints_of_it)


async def test_a_folder_in_place_of_the_file(
    origin: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache.sqlite").mkdir()
    async with CachedSession(cache=SQLiteBackend(tmp_path / "cache.sqlite")) as session:
        await ask_everything(session, origin)
    assert len(complaints(caplog)) in (1, 2)


async def test_a_file_that_vanishes(origin: Origin, tmp_path: Path) -> None:
    async with CachedSession(cache=SQLiteBackend(tmp_path / "cache")) as session:
        await session.get(origin.url("/serial"))
        remove_everything_in(tmp_path)
        for n in range(3):
            assert (await session.get(origin.url(f"/serial/{n}"))).status == 200


async def test_tables_that_vanish(origin: Origin, tmp_path: Path) -> None:
    async with CachedSession(cache=SQLiteBackend(tmp_path / "cache.sqlite")) as session:
        await session.get(origin.url("/serial"))
        with sqlite3.connect(tmp_path / "cache.sqlite") as other:
            tables = other.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            ).fetchall()
            assert tables
            for (table,) in tables:
                other.execute(f'DROP TABLE "{table}"')
        other.close()
        for n in range(3):
            assert (await session.get(origin.url(f"/serial/{n}"))).status == 200


async def test_a_database_that_another_program_locks(origin: Origin, tmp_path: Path) -> None:
    """Readers go on with what is there, writers wait without being waited for."""
    async with CachedSession(cache=SQLiteBackend(tmp_path / "cache.sqlite")) as session:
        await session.get(origin.url("/serial"))
        await session.cache.responses.size()
        other = sqlite3.connect(tmp_path / "cache.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            assert (await session.get(origin.url("/serial"))).from_cache
            for n in range(3):
                assert (await session.get(origin.url(f"/serial/{n}"))).status == 200
        finally:
            other.execute("ROLLBACK")
            other.close()


async def test_rows_that_are_rubbish(
    origin: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A record that cannot be read is a miss, and is replaced."""
    file = tmp_path / "cache.sqlite"
    async with CachedSession(cache=SQLiteBackend(file)) as session:
        await session.get(origin.url("/serial"))
    with sqlite3.connect(file) as other:
        for (table,) in other.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            columns = other.execute(f'PRAGMA table_info("{table}")').fetchall()
            for _, name, kind, *_ in columns:
                if kind == "BLOB":
                    other.execute(f'UPDATE "{table}" SET "{name}" = ?', (b"\x00rubbish",))
    other.close()

    async with CachedSession(cache=SQLiteBackend(file)) as session:
        response = await session.get(origin.url("/serial"))
        assert (response.status, response.from_cache) == (200, False)
        assert (await session.get(origin.url("/serial"))).from_cache
    assert origin.count() == 2
