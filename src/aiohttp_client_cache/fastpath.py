"""A fresh hit, answered before aiohttp builds its request.

Only as long as nobody can tell the difference: where anybody watches the request (traces,
middlewares) or anything about it is still to be found out (auth, cookies of its own, a body),
the answer is ``None`` and the request takes the long way, which decides by the same plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import ClientTimeout, RequestInfo
from aiohttp.helpers import sentinel
from multidict import CIMultiDict, getversion
from yarl import URL

from aiohttp_client_cache.response import RAW_COOKIES, CachedResponse, build, cached_class, mark
from http_client_cache import decide
from http_client_cache.body import AnyBody
from http_client_cache.key import request_key
from http_client_cache.lawful import weigh
from http_client_cache.lawful.find import DIRECTING
from http_client_cache.lawful.respond import SELECTING
from http_client_cache.message import NO_HEADERS, Headers, RawHeaders, Request, to_text
from http_client_cache.options import Known, Options
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Hit

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp_client_cache.session import CacheMixin
    from http_client_cache.entry import Entry, Hop
    from http_client_cache.settings import Settings

HARMLESS = frozenset(
    {"allow_redirects", "headers", "max_redirects", "params", "raise_for_status", "timeout"}
)
"""Arguments whose effect on a hit is known here; any other takes the long way."""

TARGETS = (str, URL)

MEMORY = 4096
"""How many (method, URL) are remembered with their keys."""

# A response that aiohttp would follow further is followed by aiohttp.
FOLLOWED = decide.REDIRECTS

TO_BE_WEIGHED = SELECTING | DIRECTING
"""Request fields that the rules of RFC 9111 look at."""

UNKNOWN_YET = frozenset({"cookie", "host"})
"""Request fields that are made for each request, later."""

FOLLOW = Options(follow=True)
STAY = Options()


class FastPath:
    """Answers the fresh hits of one session."""

    __slots__ = ("_able", "_added", "_by_law", "_keys", "_session", "_stamp", "_told", "_usual")

    def __init__(self, session: CacheMixin) -> None:
        self._session = session
        self._keys: dict[tuple[str, str | URL], tuple[URL, str, Request]] = {}
        self._added: RawHeaders | None = None
        self._usual: Headers | None = None
        self._stamp: tuple[object, int, int] = (None, -1, -1)
        self._able = self._by_law = self._told = False

    def answer(
        self, method: str, target: str | URL, kwargs: dict[str, Any]
    ) -> CachedResponse | Known | None:
        """The response; for the long way, what was found out about the request, or nothing."""
        session = self._session
        connector = session._connector
        if (
            session._trace_configs
            or session._middlewares
            or session._default_auth is not None
            or session._trust_env
            or not session._auto_decompress
            or connector is None
            or connector.closed
            or not kwargs.keys() <= HARMLESS
            or type(target) not in TARGETS
        ):
            return None
        follow = kwargs.get("allow_redirects", True)
        timeout = kwargs.get("timeout", sentinel)
        if timeout is not sentinel and timeout is not None and type(timeout) is not ClientTimeout:
            return None

        keyed = self._keyed(method, target, kwargs)
        if keyed is None:
            return None
        url, key, request = keyed
        backend = session.cache
        if self._by_law:
            hit = self._found(key, request)
        else:
            hit = self._looked_up(key, request, FOLLOW if follow else STAY)
        if not isinstance(hit, Hit):
            return hit
        stored = hit.stored
        entry, hops = stored.entry, stored.hops
        if not RAW_COOKIES and (hops or entry.sets_cookies):
            return None
        if follow and (hops or entry.status in FOLLOWED):
            limit = kwargs.get("max_redirects", 10)
            if entry.status in FOLLOWED or (limit and len(hops) >= limit):
                return None
            check = kwargs.get("raise_for_status") or session._raise_for_status
            if entry.status >= 400 or callable(check):
                # aiohttp judges the status before the response knows its history.
                return None
        response = self._respond(method, url, kwargs, hit)
        mark(response, hit, backend.clock, told=self._told)
        return response

    def _looked_up(self, key: str, request: Request, options: Options) -> Hit | Known:
        """What is stored under a key and may be served; else what the long way should know."""
        engine = self._session.cache.engine
        epoch = engine.fetches_ended()
        looked = engine.look_now(key, options)
        if looked is None:
            return Known(request.method, request.url, key)
        stored, reason = looked
        if stored is None or reason is not Reason.HIT:
            return Known(request.method, request.url, key, epoch, stored, reason)
        return Hit(stored)

    def _found(self, key: str, request: Request) -> Hit | Known:
        """The same where RFC 9111 decides."""
        found = self._session.cache.engine.find_now(key, request, STAY)
        hit = None if found is None else found.hit
        if found is None or hit is None or hit.reason is not Reason.HIT:
            return Known(request.method, request.url, key)
        for stored in found.candidates:
            for name, _ in stored.entry.vary:
                if name in UNKNOWN_YET:
                    return Known(request.method, request.url, key)
        return hit

    def _keyed(
        self, method: str, target: str | URL, kwargs: dict[str, Any]
    ) -> tuple[URL, str, Request] | None:
        """The URL as it would be sent, the key of the request, and what is known of that."""
        session = self._session
        settings = session.cache.settings
        stamp = (settings, settings.revision, _version(session._default_headers))
        if stamp != self._stamp or len(self._keys) > MEMORY:
            self._begin(settings)
            self._stamp = stamp
        if not self._able:
            return None
        plain = not kwargs.get("params") and not kwargs.get("headers")
        if plain:
            keyed = self._keys.get((method, target))
            if keyed is not None:
                return keyed
        url = self._url(target, kwargs)
        request = None if url is None else self._request(method, url, kwargs, plain=plain)
        key = None if request is None else request_key(settings, request)
        if url is None or request is None or key is None:
            return None
        if plain:
            self._keys[method, target] = url, key, request
        return url, key, request

    def _begin(self, settings: Settings) -> None:
        """Forget what was known of other settings and default headers."""
        self._keys.clear()
        self._added = None
        self._usual = None
        self._able = (
            settings.key_fn is None
            and settings.include_headers is False
            and not settings.no_vary_search
        )
        self._by_law = settings.cache_control
        self._told = settings.cache_status

    def _url(self, target: str | URL, kwargs: dict[str, Any]) -> URL | None:
        """The URL as it would be sent; ``None`` where there is more to it than that."""
        try:
            url = self._session._build_url(target)
            if params := kwargs.get("params"):
                url = url.extend_query(params)
        except (LookupError, TypeError, ValueError):
            return None
        fit = url.scheme in ("http", "https") and url.raw_host
        return url if fit and url.raw_user is None and url.raw_password is None else None

    def _request(
        self, method: str, url: URL, kwargs: dict[str, Any], *, plain: bool
    ) -> Request | None:
        """As much of the request as counts; ``None`` where it has to go the long way."""
        settings = self._session.cache.settings
        if settings.cache_control:
            headers = self._undirected(kwargs.get("headers"))
            if headers is None or method not in weigh.READING:
                return None
            request = Request(method, str(url), headers)
            return None if weigh.bypass(request, STAY, settings) is not None else request
        bare = plain and not self._session._default_headers
        headers = NO_HEADERS if bare else self._headers(kwargs.get("headers"))
        if headers is None:
            return None
        request = Request(method, str(url), headers)
        return None if decide.bypass(request, STAY, settings) is not None else request

    def _headers(self, given: Any) -> Headers | None:
        """The header fields that would be sent; ``None`` where aiohttp would not send them."""
        try:
            headers = Headers.of(self._session._prepare_headers(given))
        except (AttributeError, TypeError, ValueError):
            return None
        unfit = any(mark in value for _, value in headers.raw for mark in (b"\r", b"\n", b"\0"))
        return None if unfit else headers

    def _undirected(self, given: Any) -> Headers | None:
        """All fields that would be sent; ``None`` where some of them are to be weighed."""
        if not given and self._usual is not None:
            return self._usual
        headers = self._headers(given)
        if headers is None or headers.has_any(TO_BE_WEIGHED):
            return None
        headers = self._completed(headers)
        if not given:
            self._usual = headers
        return headers

    def _completed(self, given: Headers) -> Headers:
        """The fields with those that aiohttp adds: ``Vary`` may name any of them."""
        session = self._session
        if self._added is None:
            request = session._request_class(
                "GET",
                URL("http://localhost/"),
                skip_auto_headers=session.skip_auto_headers or None,
                version=session._version,
                loop=session._loop,
                session=session,
            )
            self._added = Headers.of(request.headers).without(UNKNOWN_YET).raw
        missing = [pair for pair in self._added if to_text(pair[0]) not in given]
        return Headers((*given.raw, *missing))

    def _respond(self, method: str, url: URL, kwargs: dict[str, Any], hit: Hit) -> CachedResponse:
        """Build the response, and those of the redirects before it; update the cookies."""
        session, stored = self._session, hit.stored
        kind = cached_class(session._response_class)
        if not stored.hops:
            info = self._request_info(method, url, kwargs)
            return self._build(kind, stored.entry, stored.body, method, url, info, hit)
        history: list[CachedResponse] = []
        for hop in stored.hops:
            hop_url = URL(hop.url, encoded=True) if history else url
            info = self._request_info(hop.method, hop_url, kwargs)
            response = self._build(kind, hop, b"", hop.method, hop_url, info)
            response.release()
            history.append(response)
        entry = stored.entry
        final = URL(entry.url, encoded=True)
        info = self._request_info(entry.method, final, kwargs)
        response = self._build(kind, entry, stored.body, entry.method, final, info)
        response._history = tuple(history)
        return response

    def _build(
        self,
        kind: type[CachedResponse],
        head: Entry | Hop,
        body: AnyBody,
        method: str,
        url: URL,
        info: Callable[[], RequestInfo],
        hit: Hit | None = None,
    ) -> CachedResponse:
        session = self._session
        response = build(
            kind,
            head,
            body,
            method=method,
            url=url,
            request_info=info,
            session=session,
            loop=session._loop,
            aged=hit,
            engine=session.cache.engine,
        )
        if RAW_COOKIES and response._raw_cookie_headers:
            session._cookie_jar.update_cookies_from_headers(
                response._raw_cookie_headers, response.url
            )
        return response

    def _request_info(
        self, method: str, url: URL, kwargs: dict[str, Any]
    ) -> Callable[[], RequestInfo]:
        """Request information as aiohttp would give it, made when somebody looks."""
        session = self._session
        jar = session._cookie_jar
        cookies = jar.filter_cookies(url) if len(jar) else None

        def make() -> RequestInfo:
            return session._request_class(
                method,
                url,
                headers=session._prepare_headers(kwargs.get("headers")),
                skip_auto_headers=session.skip_auto_headers or None,
                cookies=cookies,
                version=session._version,
                loop=session._loop,
                session=session,
            ).request_info

        return make


def _version(fields: CIMultiDict[str]) -> int:
    """Changes whenever the fields do."""
    return getversion(fields)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
