"""The examples, run as they are; names lead to a server that counts."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.names import lead_to
from tests.support.origin import Origin
from tests.support.servers import redis_url

EXAMPLES = Path(__file__).parents[2] / "examples"

Run = Callable[[str], list[str]]


@pytest.fixture
def run(
    threaded_origin: Origin,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run an example as a program, and return the lines that it prints."""
    lead_to(monkeypatch, threaded_origin.port)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def run(name: str) -> list[str]:
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return run


def test_all_are_tested() -> None:
    tested = {
        "quickstart.py",
        "async_cache_control.py",
        "custom_storage.py",
        "expiration.py",
        "inspection.py",
        "large_files.py",
        "middleware.py",
        "mixin.py",
        "offline.py",
        "requests_quickstart.py",
        "shared_redis.py",
        "stale.py",
    }
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested


def test_large_files(run: Run) -> None:
    body = "104,857,600 bytes"
    lines = [line.partition(":")[0] for line in run("large_files.py")]
    assert lines == [
        *(f"{body}, new", f"{body}, from cache", f"{body}, from cache"),
        *(f"{body}, new", *[f"{body}, from cache"] * 4),
        "all the same",
        "the server was asked for /disk.img, /other.img",
    ]


# aiohttp's own, of classes that extend its session.
@pytest.mark.filterwarnings("ignore:Inheritance class CustomSession:DeprecationWarning")
def test_mixin(run: Run, threaded_origin: Origin) -> None:
    assert run("mixin.py") == [
        "to the server: GET http://httpbin.org/get",
        "200 new",
        "200 from cache",
        "200 from cache",
    ]
    assert threaded_origin.count() == 1


def test_middleware(run: Run, threaded_origin: Origin) -> None:
    assert run("middleware.py") == [
        "to the server: GET http://httpbin.org/get",
        "200 new",
        "200 from cache",
        "200 from cache",
    ]
    assert threaded_origin.count() == 1


def test_expiration(run: Run, threaded_origin: Origin) -> None:
    assert run("expiration.py") == [
        "http://httpbin.org/get is fresh for 1:00:00",
        "http://httpbin.org/delay/1 is fresh for 1 day, 0:00:00",
        "http://httpbin.org/stream/3 never expires",
        "http://httpbin.org/status/200 is not kept",
        "http://httpbin.org/headers is fresh for 0:01:00",
        "forced: new",
        "deleted: 0",
        "http://httpbin.org/get is fresh for 30 days, 0:00:00",
    ]
    assert threaded_origin.count() == 6


def test_inspection(run: Run, threaded_origin: Origin) -> None:
    lines = run("inspection.py")
    assert lines[:7] == [
        "URLs:",
        "   http://httpbin.org/get?page=1",
        "   http://httpbin.org/post",
        "   http://httpbin.org/serial/end",
        "responses: 3",
        "redirects: 1",
        "has /get?page=1: True",
    ]
    assert sorted(line.split()[:3] for line in lines[7:10]) == [
        ["GET", "200", "http://httpbin.org/get?page=1"],
        ["GET", "200", "http://httpbin.org/serial/end"],
        ["POST", "200", "http://httpbin.org/post"],
    ]
    assert lines[10:] == [
        "by its key: http://httpbin.org/get?page=1",
        "after delete_url: 2",
        "after clear: 0",
    ]
    assert threaded_origin.count() == 4


def test_custom_storage(run: Run, threaded_origin: Origin) -> None:
    assert run("custom_storage.py") == [
        "200 new",
        "200 from cache",
        "files: 1",
        "GET http://httpbin.org/get expires True",
    ]
    assert threaded_origin.count() == 1


def test_offline(run: Run, threaded_origin: Origin) -> None:
    assert run("offline.py") == [
        "200 from cache: True ends at http://httpbin.org/serial/end",
        "  by way of 302 http://httpbin.org/redirect/2",
        "  by way of 302 http://httpbin.org/redirect/1",
        "504 Gateway Timeout",
        "disabled, from cache: False",
    ]
    assert threaded_origin.count() == 6


def test_cache_control(run: Run, threaded_origin: Origin) -> None:
    assert run("async_cache_control.py") == [
        "  kept: http://httpbin.org/get",
        "get new",
        "  kept: http://httpbin.org/headers",
        "headers new",
        "get from cache",
        "  kept: http://httpbin.org/stream/3",
        "  gone: http://httpbin.org/headers",
        "stream/3 new",
        "get from cache",
        "  kept: http://httpbin.org/headers",
        "  gone: http://httpbin.org/stream/3",
        "headers new",
    ]
    assert threaded_origin.count() == 4


def test_stale(run: Run, threaded_origin: Origin) -> None:
    told = [line.partition(" (RFC")[0] for line in run("stale.py")]
    assert told == [
        "/page: new: nothing is stored for this request",
        "/page: from cache: served from the cache",
        "/prices: new: nothing is stored for this request",
        "/prices: from cache: the origin said that the stored response is still good",
        "/news: new: nothing is stored for this request",
        "/weather: new: nothing is stored for this request",
        "/news: from cache: served stale, to be validated meanwhile",
        "/news: from cache: served from the cache",
        "the server is gone",
        "/page: from cache: served from the cache",
        "/weather: from cache: served because the origin failed",
        "/prices: ClientConnectorError",
    ]
    assert threaded_origin.count() == 0


def test_requests_quickstart(run: Run, threaded_origin: Origin) -> None:
    assert run("requests_quickstart.py") == [
        "200 new",
        "200 from cache",
        "fetched 1 of 10",
        "3,145,728 bytes new",
        "3,145,728 bytes from cache",
        "alice new",
        "bob new",
        "while installed: from cache",
        "while installed: from cache",
        "kept: http://httpbin.org/delay/1",
        "kept: http://httpbin.org/get",
        "kept: http://httpbin.org/get?page=1",
        "kept: http://httpbin.org/large",
        "deleted: 1",
    ]
    assert threaded_origin.count() == 5


def test_shared_redis() -> None:
    command = [sys.executable, str(EXAMPLES / "shared_redis.py")]
    known = {**os.environ, "REDIS_URL": redis_url()}
    for last in (False, False, True):
        ended = subprocess.run(command, env=known, capture_output=True, text=True, check=True)
        *pages, asked, stored = ended.stdout.splitlines()
        assert sorted(line.partition(",")[0] for line in pages) == [
            f"{name}: page {number}"
            for name in ("aiohttp-1", "aiohttp-2", "requests")
            for number in range(5)
        ]
        assert stored == "stored: 5"
        # On a busy machine a process may give up on Redis, say so, and fetch for itself.
        told = (asked, ended.stderr)
        if last or told == ("the server was asked 5 times", ""):
            break
    assert told == ("the server was asked 5 times", "")
