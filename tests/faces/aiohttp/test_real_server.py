"""A server that none of us wrote: nginx, laid out like an index of packages."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiohttp_client_cache import CachedSession, SQLiteBackend
from tests.servers.nginx import running_nginx
from tests.support.clock import StandingClock

PROJECTS = ("alpha", "beta", "gamma")


def wheel(project: str) -> bytes:
    return hashlib.sha256(project.encode()).digest() * 20_000


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An index page, a page for each project, and a file for each to download."""
    root = tmp_path / "site"
    simple = root / "simple"
    simple.mkdir(parents=True)
    links = "".join(f'<a href="/simple/{name}/index.html">{name}</a>\n' for name in PROJECTS)
    (simple / "index.html").write_text(links)
    for name in PROJECTS:
        (simple / name).mkdir()
        (simple / name / "index.html").write_text(f'<a href="{name}-1.0.whl">{name}-1.0.whl</a>')
        (simple / name / f"{name}-1.0.whl").write_bytes(wheel(name))
    return root


@pytest.fixture
def index(site: Path) -> Iterator[str]:
    with running_nginx(site) as address:
        yield address


async def download_everything(session: CachedSession, address: str) -> list[bool]:
    """Follow the links from the index to the files, as an installer does."""
    cached: list[bool] = []

    async def get(path: str) -> bytes:
        async with session.get(address + path, raise_for_status=True) as response:
            cached.append(response.from_cache)
            return await response.read()

    pages = re.findall(r'href="([^"]+)"', (await get("/simple/index.html")).decode())
    assert len(pages) == len(PROJECTS)
    for page, content in zip(pages, await asyncio.gather(*map(get, pages)), strict=True):
        [file] = re.findall(r'href="([^"]+)"', content.decode())
        body = await get(page.removesuffix("index.html") + file)
        assert body == wheel(file.removesuffix("-1.0.whl"))
    return cached


async def test_an_index_of_packages(index: str, tmp_path: Path) -> None:
    file = tmp_path / "cache.sqlite"
    async with CachedSession(cache=SQLiteBackend(file)) as session:
        assert await download_everything(session, index) == [False] * 7
    async with CachedSession(cache=SQLiteBackend(file)) as session:
        assert await download_everything(session, index) == [True] * 7


async def test_what_did_not_change_is_not_sent_again(
    index: str, site: Path, tmp_path: Path
) -> None:
    clock = StandingClock()
    backend = SQLiteBackend(tmp_path / "cache", expire_after=60, clock=clock)
    async with CachedSession(cache=backend) as session:
        await download_everything(session, index)
        clock.advance(seconds=61)
        await download_everything(session, index)
        assert await download_everything(session, index) == [True] * 7

        clock.advance(seconds=61)
        (site / "simple" / "alpha" / "index.html").write_text("changed, and longer than before")
        response = await session.get(f"{index}/simple/alpha/index.html")
        assert await response.text() == "changed, and longer than before"


async def test_compression_ranges_and_redirects(index: str, tmp_path: Path) -> None:
    async with CachedSession(cache=SQLiteBackend(tmp_path / "cache")) as session:
        for cached in (False, True):
            response = await session.get(f"{index}/moved/simple/index.html")
            assert response.from_cache is cached
            assert response.headers["Content-Encoding"] == "gzip"
            assert "alpha" in await response.text()
            assert [hop.status for hop in response.history] == [301]

            part = await session.get(
                f"{index}/simple/beta/beta-1.0.whl", headers={"Range": "bytes=10-19"}
            )
            assert (part.status, await part.read()) == (206, wheel("beta")[10:20])

            missing = await session.get(f"{index}/simple/delta/index.html")
            assert (missing.status, missing.from_cache) == (404, False)
