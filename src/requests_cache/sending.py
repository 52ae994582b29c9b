"""How a session sends requests through its cache."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import msgspec
from requests import Session

from http_client_cache.errors import check_flag
from http_client_cache.options import Chain, Options
from http_client_cache.rfc9111.freshness import Windows
from http_client_cache.windows import parse_window
from requests_cache.adapter import PLAIN, CacheAdapter, Caching, marked
from requests_cache.disabled import Switch
from requests_cache.fastpath import FastPath
from requests_cache.origin import Origin
from requests_cache.patched import GetAdapter
from requests_cache.policy import requests_expiry
from requests_cache.request import engine_request
from requests_cache.response import CachedResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest, Response
    from requests.adapters import BaseAdapter

    from http_client_cache.expiry import ExpireAfter
    from http_client_cache.windows import StaleWindow
    from requests_cache.backends.base import BaseCache

OWN_ARGUMENTS = (
    *("expire_after", "only_if_cached", "refresh", "force_refresh"),
    *("stale_if_error", "stale_while_revalidate"),
)
"""What a request takes for the cache."""


_UNSAID: dict[str, Any] = {
    **dict.fromkeys(OWN_ARGUMENTS, None),
    **dict.fromkeys(("only_if_cached", "refresh", "force_refresh"), False),
}


class _Calls(threading.local):
    """What the calling thread is at, in one session.

    Attributes:
        said: what the caller of ``request`` said, on its way to ``send``; one for each call that
            is under way.
        current: what the request that is being sent is to the cache.
        follows: whether the next request to be sent follows a redirect of the current one.
    """

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.current: Options | None = None
        self.follows = False


if TYPE_CHECKING:
    from requests_cache.verbs import Verbs as _Behind
else:
    _Behind = object


class Sending(_Behind):
    """What makes a session ask its cache: it stands before ``requests.Session`` among the bases.

    It adds methods and private attributes, nothing that a session class may have for itself.
    """

    _backend: BaseCache
    _switch: Switch
    _calls: _Calls
    _fast: FastPath | None

    def _begin(self, backend: BaseCache, switch: Switch | None = None) -> None:
        """Use a backend from now on."""
        self._backend = backend
        self._switch = Switch() if switch is None else switch
        self._calls = _Calls()
        self._fast = FastPath(self) if _is_all_ours(type(self)) else None
        backend.attach(self)

    def request(
        self,
        method: str | bytes,
        url: str | bytes,
        *args: Any,
        expire_after: ExpireAfter = None,
        only_if_cached: bool = False,
        refresh: bool = False,
        force_refresh: bool = False,
        stale_if_error: StaleWindow = None,
        stale_while_revalidate: StaleWindow = None,
        **kwargs: Any,
    ) -> CachedResponse:
        """Make a request, or answer it from the cache.

        Args:
            method: such as ``"GET"``.
            url: absolute.
            *args: as ``requests.Session.request`` takes them.
            expire_after: expiration for this response alone.
            only_if_cached: answer 504 where nothing usable is stored.
            refresh: validate the stored response with the origin before it is used.
            force_refresh: ask the origin for a new response, whatever is stored.
            stale_if_error: how long an expired response may be served if the origin fails.
            stale_while_revalidate: how long one may be served while it is fetched anew.
            **kwargs: as ``requests.Session.request`` takes them.
        """
        said: dict[str, Any] = {
            "expire_after": expire_after,
            "only_if_cached": only_if_cached,
            "refresh": refresh,
            "force_refresh": force_refresh,
            "stale_if_error": stale_if_error,
            "stale_while_revalidate": stale_while_revalidate,
        }
        fast = self._fast
        is_plain = fast is not None and not args and said == _UNSAID and fast.is_plain(kwargs)
        if fast is not None and is_plain:
            answer = fast.answer(method, url, kwargs)
            if isinstance(answer, CachedResponse):
                return answer
            said["known"] = answer
        self._calls.said.append(said)
        try:
            response = super().request(method, url, *args, **kwargs)
        finally:
            self._calls.said.pop()
        # It is a plain one where somebody has put a `send` of their own into the session.
        if fast is not None and is_plain and isinstance(cast("object", response), CachedResponse):
            fast.learn(method, url, response)
        return response

    def send(self, request: PreparedRequest, **kwargs: Any) -> CachedResponse:
        """Send a prepared request, or answer it from the cache.

        Args:
            request: from ``prepare_request``, or a ``requests.Request(…).prepare()``.
            **kwargs: as ``requests.Session.send`` takes them, and those of :meth:`request` that
                are the cache's.
        """
        calls = self._calls
        if calls.follows and calls.current is not None:
            calls.follows = False
            return self._pass_on(request, calls.current, kwargs)
        own = {name: kwargs.pop(name) for name in OWN_ARGUMENTS if name in kwargs}
        if not own and calls.said:
            own, calls.said[-1] = calls.said[-1], {}
        chain = Chain()
        options = self._options(own, chain, follow=kwargs.get("allow_redirects", True))
        outer, calls.current = calls.current, options
        try:
            return self._pass_on(request, options, kwargs)
        except Exception:
            raise
        except BaseException:
            chain.abandon()
            raise
        finally:
            calls.current = outer
            chain.end()

    def _options(self, own: dict[str, Any], chain: Chain, *, follow: bool) -> Options:
        said, known = PLAIN, own.pop("known", None)
        if any(value is not _UNSAID[name] for name, value in own.items()):
            said = Options(
                requests_expiry(own.get("expire_after")),
                check_flag(own.get("refresh", False), "refresh"),
                check_flag(own.get("force_refresh", False), "force_refresh"),
                check_flag(own.get("only_if_cached", False), "only_if_cached"),
                windows=Windows(
                    parse_window(own.get("stale_while_revalidate"), "stale_while_revalidate"),
                    parse_window(own.get("stale_if_error"), "stale_if_error"),
                ),
            )
        return msgspec.structs.replace(
            said, disabled=self._switch.is_off, follow=follow, chain=chain, known=known
        )

    def _pass_on(
        self, request: PreparedRequest, options: Options, kwargs: dict[str, Any]
    ) -> CachedResponse:
        if _has_senders_behind(type(self)) and self._stays_here(request, options, kwargs):
            # What is stored goes out to nobody, not to the classes behind either.
            return cast("CachedResponse", Session.send(cast("Session", self), request, **kwargs))
        return cast("CachedResponse", super().send(request, **kwargs))

    def _stays_here(
        self, request: PreparedRequest, options: Options, kwargs: dict[str, Any]
    ) -> bool:
        if options.chain is not None and options.chain.ahead is not None:
            return True
        if options.disabled:
            return False
        if options.only_if_cached:
            return True
        engine = self._backend.engine
        presenter = Origin(request, _not_sent, engine, stream=False)
        connecting = {"verify": self.verify, "cert": self.cert} | kwargs
        options = marked(options, request, connecting)
        return engine.admit(engine_request(request), options, presenter)

    def resolve_redirects(self, *args: Any, **kwargs: Any) -> Iterator[Response]:
        """Follow redirects (called by ``send``): each is a request to the cache, too."""
        calls = self._calls
        behind: Any = super()
        chain: Iterator[Response] = behind.resolve_redirects(*args, **kwargs)
        while True:
            calls.follows = not kwargs.get("yield_requests", False)
            try:
                response = next(chain)
            except StopIteration:
                return
            finally:
                calls.follows = False
            yield response

    def _adapter(self, url: str) -> BaseAdapter:
        """The adapter of a URL; while a request is being sent, with the cache before it."""
        behind = vars(self).get("get_adapter") or super().get_adapter
        adapter: BaseAdapter = behind(url)
        options = self._calls.current
        if options is None or isinstance(adapter, CacheAdapter):
            return adapter
        return Caching(adapter, self._backend, options)

    if not TYPE_CHECKING:
        get_adapter = GetAdapter(_adapter)

    def mount(self, prefix: str | bytes, adapter: BaseAdapter) -> None:
        """Use an adapter for URLs that begin with a prefix."""
        super().mount(prefix, adapter)
        fast = getattr(self, "_fast", None)
        if fast is not None:
            fast.forget()

    def close(self) -> None:
        """Close the session, and the backend if no other session uses it."""
        try:
            super().close()
        finally:
            self._backend.detach(self)


def _has_senders_behind(kind: type) -> bool:
    known = _senders.get(kind)
    if known is None:
        mro = kind.__mro__
        behind = mro[mro.index(Sending) + 1 :]
        known = _senders[kind] = any(
            "send" in vars(one)
            for one in behind
            if one is not Session and one.__module__ != "requests.sessions"
        )
    return known


_senders: dict[type, bool] = {}


def _is_all_ours(kind: type) -> bool:
    """Whether requests go no other way than that of the cache and of requests."""
    own = {"request", "send", "get_adapter", "resolve_redirects", "mount"}
    theirs = {"prepare_request", "merge_environment_settings"}
    return all(getattr(kind, name) is getattr(Sending, name) for name in own) and all(
        getattr(kind, name, None) is getattr(Session, name) for name in theirs
    )


def _not_sent(request: PreparedRequest) -> Response:
    """Sends requests that are only looked at."""
    raise AssertionError(f"{request.method} {request.url} is looked at only")
