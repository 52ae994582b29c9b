"""Fetch some addresses twice through a cache in a SQLite file, and see what it saves.

python examples/quickstart.py                            a small local server, one second per answer
python examples/quickstart.py https://www.python.org/    any addresses
python examples/quickstart.py --cache demo_cache.sqlite  keep the file, and run it again
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import getproxies

from aiohttp import ClientError, ClientTimeout, web
from yarl import URL

from aiohttp_client_cache import CachedSession, SQLiteBackend


@dataclass
class Outcome:
    """What became of one request."""

    url: str
    seconds: float = 0.0
    status: int = 0
    size: int = 0
    from_cache: bool = False
    error: str = ""


async def fetch(session: CachedSession, url: str) -> Outcome:
    """Fetch one address, as with any ``aiohttp.ClientSession``."""
    begin = time.perf_counter()
    try:
        async with session.get(url) as response:
            body = await response.read()
    except (ClientError, TimeoutError) as error:
        return Outcome(url, error=str(error) or type(error).__name__)
    seconds = time.perf_counter() - begin
    return Outcome(url, seconds, response.status, len(body), response.from_cache)


async def fetch_all(session: CachedSession, urls: list[str], label: str) -> list[Outcome]:
    """Fetch all addresses at once, and tell how far it is."""
    done = 0

    async def fetch_and_count(url: str) -> Outcome:
        nonlocal done
        outcome = await fetch(session, url)
        done += 1
        progress(f"{label}: {done} of {len(urls)}")
        return outcome

    progress(f"{label}: 0 of {len(urls)}")
    outcomes = await asyncio.gather(*map(fetch_and_count, urls))
    progress("")
    return outcomes


async def run(urls: list[str], backend: SQLiteBackend, origin: Origin | None = None) -> bool:
    """Fetch everything twice and show what came of it; answers whether all went well."""
    async with CachedSession(
        cache=backend,
        timeout=ClientTimeout(total=60),
        trust_env=bool(getproxies()),  # where the environment names proxies
    ) as session:
        begin = time.perf_counter()
        first = await fetch_all(session, urls, "first time")
        middle, asked = time.perf_counter(), origin.requests if origin else 0
        second = await fetch_all(session, urls, "second time")
        end = time.perf_counter()
        entries = await session.cache.responses.size()

    print_table(first, second)
    print(f"\nAll of them: {show(middle - begin)} the first time, {show(end - middle)} the second.")
    if origin:
        again = origin.requests - asked
        print(f"Requests that reached the server: {asked} the first time, {again} the second.")
    if any(one.status not in (0, 200) for one in second):
        print("Only answers with status 200 are kept, unless you say otherwise (allowed_codes).")
    print(f"Kept: {entries} responses in {backend.path} ({size_of(backend.path)}).")
    return not any(one.error for one in (*first, *second))


def print_table(first: list[Outcome], second: list[Outcome]) -> None:
    """One line for each address."""
    width = max(len(one.url) for one in first)
    if sys.stdout.isatty():
        width = min(width, max(shutil.get_terminal_size().columns - 58, 30))
    line = f"{{:<{width}}}  {{:>6}}  {{:>13}}  {{:>10}}  {{:>11}}  {{}}"
    print(line.format("URL", "status", "size", "first time", "second time", "from cache"))
    for before, after in zip(first, second, strict=True):
        url = after.url if len(after.url) <= width else f"{after.url[: width - 1]}…"
        if error := before.error or after.error:
            print(f"{url:<{width}}   error  {error}")
            continue
        times = show(before.seconds), show(after.seconds)
        cached = "both times" if before.from_cache else "yes" if after.from_cache else "no"
        print(line.format(url, after.status, f"{after.size:,} bytes", *times, cached))


def show(seconds: float) -> str:
    """A duration as people read it."""
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.2f} ms"


def size_of(file: Path | None) -> str:
    """How much room a file takes."""
    return f"{file.stat().st_size / 1024:,.0f} KiB" if file else "in memory"


def progress(text: str) -> None:
    """Show a line that the next one replaces, where somebody is watching."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


class Origin:
    """A small server that takes a second for every answer, and counts."""

    port = 8642
    paths = ("/weather", "/news", "/timetable", "/prices", "/map", "/photo")

    def __init__(self) -> None:
        self.requests = 0
        self.urls: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        """Answer any request, the later paths with more."""
        self.requests += 1
        await asyncio.sleep(1)
        return web.Response(text=f"{request.path}\n" * 10 ** self.paths.index(request.path))

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Origin]:
        """Serve on a free port."""
        app = web.Application()
        app.add_routes([web.get(path, self.answer) for path in self.paths])
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            try:
                # The same port each time, so that a kept cache knows its addresses.
                await web.TCPSite(runner, "127.0.0.1", self.port).start()
            except OSError:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
            port = runner.addresses[0][1]
            self.urls = [f"http://127.0.0.1:{port}{path}" for path in self.paths]
            yield self
        finally:
            await runner.cleanup()


def address(text: str) -> str:
    """Check an address before anything is fetched."""
    try:
        url = URL(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL like https://www.python.org/")
    return text


async def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("urls", nargs="*", type=address, metavar="URL", help="what to fetch")
    parser.add_argument("--cache", type=Path, metavar="FILE", help="a file to keep the cache in")
    options = parser.parse_args()
    urls = list(dict.fromkeys(options.urls))

    with TemporaryDirectory(prefix="demo-cache-") as folder:
        backend = SQLiteBackend(options.cache or Path(folder, "demo_cache.sqlite"))
        if urls:
            went_well = await run(urls, backend)
        else:
            async with Origin().serving() as origin:
                went_well = await run(origin.urls, backend, origin)
    if not options.cache:
        print("The file was a temporary one; --cache FILE keeps it for the next run.")
    return 0 if went_well else 1


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(main()))
    sys.exit("interrupted")
