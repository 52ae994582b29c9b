"""What a store keeps: metadata apart from bodies, and the chains that lead to an entry."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from http_client_cache.body import AnyBody
from http_client_cache.message import RawHeaders

CLOCK_SKEW = 60.0
"""Seconds by which the clocks of processes that share a store may differ."""


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The metadata of one stored response; the body lies beside it.

    All times are UTC seconds since the epoch. The order of the fields is the order in the
    record: new ones are added at the end, with a default.

    Attributes:
        method: of the request that was answered.
        url: of the response, without what the settings ignore.
        status: status code.
        reason: reason phrase as received.
        version: HTTP version, ``(1, 1)``.
        headers: response fields as received.
        request_headers: the request fields that the key or ``Vary`` looks at; never a secret.
        requested: when the request was sent.
        created: when the response arrived or was last validated.
        expires: when it stops being fresh; ``None`` for never.
        body_size: length of the stored body in bytes.
        sets_cookies: whether a ``Set-Cookie`` is among the response fields.
        initial_age: how old the response was when it arrived, in seconds (RFC 9111 section
            4.2.3); this and the following are known of what was stored by that law only.
        no_cache: never to be used without validation.
        must_revalidate: never to be used stale.
        immutable: not to be validated while it is fresh.
        stale_while_revalidate: seconds, ``None`` if the response does not say.
        stale_if_error: seconds, ``None`` if the response does not say.
        vary: names and digests of the request fields that selected it (section 4.1).
        packed: length of the body in bytes as it lies in its store, if it is compressed there; set
            by the store that saves it, and of no meaning to any other.
        arrived: when the response arrived that the body came with; with its length, what tells
            the body from others of the same place.
    """

    method: str
    url: str
    status: int
    reason: str
    version: tuple[int, int]
    headers: RawHeaders
    request_headers: RawHeaders
    requested: float
    created: float
    expires: float | None
    body_size: int
    sets_cookies: bool = False
    initial_age: float = 0.0
    no_cache: bool = False
    must_revalidate: bool = False
    immutable: bool = False
    stale_while_revalidate: int | None = None
    stale_if_error: int | None = None
    vary: tuple[tuple[str, str | None], ...] = ()
    packed: int | None = None
    arrived: float = 0.0

    @property
    def stored_size(self) -> int:
        """Length of the body as it lies in the store, in bytes."""
        return self.body_size if self.packed is None else self.packed

    def has_body_of(self, other: Entry) -> bool:
        """Whether the body is that of another entry of the same key and variant."""
        return self.arrived == other.arrived and self.body_size == other.body_size

    def is_expired(self, now: float) -> bool:
        """Whether the entry is past its time; a clock that went back makes nothing fresh."""
        if self.expires is None:
            return False
        return now < self.created - CLOCK_SKEW or max(now, self.created) >= self.expires


class Hop(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The head of one redirect response on the way to a stored one."""

    method: str
    url: str
    status: int
    reason: str
    version: tuple[int, int]
    headers: RawHeaders

    @property
    def sets_cookies(self) -> bool:
        """Whether a ``Set-Cookie`` is among the fields."""
        return any(name.lower() == b"set-cookie" for name, _ in self.headers)


class Alias(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A redirect chain that ended in a stored response.

    Attributes:
        target: key of the response the chain ended in.
        hops: the redirects in the order they were followed.
        created: when the chain was followed.
    """

    target: str
    hops: tuple[Hop, ...]
    created: float

    def __str__(self) -> str:
        return self.target


class Stored(NamedTuple):
    """An entry as loaded from a store.

    Attributes:
        key: the key of the entry itself, also where an alias led to it.
        entry: its metadata.
        body: the bytes as the client delivered them; where they are many, a handle on them.
        hops: the redirects in between, where an alias led to it.
        variant: which of the entries of this key it is (see ``store/__init__.py``).
    """

    key: str
    entry: Entry
    body: AnyBody
    hops: tuple[Hop, ...] = ()
    variant: str = ""
