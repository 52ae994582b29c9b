"""Responses with fields that are for one user (RFC 9111 section 5.2.2.7)."""

from __future__ import annotations

import pytest

from tests.faces.rfc9111.web import OpenWeb, Web
from tests.support.scripted import Received, Reply, reply


def for_each(request: Received) -> Reply:
    user = request.headers.get("Authorization", "nobody")
    return reply('Cache-Control: public, max-age=60, private="X-User"', f"X-User: {user}")


async def test_no_other_user_gets_them(any_web: Web) -> None:
    web = any_web
    web.origin.answers("/", for_each)
    for user in ("one", "another"):
        for from_cache in (False, True):
            seen = await web.get(fields={"Authorization": user})
            assert (seen.headers["X-User"], seen.from_cache) == (user, from_cache)
    assert (await web.get()).headers["X-User"] == "nobody"


@pytest.mark.parametrize("user", ["another", None])
async def test_a_shared_cache_has_dropped_them(open_web: OpenWeb, user: str | None) -> None:
    web = open_web(shared=True)
    web.origin.answers("/", for_each)
    await web.get(fields={"Authorization": "one"})
    seen = await web.get(fields={} if user is None else {"Authorization": user})
    assert seen.from_cache
    assert "X-User" not in seen.headers


async def test_what_names_a_field_that_is_not_there_is_shared(web: Web) -> None:
    web.origin.answers("/", reply('Cache-Control: public, max-age=60, private="X-Other"'))
    await web.get(fields={"Authorization": "one"})
    assert (await web.get(fields={"Authorization": "another"})).from_cache
