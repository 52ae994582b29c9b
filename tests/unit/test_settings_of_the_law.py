"""The settings that concern RFC 9111 and stale responses."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Any

import pytest

from http_client_cache.errors import ConfigurationError
from http_client_cache.rfc9111.freshness import NO_WINDOWS, Windows
from http_client_cache.settings import Settings

URL = "http://origin.test/a"
FLAGS = ("cache_control", "shared", "cache_status", "cache_groups", "no_vary_search")
WINDOWS = ("stale_if_error", "stale_while_revalidate")


@pytest.mark.parametrize("name", FLAGS)
class TestFlags:
    def test_off_unless_set(self, name: str) -> None:
        settings = Settings()
        assert getattr(settings, name) is False
        before = settings.revision
        setattr(settings, name, True)
        assert getattr(settings, name) is True
        assert settings.revision > before
        assert [getattr(Settings(**{name: True}), other) for other in FLAGS] == [
            other == name for other in FLAGS
        ]

    @pytest.mark.parametrize("given", [1, 0, None, "yes", []])
    def test_nothing_but_true_and_false(self, name: str, given: Any) -> None:
        settings = Settings(**{name: True})
        before = settings.revision
        with pytest.raises(ConfigurationError, match=name):
            setattr(settings, name, given)
        with pytest.raises(ConfigurationError, match=name):
            Settings(**{name: given})
        assert (getattr(settings, name), settings.revision) == (True, before)


@pytest.mark.parametrize("name", WINDOWS)
class TestWindows:
    @pytest.mark.parametrize("given", [None, True, False, -1, 0, 60, 0.5, timedelta(hours=1)])
    def test_what_is_given_can_be_read(self, name: str, given: Any) -> None:
        assert getattr(Settings(**{name: given}), name) is given
        by_url = Settings(**{f"urls_{name}": {"*": given}})
        assert getattr(by_url, f"urls_{name}") == {"*": given}

    @pytest.mark.parametrize("given", [-2, "60", math.nan, timedelta(seconds=-1)])
    def test_what_is_wrong_is_said_in_words(self, name: str, given: Any) -> None:
        settings = Settings(**{name: 7})
        before = settings.revision
        for set_it in (
            lambda: Settings(**{name: given}),
            lambda: setattr(settings, name, given),
            lambda: setattr(settings, f"urls_{name}", {"*": given}),
        ):
            with pytest.raises(ConfigurationError, match=re.escape(name)):
                set_it()
        assert (getattr(settings, name), settings.revision) == (7, before)
        assert settings.windows_for(URL, NO_WINDOWS) == windows(name, 7)

    @pytest.mark.parametrize("given", [["*"], "*", 60])
    def test_patterns_are_a_mapping(self, name: str, given: Any) -> None:
        with pytest.raises(ConfigurationError, match=f"urls_{name} must be a mapping of URL"):
            Settings(**{f"urls_{name}": given})

    def test_patterns_are_set_whole(self, name: str) -> None:
        given = {"*": 7}
        settings = Settings(**{f"urls_{name}": given})
        given["*"] = 8
        assert settings.windows_for(URL, NO_WINDOWS) == windows(name, 7)
        with pytest.raises(TypeError):
            getattr(settings, f"urls_{name}")["*"] = 8

    @pytest.mark.parametrize("value", [60, None])
    def test_every_change_is_another_revision(self, name: str, value: Any) -> None:
        settings = Settings()
        before = settings.revision
        setattr(settings, name, value)
        assert settings.revision > before
        before = settings.revision
        setattr(settings, f"urls_{name}", None if value is None else {"*": value})
        assert settings.revision > before

    @pytest.mark.parametrize(
        ("per_request", "by_url", "per_session", "expected"),
        [
            (None, None, None, None),
            (None, None, 7, 7),
            (None, {"*.test/a": 8}, 7, 8),
            (None, {"*.test/b": 8}, 7, 7),
            (None, {"*.test/a": None, "*": 8}, 7, 7),
            (None, {"*.test/a": False}, True, 0),
            (9.0, {"*": 8}, 7, 9),
            (0.0, {"*": 8}, 7, 0),
            (math.inf, {"*": 8}, 7, math.inf),
        ],
    )
    def test_request_then_url_then_session(
        self, name: str, per_request: Any, by_url: Any, per_session: Any, expected: Any
    ) -> None:
        settings = Settings(**{name: per_session, f"urls_{name}": by_url})
        found = settings.windows_for(URL, windows(name, per_request))
        assert found == windows(name, expected)


def windows(name: str, seconds: float | None) -> Windows:
    """One of the two; the other is not set."""
    return Windows(**{name.removeprefix("stale_"): seconds})


def test_unset_lists_are_known_as_such() -> None:
    """RFC 9111 knows better ones than the default mode."""
    settings = Settings(allowed_codes=[404], allowed_methods=["get"])
    assert (settings.chosen_codes, settings.chosen_methods) == ({404}, {"GET"})
    settings.allowed_codes = settings.allowed_methods = None  # type: ignore[assignment]
    assert (settings.chosen_codes, settings.chosen_methods) == (None, None)
    assert Settings().chosen_codes is None
