"""The tables of the pages about requests: what they name is there, or is not, as they say."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import requests
from requests import Request

import aiohttp_client_cache
import requests_cache
from requests_cache import CachedSession
from requests_cache.backends.choose import BACKENDS
from requests_cache.policy.spellings import SPELLINGS
from requests_cache.sending import Sending
from tests.faces.aiohttp.servers.places import PATIENCE, made
from tests.support.names import lead_to
from tests.support.origin import Origin

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "requests.md").read_text(encoding="utf-8")
MOVING = (DOCS / "moving_from_requests_cache.md").read_text(encoding="utf-8")
URL = "http://httpbin.org/get"

OF_BOTH = {
    name: getattr(face, name)
    for face in (aiohttp_client_cache, requests_cache)
    for name in face.__all__
    if name.endswith(("Backend", "Cache"))
}


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the tables below a heading, up to the next one."""
    section = text.partition(f"# {heading}\n")[2]
    section = re.split(r"^#", section, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if not set(row[0]) <= set("-|")][1:]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def in_pairs(row: list[str]) -> tuple[str, str]:
    return code(row[0])[0], code(row[1])[0]


def where_is(piece: str) -> dict[str, Any]:
    """What leads a backend to the server of the tests."""
    kind = {"Redi": "redis", "Mong": "mongodb", "Grid": "gridfs", "Dyna": "dynamodb"}.get(piece[:4])
    if kind is None:
        return {}
    # The databases and tables are those that the names of the caches make.
    arguments = made(kind).arguments.items()
    return {
        "store_timeout": PATIENCE,
        **{name: value for name, value in arguments if name not in {"database", "table"}},
    }


def all_code(heading: str, column: int, least: int) -> list[Any]:
    found = [piece for row in rows(MOVING, heading) for piece in code(row[column])]
    assert len(found) >= least
    return [pytest.param(piece, id=piece) for piece in found]


@pytest.fixture
def evaluate(
    threaded_origin: Origin, monkeypatch: pytest.MonkeyPatch, in_tmp_path: Path
) -> Iterator[Any]:
    """Evaluate a piece of code as the reader of the page would."""
    lead_to(monkeypatch, threaded_origin.port)
    monkeypatch.setenv("XDG_CACHE_HOME", str(in_tmp_path))
    with CachedSession(backend="memory", expire_after=60) as session:
        session.get(URL)
        names = {
            **{name: getattr(requests_cache, name) for name in requests_cache.__all__},
            "Request": Request,
            "json": json,
            "requests": requests,
            "requests_cache": requests_cache,
            "response": session.get(URL),
            "session": session,
            "timedelta": timedelta,
            "url": URL,
        }

        def evaluate(piece: str) -> Any:
            return eval(piece, names)

        yield evaluate


@pytest.mark.parametrize(
    "piece",
    [*all_code("What stays the same", 1, 80), *all_code("What has another name", 1, 15)],
)
def test_it_is_here(evaluate: Any, piece: str) -> None:
    made = evaluate(piece)
    if inspect.isgenerator(made):
        list(made)
    if isinstance(made, CachedSession | requests_cache.BaseCache):
        made.close()


@pytest.mark.parametrize(
    "piece",
    [*all_code("What has another name", 0, 15), *all_code("What is not there", 0, 10)],
)
def test_it_is_not_here(evaluate: Any, piece: str) -> None:
    # `CachedSession(serializer="yaml")` raises what is a `ValueError`.
    with pytest.raises((AttributeError, TypeError, requests_cache.ConfigurationError)):
        evaluate(piece)


class TestTheGuide:
    def test_spellings(self) -> None:
        assert dict(map(in_pairs, rows(GUIDE, "Settings"))) == SPELLINGS

    def test_options_of_one_request(self) -> None:
        known = inspect.signature(Sending.request).parameters.values()
        own = {one.name: one.default for one in known if one.kind is one.KEYWORD_ONLY}
        shown = rows(GUIDE, "Options of one request")
        assert {code(row[0])[0]: eval(code(row[1])[0]) for row in shown} == own

    def test_backends(self) -> None:
        by_name = {name: kind for name, (_, kind, _) in BACKENDS.items()}
        found = rows(GUIDE, "Backends")
        shown = {
            eval(name): code(row[1])[0]
            for row in found
            if row[0].startswith('`"')
            for name in code(row[0])
        }
        assert shown == by_name
        arguments = [row for row in found if row[0].strip("`") in by_name.values()]
        assert len(arguments) > 5
        for row in arguments:
            kind = getattr(requests_cache, code(row[0])[0])
            assert code(row[1])[0] in inspect.signature(kind).parameters

    def test_patching(self) -> None:
        shown = {
            re.split(r"\W", piece)[0] for row in rows(GUIDE, "Patching") for piece in code(row[0])
        }
        assert all(callable(getattr(requests_cache, name)) for name in shown)
        assert shown == set(requests_cache.core.__all__) - {
            *("ALL_METHODS", "CacheMixin", "CachedSession")
        }

    @pytest.mark.parametrize("row", rows(GUIDE, "Looking into the cache"), ids=str)
    def test_calls(self, row: list[str]) -> None:
        for piece in code(row[1]):
            name = re.match(r"(?:session\.|cache\.)?(\w+)", piece)
            assert name is not None
            kind = CachedSession if piece.startswith("session.") else requests_cache.BaseCache
            found = getattr(kind, name[1])
            arguments = re.findall(r"(\w+)=", piece)
            if name[1] == "urls":
                found = requests_cache.BaseCache.filter
            if arguments:
                assert set(arguments) <= inspect.signature(found).parameters.keys()

    def test_attributes_of_responses(self, evaluate: Any) -> None:
        shown = [code(row[0])[0] for row in rows(GUIDE, "Responses")]
        assert len(shown) == 7
        for name in shown:
            evaluate(f"response.{name}")
            evaluate(f"session.get(url, force_refresh=True).{name}")

    @pytest.mark.parametrize(
        ("here", "there"), [in_pairs(row) for row in rows(GUIDE, "One store for two clients")]
    )
    def test_both_clients(
        self, threaded_origin: Origin, in_tmp_path: Path, here: str, there: str
    ) -> None:
        url, name = threaded_origin.url("/get"), f"demo-{token_hex(4)}"
        one, other = (
            eval(
                piece.replace('"demo")', "name, **where)"),
                {**OF_BOTH, "name": name, "where": where},
            )
            for piece, where in ((here, where_is(here)), (there, where_is(here)))
        )

        async def fetch() -> bool:
            async with aiohttp_client_cache.CachedSession(cache=other) as session:
                response: Any = await session.get(url)
                return response.from_cache

        try:
            with CachedSession(backend=one) as session:
                assert not session.get(url).from_cache
            assert asyncio.run(fetch())
        finally:
            one.clear()
            one.close()
