"""Keys of requests, for programs that make them without a backend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp.typedefs import StrOrURL

from aiohttp_client_cache.backends.base import CacheBackend
from http_client_cache.settings import HeaderNames

__all__ = ["create_key"]


def create_key(
    method: str,
    url: StrOrURL,
    params: Any = None,
    *,
    data: bytes = b"",
    headers: Mapping[str, str] | None = None,
    include_headers: HeaderNames = False,
    ignored_params: Iterable[str] | None = None,
) -> str:
    """The key that a backend with these settings gives a request.

    Args:
        method: such as ``"GET"``.
        url: absolute.
        params: as aiohttp takes them.
        data: the body, in bytes.
        headers: all that will be sent and could matter.
        include_headers: as the setting of that name.
        ignored_params: as the setting of that name.
    """
    backend = CacheBackend(include_headers=include_headers, ignored_params=ignored_params)
    return backend.create_key(method, url, params=params, headers=headers, data=data)
