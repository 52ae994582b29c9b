"""What the cache did with a request, as a value, a sentence, and a field (RFC 9211)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import quote

import msgspec

from http_client_cache.rfc9111.reasons import Reason

Forward = Literal[
    "bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"
]
"""Why a request went on to the origin, in the words of RFC 9211 section 2.2."""

SERVED: Final = frozenset(
    {
        *(Reason.HIT, Reason.VALIDATED, Reason.COMPLETED, Reason.COLLAPSED),
        *(Reason.MAX_STALE, Reason.STALE_WHILE_REVALIDATE, Reason.STALE_IF_ERROR),
    }
)
"""Why what is stored was served."""

FORWARDED: Final[Mapping[Reason, Forward]] = MappingProxyType(
    {
        Reason.MISS: "uri-miss",
        Reason.VARIANT: "vary-miss",
        Reason.VARY_ANY: "vary-miss",
        Reason.EXPIRED: "stale",
        Reason.NO_CACHE: "stale",
        Reason.MUST_REVALIDATE: "stale",
        Reason.CLOCK: "stale",
        Reason.REFRESH: "request",
        Reason.FORCE_REFRESH: "request",
        Reason.REQUEST_NO_CACHE: "request",
        Reason.REQUEST_MAX_AGE: "request",
        Reason.REQUEST_MIN_FRESH: "request",
        Reason.ORIGIN_CONDITION: "request",
        Reason.SEVERAL_RANGES: "request",
        Reason.CODED_RANGE: "request",
        Reason.PART: "partial",
        Reason.UNIDENTIFIED: "miss",
        Reason.FILTERED_ON_READ: "miss",
        Reason.STORE_FAILED: "miss",
        Reason.METHOD: "method",
        Reason.UNSAFE: "method",
        Reason.METHOD_NOT_UNDERSTOOD: "method",
        Reason.DISABLED: "bypass",
        Reason.DO_NOT_CACHE: "bypass",
        Reason.RANGE: "bypass",
        Reason.UPGRADE: "bypass",
        Reason.UNKEYABLE_BODY: "bypass",
        Reason.KEY_FUNCTION: "bypass",
    }
)
"""Why the origin was asked. Where nothing was to be looked up, this is the refusal as well."""

REFUSED: Final = frozenset(
    {
        *(Reason.NO_STORE, Reason.REQUEST_NO_STORE, Reason.PRIVATE),
        *(Reason.AUTHORIZATION, Reason.AUTHORIZATION_ADDED),
        *(Reason.STATUS, Reason.NOT_CACHEABLE, Reason.NEITHER_FRESH_NOR_VALIDATABLE),
        *(Reason.ALREADY_EXPIRED, Reason.NOT_UNDERSTOOD, Reason.NEVER_STORED, Reason.NOT_FINAL),
        *(Reason.POST, Reason.CONDITION, Reason.PARTIAL, Reason.INCOMPLETE, Reason.UNFRAMED),
        *(Reason.REDIRECT, Reason.INVALIDATED, Reason.REDACTED, Reason.NOT_YET),
        *(Reason.STREAMING, Reason.TOO_LARGE, Reason.READ_ONLY, Reason.FILTERED),
    }
)
"""Why the origin's answer was not stored."""

UNANSWERED: Final = frozenset({Reason.NOT_CACHED})
"""Why there was no answer, neither of the store's nor of the origin's."""

_NEVER_A_HIT: Final = frozenset({Reason.VALIDATED, Reason.COMPLETED, Reason.COLLAPSED})
_UNTOLD: Final[Mapping[Reason, Forward]] = MappingProxyType(
    {Reason.VALIDATED: "stale", Reason.COMPLETED: "partial", Reason.STALE_IF_ERROR: "stale"}
)

_TOKEN: Final = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*", re.ASCII)
_PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F)))
_LARGEST: Final = 999_999_999_999_999


class CacheStatus(msgspec.Struct, frozen=True, gc=False):
    """What the cache did with one request, and why.

    Attributes:
        reason: why it was served from the cache, or why the origin was asked.
        key: of the request in the store; ``None`` where nothing was looked up.
        ttl: seconds for which the response is still fresh, negative for those since it expired;
            ``None`` if that is unknown, or never comes.
        stored: whether the origin's answer was stored.
        refusal: why it was not, or not yet.
        asked: why the origin was asked first, where what is stored was served in the end.
        forward_status: status code of the origin's answer, where it is not the one that was
            served, or is 304.
    """

    reason: Reason
    key: str | None = None
    ttl: float | None = None
    stored: bool = False
    refusal: Reason | None = None
    asked: Reason | None = None
    forward_status: int | None = None

    @property
    def hit(self) -> bool:
        """Whether what is stored was served without an answer of the origin's.

        Not so where the origin answered 304 or sent the rest (RFC 9211 section 2.1), nor where the
        response is that to another request which was under way.
        """
        return (
            self.reason in SERVED
            and self.reason not in _NEVER_A_HIT
            and self.forward_status is None
        )

    @property
    def forward(self) -> Forward | None:
        """Why the origin was asked, as RFC 9211 section 2.2 calls it; ``None`` if it was not."""
        if self.hit or self.reason in UNANSWERED:
            return None
        why = self.asked or self.reason
        # What cannot be stored is not there either.
        return FORWARDED.get(why) or _UNTOLD.get(why, "miss")

    @property
    def collapsed(self) -> bool:
        """Whether the response is that to another request, which was under way."""
        return self.reason is Reason.COLLAPSED

    @property
    def why(self) -> str:
        """One sentence for people: what happened, and why the answer was not stored."""
        told = self.reason.value
        if self.asked is not None and self.asked is not self.reason:
            told += f"; the origin was asked: {self.asked.value}"
        if self.refusal is not None:
            same = self.refusal is self.reason
            told += "; not stored" if same else f"; not stored: {self.refusal.value}"
        return told

    def field(self, name: str) -> str:
        """The member of a ``Cache-Status`` field that tells this (RFC 9211 section 2).

        Whatever the values, it can be read as a structured field (RFC 9651). RFC 9211 has it
        that a response which no origin has a part in, such as a 504 of the cache's own, gets none.

        Args:
            name: of the cache.
        """
        parameters = self._parameters()
        return "; ".join((name if _TOKEN.fullmatch(name) else _string(name), *parameters))

    def __str__(self) -> str:
        told = f"{'hit' if self.hit else self.forward or 'nothing'}: {self.why}"
        if self.ttl is not None and math.isfinite(self.ttl):
            told += f"; {'fresh' if self.ttl > 0 else 'stale'} for {abs(self.ttl):.0f} s"
        return f"{told}; stored" if self.stored else told

    def __repr__(self) -> str:
        return f"<CacheStatus {'; '.join(self._parameters())}>"

    def _parameters(self) -> list[str]:
        """Names and values (RFC 9211 sections 2.1 to 2.8)."""
        told: list[str] = []
        if self.hit:
            told.append("hit")
        elif self.forward is not None:
            told.append(f"fwd={self.forward}")
            if self.forward_status is not None:
                told.append(f"fwd-status={_integer(self.forward_status)}")
        if self.ttl is not None and math.isfinite(self.ttl):
            # Downwards, so that what has just expired is negative.
            told.append(f"ttl={_integer(math.floor(self.ttl))}")
        if self.forward is not None:
            if self.stored:
                told.append("stored")
            if self.collapsed:
                told.append("collapsed")
        if self.key is not None:
            told.append(f"key={_string(self.key)}")
        told.append(f"detail={self._detail()}")
        return told

    def _detail(self) -> str:
        """The name of the reason, and that of another refusal behind a slash: one token."""
        names = [self.reason.name]
        if self.refusal is not None and self.refusal is not self.reason:
            names.append(self.refusal.name)
        return "/".join(names).lower().replace("_", "-")


def _integer(value: int) -> int:
    """The nearest that an Integer can be (RFC 9651 section 3.3.1)."""
    return min(max(value, -_LARGEST), _LARGEST)


def _string(text: str) -> str:
    """A String (RFC 9651 section 3.3.3); it holds printable ASCII, so other text is encoded."""
    if not (text.isascii() and text.isprintable()):
        text = quote(text, safe=_PRINTABLE, errors="surrogatepass")
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'
