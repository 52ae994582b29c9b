"""What serving a request comes to."""

from __future__ import annotations

from typing import Final

import msgspec

from http_client_cache.body import AnyBody
from http_client_cache.entry import Entry, Stored
from http_client_cache.message import RawHeaders
from http_client_cache.plan import Answer
from http_client_cache.rfc9111.freshness import current_age
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.status import CacheStatus


class Made(msgspec.Struct, frozen=True):
    """A response that was made of a stored one: 206, 304 or 416.

    Attributes:
        status: status code.
        reason: reason phrase.
        version: HTTP version.
        headers: its fields, less ``Age``.
        body: its body.
        sets_cookies: whether a ``Set-Cookie`` is among the fields.
    """

    status: int
    reason: str
    version: tuple[int, int]
    headers: RawHeaders
    body: AnyBody
    sets_cookies: bool = False


class Hit(msgspec.Struct, frozen=True):
    """Serve what is stored.

    Attributes:
        stored: what is served, or what the response was made of.
        reason: why it may be.
        now: when it is served, in UTC seconds; ``None`` where the response has no ``Age``.
        made: served instead of ``stored``.
        asked: why the origin was asked first, if it was.
        forward_status: the status code of its answer.
    """

    stored: Stored
    reason: Reason = Reason.HIT
    now: float | None = None
    made: Made | None = None
    asked: Reason | None = None
    forward_status: int | None = None

    def told(self) -> Hit:
        """What is left to tell of it, for who has the body.

        The store is to let go of a large one as soon as it has been read.
        """
        if isinstance(self.stored.body, bytes):
            return self
        made = None if self.made is None else msgspec.structs.replace(self.made, body=b"")
        return msgspec.structs.replace(self, stored=self.stored._replace(body=b""), made=made)

    @property
    def age(self) -> int | None:
        """Seconds, for the ``Age`` field; ``None`` where the response has none."""
        if self.now is None:
            return None
        entry = self.stored.entry
        return int(current_age(entry.initial_age, entry.created, self.now))


class Forwarded(msgspec.Struct, frozen=True):
    """Hand over the origin's answer.

    Attributes:
        answer: the client's own response is ``answer.raw``.
        reason: why the origin was asked.
        stored: what was stored of it, if anything.
        refusal: why it was not stored.
        key: the key of the request, if it has one.
    """

    answer: Answer
    reason: Reason
    stored: Stored | None = None
    refusal: Reason | None = None
    key: str | None = None

    def told(self) -> Passed:
        """What is left to tell of it."""
        stored = self.stored
        if stored is not None and not isinstance(stored.body, bytes):
            stored = stored._replace(body=b"")
        return Passed(self.reason, stored, self.refusal, self.key)


class Passed(msgspec.Struct, frozen=True):
    """A :class:`Forwarded` less its answer, for that answer to know: it must not hold itself."""

    reason: Reason
    stored: Stored | None
    refusal: Reason | None
    key: str | None


class Refused(msgspec.Struct, frozen=True):
    """The caller asked for the cache alone, and it has nothing: 504 (RFC 9111 section 5.2.1.7)."""

    reason: Reason
    key: str | None = None


NOT_CACHED: Final = Entry(
    method="GET",
    url="",
    status=504,
    reason="Gateway Timeout",
    version=(1, 1),
    headers=((b"Content-Length", b"0"),),
    request_headers=(),
    requested=0.0,
    created=0.0,
    expires=None,
    body_size=0,
)
"""What a client shows for it."""

Served = Hit | Forwarded | Refused


def status_of(served: Served | Passed | None, now: float) -> CacheStatus:
    """What the cache did, for people; ``now`` in UTC seconds.

    Of what is not served yet, all that can be said is that nothing was found.
    """
    if served is None:
        return CacheStatus(Reason.MISS)
    if isinstance(served, Refused):
        return CacheStatus(served.reason, served.key)
    if isinstance(served, Forwarded | Passed):
        stored = served.stored
        kept = stored is not None and served.refusal is None
        ttl = _ttl(stored, now) if kept else None
        return CacheStatus(served.reason, served.key, ttl, kept, served.refusal)
    return CacheStatus(
        served.reason,
        served.stored.key,
        _ttl(served.stored, now),
        asked=served.asked,
        forward_status=served.forward_status,
    )


def _ttl(stored: Stored | None, now: float) -> float | None:
    expires = None if stored is None else stored.entry.expires
    return None if expires is None else expires - now
