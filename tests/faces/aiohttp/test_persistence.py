"""What a SQLite file keeps: after a restart, between loops, sessions and processes."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from aiohttp_client_cache import CacheBackend, CachedSession, SQLiteBackend
from tests.faces.aiohttp.conftest import OpenBackend
from tests.faces.aiohttp.parity import KEEP_ALL, KINDS, describe
from tests.support.files import everything_in, modes_in
from tests.support.origin import Origin


async def fetch(backend: CacheBackend, url: str) -> tuple[bool, bytes]:
    async with CachedSession(cache=backend) as session:
        response = await session.get(url)
        return response.from_cache, await response.read()


@pytest.mark.parametrize("kind", KINDS)
async def test_everything_survives_a_restart(names: Origin, tmp_path: Path, kind: str) -> None:
    wanted = KINDS[kind]
    url = names.url(wanted.path, host="origin.test")
    seen = []
    for _ in range(2):
        backend = SQLiteBackend(tmp_path / "cache", **KEEP_ALL)
        async with CachedSession(cache=backend) as session:
            response = await session.request(wanted.method, url, **wanted.kwargs)
            seen.append(await describe(response))
    assert response.from_cache
    assert seen[0] == seen[1]
    assert names.count() == 1 + wanted.hops


def test_two_event_loops_on_one_backend(threaded_origin: Origin, tmp_path: Path) -> None:
    url = threaded_origin.url("/serial")
    backend = SQLiteBackend(tmp_path / "cache")
    assert asyncio.run(fetch(backend, url)) == (False, b"1")
    assert asyncio.run(fetch(backend, url)) == (True, b"1")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_two_event_loops_while_many_wait(
    threaded_origin: Origin, tmp_path: Path, kind: str
) -> None:
    """No lock of the first loop is left for the second one."""
    backend = CacheBackend() if kind == "memory" else SQLiteBackend(tmp_path / "cache")

    async def many(url: str) -> None:
        async with CachedSession(cache=backend) as session:
            await asyncio.gather(*(session.get(url) for _ in range(10)))

    for n in range(3):
        asyncio.run(many(threaded_origin.url(f"/serial/{n}")))
        asyncio.run(many(threaded_origin.url(f"/serial/{n}")))
    assert threaded_origin.count() == 3


def test_event_loops_in_threads(threaded_origin: Origin, tmp_path: Path) -> None:
    backend = SQLiteBackend(tmp_path / "cache")
    answers: list[bytes] = []

    async def several() -> None:
        async with CachedSession(cache=backend) as session:
            for n in range(10):
                response = await session.get(threaded_origin.url(f"/serial/{n}"))
                answers.append(await response.read())

    threads = [threading.Thread(target=asyncio.run, args=(several(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 40
    asyncio.run(backend.close())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_event_loops_that_want_the_same(threaded_origin: Origin, tmp_path: Path, kind: str) -> None:
    """A task that waits for one of another event loop is woken up where it waits."""
    threaded_origin.second = 0.1
    backend = CacheBackend() if kind == "memory" else SQLiteBackend(tmp_path / "cache")
    statuses: list[int] = []

    async def several() -> None:
        async with CachedSession(cache=backend) as session:
            urls = [threaded_origin.url("/delay/1")] * 5
            responses = await asyncio.gather(*map(session.get, urls))
            statuses.extend(response.status for response in responses)

    threads = [threading.Thread(target=asyncio.run, args=(several(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert statuses == [200] * 20
    assert threaded_origin.count() <= len(threads)


async def test_closing_one_session_leaves_the_backend_to_the_other(
    origin: Origin, open_backend: OpenBackend
) -> None:
    backend = open_backend()
    async with CachedSession(cache=backend) as other:
        async with CachedSession(cache=backend) as one:
            await one.get(origin.url("/serial/a"))
        assert (await other.get(origin.url("/serial/a"))).from_cache
        await other.get(origin.url("/serial/b"))
        assert (await other.get(origin.url("/serial/b"))).from_cache
    assert origin.count() == 2


async def test_a_backend_is_used_again_after_its_sessions(origin: Origin, tmp_path: Path) -> None:
    backend = SQLiteBackend(tmp_path / "cache")
    assert await fetch(backend, origin.url("/serial")) == (False, b"1")
    assert await fetch(backend, origin.url("/serial")) == (True, b"1")


async def test_what_is_fetched_is_seen_by_everyone_at_once(origin: Origin, tmp_path: Path) -> None:
    """Another backend on the same file, as another process would have."""
    here, there = SQLiteBackend(tmp_path / "cache"), SQLiteBackend(tmp_path / "cache")
    async with CachedSession(cache=here) as one, CachedSession(cache=there) as other:
        await one.get(origin.url("/serial"))
        assert (await one.get(origin.url("/serial"))).from_cache
        await asyncio.sleep(0.1)
        assert (await other.get(origin.url("/serial"))).from_cache


async def test_a_backend_that_sessions_do_not_close(origin: Origin, tmp_path: Path) -> None:
    backend = SQLiteBackend(tmp_path / "cache", autoclose=False)
    await fetch(backend, origin.url("/serial"))
    assert await backend.responses.size() == 1
    await backend.close()


async def test_records_that_are_signed(origin: Origin, tmp_path: Path) -> None:
    """What another key signed is not believed."""
    url = origin.url("/serial")
    for key, expected in (("one", b"1"), ("one", b"1"), ("other", b"2"), ("other", b"2")):
        _, body = await fetch(SQLiteBackend(tmp_path / "cache", secret_key=key), url)
        assert body == expected


@pytest.mark.parametrize("serializer", ["msgpack", "json"])
async def test_records_in_either_form(origin: Origin, tmp_path: Path, serializer: str) -> None:
    for cached in (False, True):
        backend = SQLiteBackend(tmp_path / "cache", serializer=serializer)
        assert (await fetch(backend, origin.url("/serial")))[0] is cached


class TestTheFile:
    """Where it is, and what else may be in it."""

    @pytest.mark.parametrize(
        ("name", "file"),
        [
            ("demo_cache", "demo_cache.sqlite"),
            ("demo.db", "demo.db"),
            ("folder/that/is/new/cache", "folder/that/is/new/cache.sqlite"),
            (None, "aiohttp-cache.sqlite"),
        ],
    )
    async def test_names(
        self, origin: Origin, in_tmp_path: Path, name: str | None, file: str
    ) -> None:
        backend = SQLiteBackend() if name is None else SQLiteBackend(name)
        await fetch(backend, origin.url("/serial"))
        assert (in_tmp_path / file).is_file()

    async def test_home(
        self, origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        await fetch(SQLiteBackend("~/mine/cache"), origin.url("/serial"))
        assert (tmp_path / "mine" / "cache.sqlite").is_file()

    async def test_use_temp(
        self, origin: Origin, in_tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        temporary = in_tmp_path / "temporary"
        temporary.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(temporary))
        await fetch(SQLiteBackend("cache", use_temp=True), origin.url("/serial"))
        assert [path.name for path in temporary.rglob("cache.sqlite")] == ["cache.sqlite"]
        assert not (in_tmp_path / "cache.sqlite").exists()

    async def test_only_the_owner_may_read_it(self, origin: Origin, tmp_path: Path) -> None:
        await fetch(SQLiteBackend(tmp_path / "cache"), origin.url("/serial"))
        assert set(modes_in(tmp_path).values()) == {0o600}

    async def test_tables_of_others_are_left_alone(self, origin: Origin, tmp_path: Path) -> None:
        file = tmp_path / "shared.sqlite"
        with sqlite3.connect(file) as others:
            others.execute("CREATE TABLE responses (name TEXT)")
            others.execute("INSERT INTO responses VALUES ('mine')")
        others.close()

        backend = SQLiteBackend(file)
        assert await fetch(backend, origin.url("/serial")) == (False, b"1")
        assert await fetch(backend, origin.url("/serial")) == (True, b"1")
        async with CachedSession(cache=backend) as session:
            await session.cache.clear()

        with sqlite3.connect(file) as others:
            assert others.execute("SELECT name FROM responses").fetchall() == [("mine",)]
        others.close()

    async def test_a_file_that_is_no_database_is_set_aside(
        self, origin: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        file = tmp_path / "cache.sqlite"
        file.write_bytes(b"certainly not a database " * 1000)
        backend = SQLiteBackend(file)
        assert await fetch(backend, origin.url("/serial")) == (False, b"1")
        assert await fetch(backend, origin.url("/serial")) == (True, b"1")
        assert str(file) in caplog.text
        assert b"certainly not a database" in everything_in(tmp_path)

    async def test_fast_save(self, origin: Origin, tmp_path: Path) -> None:
        for cached in (False, True):
            backend = SQLiteBackend(tmp_path / "cache", fast_save=True)
            assert await fetch(backend, origin.url("/serial")) == (cached, b"1")


PROGRAM = """
import asyncio, sys
from aiohttp_client_cache import CachedSession, SQLiteBackend

async def main():
    session = CachedSession(cache=SQLiteBackend(sys.argv[1], include_headers=["Accept"]))
    response = await session.get(sys.argv[2], headers={"Accept": "text/plain"})
    print(response.from_cache, await response.text())
    if sys.argv[3] == "close":
        await session.close()

asyncio.run(main())
"""


def run_program(
    file: Path, origin: Origin, ending: str, seed: str = "0", options: Sequence[str] = ()
) -> tuple[str, str]:
    program = subprocess.run(
        [sys.executable, *options, "-c", PROGRAM, str(file), origin.url("/serial"), ending],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
        env={"PYTHONHASHSEED": seed},
    )
    return program.stdout.strip(), program.stderr


def test_programs_share_a_file(threaded_origin: Origin, tmp_path: Path) -> None:
    """Equal requests are equal in every process."""
    assert run_program(tmp_path / "cache", threaded_origin, "close", "1") == ("False 1", "")
    assert run_program(tmp_path / "cache", threaded_origin, "close", "2") == ("True 1", "")


def test_a_program_that_does_not_close_ends_at_once(
    threaded_origin: Origin, tmp_path: Path
) -> None:
    output, errors = run_program(tmp_path / "cache", threaded_origin, "leave")
    assert output == "False 1"
    # aiohttp's own reproach is all there is. It is of whatever the garbage collector meets first:
    # a connector that it has closed leaves nothing to say of the session.
    assert errors.startswith(("Unclosed client session", "Unclosed connector"))
    assert "Traceback" not in errors
    assert "sqlite" not in errors.lower()
    assert run_program(tmp_path / "cache", threaded_origin, "close") == ("True 1", "")


def test_programs_in_development_mode(threaded_origin: Origin, tmp_path: Path) -> None:
    """Where Python warns of whatever it can, and warnings are errors, nothing is said."""
    for expected in ("False 1", "True 1"):
        arguments = ["-X", "dev", "-W", "error"]
        outcome = run_program(tmp_path / "cache", threaded_origin, "close", options=arguments)
        assert outcome == (expected, "")


async def test_no_thread_is_left_behind(origin: Origin, tmp_path: Path) -> None:
    await fetch(SQLiteBackend(tmp_path / "warm-up"), origin.url("/serial"))
    before = set(threading.enumerate())
    for n in range(3):
        await fetch(SQLiteBackend(tmp_path / f"cache-{n}"), origin.url("/serial"))
    assert set(threading.enumerate()) - before == set()
