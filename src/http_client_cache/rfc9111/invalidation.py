"""What an unsafe request makes invalid (RFC 9111 section 4.4), and cache groups (RFC 9875)."""

from __future__ import annotations

from typing import Final
from urllib.parse import urldefrag, urljoin

from http_client_cache.message import Headers, Request, ResponseHead
from http_client_cache.rfc9111.structured import parse_list
from http_client_cache.urls import normalize_url, split_url

SAFE: Final = frozenset(
    {
        *("GET", "HEAD", "OPTIONS", "TRACE"),
        # Safe by their own definitions: RFC 4918, 3253, 5323 and the QUERY method.
        *("PROPFIND", "REPORT", "SEARCH", "QUERY"),
    }
)
"""Methods that change nothing (RFC 9110 section 9.2.1); any other may, unknown ones included."""

POINTERS: Final = ("location", "content-location")
"""Response fields that name further resources which an unsafe request may have changed."""

MAX_GROUPS: Final = 128
"""How many groups of one response count; at least 32 have to (RFC 9875 section 2)."""

MAX_GROUP_LENGTH: Final = 256
"""The longest name of a group, in characters; at least 32 have to do (RFC 9875 section 2)."""


def is_safe(method: str) -> bool:
    """Whether a method is known to change nothing."""
    return method in SAFE


def invalidated(request: Request, head: ResponseHead) -> list[str]:
    """The URLs whose stored responses fall with this answer, the request's own first.

    Args:
        request: that was sent.
        head: of its answer.
    """
    if is_safe(request.method) or not 200 <= head.status < 400:
        return []
    target = urldefrag(request.url).url
    found = {normalize_url(target): target}
    for name in POINTERS:
        for value in head.headers.get_all(name):
            url = _resolved(target, value)
            if url is not None and same_origin(url, target):
                found.setdefault(normalize_url(url), url)
    return list(found.values())


def same_origin(one: str, other: str) -> bool:
    """Whether two absolute URLs have the same origin (RFC 9110 section 4.3.1)."""
    first, second = split_url(one), split_url(other)
    return first is not None and second is not None and first[:3] == second[:3]


def groups(headers: Headers) -> frozenset[str]:
    """The groups that a response belongs to (RFC 9875 section 2)."""
    return _strings(headers, "cache-groups")


def invalidated_groups(request: Request, head: ResponseHead) -> frozenset[str]:
    """The groups whose stored responses of the same origin fall (RFC 9875 section 3).

    The answer to a safe request has no say in that; an error may have.
    """
    if is_safe(request.method):
        return frozenset()
    return _strings(head.headers, "cache-group-invalidation")


def _resolved(base: str, reference: str) -> str | None:
    try:
        return urldefrag(urljoin(base, reference.strip(" \t"))).url
    except ValueError:
        return None


def _strings(headers: Headers, name: str) -> frozenset[str]:
    if name not in headers:
        return frozenset()
    members = parse_list(headers.get_all(name))
    found: list[str] = []
    for member in members or ():
        # One member of another kind spoils the field (RFC 9651 section 1.1).
        if not isinstance(member, str):
            return frozenset()
        found.append(member)
    return frozenset([text for text in found[:MAX_GROUPS] if len(text) <= MAX_GROUP_LENGTH])
