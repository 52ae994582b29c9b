"""Keys of requests: what tells one from another."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, cast

from requests import PreparedRequest, Request
from requests.cookies import RequestsCookieJar
from requests.hooks import default_hooks
from requests.sessions import Session
from requests.utils import default_headers

from http_client_cache.errors import ConfigurationError, describe
from http_client_cache.key import request_key
from http_client_cache.settings import HeaderNames, Settings
from requests_cache.policy.settings import CacheSettings
from requests_cache.request import engine_request

AnyRequest = Request | PreparedRequest
"""A request, prepared or not."""


class _Plain(Session):
    """A session as it begins, whatever ``install_cache`` has made of ``requests.Session``."""

    def __init__(self) -> None:
        self.headers = cast("Any", default_headers())
        self.auth = None
        self.params = {}
        self.hooks = default_hooks()
        self.cookies = RequestsCookieJar()
        self.trust_env = True


_PLAIN = _Plain()


def prepared(request: AnyRequest) -> PreparedRequest:
    """The request as a session without settings of its own would send it.

    Raises:
        ConfigurationError: it is no request of requests'.
    """
    if isinstance(request, PreparedRequest):
        return request
    if not isinstance(cast("object", request), Request):
        raise ConfigurationError(
            f"request must be a requests.Request or PreparedRequest, not {describe(request)}"
        )
    return _PLAIN.prepare_request(request)


def key_under(settings: Settings, request: AnyRequest) -> str:
    """The key of a request under some settings.

    Raises:
        ConfigurationError: it has none: its body cannot be read without using it up, or
            ``key_fn`` answers something else.
    """
    asked = engine_request(prepared(request))
    if settings.key_fn is None:
        key = request_key(settings, asked)
        if key is None:
            raise ConfigurationError("a request whose body is a stream or an iterator has no key")
        return key
    made = settings.key_fn(asked)
    if not isinstance(made, str):
        if inspect.iscoroutine(made):
            made.close()
        raise ConfigurationError(f"key_fn must answer text, not {describe(made)}")
    return made


def create_key(
    request: AnyRequest,
    ignored_parameters: Iterable[str] | None = None,
    match_headers: HeaderNames = False,  # noqa: FBT002 - by position, as its users know it
) -> str:
    """The key that a cache with these settings gives a request.

    Args:
        request: a ``requests.Request`` or a prepared one.
        ignored_parameters: as the setting of that name.
        match_headers: as the setting of that name.

    Raises:
        ConfigurationError: its body cannot be read without using it up.
    """
    settings = CacheSettings(ignored_parameters=ignored_parameters, include_headers=match_headers)
    return key_under(settings, request)


__all__ = ["AnyRequest", "create_key"]
