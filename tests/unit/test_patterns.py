"""`urls_expire_after`: which URL a pattern matches."""

from __future__ import annotations

import re
from typing import Any

import pytest

from http_client_cache.errors import ConfigurationError
from http_client_cache.expiry import DO_NOT_CACHE, NEVER, UNSET, Expiry, after, parse_expire_after
from http_client_cache.patterns import UrlPatterns

YES, NO = True, False


def expirations(mapping: Any) -> UrlPatterns[Expiry]:
    return UrlPatterns(mapping, parse_expire_after, "urls_expire_after")


def matches(pattern: Any, url: str) -> bool:
    return expirations({pattern: 1}).match(url) is not None


@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    [
        # The path and what lies below it.
        ("site.com/resource_1", "http://site.com/resource_1", YES),
        ("site.com/resource_1", "https://site.com/resource_1/", YES),
        ("site.com/resource_1", "https://site.com/resource_1/x/y", YES),
        ("site.com/resource_1", "https://site.com/resource_1?x=/y", YES),
        ("site.com/resource_1", "https://site.com/resource_1#x", YES),
        ("site.com/resource_1", "https://site.com/resource_12", NO),
        ("site.com/resource_1", "https://site.com/", NO),
        ("site.com/resource_1", "https://site.com/Resource_1", NO),
        ("site.com/resource/", "https://site.com/resource", YES),
        ("site.com/resource/", "https://site.com/resource/x", YES),
        ("http*://site.com/resource/**", "https://site.com/resource", YES),
        ("http*://site.com/resource/**", "https://site.com/resource/x/y", YES),
        ("http*://site.com/resource/**", "https://site.com/resources", NO),
        ("site.com//", "https://site.com/x", YES),
        # Scheme.
        ("http://site.com", "http://site.com/x", YES),
        ("http://site.com", "https://site.com/x", NO),
        ("HTTPS://site.com", "https://site.com/x", YES),
        ("*://site.com", "https://site.com/x", YES),
        ("http*://site.com", "ftp://site.com/x", NO),
        ("http?://site.com", "http://site.com/x", NO),
        ("//site.com/x", "https://site.com/x", YES),
        # Host.
        ("site.com", "http://SITE.com", YES),
        ("SITE.com", "http://site.com", YES),
        ("site.com", "http://sitexcom/", NO),
        ("site.com", "http://a.site.com/", NO),
        ("site.com", "http://site.com.evil.com/", NO),
        ("site.com", "http://evil.com/site.com", NO),
        ("*.site.com", "https://a.b.site.com/x", YES),
        ("*.site.com", "https://site.com/x", NO),
        ("*.site.com", "http://evil.com/x.site.com", NO),
        ("*.site.com", "http://evil.com/?x.site.com", NO),
        ("*.site.com", "http://evil.com#.site.com", NO),
        ("*site.com", "http://site.com/", YES),
        ("site*.com", "http://site1.site2.com/", YES),
        ("site.?om", "http://site.com/", YES),
        ("site???", "http://site:80/", NO),
        ("**.site.com", "https://a.b.site.com/x", YES),
        ("**.js", "https://a.com/x/y.js", YES),
        ("[::1]/x", "http://[::1]:8080/x", YES),
        ("*/x", "http://[::1]:8080/x", YES),
        ("café.com", "http://xn--caf-dma.com/", YES),
        ("CAFÉ.com", "http://café.com/", YES),
        ("*.café.com", "http://www.xn--caf-dma.com/", YES),
        # Port.
        ("site.com/x", "http://site.com:8080/x", YES),
        ("site.com:8080", "http://site.com:8080/x", YES),
        ("site.com:8080", "http://site.com/x", NO),
        ("site.com:80", "http://site.com/x", YES),
        ("site.com:80", "https://site.com/x", NO),
        ("site.com:80??", "https://site.com:8001/x", YES),
        ("site.com:*", "https://site.com/x", YES),
        ("*:8080", "https://site.com:8080/x", YES),
        # Userinfo is nobody's business.
        ("site.com", "http://user:pass@site.com/x", YES),
        ("user@site.com", "http://site.com/x", YES),
        ("user*", "http://user:pass@site.com/x", NO),
        # Wildcards in the path.
        ("*", "http://site.com/x", YES),
        ("**", "http://site.com/x", YES),
        ("*", "http://site.com", YES),
        ("*/x", "http://site.com/x/y", YES),
        ("*/x", "http://site.com/y/x", NO),
        ("**/x", "http://site.com/y/x", YES),
        ("site.com/*/x", "http://site.com/a/x", YES),
        ("site.com/*/x", "http://site.com/a/b/x", NO),
        ("site.com/**/x", "http://site.com/a/b/x", YES),
        ("site.com/**/x", "http://site.com/x", YES),
        ("site.com/**/x", "http://site.com/ax", NO),
        ("site.com/a**x", "http://site.com/a/b/x", YES),
        ("site.com/***/x", "http://site.com/a/b/x", YES),
        ("site.com/*.png", "http://site.com/a.png", YES),
        ("site.com/*.png", "http://site.com/a/b.png", NO),
        ("site.com/?", "http://site.com/a", YES),
        ("site.com/?", "http://site.com/ab", NO),
        ("site.com/a?c", "http://site.com/a/c", NO),
        ("site.com/?/x", "http://site.com/%C3%A9/x", YES),
        ("site.com/[ab]", "http://site.com/[ab]", YES),
        ("site.com/[ab]", "http://site.com/a", NO),
        ("site.com/a.b+c", "http://site.com/a.b+c", YES),
        ("site.com/a.b", "http://site.com/axb", NO),
        # Different spellings of one path.
        ("site.com/café", "http://site.com/caf%c3%a9/x", YES),
        ("site.com/a b", "http://site.com/a%20b", YES),
        ("site.com/%61", "http://site.com/a", YES),
        ("site.com/a", "http://site.com/b/../a", YES),
        ("site.com/a%2Fb", "http://site.com/a/b", NO),
        ("site.com/a%2Ab", "http://site.com/axb", NO),
        # Not a URL.
        ("*", "/relative", NO),
        (" site.com/x ", "http://site.com/x", YES),
    ],
)
def test_globs(pattern: str, url: str, expected: bool) -> None:
    assert matches(pattern, url) is expected


@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    [
        (r"/v\d+/", "http://site.com/v2/x", YES),
        (r"/v\d+$", "http://site.com/v2/x", NO),
        (r"[?&]live=1", "http://site.com/?a=2&live=1", YES),
        (r"secret", "http://user:secret@site.com/", NO),
        (r"secret", "http://site.com/#secret", NO),
        (r"^http://site", "http://user:secret@site.com/", YES),
    ],
)
def test_regular_expressions_search_the_whole_url(pattern: str, url: str, expected: bool) -> None:
    assert matches(re.compile(pattern), url) is expected


def test_the_first_match_counts() -> None:
    patterns = expirations({"site.com/a": 1, re.compile("/a/b"): 2, "*": -1})
    assert patterns.match("http://site.com/a/b") == after(1)
    assert patterns.match("http://other.com/a/b") == after(2)
    assert patterns.match("http://other.com/") is NEVER


def test_a_pattern_may_leave_the_choice_to_the_session() -> None:
    patterns = expirations({"site.com/a": None, "site.com/b": 0, "site.com": 5})
    assert patterns.match("http://site.com/a") is UNSET
    assert patterns.match("http://site.com/b") is DO_NOT_CACHE
    assert patterns.match("http://other.com/") is None


def test_the_example_in_the_documents() -> None:
    patterns = expirations(
        {
            "*.site_1.com": 30,
            "site_2.com/resource_1": 60 * 2,
            "site_2.com/resource_2": 60 * 60 * 24,
            "site_2.com/static": -1,
        }
    )
    assert patterns.match("https://www.site_1.com/any") == after(30)
    assert patterns.match("http://site_2.com/resource_1/a?b=c") == after(120)
    assert patterns.match("http://site_2.com/resource_2") == after(86400)
    assert patterns.match("http://site_2.com/static/a.css") is NEVER
    assert patterns.match("http://site_2.com/") is None


def test_remembered_answers_do_not_mix() -> None:
    globs = expirations({"site.com/a": 1})
    for _ in range(2):
        assert globs.match("http://site.com/a?x") == after(1)
        assert globs.match("http://site.com/b?x") is None
    expressions = expirations({re.compile("live"): 1})
    for _ in range(2):
        assert expressions.match("http://site.com/?live") == after(1)
        assert expressions.match("http://site.com/?dead") is None


def test_what_is_remembered_is_bounded() -> None:
    patterns = expirations({"site.com": 1})
    for number in range(3000):
        assert patterns.match(f"http://site.com/{number}") == after(1)
    assert len(patterns._seen) <= 1024


def test_the_mapping_can_be_read_but_not_changed() -> None:
    given = {"site.com": 1}
    patterns = expirations(given)
    given["other.com"] = 2
    assert dict(patterns.mapping) == {"site.com": 1}
    with pytest.raises(TypeError):
        patterns.mapping["other.com"] = 2  # type: ignore[index]


@pytest.mark.parametrize(
    "pattern",
    ["", "  ", "http://", "/path", "https:///path", "://site.com", ":80", 5, None, b"site.com"],
)
def test_refuses_patterns(pattern: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^urls_expire_after must have "):
        expirations({pattern: 1})


def test_refuses_expressions_of_bytes() -> None:
    with pytest.raises(ConfigurationError, match=r"^urls_expire_after must have "):
        expirations({re.compile(b"x"): 1})


def test_the_error_names_the_pattern_whose_value_is_wrong() -> None:
    with pytest.raises(ConfigurationError, match=r"^urls_expire_after\['site\.com'\] must be "):
        expirations({"fine.com": 1, "site.com": "soon"})
