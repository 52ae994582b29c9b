"""``CachedSession``: an ``aiohttp.ClientSession`` that remembers."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Any, cast

from aiohttp import ClientRequest, ClientResponse, ClientSession

from aiohttp_client_cache.backends.base import BaseCache, CacheBackend
from aiohttp_client_cache.backends.choose import choose_backend, only_one, take_options
from aiohttp_client_cache.disabled import Disabled, is_disabled
from aiohttp_client_cache.fastpath import FastPath
from aiohttp_client_cache.gate import pass_gate
from aiohttp_client_cache.hop import answer_hop, answer_without_origin
from aiohttp_client_cache.response import CachedResponse
from aiohttp_client_cache.verbs import Verbs
from http_client_cache.backends.options import SETTING_NAMES, Live
from http_client_cache.errors import ConfigurationError, check_flag
from http_client_cache.expiry import parse_expire_after
from http_client_cache.options import Chain, Known, Options
from http_client_cache.rfc9111.freshness import Windows
from http_client_cache.windows import parse_window

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping
    from types import TracebackType
    from typing import Self, Unpack

    from aiohttp import ClientHandlerType
    from aiohttp.typedefs import StrOrURL

    from aiohttp_client_cache.arguments import ClientOptions
    from aiohttp_client_cache.backends.choose import Backend
    from http_client_cache.backends.options import FilterFunction, KeyFunction
    from http_client_cache.expiry import ExpireAfter
    from http_client_cache.settings import HeaderNames
    from http_client_cache.windows import FetchLease, StaleWindow


CLIENT_ARGUMENTS = frozenset(ClientSession._request.__kwdefaults__ or ())
"""The arguments of a request that are aiohttp's own."""


class CacheMixin(Live, Verbs):
    """Adds the cache to a session class; put it before ``ClientSession`` and other mixins.

    ::

        class CustomSession(CacheMixin, CustomMixin, ClientSession):
            pass

    A ``_request`` of the classes behind it sees only requests that go out. It takes the keywords
    below and hands all others on. A class that adds what tells requests apart, such as
    credentials, belongs before it, so that the cache sees them, too.

    Args:
        cache: the backend, such as ``SQLiteBackend("demo_cache")``; in memory if left out. Or its
            name, such as ``"sqlite"``, or its URL, ``"redis://localhost"``; then what it takes is
            given beside it.
        backend: another spelling of ``cache``.
        expire_after: how long responses are fresh. This and the following are the settings of
            the backend (:class:`~http_client_cache.settings.Settings` tells more).
        urls_expire_after: the same, for URLs that match a pattern.
        allowed_codes: status codes whose responses are kept.
        allowed_methods: methods whose responses are kept.
        ignored_parameters: names that neither count nor are stored.
        ignored_params: another spelling of ``ignored_parameters``.
        include_headers: which request header fields tell requests apart.
        filter_fn: says of a response whether it is kept and served.
        key_fn: makes the key of a request.
        max_entry_bytes: bodies larger than this many bytes are not kept.
        stream_threshold: larger bodies are kept while they are read, and never held in memory.
        cache_control: go by what requests and responses say (RFC 9111).
        shared: with ``cache_control``, obey what is said to shared caches.
        stale_if_error: how long an expired response is served if the origin fails.
        urls_stale_if_error: the same, for URLs that match a pattern.
        stale_while_revalidate: how long an expired response is served while it is fetched anew.
        urls_stale_while_revalidate: the same, for URLs that match a pattern.
        keep_expired: how long an expired response is kept beyond that; one hour if left out.
        cache_status: add a ``Cache-Status`` field to every response.
        cache_groups: with ``cache_control``, obey ``Cache-Group-Invalidation``.
        no_vary_search: with ``cache_control``, obey ``No-Vary-Search``.
        fetch_lease: of many processes that miss the same, one fetches it; for how long.
        **kwargs: what the backend in memory takes, where no other is given, and the arguments of
            the classes behind.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
    """

    # Under `python -X dev` aiohttp warns of every other attribute that is set.
    ATTRS = (
        ClientSession.ATTRS
        | SETTING_NAMES
        | {
            *("cache", "settings", "_backend", "_fast_path", "_own_work", "_users_left"),
        }
    )

    def __init__(
        self,
        *args: Any,
        cache: Backend = None,
        backend: Backend = None,
        expire_after: ExpireAfter = None,
        urls_expire_after: Mapping[Any, ExpireAfter] | None = None,
        allowed_codes: Iterable[int] | None = None,
        allowed_methods: Iterable[str] | None = None,
        ignored_parameters: Iterable[str] | None = None,
        ignored_params: Iterable[str] | None = None,
        include_headers: HeaderNames | None = None,
        filter_fn: FilterFunction | None = None,
        key_fn: KeyFunction | None = None,
        max_entry_bytes: int | None = None,
        stream_threshold: int | None = None,
        cache_control: bool | None = None,
        shared: bool | None = None,
        stale_if_error: StaleWindow = None,
        urls_stale_if_error: Mapping[Any, StaleWindow] | None = None,
        stale_while_revalidate: StaleWindow = None,
        urls_stale_while_revalidate: Mapping[Any, StaleWindow] | None = None,
        keep_expired: StaleWindow = None,
        cache_status: bool | None = None,
        cache_groups: bool | None = None,
        no_vary_search: bool | None = None,
        fetch_lease: FetchLease = None,
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {
            "expire_after": expire_after,
            "urls_expire_after": urls_expire_after,
            "allowed_codes": allowed_codes,
            "allowed_methods": allowed_methods,
            "ignored_parameters": ignored_parameters,
            "ignored_params": ignored_params,
            "include_headers": include_headers,
            "filter_fn": filter_fn,
            "key_fn": key_fn,
            "max_entry_bytes": max_entry_bytes,
            "stream_threshold": stream_threshold,
            "cache_control": cache_control,
            "shared": shared,
            "stale_if_error": stale_if_error,
            "urls_stale_if_error": urls_stale_if_error,
            "stale_while_revalidate": stale_while_revalidate,
            "urls_stale_while_revalidate": urls_stale_while_revalidate,
            "keep_expired": keep_expired,
            "cache_status": cache_status,
            "cache_groups": cache_groups,
            "no_vary_search": no_vary_search,
            "fetch_lease": fetch_lease,
        }
        given = {name: value for name, value in options.items() if value is not None}
        _refuse_backend_as_url(args)
        cache = only_one(cache, backend)
        given.update(take_options(cache, kwargs))
        self._backend = choose_backend(cache, given)
        self.settings = self._backend.settings
        self._own_work: set[asyncio.Task[int]] = set()
        self._users_left: list[CacheBackend] = []
        self._fast_path = FastPath(self)
        super().__init__(*args, **kwargs)
        self._backend.attach(self)

    @property
    def cache(self) -> CacheBackend:
        """The backend; another one may be assigned, and is used from the next request on."""
        return self._backend

    @cache.setter
    def cache(self, backend: CacheBackend | BaseCache) -> None:
        self._users_left.append(self._backend)
        self._backend = choose_backend(backend, {})
        self.settings = self._backend.settings
        self._backend.attach(self)

    async def _request(
        self,
        method: str,
        str_or_url: StrOrURL,
        *,
        expire_after: ExpireAfter = None,
        refresh: bool = False,
        force_refresh: bool = False,
        only_if_cached: bool = False,
        stale_if_error: StaleWindow = None,
        stale_while_revalidate: StaleWindow = None,
        **kwargs: Any,
    ) -> ClientResponse:
        method = method.upper()
        plain = (
            expire_after is None
            and stale_if_error is None
            and stale_while_revalidate is None
            and refresh is False
            and force_refresh is False
            and (only_if_cached is False or only_if_cached is True)
        )
        known: Known | None = None
        if plain and not is_disabled(self):
            answer = self._fast_path.answer(method, str_or_url, kwargs)
            if isinstance(answer, CachedResponse):
                await _check_status(self, answer, kwargs.get("raise_for_status"))
                return answer
            known = answer
        follow = bool(kwargs.get("allow_redirects", True))
        auto_decompress = kwargs.get("auto_decompress")
        if auto_decompress is None:
            auto_decompress = self._auto_decompress
        chain = Chain()
        options = Options(
            parse_expire_after(expire_after),
            check_flag(refresh, "refresh"),
            check_flag(force_refresh, "force_refresh"),
            check_flag(only_if_cached, "only_if_cached"),
            is_disabled(self),
            () if auto_decompress else ("raw",),
            follow,
            chain,
            known,
            Windows(
                parse_window(stale_while_revalidate, "stale_while_revalidate"),
                parse_window(stale_if_error, "stale_if_error"),
            ),
        )
        return await self._request_slowly(method, str_or_url, options, chain, kwargs)

    async def _request_slowly(
        self,
        method: str,
        str_or_url: StrOrURL,
        options: Options,
        chain: Chain,
        kwargs: dict[str, Any],
    ) -> ClientResponse:
        """Let aiohttp make the request, with the cache as the first of its middlewares."""
        read_bufsize: int | None = kwargs.get("read_bufsize")
        check: Any = kwargs.get("raise_for_status")
        sent: list[ClientRequest] = []

        async def cached(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
            sent[:] = [request]
            response = await answer_hop(self.cache, options, request, handler)
            if read_bufsize is not None and isinstance(response, CachedResponse):
                response.set_read_bufsize(read_bufsize)
            return response

        middlewares = kwargs.pop("middlewares", None)
        if middlewares is None:
            middlewares = self._middlewares
        send = super()._request
        try:
            if _has_classes_behind(type(self)) and await pass_gate(
                self, method, str_or_url, options, kwargs
            ):
                # What is stored goes out to nobody, not to the classes behind either: arguments
                # that are theirs have done their part.
                known = {name: kwargs[name] for name in CLIENT_ARGUMENTS & kwargs.keys()}
                return await ClientSession._request(
                    self, method, str_or_url, middlewares=(cached, *middlewares), **known
                )
            return await send(method, str_or_url, middlewares=(cached, *middlewares), **kwargs)
        except asyncio.CancelledError:
            chain.abandon()
            raise
        except TimeoutError:
            # aiohttp's timeout for the whole of a request cancels what is inside of it.
            stale = await answer_without_origin(self.cache, options, sent[0]) if sent else None
            if stale is None:
                raise
            await _check_status(self, stale, check)
            return stale
        finally:
            chain.end()

    def disabled(self) -> Disabled:
        """Switch caching off, in this task and those it starts meanwhile.

        ``with session.disabled():`` and ``async with session.disabled():`` are the same.
        """
        return Disabled(self)

    def delete_expired_responses(self, expire_after: ExpireAfter = None) -> Awaitable[int]:
        """Delete all expired responses; the work begins at once, awaited or not.

        Args:
            expire_after: applied to all stored responses first, counted from when each was
                created: longer or shorter than before.

        Returns:
            An awaitable of how many were deleted; ``close()`` waits for it, too.
        """
        parse_expire_after(expire_after)  # A mistake is told here, not in the background.
        loop = asyncio.get_running_loop()
        task = loop.create_task(self.cache.delete_expired_responses(expire_after))
        self._own_work.add(task)
        task.add_done_callback(self._own_work.discard)
        return task

    remove_expired_responses = delete_expired_responses

    async def close(self) -> None:
        """Close the session, and the backend if no other session uses it."""
        for backend in (self._backend, *self._users_left):
            await backend.engine.stop_background(self)
        if self._own_work:
            await asyncio.gather(*self._own_work, return_exceptions=True)
        try:
            await super().close()
        finally:
            for backend in (self._backend, *self._users_left):
                await backend.detach(self)

    if TYPE_CHECKING:

        async def __aenter__(self) -> Self: ...

        async def __aexit__(
            self,
            exc_type: type[BaseException] | None,
            exc_val: BaseException | None,
            exc_tb: TracebackType | None,
        ) -> None: ...


async def _check_status(session: ClientSession, response: ClientResponse, check: Any) -> None:
    """What aiohttp does with ``raise_for_status`` before it hands a response over."""
    if check is None:
        check = session._raise_for_status
    if not check:
        return
    try:
        if callable(check):
            await cast("Awaitable[None]", check(response))
        else:
            response.raise_for_status()
    except BaseException:
        response.close()
        raise


def _refuse_backend_as_url(args: tuple[Any, ...]) -> None:
    """The first argument of a session is its ``base_url``; many a program means the cache."""
    first = args[0] if args else None
    name = first if isinstance(first, str) and first and "://" not in first else None
    if name is not None or isinstance(first, CacheBackend | BaseCache):
        shown = f"SQLiteBackend({name!r})" if name is not None else f"{type(first).__name__}(…)"
        raise ConfigurationError(
            "the first argument of a session is its base_url, an absolute URL; "
            f"give the backend by name: cache={shown}"
        )


def _has_classes_behind(kind: type) -> bool:
    """Whether a class between the cache and ``ClientSession`` wants to see requests."""
    line = kind.__mro__
    behind = line[line.index(CacheMixin) + 1 : line.index(ClientSession)]
    return any("_request" in vars(known) for known in behind)


with warnings.catch_warnings():
    # aiohttp discourages subclasses; this one is what the documents promise.
    warnings.filterwarnings("ignore", message="Inheritance class", category=DeprecationWarning)

    class CachedSession(CacheMixin, ClientSession):  # pyright: ignore[reportIncompatibleMethodOverride]
        """An ``aiohttp.ClientSession`` that remembers what it fetched.

        ::

            async with CachedSession(cache=SQLiteBackend("demo_cache")) as session:
                response = await session.get("http://httpbin.org/get")

        Args:
            cache: the backend, such as ``SQLiteBackend("demo_cache")``, or its name or URL; in
                memory if left out.
            backend: another spelling of ``cache``.
            **kwargs: settings, as on the backend, and the arguments of ``ClientSession``.

        Raises:
            ConfigurationError: a value is not what its argument accepts.
            TypeError: an unknown argument.
        """

        if TYPE_CHECKING:

            def __init__(
                self,
                base_url: StrOrURL | None = None,
                *,
                cache: Backend = None,
                backend: Backend = None,
                **options: Unpack[ClientOptions],
            ) -> None: ...
