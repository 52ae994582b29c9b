"""The arguments of requests and sessions, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from typing import Any

    from aiohttp import (
        BaseConnector,
        BasicAuth,
        ClientMiddlewareType,
        ClientRequest,
        ClientResponse,
        ClientTimeout,
        ClientWebSocketResponse,
        HttpVersion,
        TraceConfig,
    )
    from aiohttp.abc import AbstractCookieJar
    from aiohttp.client import _RequestOptions
    from aiohttp.typedefs import JSONEncoder, LooseCookies, LooseHeaders, StrOrURL

    from http_client_cache.backends.options import SessionOptions
    from http_client_cache.backends.own_options import OwnOptions
    from http_client_cache.expiry import ExpireAfter
    from http_client_cache.windows import StaleWindow

    class RequestOptions(_RequestOptions, total=False):
        """Those of aiohttp, and the cache's own.

        Attributes:
            expire_after: expiration for this response alone; 0 to bypass the cache.
            refresh: validate the stored response with the origin before it is used.
            force_refresh: ask the origin for a new response, whatever is stored.
            only_if_cached: answer 504 where nothing usable is stored.
            stale_if_error: how long an expired response may be served if the origin fails.
            stale_while_revalidate: how long one may be served while it is fetched anew.
        """

        expire_after: ExpireAfter
        refresh: bool
        force_refresh: bool
        only_if_cached: bool
        stale_if_error: StaleWindow
        stale_while_revalidate: StaleWindow

    class ClientOptions(SessionOptions, OwnOptions, total=False):
        """Those of ``aiohttp.ClientSession``, and the cache's own.

        Which of the backends' own are taken is for the backend to say that is made by name.
        """

        connector: BaseConnector | None
        loop: asyncio.AbstractEventLoop | None
        cookies: LooseCookies | None
        headers: LooseHeaders | None
        proxy: StrOrURL | None
        proxy_auth: BasicAuth | None
        skip_auto_headers: Iterable[str] | None
        auth: BasicAuth | None
        json_serialize: JSONEncoder
        json_serialize_bytes: Callable[[Any], bytes] | None
        request_class: type[ClientRequest]
        response_class: type[ClientResponse]
        ws_response_class: type[ClientWebSocketResponse]
        version: HttpVersion
        cookie_jar: AbstractCookieJar | None
        connector_owner: bool
        raise_for_status: bool | Callable[[ClientResponse], Awaitable[None]]
        timeout: ClientTimeout
        auto_decompress: bool
        trust_env: bool
        requote_redirect_url: bool
        trace_configs: list[TraceConfig] | None
        read_bufsize: int
        max_line_size: int
        max_field_size: int
        max_headers: int
        fallback_charset_resolver: Callable[[ClientResponse, bytes], str]
        middlewares: Sequence[ClientMiddlewareType]
