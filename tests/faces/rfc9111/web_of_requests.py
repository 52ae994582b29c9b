"""requests as the client of the tests of RFC 9111: each request in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import requests

from requests_cache import BaseCache, CachedSession, SQLiteCache
from tests.faces.rfc9111.web import Fields, Opened, Seen, Web, multidict
from tests.support.clock import StandingClock
from tests.support.scripted import ScriptedOrigin

T = TypeVar("T")

_threads = ThreadPoolExecutor(32, "a client")


async def apart(call: Callable[[], T]) -> T:
    """Do what blocks while the origin, which lives in the loop, goes on."""
    return await asyncio.get_running_loop().run_in_executor(_threads, call)


class _Opened:
    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self.status = response.status_code

    async def read(self) -> bytes:
        return await apart(lambda: self.response.content)

    async def release(self) -> None:
        await apart(self.response.close)


class RequestsWeb(Web):
    """A session of requests'; see ``opener`` for the arguments."""

    session: CachedSession
    backend: BaseCache

    def __init__(
        self,
        route: str,
        origin: ScriptedOrigin,
        clock: StandingClock,
        folder: Path,
        settings: dict[str, Any],
    ) -> None:
        if route.startswith("sqlite"):
            self.backend = SQLiteCache(folder / "cache.sqlite", **settings)
        else:
            self.backend = BaseCache(**settings)
        self.session = CachedSession(backend=self.backend)
        self.origin = origin
        self.clock = clock

    async def _request(self, method: str, url: str, fields: Fields, **kwargs: Any) -> Seen:
        headers = _joined(fields)
        response = await apart(lambda: self.session.request(method, url, headers=headers, **kwargs))
        raw = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in response.raw.headers.iteritems()
        ]
        return Seen(
            response,
            response.request.method or "",
            response.url,
            response.status_code,
            response.reason,
            multidict(raw),
            raw,
            response.content,
            response.from_cache,
            [hop.status_code for hop in response.history],
            dict(response.cookies),
        )

    async def open(self, target: str = "/", fields: Fields = None) -> Opened:
        url, headers = self.origin.url(target), _joined(fields)
        return _Opened(await apart(lambda: self.session.get(url, headers=headers, stream=True)))

    def timeout(self, *, total: float | None = None, read: float | None = None) -> float | None:
        return total if read is None else read

    def raise_for_status(self) -> None:
        self.session.hooks["response"].append(lambda answer, **_: answer.raise_for_status())

    def in_use(self) -> int:
        manager: Any = self.session.get_adapter(self.origin.url()).poolmanager  # type: ignore[attr-defined]
        pools = [manager.pools[key] for key in manager.pools.keys()]  # noqa: SIM118 - no dict
        return sum(pool.pool.maxsize - pool.pool.qsize() for pool in pools)

    async def size(self) -> int:
        return await apart(lambda: len(self.backend.responses))

    async def clear(self) -> None:
        await apart(self.backend.clear)

    async def close(self) -> None:
        await apart(self.session.close)
        await apart(self.backend.close)


def _joined(fields: Fields) -> dict[str, str]:
    """Repeated fields as one, which is all that requests can send."""
    joined: dict[str, str] = {}
    pairs: Any = fields.items() if isinstance(fields, Mapping) else fields or ()
    for name, padded in pairs:
        # Which it refuses to send, and no server would see.
        value = padded.strip(" \t")
        between = "; " if name.lower() == "cookie" else ", "
        joined[name] = f"{joined[name]}{between}{value}" if name in joined else value
    return joined
