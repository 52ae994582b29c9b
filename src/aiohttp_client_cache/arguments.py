"""The arguments of a request, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp.client import _RequestOptions

    from http_client_cache.expiry import ExpireAfter

    class RequestOptions(_RequestOptions, total=False):
        """Those of aiohttp, and the cache's own.

        Attributes:
            expire_after: expiration for this response alone; 0 to bypass the cache.
            refresh: validate the stored response with the origin before it is used.
            force_refresh: ask the origin for a new response, whatever is stored.
            only_if_cached: answer 504 where nothing usable is stored.
        """

        expire_after: ExpireAfter
        refresh: bool
        force_refresh: bool
        only_if_cached: bool
