"""The verdicts themselves; what they lead to is in ``tests/flow``."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache import decide
from http_client_cache.errors import ConfigurationError, check_flag
from http_client_cache.expiry import AT_ONCE, END_OF_TIME, NEVER, UNSET, after, at
from http_client_cache.options import Options
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.settings import Settings
from tests.flow.scene import NOW, answer, expired, get, redirect, stored


def judge(
    fetched: Any, *, request: Any = None, expiry: Any = UNSET, **settings: Any
) -> decide.Keep | Reason:
    return decide.judge_head(
        request or get(),
        fetched.head,
        expiry,
        Settings(**settings),
        received=NOW,
        sent_authorization=fetched.sent_authorization,
    )


@pytest.mark.parametrize(
    ("options", "found", "reason"),
    [
        ({}, stored(), Reason.HIT),
        ({}, stored(age=9.9, lifetime=10), Reason.HIT),
        ({}, stored(age=10, lifetime=10), Reason.EXPIRED),
        ({"refresh": True}, stored(), Reason.REFRESH),
        ({"refresh": True}, expired(), Reason.REFRESH),
        ({"force_refresh": True}, stored(), Reason.FORCE_REFRESH),
        ({"refresh": True, "force_refresh": True}, expired(), Reason.FORCE_REFRESH),
    ],
)
def test_judge_stored(options: dict[str, Any], found: Any, reason: Reason) -> None:
    assert decide.judge_stored(found.entry, Options(**options), NOW) is reason


@pytest.mark.parametrize(
    ("expiry", "expires"),
    [
        (UNSET, None),
        (NEVER, None),
        (after(5), NOW + 5),
        (at(NOW + 7), NOW + 7),
        (after(1e300), END_OF_TIME),
    ],
)
def test_kept_until(expiry: Any, expires: float | None) -> None:
    assert judge(answer(), expiry=expiry) == decide.Keep(expires)


@pytest.mark.parametrize("validator", [{"etag": '"1"'}, {"last_modified": "yesterday"}])
def test_what_expires_at_once_is_kept_where_it_can_be_validated(validator: dict[str, Any]) -> None:
    fields = {name.replace("_", "-"): value for name, value in validator.items()}
    assert judge(answer(**fields), expiry=AT_ONCE) == decide.Keep(NOW)
    assert judge(answer(), expiry=AT_ONCE) is Reason.NEITHER_FRESH_NOR_VALIDATABLE


def test_nothing_is_kept_where_it_is_only_read() -> None:
    assert judge(answer(), read_only=True) is Reason.READ_ONLY
    assert judge(answer(404), read_only=True) is Reason.STATUS


@pytest.mark.parametrize(
    ("fetched", "settings", "reason"),
    [
        (answer(404), {}, Reason.STATUS),
        (answer(200), {"allowed_codes": [404]}, Reason.STATUS),
        (answer(206), {"allowed_codes": [206]}, Reason.RANGE),
        (answer(content_type="TEXT/Event-Stream"), {}, Reason.STREAMING),
        (answer(content_type="multipart/x-mixed-replace; boundary=x"), {}, Reason.STREAMING),
        (answer(content_length="6"), {"max_entry_bytes": 5}, Reason.TOO_LARGE),
        (answer(authorization="Basic x"), {}, Reason.AUTHORIZATION_ADDED),
    ],
)
def test_refused(fetched: Any, settings: dict[str, Any], reason: Reason) -> None:
    assert judge(fetched, **settings) is reason


@pytest.mark.parametrize(
    ("length", "method"), [("5", "GET"), ("", "GET"), ("²", "GET"), ("-7", "GET"), ("6", "HEAD")]
)
def test_not_larger_as_far_as_the_head_tells(length: str, method: str) -> None:
    """A HEAD request has no body, whatever length its answer announces."""
    fetched = answer(content_length=length)
    assert judge(fetched, request=get(method=method), max_entry_bytes=5) == decide.Keep(None)


@pytest.mark.parametrize(
    ("asked", "sent", "added"),
    [
        (None, None, False),
        ("Basic x", "Basic x", False),
        ("Basic x", None, False),
        (None, "Basic x", True),
        ("Basic x", "Basic y", True),
    ],
)
def test_authorization_added(asked: str | None, sent: str | None, added: bool) -> None:
    request = get() if asked is None else get(Authorization=asked)
    assert decide.authorization_added(request, sent) is added


@pytest.mark.parametrize(
    ("fetched", "settings", "leads"),
    [
        *((redirect("/b", status=status), {}, True) for status in (301, 302, 303, 307, 308)),
        (redirect("/b", status=300), {}, False),
        (redirect("/b", status=304), {}, False),
        (redirect("/b", status=201), {}, False),
        (answer(302), {}, False),
        (answer(302, uri="/b"), {}, True),
        (redirect("/b"), {"allowed_codes": [302]}, False),
    ],
)
def test_leads_on(fetched: Any, settings: dict[str, Any], leads: bool) -> None:
    assert decide.leads_on(fetched.head, Settings(**settings)) is leads


def test_conditions() -> None:
    entry = stored(etag='W/"v1"', last_modified="yesterday").entry
    assert decide.conditions(entry, get()) == (
        ("If-None-Match", 'W/"v1"'),
        ("If-Modified-Since", "yesterday"),
    )
    for name in ("If_None_Match", "if_match", "If_Range", "If_Unmodified_Since"):
        assert decide.conditions(entry, get(**{name: "mine"})) == ()


@pytest.mark.parametrize("value", [None, 0, 1, "", "yes"])
def test_flags_are_true_or_false(value: Any) -> None:
    assert (check_flag(True, "refresh"), check_flag(False, "refresh")) == (True, False)
    with pytest.raises(ConfigurationError, match="refresh must be True or False, not "):
        check_flag(value, "refresh")


def test_every_reason_says_something_of_its_own() -> None:
    assert len({reason.value for reason in Reason}) == len(Reason.__members__)
