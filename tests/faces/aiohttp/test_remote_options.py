"""What all backends on a server accept, and how they say what is wrong."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from aiohttp_client_cache import CacheBackend
from http_client_cache.backends.remote import Remote
from http_client_cache.errors import ConfigurationError


class Backend(Remote, CacheBackend):
    """On no server at all."""

    _limited_by = "the size of its disk"


@pytest.mark.parametrize("cache_name", ["", None, 5, b"cache"])
def test_a_name_is_text(cache_name: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^cache_name must be text, not"):
        Backend(cache_name)


@pytest.mark.parametrize("seconds", [0, -1, 3600, math.inf, math.nan, "1", None, True, 1j])
def test_a_time_budget_is_a_number_of_seconds(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^store_timeout must be a number of seconds"):
        Backend(store_timeout=seconds)


@pytest.mark.parametrize("seconds", [0.01, 1, 3599.9])
def test_a_time_budget_holds_for_calls(seconds: float) -> None:
    assert Backend(store_timeout=seconds)._guard.seconds == seconds


def test_it_is_a_quarter_of_a_second_if_nothing_is_said() -> None:
    assert Backend()._guard.seconds == 0.25


@pytest.mark.parametrize("ttl", [None, 1, "yes", 3600])
def test_ttl_is_yes_or_no(ttl: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^ttl must be True or False, not"):
        Backend(ttl=ttl)


@pytest.mark.parametrize("offset", [0, 60, 1.5])
def test_ttl_offset_is_how_long_what_has_expired_is_kept(offset: float) -> None:
    assert Backend(ttl_offset=offset).settings.kept_expired == offset
    assert Backend(keep_expired=offset).settings.kept_expired == offset


@pytest.mark.parametrize("offset", [-5, "60", math.nan])
def test_ttl_offset_is_called_by_its_name(offset: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^ttl_offset must be"):
        Backend(ttl_offset=offset)


def test_not_both_spellings() -> None:
    with pytest.raises(ConfigurationError, match=r"^ttl_offset is another spelling of keep_exp"):
        Backend(ttl_offset=60, keep_expired=timedelta(seconds=60))


@pytest.mark.parametrize("limit", ["max_bytes", "max_entries"])
def test_limits_are_the_servers_matter(limit: str) -> None:
    with pytest.raises(
        ConfigurationError,
        match=rf"^{limit} is not for Backend: limit it by the size of its disk$",
    ):
        Backend(**{limit: 1000})
    assert getattr(Backend(**{limit: None}), limit) is None


def test_general_options_are_checked_as_everywhere() -> None:
    with pytest.raises(ConfigurationError, match="stream_threshold"):
        Backend(stream_threshold=-1)
    with pytest.raises(TypeError, match="surprise"):
        Backend(surprise=1)  # type: ignore[call-arg]
    assert Backend("mine", 60, allowed_codes=(200, 404)).cache_name == "mine"
