"""Filters that look at the head only say so, and are asked before the body is read."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from http_client_cache.filters import head_only, looks_at_body


def plain(response: Any) -> bool:
    return bool(response)


class Rules:
    @head_only
    def marked(self, response: Any) -> bool:
        return bool(response)

    def unmarked(self, response: Any) -> bool:
        return bool(response)


def test_without_a_mark_a_filter_sees_the_body() -> None:
    assert looks_at_body(plain)
    assert looks_at_body(Rules().unmarked)
    assert not looks_at_body(None)


def test_a_mark_is_all_that_changes() -> None:
    def filter_fn(response: Any) -> bool:
        return bool(response)

    assert head_only(filter_fn) is filter_fn
    assert not looks_at_body(filter_fn)
    assert filter_fn(1) is True


async def test_coroutine_functions_methods_and_partials() -> None:
    @head_only
    async def filter_fn(response: Any) -> bool:
        return bool(response)

    assert not looks_at_body(filter_fn)
    assert not looks_at_body(Rules().marked)
    assert not looks_at_body(head_only(partial(plain)))
    assert await filter_fn(1)


def test_what_takes_no_mark_says_so() -> None:
    with pytest.raises(TypeError, match="cannot be marked"):
        head_only(Rules().unmarked)
