"""Programs of their own that fetch through one cache, at a word from the test."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[3]

_PROGRAM = """
import asyncio, json, logging, sys, time
logging.getLogger("asyncio").setLevel(logging.ERROR)
from aiohttp_client_cache import CachedSession, FileBackend, SQLiteBackend

kind, name, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
backend = {"sqlite": SQLiteBackend, "files": FileBackend}[kind](name, **options)


async def fetch(session, url):
    begun = time.monotonic()
    async with session.get(url) as response:
        body = await response.text()
    told = response.cache
    return [body, response.from_cache, str(told.reason.name), time.monotonic() - begun]


async def main():
    loop = asyncio.get_running_loop()
    async with CachedSession(cache=backend) as session:
        print("ready", flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            url, count, patience = json.loads(line)
            try:
                async with asyncio.timeout(patience):
                    told = await asyncio.gather(*(fetch(session, url) for _ in range(count)))
            except TimeoutError:
                told = []
            print(json.dumps(told), flush=True)


asyncio.run(main())
"""


class Fetched(NamedTuple):
    """What one task got."""

    body: str
    from_cache: bool
    reason: str
    seconds: float


class Fetcher:
    """A process with one session."""

    def __init__(self, kind: str, path: Path, options: dict[str, Any]) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-W", "error", "-c", _PROGRAM),
                *(kind, str(path), json.dumps(options)),
            ],
            env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def wait_until_ready(self) -> None:
        assert self._line() == "ready\n"

    def begin(self, url: str, count: int = 1, patience: float | None = None) -> None:
        """Have so many tasks ask for a URL, and give up after so many seconds."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([url, count, patience]) + "\n")
        self.process.stdin.flush()

    def end(self) -> list[Fetched]:
        """Wait for what they got."""
        return [Fetched(*one) for one in json.loads(self._line())]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def fetchers(count: int, kind: str, path: Path, **options: Any) -> Iterator[list[Fetcher]]:
    """So many processes that share a cache, each ready to begin."""
    started = [Fetcher(kind, path, options) for _ in range(count)]
    try:
        for one in started:
            one.wait_until_ready()
        yield started
    finally:
        for one in started:
            one.kill()
            one.process.communicate()
