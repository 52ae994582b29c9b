"""From a request to the key under which its response is kept.

A key is ``<locator>.<digest>``: 16 and 32 hexadecimal digits. The locator stands for the URL
alone, so that everything stored for a URL, whatever the method or variant, is found by it. The
digest stands for all that tells requests apart. Nothing of a request can be read from its key.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import Final

from http_client_cache.content import media_type, normal_body
from http_client_cache.message import Headers, Request, Unkeyable, to_bytes, to_text
from http_client_cache.settings import AUTHORIZATION, Settings
from http_client_cache.urls import normalize_url, redact_url

__all__ = [
    "create_key",
    "locator",
    "normalize_url",
    "redact_url",
    "request_key",
    "strip_headers",
    "url_locator",
]

_VERSION: Final = b"http-client-cache key 1"

_LONG_URL: Final = 2048

_SECRET: Final = frozenset({"authorization", "cookie", "proxy-authorization"})

# Of all fields, those that say nothing about what is asked for: they concern the connection or
# the transfer, speak to caches, or (the secrets) are looked at in their own way or by name only.
_NEVER_MATCHED: Final = _SECRET | {
    "cache-control",
    "connection",
    "content-length",
    "date",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "pragma",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


BY_THE_LAW: Final = "rfc9111"
"""Marks keys of what is stored with ``cache_control``: it answers under other rules."""


def request_key(settings: Settings, request: Request, extra: tuple[str, ...] = ()) -> str | None:
    """The key of a request under some settings, less a ``key_fn`` of the user's.

    By RFC 9111 the order of a query counts, as nothing says that it does not, and what answers
    GET answers HEAD.
    """
    if settings.cache_control:
        if request.method == "HEAD":
            request = request._replace(method="GET")
        extra = (*extra, BY_THE_LAW)
    return create_key(
        request,
        ignored=settings.ignored_parameters,
        credentials=settings.credentials,
        match_headers=settings.include_headers,
        sort_query=not settings.cache_control,
        extra=extra,
    )


def url_locator(settings: Settings, url: str) -> str:
    """What all keys of a URL begin with under some settings."""
    ignored, sort = settings.ignored_parameters, not settings.cache_control
    return locator(normalize_url(url, ignored=ignored, sort_query=sort))


def create_key(
    request: Request,
    *,
    ignored: frozenset[str] = frozenset(),
    credentials: frozenset[str] = AUTHORIZATION,
    match_headers: bool | frozenset[str] = False,
    sort_query: bool = True,
    extra: tuple[str, ...] = (),
) -> str | None:
    """The key of a request, or ``None`` if its body cannot be known beforehand.

    Credentials always count, unless they are ignored: what one user may see is not for others.

    Args:
        request: as it will be sent.
        ignored: names that do not count: as given in query, form, multipart and JSON, without
            regard to case among header fields.
        credentials: names of fields that count in any case, in lower case.
        match_headers: ``True`` for all fields but those of the connection, of caching and
            ``Cookie``; or the names of those that count, in any case.
        sort_query: whether the order of query parameters does not count.
        extra: what else tells requests apart.
    """
    # What is in the cache is asked for again: to remember halves the cost of a key. Long URLs
    # would only cost memory.
    locate = _remembered if len(request.url) <= _LONG_URL else _locate
    url, place = locate(request.url, ignored, sort_query)
    parts = _canonical(
        *(request, url),
        ignored=ignored,
        credentials=credentials,
        match_headers=match_headers,
        extra=extra,
    )
    if parts is None:
        return None
    return f"{place}.{blake2b(_serialize(parts), digest_size=16).hexdigest()}"


def locator(normalized_url: str) -> str:
    """What all keys of a URL begin with; the URL as :func:`normalize_url` returns it."""
    # A URL that is not absolute is not normalised, and may hold anything.
    raw = normalized_url.encode("utf-8", "surrogatepass")
    return blake2b(raw, digest_size=8).hexdigest()


def _locate(url: str, ignored: frozenset[str], sort_query: bool) -> tuple[str, str]:  # noqa: FBT001
    normal = normalize_url(url, ignored=ignored, sort_query=sort_query)
    return normal, locator(normal)


_remembered = lru_cache(maxsize=1024)(_locate)


def strip_headers(headers: Headers, ignored: frozenset[str]) -> Headers:
    """Request fields as they may be stored: without the ignored ones, and never a secret."""
    return headers.without(_unstored(ignored))


@lru_cache(maxsize=64)
def _unstored(ignored: frozenset[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in ignored) | _SECRET


@lru_cache(maxsize=64)
def field_names(names: frozenset[str]) -> frozenset[bytes]:
    """Names of header fields as they are looked for: bytes, in lower case."""
    return frozenset(to_bytes(name).lower() for name in names)


def _canonical(
    request: Request,
    url: str,
    *,
    ignored: frozenset[str],
    match_headers: bool | frozenset[str],
    extra: tuple[str, ...],
    credentials: frozenset[str] = AUTHORIZATION,
) -> tuple[bytes, ...] | None:
    """All that tells requests apart. Lists are led by their length: no two give the same tuple."""
    if isinstance(request.body, Unkeyable):
        return None
    ignored_fields = field_names(ignored)
    secret = credentials is not AUTHORIZATION and field_names(credentials)
    authorization: list[bytes] = []
    matched: list[tuple[bytes, bytes]] = []
    content_type = ""
    by_name = isinstance(match_headers, frozenset)
    wanted = field_names(match_headers) if by_name else field_names(_NEVER_MATCHED)
    for raw_name, raw_value in request.headers.raw:
        name = raw_name.lower()
        if name == b"content-type" and not content_type:
            content_type = to_text(raw_value)
        if name in ignored_fields:
            continue
        if name == b"authorization":
            authorization.append(raw_value.strip(b" \t"))
        elif (secret and name in secret) or (match_headers and (name in wanted) is by_name):
            value = _without_boundary(raw_value) if name == b"content-type" else raw_value
            matched.append((name, value.strip(b" \t")))
    # By name alone: the order of the values of one name counts.
    matched.sort(key=itemgetter(0))
    body = normal_body(request.body, content_type, ignored)
    return (
        _VERSION,
        request.method.encode("utf-8", "surrogatepass"),
        url.encode("utf-8", "surrogatepass"),
        *_counted([part for name, value in matched for part in (name, value)]),
        *_counted(authorization),
        *_counted(body),
        *_counted([text.encode("utf-8", "surrogatepass") for text in extra]),
    )


def _without_boundary(content_type: bytes) -> bytes:
    """A multipart boundary is drawn at random for every request."""
    kind = media_type(to_text(content_type))
    return to_bytes(kind) if kind.startswith("multipart/") else content_type


def _counted(parts: Iterable[bytes]) -> list[bytes]:
    listed = list(parts)
    return [b"%d" % len(listed), *listed]


def _serialize(parts: tuple[bytes, ...]) -> bytes:
    """Each part after its length, so that no two tuples give the same bytes."""
    return b"".join([b"%d:%b" % (len(part), part) for part in parts])
