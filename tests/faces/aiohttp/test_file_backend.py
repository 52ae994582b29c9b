"""What a folder of files keeps, for sessions."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from pathlib import Path
from typing import Any

import pytest

from aiohttp_client_cache import CachedSession, ConfigurationError, FileBackend
from tests.faces.aiohttp.parity import KEEP_ALL, KINDS, describe
from tests.support.clock import StandingClock
from tests.support.files import everything_in
from tests.support.origin import Origin


@pytest.mark.parametrize("kind", KINDS)
async def test_everything_survives_a_restart(names: Origin, tmp_path: Path, kind: str) -> None:
    wanted = KINDS[kind]
    url = names.url(wanted.path, host="origin.test")
    seen = []
    for _ in range(2):
        backend = FileBackend(tmp_path / "cache", **KEEP_ALL)
        async with CachedSession(cache=backend) as session:
            response = await session.request(wanted.method, url, **wanted.kwargs)
            seen.append(await describe(response))
    assert response.from_cache
    assert seen[0] == seen[1]
    assert names.count() == 1 + wanted.hops


async def test_sessions_see_each_others_responses(origin: Origin, tmp_path: Path) -> None:
    async with (
        CachedSession(cache=FileBackend(tmp_path / "cache")) as first,
        CachedSession(cache=FileBackend(tmp_path / "cache")) as second,
    ):
        for session in (first, second):
            for path in ("/serial", "/large?size=300000", "/redirect/2"):
                response = await session.get(origin.url(path))
                await response.read()
                assert response.from_cache == (session is second)
        urls = await second.cache.get_urls()
        assert [url.removeprefix(origin.url("")) for url in urls] == [
            "/large?size=300000",
            "/serial",
            "/serial/end",
        ]
        assert await first.cache.size() == 3
        assert await first.cache.bytes() > 300_000
        assert await first.cache.delete_url(origin.url("/serial/end")) == 1
        assert not await second.cache.has_url(origin.url("/redirect/2"))
        await second.cache.clear()
        assert await first.cache.size() == 0


async def test_a_person_finds_a_response(origin: Origin, tmp_path: Path) -> None:
    url = origin.url("/get")
    async with CachedSession(cache=FileBackend(tmp_path / "cache", expire_after=60)) as session:
        body = await (await session.get(url)).read()
    (path,) = (tmp_path / "cache").rglob("*.response")
    content = path.read_bytes()
    told = json.loads(content.partition(b"\n")[0])
    assert (told["method"], told["url"], told["status"]) == ("GET", url, 200)
    assert content.endswith(body)


async def test_what_is_validated_keeps_its_body(
    origin: Origin, tmp_path: Path, clock: StandingClock
) -> None:
    backend = FileBackend(tmp_path / "cache", expire_after=60, clock=clock)
    async with CachedSession(cache=backend) as session:
        for _ in range(3):
            response = await session.get(origin.url("/etag/a"))
            assert await response.read()
            clock.advance(seconds=100)
        statuses = [request.headers.get("If-None-Match") for request in origin.received]
        assert statuses[0] is None
        assert None not in statuses[1:]
        assert response.from_cache
        clock.advance(days=1)
        assert await session.cache.delete_expired_responses() == 1
    assert list((tmp_path / "cache").rglob("*.response")) == []


async def test_no_secret_is_in_a_file_or_its_name(origin: Origin, tmp_path: Path) -> None:
    backend = FileBackend(tmp_path / "cache", ignored_parameters=["api_key"])
    async with CachedSession(cache=backend) as session:
        await session.get(
            origin.url("/serial?api_key=secret-1"), headers={"Authorization": "secret-2"}
        )
    assert len(list((tmp_path / "cache").rglob("*.response"))) == 1
    assert b"secret" not in everything_in(tmp_path)
    for path in (tmp_path / "cache").rglob("*"):
        assert "secret" not in str(path.relative_to(tmp_path))


def test_two_event_loops_on_one_backend(threaded_origin: Origin, tmp_path: Path) -> None:
    backend = FileBackend(tmp_path / "cache")

    async def fetch() -> tuple[bool, bytes]:
        async with CachedSession(cache=backend) as session:
            response = await session.get(threaded_origin.url("/serial"))
            return response.from_cache, await response.read()

    assert [asyncio.run(fetch()) for _ in range(2)] == [(False, b"1"), (True, b"1")]


async def test_a_folder_that_cannot_be_made_breaks_no_request(
    origin: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file")
    async with CachedSession(cache=FileBackend(tmp_path / "cache")) as session:
        for _ in range(3):
            response = await session.get(origin.url("/serial"))
            assert response.status == 200
            assert await session.cache.size() == 0
    assert origin.count() == 3
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "cannot be written" in caplog.text


def test_where_it_lies(in_tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(in_tmp_path / "home"))
    assert FileBackend().path == in_tmp_path / "aiohttp-cache"
    assert FileBackend("a/b").path == in_tmp_path / "a" / "b"
    assert FileBackend("~/demo").path == in_tmp_path / "home" / "demo"
    assert FileBackend("demo", use_temp=True).path == Path(tempfile.gettempdir()) / "demo"
    assert list(in_tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"cache_name": ""}, "cache_name"),
        ({"cache_name": 5}, "cache_name"),
        ({"cache_name": ":memory:"}, "cache_name"),
        ({"fast_save": "yes"}, "fast_save"),
        ({"use_temp": 1}, "use_temp"),
        ({"serializer": "pickle"}, "serializer"),
        ({"secret_key": ""}, "secret_key"),
        ({"expire_after": "soon"}, "expire_after"),
        ({"max_entry_bytes": -1}, "max_entry_bytes"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        FileBackend(**arguments)
    with pytest.raises(TypeError, match="wal"):
        FileBackend(wal=True)  # type: ignore[call-arg]
