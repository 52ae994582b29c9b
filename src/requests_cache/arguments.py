"""The arguments of requests, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping
    from typing import Any, TypedDict

    from requests import PreparedRequest
    from requests.auth import AuthBase
    from requests.cookies import RequestsCookieJar

    from http_client_cache.expiry import ExpireAfter
    from http_client_cache.windows import StaleWindow

    class CacheArguments(TypedDict, total=False):
        """The cache's own.

        Attributes:
            expire_after: expiration for this response alone.
            only_if_cached: answer 504 where nothing usable is stored.
            refresh: validate the stored response with the origin before it is used.
            force_refresh: ask the origin for a new response, whatever is stored.
            stale_if_error: how long an expired response may be served if the origin fails.
            stale_while_revalidate: how long one may be served while it is fetched anew.
        """

        expire_after: ExpireAfter
        only_if_cached: bool
        refresh: bool
        force_refresh: bool
        stale_if_error: StaleWindow
        stale_while_revalidate: StaleWindow

    Hook = Callable[..., Any]
    Auth = tuple[str, str] | AuthBase | Callable[[PreparedRequest], PreparedRequest]

    class CommonArguments(CacheArguments, total=False):
        """Those that no method takes by position."""

        headers: Mapping[str, str | bytes | None] | None
        cookies: RequestsCookieJar | MutableMapping[str, str] | None
        files: Any
        auth: Auth | None
        timeout: float | tuple[float | None, float | None] | None
        allow_redirects: bool
        proxies: MutableMapping[str, str] | None
        hooks: Mapping[str, Iterable[Hook] | Hook] | None
        stream: bool | None
        verify: bool | str | None
        cert: str | tuple[str, str] | None

    class WithoutBody(CommonArguments, total=False):
        """Those of ``post``."""

        params: Any

    class WithoutData(WithoutBody, total=False):
        """Those of ``put`` and ``patch``."""

        json: Any

    class WithoutParams(CommonArguments, total=False):
        """Those of ``get``."""

        data: Any
        json: Any

    class RequestArguments(WithoutData, total=False):
        """Those of ``requests.Session.request``, and the cache's own."""

        data: Any
