"""The shortest way to a hit: no request is prepared, and no adapter is asked.

Nobody can tell the difference. A URL that has been asked for on the long way is known by what
became of it there, its key above all; whatever could make another request of it leads to the long
way again.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from requests import PreparedRequest, Session
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict

from http_client_cache.errors import StoreError
from http_client_cache.options import Known, Options
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Hit
from requests_cache.response import build, mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests.cookies import RequestsCookieJar

    from http_client_cache.settings import Settings
    from requests_cache.backends.base import BaseCache
    from requests_cache.response import CachedResponse
    from requests_cache.sending import Sending

MOST_URLS: Final = 4096
"""So many URLs are known at a time; the oldest is forgotten first."""

HARMLESS: Final = frozenset({"params", "allow_redirects", "stream", "timeout", "proxies"})
"""Arguments of a request that have no part in what is sent, or none if they are empty."""

_FOLLOWING: Final = Options(follow=True)
_NOT_FOLLOWING: Final = Options()

_get_adapter, _send, _request = Session.get_adapter, Session.send, Session.request
_METHODS: Final = frozenset({"get_adapter", "send", "request"})


class _Url(NamedTuple):
    """What is known of a URL.

    Attributes:
        method: in upper case.
        prepared: how requests spells it.
        key: of the request.
        backend: that made the key.
        revision: from settings of this revision.
        netrc: what files with passwords there were.
    """

    method: str
    prepared: str
    key: str
    backend: BaseCache
    revision: int
    netrc: tuple[int | None, ...]


class FastPath:
    """Answers plain requests of a session from its cache.

    Args:
        session: whose methods are those of the cache and of requests, not of other classes.
    """

    def __init__(self, session: Sending) -> None:
        self._session: Any = session
        self._known: dict[tuple[str | bytes, str | bytes], _Url] = {}

    def forget(self) -> None:
        """Know nothing any more."""
        self._known.clear()

    def is_plain(self, kwargs: Mapping[str, Any]) -> bool:
        """Whether a request with these arguments is the one that everybody makes of its URL."""
        session = self._session
        cookies: RequestsCookieJar = session.cookies
        settings: Settings = session._backend.settings
        return (
            kwargs.keys() <= HARMLESS
            and not kwargs.get("params")
            and session.auth is None
            and session.verify is True
            and session.cert is None
            and not session.params
            and not getattr(cookies, "_cookies", True)
            and session.hooks == _NO_HOOKS
            and not session._switch.is_off
            and settings.credentials.isdisjoint(map(str.lower, session.headers))
            # As long as nobody has put something else into their places, as test doubles do.
            and _METHODS.isdisjoint(session.__dict__)
            and Session.get_adapter is _get_adapter
            and Session.send is _send
            and Session.request is _request
        )

    def answer(
        self, method: str | bytes, url: str | bytes, kwargs: Mapping[str, Any]
    ) -> CachedResponse | Known | None:
        """The answer to a plain request; or what was found out, for the long way."""
        known = self._known.get((method, url))
        if known is None:
            return None
        begun = time.perf_counter()
        session = self._session
        backend: BaseCache = session._backend
        settings = backend.settings
        if (
            known.backend is not backend
            or known.revision != settings.revision
            or settings.cache_control
            or (session.trust_env and known.netrc != _netrc())
        ):
            return None
        engine = backend.engine
        epoch = engine.fetches_ended()
        follow = bool(kwargs.get("allow_redirects", True))
        stored, reason = engine.look(known.key, _FOLLOWING if follow else _NOT_FOLLOWING)
        if stored is None or reason is not Reason.HIT or stored.hops or stored.entry.sets_cookies:
            return Known(known.method, known.prepared, known.key, epoch, stored, reason)
        stream = bool(kwargs.get("stream") or session.stream)
        try:
            body = stored.body if stream else engine.read_all(stored.body)
        except StoreError:
            return None
        sent, prepared = known.method, known.prepared
        fields = session.headers.copy()
        hit = Hit(stored, reason)
        response = build(
            *(stored.entry, body, lambda: _prepared(sent, prepared, fields)),
            method=sent,
            url=prepared,
            stream=stream,
            engine=engine,
            connection=session.get_adapter(prepared),
        )
        mark(response, hit, backend.clock, told=settings.cache_status)
        response.elapsed = timedelta(seconds=time.perf_counter() - begun)
        return response

    def learn(self, method: str | bytes, url: str | bytes, response: CachedResponse) -> None:
        """Take note of what became of a plain request on the long way."""
        backend: BaseCache = self._session._backend
        settings = backend.settings
        request = response.history[0].request if response.history else response.request
        if (
            response.history
            or response.cache_key is None
            or settings.key_fn is not None
            or settings.filter_fn is not None
            or settings.include_headers
            or settings.cache_control
            or not settings.credentials.isdisjoint(map(str.lower, request.headers))
            or "Cookie" in request.headers
        ):
            return
        while len(self._known) >= MOST_URLS:
            try:
                del self._known[next(iter(self._known))]
            except (KeyError, RuntimeError, StopIteration):
                # Another thread was at it.
                return
        self._known[method, url] = _Url(
            request.method or "",
            request.url or "",
            response.cache_key,
            backend,
            settings.revision,
            _netrc(),
        )


_NO_HOOKS: Final = default_hooks()


def _prepared(method: str, url: str, fields: CaseInsensitiveDict[Any]) -> PreparedRequest:
    """The request as the session would have prepared it."""
    request = PreparedRequest()
    sent = CaseInsensitiveDict({name: value for name, value in fields.items() if value is not None})
    request.prepare(method, url, headers=sent, hooks=default_hooks())  # pyright: ignore[reportUnknownMemberType]
    return request


def _netrc() -> tuple[int | None, ...]:
    """The files in which requests looks for passwords, by when they were changed."""
    return tuple(map(_changed, _netrc_paths(os.environ.get("NETRC"), os.environ.get("HOME"))))


@lru_cache(maxsize=8)
def _netrc_paths(named: str | None, _home: str | None) -> tuple[str, ...]:
    paths = (named,) if named else ("~/.netrc", "~/_netrc")
    return tuple([str(Path(path).expanduser()) for path in paths])


def _changed(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - twice as fast as with pathlib
    except (OSError, ValueError):
        return None
