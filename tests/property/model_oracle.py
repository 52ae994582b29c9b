"""What no cache may do, read from RFC 9111 (and 5861, 8246, 9110), and computed from scratch.

It knows what the origin meant, as it is told by :mod:`tests.property.model_origin`, and parses no
field of an answer; nothing of the engine's own law is used here.
"""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from http_client_cache.message import Headers, Request
from http_client_cache.served import Forwarded, Hit, Refused
from tests.property.model_origin import Ask, Origin, Sent, Shown, span_of
from tests.property.model_world import Seen

SKEW = 60
"""Seconds by which a clock may be behind the arrival of a response before nothing is fresh."""

ERRORS = frozenset({500, 502, 503, 504})
LISTED = frozenset({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501})
DAY = 86_400


class House(NamedTuple):
    """The settings of the cache; seconds."""

    shared: bool = False
    expire_after: int | None = None
    stale_if_error: float | None = None
    stale_while_revalidate: float | None = None


class Oracle:
    """Judges how requests were answered.

    Args:
        origin: who knows all that was ever sent.
        house: the settings.
    """

    def __init__(self, origin: Origin, house: House) -> None:
        self.origin = origin
        self.house = house

    def check(self, seen: Seen) -> None:
        """Fail if the cache has broken a law."""
        served = seen.served
        if _offline(seen.ask):
            assert not seen.sent, "5.2.1.7: the origin was asked"
        if isinstance(served, Exception):
            assert seen.sent, "an exception, though nobody was asked"
            assert seen.sent[-1] is None, "an exception, though there was an answer"
        elif isinstance(served, Refused):
            assert _offline(seen.ask), "504, though the origin could be asked"
        elif isinstance(served, Forwarded):
            self._check_forwarded(seen, served)
        else:
            self._check_hit(seen, served)

    def _check_forwarded(self, seen: Seen, served: Forwarded) -> None:
        sent = served.answer.raw[0]
        assert seen.sent[-1] is sent
        _fits_the_question(seen.request, sent.status, sent.shown, sent)

    def _check_hit(self, seen: Seen, hit: Hit) -> None:
        ask, headers = seen.ask, Headers(hit.stored.entry.headers)
        newest = self.origin.sent[int(headers.get("x-answer") or "")]
        content_of = headers.get("x-content")
        content = newest if content_of is None else self.origin.sent[int(content_of)]
        shown = self.origin.shown[headers.get("x-name") or ""]
        assert ask.method in ("GET", "HEAD"), "4: only they are answered by what is stored"
        assert newest.ask.path == content.ask.path == ask.path, "4: another URL"
        if ask.method == "GET":
            assert content_of is not None, "4: HEAD has no content for GET"
        self._check_content(seen, hit, content, newest, shown)
        last = seen.sent[-1] if seen.sent else None
        if last is not None and last.status not in ERRORS:
            # Whatever an origin has just been asked about is what it shows now.
            assert shown.name == last.shown.name, "4.3: not what the origin has just confirmed"
            return
        self._check_kept(seen, content, newest, shown)
        status = hit.stored.entry.status
        reusable = not seen.sent and self.reusable(ask, newest, status, seen.now)
        failed = bool(seen.sent) or _offline(ask)
        assert reusable or (failed and self.reusable_on_error(ask, newest, status, seen.now)), (
            "4.2: stale, and nothing allows it"
        )
        if seen.now >= newest.received - SKEW:
            least = math.floor(initial_age(newest) + max(seen.now - newest.received, 0))
            assert hit.age is not None, "4: no Age"
            assert hit.age >= least, "4.2.3: older than it says"

    def _check_content(
        self, seen: Seen, hit: Hit, content: Sent, newest: Sent, shown: Shown
    ) -> None:
        """What is served is what was shown, all of it or the very part."""
        assert content.shown.name == newest.shown.name == shown.name, "4.3.4: fields of another"
        made, entry = hit.made, hit.stored.entry
        status, body = (entry.status, hit.stored.body) if made is None else (made.status, made.body)
        _fits_the_question(seen.request, status, shown, newest)
        if seen.ask.method == "HEAD" or status in (304, 416):
            assert body == b""
        elif status == 206:
            told = Headers(made.headers if made is not None else entry.headers)
            span, _, size = (told.get("content-range") or "").removeprefix("bytes ").partition("/")
            start, stop = (int(edge) for edge in span.split("-"))
            assert size in (str(len(shown.body)), "*"), "3.4: another size"
            assert body == shown.body[start : stop + 1], "3.4: other bytes"
            assert (start, stop + 1) == span_of(seen.ask.range or "", len(shown.body))
        else:
            assert body == shown.body, "4: other content"

    def _check_kept(self, seen: Seen, content: Sent, newest: Sent, shown: Shown) -> None:
        """Whether it could be stored, and for this request."""
        ask, path = seen.ask, seen.ask.path
        for sent in {content.number: content, newest.number: newest}.values():
            assert not self.forbidden(sent), "3: not to be stored"
        if content.ask.method == "POST":
            assert content.say.points == path, "RFC 9110 9.3.3: not what GET would get"
        assert newest.number >= self.origin.changed.get(path, 0), "4.4: changed since"
        assert shown.vary != "*", "4.1: Vary: *"
        assert shown.vary != "X-Kind" or shown.kind == ask.kind, "4.1: for another request"
        sharing = {"public", "must-revalidate"} & set(newest.say.flags)
        may_share = bool(sharing) or newest.say.said("s-maxage") is not None
        may_share = may_share and "private" not in newest.say.flags
        user = newest.ask.user
        assert may_share or user == ask.user, "what one user was told, for another"
        assert may_share or user is None or not self.house.shared, (
            "3.5: a user's, in a shared cache"
        )

    def forbidden(self, sent: Sent) -> bool:
        """Whether nothing of an answer may be stored (section 3)."""
        flags = sent.say.flags
        if "no-store" in sent.ask.flags or sent.status == 429:
            return True
        if "no-store" in flags and "must-understand" not in flags:
            return True
        return self.house.shared and "private" in flags

    def left(self, sent: Sent, status: int, now: float) -> float:
        """Seconds for which a response is still fresh (section 4.2); negative if it is stale."""
        if now < sent.received - SKEW:
            return -math.inf
        lasts, since = self._lifetime(sent, status), max(now - sent.received, 0)
        if lasts is None:
            return (self.house.expire_after or 0) - since
        return lasts - (initial_age(sent) + since)

    def _lifetime(self, sent: Sent, status: int) -> float | None:
        """Sections 4.2.1 and 4.2.2; ``None`` where the house decides."""
        s_maxage, max_age = sent.say.said("s-maxage"), sent.say.said("max-age")
        if self.house.shared and s_maxage is not None:
            return s_maxage
        if max_age is not None:
            return max_age
        if sent.expires is not None:
            return max(sent.expires - sent.date, 0)
        if self.house.expire_after is not None:
            return None
        modified = sent.shown.modified
        if modified is None or (status not in LISTED and "public" not in sent.say.flags):
            return 0
        return min(max(sent.date - modified, 0) * 0.1, 7 * DAY)

    def reusable(self, ask: Ask, sent: Sent, status: int, now: float) -> bool:
        """Whether a response may be served although nobody was asked (section 4)."""
        if "no-cache" in sent.say.flags or _wants_validation(ask) or ask.option is not None:
            return ask.option == "only_if_cached" and self.reusable(
                ask._replace(option=None), sent, status, now
            )
        left = self.left(sent, status, now)
        if not self._as_new_as_wanted(ask, sent, left, now):
            return False
        if left > 0:
            return True
        if self._never_stale(sent):
            return False
        return _covers(ask.said("max-stale"), left) or (
            _takes_stale(ask, left)
            and _covers(
                _first(sent.say.said("stale-while-revalidate"), self.house.stale_while_revalidate),
                left,
            )
        )

    def reusable_on_error(self, ask: Ask, sent: Sent, status: int, now: float) -> bool:
        """Whether it may be because the origin failed (section 4.2.4, RFC 5861 section 4)."""
        left = self.left(sent, status, now)
        if "no-cache" in sent.say.flags or (left <= 0 and self._never_stale(sent)):
            return False
        wish = ask.said("stale-if-error")
        if wish is not None:
            return _covers(wish, left)
        if _wants_validation(ask) or not self._as_new_as_wanted(ask, sent, left, now):
            return False
        window = _first(sent.say.said("stale-if-error"), self.house.stale_if_error)
        return (left > 0 or _takes_stale(ask, left)) and _covers(window, left)

    def _as_new_as_wanted(self, ask: Ask, sent: Sent, left: float, now: float) -> bool:
        """Sections 5.2.1.1 and 5.2.1.3; RFC 8246 section 2."""
        max_age, min_fresh = ask.said("max-age"), ask.said("min-fresh")
        age = initial_age(sent) + max(now - sent.received, 0)
        never_changes = left > 0 and "immutable" in sent.say.flags
        if max_age is not None and age > max_age and not never_changes:
            return False
        return min_fresh is None or left >= min_fresh

    def _never_stale(self, sent: Sent) -> bool:
        """Sections 5.2.2.2, 5.2.2.8 and 5.2.2.10."""
        if "must-revalidate" in sent.say.flags:
            return True
        for_shared = "proxy-revalidate" in sent.say.flags or sent.say.said("s-maxage") is not None
        return self.house.shared and for_shared


def initial_age(sent: Sent) -> float:
    """Section 4.2.3."""
    apparent = max(sent.received - sent.date, 0)
    return max(apparent, (sent.say.age or 0) + sent.received - sent.requested)


def _offline(ask: Ask) -> bool:
    return "only-if-cached" in ask.flags or ask.option == "only_if_cached"


def _wants_validation(ask: Ask) -> bool:
    """Sections 5.2.1.4 and 5.4."""
    return "no-cache" in ask.flags or (ask.pragma and not ask.flags and not ask.seconds)


def _takes_stale(ask: Ask, left: float) -> bool:
    """Whether the request leaves it to others to allow stale responses."""
    if ask.said("max-stale") is not None:
        return _covers(ask.said("max-stale"), left)
    return ask.said("max-age") is None and ask.said("min-fresh") is None


def _covers(window: float | None, left: float) -> bool:
    return window is not None and (window == -1 or -left <= window)


def _first(said: float | None, otherwise: float | None) -> float | None:
    return otherwise if said is None else said


def _fits_the_question(request: Request, status: int, shown: Shown, sent: Sent) -> None:
    """Nobody is given a 206, 304, 412 or 416 that they did not ask for."""
    headers = request.headers
    if status in (206, 416):
        assert "range" in headers, f"RFC 9110 14: {status}, though no range was asked for"
        if status == 416:
            assert span_of((headers.get("range") or "")[6:], len(shown.body)) is None
    elif status == 412:
        assert "if-match" in headers, "RFC 9110 13.1.1: no such condition"
    elif status == 304:
        assert _has_it_already(headers, shown, sent), "RFC 9110 13.1.2: the caller has it not"


def _has_it_already(headers: Headers, shown: Shown, sent: Sent) -> bool:
    tags = headers.get("if-none-match")
    if tags is not None:
        plain = (shown.tag or "?").removeprefix("W/")
        return tags == "*" or plain in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    text = headers.get("if-modified-since")
    if text is None:
        return False
    since = parsedate_to_datetime(text).timestamp()
    known: Any = shown.modified
    return bool((min(sent.date, sent.received) if known is None else known) <= since)
