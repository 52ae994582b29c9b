"""Validation (RFC 9111 section 4.3): what a 304 changes in a stored response."""

from __future__ import annotations

from http_client_cache.message import Headers, RawHeaders, to_text

# Section 3.2 leaves out what describes the stored body or the connection that carried it:
# a 304 that repeats them speaks of its own, empty content.
NOT_UPDATED = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def freshened(stored: RawHeaders, answer: Headers) -> RawHeaders:
    """The stored fields after a 304: each field that it carries replaces the stored ones."""
    new = tuple(
        (name, value) for name, value in answer.raw if to_text(name).lower() not in NOT_UPDATED
    )
    names = {to_text(name).lower() for name, _ in new}
    return tuple(pair for pair in stored if to_text(pair[0]).lower() not in names) + new
