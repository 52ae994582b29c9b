"""What of an answer is stored: nothing that the settings ignore, and no secret of the request."""

from __future__ import annotations

from typing import Final
from urllib.parse import urldefrag, urljoin

from http_client_cache.entry import Entry, Hop
from http_client_cache.key import redact_url, strip_headers
from http_client_cache.message import (
    NO_HEADERS,
    Headers,
    RawHeaders,
    Request,
    ResponseHead,
    to_bytes,
    to_text,
)
from http_client_cache.plan import Answer
from http_client_cache.settings import Settings

POINTERS: Final = frozenset({b"location", b"content-location", b"uri"})
"""Fields of a response that hold a URL."""


def entry_of(settings: Settings, request: Request, answer: Answer, expires: float | None) -> Entry:
    """The metadata to store, before the body is known: nothing ignored, no secret."""
    head, ignored = answer.head, settings.unstored
    return Entry(
        method=request.method,
        url=redact_url(head.url, ignored),
        status=head.status,
        reason=head.reason,
        version=head.version,
        headers=storable_pointers(head, ignored),
        request_headers=remembered(settings, request).raw,
        requested=answer.requested,
        created=answer.received,
        expires=expires,
        body_size=0,
        sets_cookies="set-cookie" in head.headers,
        arrived=answer.received,
    )


def remembered(settings: Settings, request: Request) -> Headers:
    """The request fields that tell this response from others, less what may not be stored."""
    include = settings.include_headers
    if include is False:
        return NO_HEADERS
    kept = strip_headers(request.headers, settings.unstored)
    if include is True:
        return kept
    return Headers(tuple(pair for pair in kept.raw if pair[0].decode("latin-1").lower() in include))


def hop_of(settings: Settings, request: Request, head: ResponseHead) -> Hop:
    """A redirect as it is kept with the response that it leads to."""
    ignored = settings.unstored
    url = redact_url(head.url, ignored)
    headers = storable_pointers(head, ignored)
    return Hop(request.method, url, head.status, head.reason, head.version, headers)


def storable_pointers(head: ResponseHead, ignored: frozenset[str]) -> RawHeaders:
    """The fields of a response; those that point to a URL without what may not be stored.

    Many redirects repeat the query of the request, and some bring credentials of their own.
    """
    fields = head.headers.raw
    if not any(name.lower() in POINTERS for name, _ in fields):
        return fields
    return tuple([_storable_pointer(pair, head.url, ignored) for pair in fields])


def _storable_pointer(
    pair: tuple[bytes, bytes], base: str, ignored: frozenset[str]
) -> tuple[bytes, bytes]:
    name, value = pair
    if name.lower() not in POINTERS:
        return pair
    try:
        target, fragment = urldefrag(urljoin(base, to_text(value)))
    except ValueError:
        return pair
    redacted = redact_url(target, ignored)
    if redacted == target:
        return pair
    return name, to_bytes(f"{redacted}#{fragment}" if fragment else redacted)
