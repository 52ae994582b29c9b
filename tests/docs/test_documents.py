"""The documents: their Python runs and prints what they say, their tables and links are right."""

from __future__ import annotations

import ast
import asyncio
import inspect
import pickle
import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import ClientSession
from requests.adapters import HTTPAdapter

import aiohttp_client_cache
import requests_cache
from aiohttp_client_cache import (
    CacheBackend,
    CacheMixin,
    DynamoDBBackend,
    GridFSBackend,
    MongoDBBackend,
    RedisBackend,
    SQLiteBackend,
)
from http_client_cache.backends import own_options
from http_client_cache.backends.options import SETTING_NAMES
from tests.support import servers
from tests.support.origin import Origin, origin_in_a_thread
from tests.support.samples import fences, modules_in, run_sample

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / name
    for name in (
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md"))),
    )
]

# What the samples take as read.
NAMES: dict[str, Any] = {
    **{name: getattr(aiohttp_client_cache, name) for name in aiohttp_client_cache.__all__},
    "ClientSession": ClientSession,
    "UTC": UTC,
    "asyncio": asyncio,
    "datetime": datetime,
    "re": re,
    "timedelta": timedelta,
}

# And those of pages about requests.
PAGES_OF_REQUESTS = {"requests.md", "moving_from_requests_cache.md"}
NAMES_OF_REQUESTS: dict[str, Any] = {
    **{name: getattr(requests_cache, name) for name in requests_cache.__all__},
    "HTTPAdapter": HTTPAdapter,
    "Request": requests.Request,
    "Session": requests.Session,
    "ThreadPoolExecutor": ThreadPoolExecutor,
    "UTC": UTC,
    "datetime": datetime,
    "pickle": pickle,
    "requests": requests,
    "requests_cache": requests_cache,
    "threading": threading,
    "timedelta": timedelta,
}

# Where the samples say that servers are, and where they are.
SERVERS = {
    "redis://localhost:6379": servers.redis_url,
    "mongodb://localhost:27017": servers.mongodb_url,
    "http://localhost:8000": servers.dynamodb_url,
}


def samples() -> Iterator[Any]:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        modules = modules_in(text)
        known = NAMES_OF_REQUESTS if document.name in PAGES_OF_REQUESTS else NAMES
        for line, sample in fences(text):
            yield pytest.param(sample, modules, known, id=f"{document.name}:{line}")


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A server in a thread, as samples for requests block."""
    with origin_in_a_thread() as origin:
        yield origin


@pytest.fixture(autouse=True)
def uninstalled() -> Iterator[None]:
    yield
    requests_cache.uninstall_cache()


def said_to_be_printed(sample: str) -> list[str]:
    """What stands behind `print(…)`, or after a loop in lines of its own."""
    beside = r"^ *print\(.*\)  # (.*)$"
    alone = r"^ +# prints (.*)$"
    return [
        match[1] or match[2] for match in re.finditer(f"{beside}|{alone}", sample, re.MULTILINE)
    ]


@pytest.mark.parametrize(("sample", "modules", "known"), list(samples()))
@pytest.mark.filterwarnings("ignore:Inheritance class CustomSession:DeprecationWarning")
async def test_samples(
    sample: str,
    modules: dict[str, str],
    known: dict[str, Any],
    names: Origin,
    in_tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CACHE_KEY", "a secret")
    for address, url_of in SERVERS.items():
        if address in sample:
            sample = sample.replace(address, url_of())
    monkeypatch.syspath_prepend(in_tmp_path)
    for name, module in modules.items():
        (in_tmp_path / f"{name}.py").write_text(module)
        # It lies in another folder in each test.
        sys.modules.pop(name, None)
    made = await run_sample(sample, **known)
    if "main" in made:
        await made["main"]()
    assert capsys.readouterr().out.splitlines() == said_to_be_printed(sample)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://)([^)]*)\)", text):
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), target


def anchors(document: Path) -> set[str]:
    """The anchors of the headings, as made by GitHub."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading of the README, by what stands in their first cell."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.split(r"^#", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[
        0
    ]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip(" `|"): row[1:] for row in cells}


def parameters(kind: type) -> dict[str, inspect.Parameter]:
    known = dict(inspect.signature(kind).parameters)
    return {
        name: known[name] for name in known if known[name].kind is not inspect.Parameter.VAR_KEYWORD
    }


def assert_defaults(shown: dict[str, list[str]], kind: type[CacheBackend]) -> None:
    backend = kind()
    for name, parameter in parameters(kind).items():
        if name not in shown:
            continue
        cell = shown[name][0].strip("`")
        mebibytes = re.fullmatch(r"(\d+) MiB", cell)
        default = int(mebibytes[1]) * 2**20 if mebibytes else ast.literal_eval(cell)
        real = parameter.default
        if real is None:
            real = getattr(backend, name, None)
        if isinstance(real, frozenset):
            default = frozenset(default)
        assert real == default, name


class TestOptionTables:
    def test_settings(self) -> None:
        shown = rows("Settings")
        assert set(shown) == SETTING_NAMES
        assert_defaults(shown, CacheBackend)

    def test_backends(self) -> None:
        memory, sqlite = rows("Options of every backend"), rows("Options of `SQLiteBackend`")
        settings = set(rows("Settings"))
        # The clock is for tests.
        assert set(memory) | settings == parameters(CacheBackend).keys() - {"clock"}
        # These change nothing and are there for programs that pass them.
        tolerated = {"check_same_thread", "isolation_level", "detect_types"}
        assert set(sqlite) == parameters(SQLiteBackend).keys() - tolerated - {
            "cache_name",
            "expire_after",
        }
        assert_defaults(memory, CacheBackend)
        assert_defaults(sqlite, SQLiteBackend)

    @pytest.mark.parametrize("kind", [RedisBackend, MongoDBBackend, GridFSBackend, DynamoDBBackend])
    def test_servers(self, kind: type[CacheBackend]) -> None:
        shown = rows("Options of servers")
        assert set(shown) == own_options.RemoteOptions.__annotations__.keys() - {"connection"}
        assert_defaults(shown, kind)

    def test_requests(self) -> None:
        known = inspect.signature(CacheMixin._request).parameters.values()
        own = {one.name for one in known if one.kind is inspect.Parameter.KEYWORD_ONLY}
        assert set(rows("Options of one request")) == own


def test_commands_are_targets_of_make() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        assert set(re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)) <= targets, document.name
