"""The house rules: what each argument takes, what it refuses in words, and changes on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from http_client_cache.errors import CacheError, ConfigurationError
from http_client_cache.expiry import DO_NOT_CACHE, NEVER, UNSET, after
from http_client_cache.settings import Settings

URL = "http://origin.test/a"


def function(_: object) -> bool:
    return True


async def coroutine(_: object) -> bool:
    return True


def generated(*values: object) -> Iterator[object]:
    yield from values


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("expire_after", 60, 60),
        ("expire_after", None, None),
        ("urls_expire_after", {"*.test": 60}, {"*.test": 60}),
        ("urls_expire_after", {}, {}),
        ("urls_expire_after", None, None),
        ("allowed_codes", (200, 404), {200, 404}),
        ("allowed_codes", range(200, 203), {200, 201, 202}),
        ("allowed_codes", [], set()),
        ("allowed_codes", None, {200}),
        ("allowed_methods", ("get", "Post"), {"GET", "POST"}),
        ("allowed_methods", generated("GET"), {"GET"}),
        ("allowed_methods", None, {"GET", "HEAD"}),
        ("ignored_parameters", ["token", "Key"], {"token", "Key"}),
        ("ignored_parameters", None, set()),
        ("include_headers", True, True),
        ("include_headers", False, False),
        ("include_headers", ["Accept", "X-Y"], {"accept", "x-y"}),
        ("filter_fn", function, function),
        ("filter_fn", coroutine, coroutine),
        ("filter_fn", None, None),
        ("key_fn", function, function),
        ("key_fn", None, None),
        ("max_entry_bytes", 0, 0),
        ("max_entry_bytes", 10**9, 10**9),
        ("max_entry_bytes", None, None),
    ],
)
def test_what_is_given_can_be_read(name: str, given: Any, read: Any) -> None:
    assert getattr(Settings(**{name: given}), name) == read


ERRORS = [
    ("expire_after", -2, "expire_after must be None, -1 (never), 0 (do not cache), a positive"),
    ("expire_after", "soon", "not 'soon' (str)"),
    ("expire_after", True, "not True (bool)"),
    ("urls_expire_after", ["*.test"], "urls_expire_after must be a mapping of URL pattern to"),
    ("urls_expire_after", "*.test", "not '*.test' (str)"),
    ("urls_expire_after", {"*.test": "soon"}, "not 'soon' (str)"),
    ("urls_expire_after", {7: 60}, "7"),
    ("allowed_codes", 200, "allowed_codes must be a list of status codes, not 200 (int)"),
    ("allowed_codes", ["200"], "allowed_codes must hold status codes from 100 to 999, not '200'"),
    ("allowed_codes", [99], "not 99 (int)"),
    ("allowed_codes", [1000], "not 1000 (int)"),
    ("allowed_codes", [True], "not True (bool)"),
    ("allowed_methods", "GET", "allowed_methods must be a list of names, not 'GET' (str)"),
    ("allowed_methods", [1], "allowed_methods must hold names only, not 1 (int)"),
    ("ignored_parameters", "token", "ignored_parameters must be a list of names, not 'token'"),
    ("ignored_parameters", [None], "ignored_parameters must hold names only, not None"),
    ("include_headers", "Accept", "include_headers must be True, False or a list of names, not"),
    ("include_headers", 1, "not 1 (int)"),
    ("include_headers", [b"Accept"], "include_headers must hold names only, not b'Accept'"),
    ("filter_fn", "f", "filter_fn must be a function or None, not 'f' (str)"),
    ("key_fn", 7, "key_fn must be a function or None, not 7 (int)"),
    ("max_entry_bytes", -1, "max_entry_bytes must be a number of bytes, or None, not -1 (int)"),
    ("max_entry_bytes", 1.5, "not 1.5 (float)"),
    ("max_entry_bytes", True, "not True (bool)"),
    ("max_entry_bytes", "1k", "not '1k' (str)"),
]


@pytest.mark.parametrize(("name", "given", "words"), ERRORS)
def test_what_is_wrong_is_said_in_words(name: str, given: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)) as caught:
        Settings(**{name: given})
    assert name in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, CacheError)


@pytest.mark.parametrize(("name", "given", "words"), ERRORS)
def test_a_refused_change_changes_nothing(name: str, given: Any, words: str) -> None:
    settings = Settings()
    before = (getattr(settings, name), settings.revision, settings.expiry, settings.patterns)
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        setattr(settings, name, given)
    after_all = (getattr(settings, name), settings.revision, settings.expiry, settings.patterns)
    assert after_all == before


def test_an_error_does_not_flood_the_terminal() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings(filter_fn="f" * 10_000)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("expire_after", 60),
        ("urls_expire_after", {"*.test": 60}),
        ("allowed_codes", [404]),
        ("allowed_methods", ["POST"]),
        ("ignored_parameters", ["token"]),
        ("include_headers", True),
        ("filter_fn", function),
        ("key_fn", function),
        ("max_entry_bytes", 1),
    ],
)
def test_every_change_is_another_revision(name: str, value: Any) -> None:
    settings = Settings()
    seen = {settings.revision}
    for given in (value, value, None if name != "include_headers" else False):
        setattr(settings, name, given)
        assert settings.revision not in seen
        seen.add(settings.revision)


def test_unset_is_the_default_again() -> None:
    settings = Settings(allowed_codes=[404], allowed_methods=["POST"])
    settings.allowed_codes = settings.allowed_methods = None  # type: ignore[assignment]
    assert settings.allowed_codes == {200}
    assert settings.allowed_methods == {"GET", "HEAD"}


def test_patterns_are_set_whole() -> None:
    """A change inside of the mapping would be one that nobody notices."""
    given = {"*.test": 60}
    settings = Settings(urls_expire_after=given)
    given["*"] = 0
    assert settings.urls_expire_after == {"*.test": 60}
    with pytest.raises(TypeError):
        settings.urls_expire_after["*"] = 0  # type: ignore[index]


BY_URL = {"origin.test/a": 60, "origin.test/b": None, "origin.test/c": 0}


class TestPrecedence:
    @pytest.mark.parametrize(
        ("url", "per_request", "expected"),
        [
            (URL, UNSET, after(60)),
            (URL, NEVER, NEVER),
            (URL, DO_NOT_CACHE, DO_NOT_CACHE),
            ("http://origin.test/b", UNSET, after(10)),
            ("http://origin.test/c", UNSET, DO_NOT_CACHE),
            ("http://elsewhere.test", UNSET, after(10)),
            ("http://elsewhere.test", after(1), after(1)),
        ],
    )
    def test_request_then_url_then_session(self, url: str, per_request: Any, expected: Any) -> None:
        settings = Settings(expire_after=10, urls_expire_after=BY_URL)
        assert settings.expiry_for(url, per_request) == expected

    def test_live(self) -> None:
        settings = Settings()
        assert settings.expiry_for(URL, UNSET) is UNSET
        settings.expire_after = 5
        assert settings.expiry_for(URL, UNSET) == after(5)
        settings.urls_expire_after = {"*": -1}
        assert settings.expiry_for(URL, UNSET) is NEVER
        settings.urls_expire_after = None
        assert settings.expiry_for(URL, UNSET) == after(5)
