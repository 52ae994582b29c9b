"""What requests costs with the cache and without, in one thread."""

from __future__ import annotations

import gc
import io
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count, cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from requests_cache import CachedSession

GROUP: Final = "requests"

KIB: Final = 1024


class _NullAdapter(HTTPAdapter):
    """Answers at once: what is left is requests' own."""

    def send(self, request: PreparedRequest, **_: Any) -> Response:  # type: ignore[override]
        body = b"x" * KIB
        headers = {"Content-Type": "text/plain", "Content-Length": str(len(body)), "ETag": '"1"'}
        raw = HTTPResponse(io.BytesIO(body), headers, 200, preload_content=False)
        return self.build_response(request, raw)


class _LongWay(CachedSession):
    """What a class overrides may matter, so that its requests are prepared and sent."""

    def prepare_request(self, request: Any) -> PreparedRequest:
        return super().prepare_request(request)


def _nobody(_: Path) -> Session:
    session = Session()
    session.mount("http://", _NullAdapter())
    return session


Open = Callable[[Path], Session]

CASES: Final[dict[str, tuple[str, Open, bool]]] = {
    # name: title, session, whether each request is a new one
    "null": ("requests over a null adapter", _nobody, False),
    "get": ("plain GET", lambda _: Session(), False),
    "memory-long": ("hit by the adapter, memory", lambda _: _LongWay(backend="memory"), False),
    "sqlite-long": ("hit by the adapter, SQLite", lambda path: _LongWay(path / "c"), False),
    "memory-hit": ("hit, memory", lambda _: CachedSession(backend="memory"), False),
    "sqlite-hit": ("hit, SQLite", lambda path: CachedSession(path / "c"), False),
    "files-hit": (
        "hit, files",
        lambda path: CachedSession(path / "c", backend="filesystem"),
        False,
    ),
    "get-new": ("plain GET, new URLs", lambda _: Session(), True),
    "memory-miss": ("miss, memory", lambda _: CachedSession(backend="memory"), True),
    "sqlite-miss": ("miss, SQLite", lambda path: CachedSession(path / "c"), True),
}

Measured = dict[str, list[float]]
"""µs of CPU time per request, of each round, by case."""


def measure_requests(origin: str, *, rounds: int, operations: int, urls: int) -> Measured:
    """Measure all cases; their rounds take turns.

    Args:
        origin: address of the origin.
        rounds: how many of each.
        operations: requests per round.
        urls: how many URLs a hit is for, in turn.
    """
    address = f"{origin}/bytes/{KIB}?n="
    known = [f"{address}{number}" for number in range(urls)]
    measured: Measured = {}
    with ExitStack() as stack:
        runs: dict[str, tuple[Session, Iterator[str]]] = {}
        for name, (_, opens, new) in CASES.items():
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")))
            session = stack.enter_context(opens(folder))
            for _ in range(2):
                _fetch(session, known)
            targets = (f"{address}{number}" for number in count(urls)) if new else cycle(known)
            runs[name] = session, targets
        for _ in range(rounds):
            for name, (session, targets) in runs.items():
                batch = [next(targets) for _ in range(operations)]
                gc.collect()
                begun = time.process_time()
                _fetch(session, batch)
                spent = time.process_time() - begun
                measured.setdefault(name, []).append(spent / operations * 1e6)
    return measured


def _fetch(session: Session, urls: list[str]) -> None:
    for url in urls:
        if len(session.get(url).content) != KIB:
            raise ValueError(f"{url} has another body")


def requests_as_table(measured: Measured) -> list[str]:
    """For people; also a table in Markdown."""
    lines = ["| CPU time per request, 1 KiB | µs | of a plain GET |", "|---|---:|---:|"]
    plain = median(measured["get"])
    for name, rounds in measured.items():
        value = median(rounds)
        lines.append(f"| {CASES[name][0]} | {value:.1f} | {value / plain:.2f} |")
    return lines
