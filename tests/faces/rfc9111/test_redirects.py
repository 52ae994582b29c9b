"""Redirects are kept hop by hop, each by its own rules."""

from __future__ import annotations

import pytest

from tests.faces.rfc9111.web import TOO_MANY_REDIRECTS, Web
from tests.support.scripted import Received, Reply, reply

FRESH = "Cache-Control: max-age=60"


async def test_a_chain_is_kept(any_web: Web) -> None:
    web = any_web
    web.origin.answers("/", reply(FRESH, "Location: /a", status=301))
    web.origin.answers("/a", reply(FRESH, "Location: /b", status=302))
    web.origin.answers("/b", reply(FRESH, body="end"))
    new, stored = await web.get(), await web.get()
    assert (new.body, stored.body) == (b"end", b"end")
    assert (new.from_cache, stored.from_cache) == (False, True)
    assert stored.history == [301, 302]
    assert stored.url == web.origin.url("/b")
    assert web.origin.count() == 3


async def test_each_hop_ages_for_itself(web: Web) -> None:
    web.origin.answers("/", reply("Cache-Control: max-age=600", "Location: /a", status=308))
    web.origin.answers("/a", reply("Cache-Control: max-age=10"))
    await web.get()
    web.clock.advance(seconds=20)
    assert (await web.get()).body == b"2"
    assert (web.origin.count("/"), web.origin.count("/a")) == (1, 2)


async def test_a_hop_may_expire_before_its_target(web: Web) -> None:
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=10", "Location: /a", status=307),
        reply("Cache-Control: max-age=10", "Location: /b", status=307),
    )
    web.origin.answers("/a", reply(FRESH, body="a"))
    web.origin.answers("/b", reply(FRESH, body="b"))
    assert (await web.get()).body == b"a"
    web.clock.advance(seconds=20)
    assert (await web.get()).body == b"b"
    assert await web.is_reused("/a")


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        (302, ()),
        (303, ()),
        (307, ()),
        (301, ("Cache-Control: no-store",)),
        (308, ("Cache-Control: no-store, max-age=60",)),
    ],
)
async def test_hops_that_are_not_kept(web: Web, status: int, lines: tuple[str, ...]) -> None:
    """Their targets are, all the same."""
    web.origin.answers("/", reply(*lines, "Location: /a", status=status))
    web.origin.answers("/a", reply(FRESH))
    for _ in range(3):
        assert (await web.get()).body == b"1"
    assert (web.origin.count("/"), web.origin.count("/a")) == (3, 1)


@pytest.mark.parametrize("status", [301, 308])
async def test_a_permanent_redirect_is_kept_without_a_word(web: Web, status: int) -> None:
    """RFC 9110 section 15.4: heuristically cacheable."""
    modified = f"Last-Modified: {web.origin.date(-86_400 * 10)}"
    web.origin.answers("/", reply("Location: /a", modified, status=status))
    web.origin.answers("/a", reply("Cache-Control: no-store"))
    for count in (1, 2):
        await web.get()
        assert (web.origin.count("/"), web.origin.count("/a")) == (1, count)


async def test_the_target_is_shared_with_direct_requests(any_web: Web) -> None:
    web = any_web
    web.origin.answers("/", reply(FRESH, "Location: /a", status=302))
    web.origin.answers("/other", reply(FRESH, "Location: /a", status=302))
    web.origin.answers("/a", reply(FRESH, body="end"))
    await web.get()
    assert await web.is_reused("/a")
    assert (await web.get("/other")).body == b"end"
    assert web.origin.count("/a") == 1


async def test_a_hop_is_a_response_of_its_own(web: Web) -> None:
    web.origin.answers("/", reply(FRESH, "Location: /a", status=301, body="moved"))
    web.origin.answers("/a", reply(FRESH))
    await web.get()
    seen = await web.get("/", allow_redirects=False)
    assert (seen.status, seen.body, seen.from_cache) == (301, b"moved", True)
    assert seen.headers["Location"] == "/a"
    assert seen.age == "0"


async def test_a_hop_that_was_asked_for_alone_serves_chains(web: Web) -> None:
    web.origin.answers("/", reply(FRESH, "Location: /a", status=301))
    web.origin.answers("/a", reply(FRESH, body="end"))
    await web.get("/", allow_redirects=False)
    assert (await web.get()).body == b"end"
    assert web.origin.count("/") == 1


async def test_directives_of_the_request_hold_for_each_hop(web: Web) -> None:
    web.origin.answers("/", reply(FRESH, "Location: /a", status=302))
    web.origin.answers("/a", reply(FRESH))
    await web.get()
    assert (await web.get("/", {"Cache-Control": "no-cache"})).body == b"2"
    assert (web.origin.count("/"), web.origin.count("/a")) == (2, 2)
    seen = await web.get("/", {"Cache-Control": "only-if-cached"})
    assert (seen.status, seen.body) == (200, b"2")


async def test_a_hop_whose_target_is_not_kept_with_only_if_cached(web: Web) -> None:
    web.origin.answers("/", reply(FRESH, "Location: /a", status=302))
    web.origin.answers("/a", reply("Cache-Control: no-store"))
    await web.get()
    seen = await web.get("/", {"Cache-Control": "only-if-cached"})
    assert seen.status == 504
    assert web.origin.count() == 2


async def test_a_form_and_what_it_changes(web: Web) -> None:
    """POST, 303, GET: the target of the redirect falls with the POST and is fetched anew."""

    def answer(request: Received) -> Reply:
        if request.method == "POST":
            return reply(FRESH, "Location: /list", status=303)
        return reply(FRESH)

    web.origin.answers("/", answer)
    web.origin.answers("/list", answer)
    await web.get("/list")
    seen = await web.request("POST", data=b"new")
    assert (seen.body, seen.from_cache) == (b"2", False)
    assert await web.is_reused("/list")


async def test_a_stored_redirect_is_no_answer_to_post(web: Web) -> None:
    web.origin.answers("/", reply(FRESH, "Location: /a", status=308))
    web.origin.answers("/a", reply(FRESH))
    await web.get()
    await web.request("POST", data=b"x")
    assert [request.method for request in web.origin.received] == ["GET", "GET", "POST", "POST"]


async def test_stored_loops_end_as_others_do(web: Web) -> None:
    web.origin.answers("/", reply(FRESH, "Location: /a", status=302))
    web.origin.answers("/a", reply(FRESH, "Location: /", status=302))
    for _ in range(2):
        with pytest.raises(TOO_MANY_REDIRECTS):
            await web.get()
    assert web.origin.count() == 2


async def test_a_validated_hop(web: Web) -> None:
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=10", 'ETag: "a"', "Location: /a", status=301),
        reply("Cache-Control: max-age=10", 'ETag: "a"', status=304),
    )
    web.origin.answers("/a", reply(FRESH))
    await web.get()
    web.clock.advance(seconds=20)
    seen = await web.get()
    assert (seen.status, seen.body) == (200, b"1")
    assert seen.history == [301]
    assert (web.origin.count("/"), web.origin.count("/a")) == (2, 1)


async def test_cookies_of_stored_hops(web: Web) -> None:
    """They reach the jar as those of new ones do."""
    web.origin.answers("/", reply(FRESH, "Location: /a", "Set-Cookie: hop=1", status=302))
    web.origin.answers("/a", reply(FRESH))
    await web.get()
    seen = await web.get()
    cookie = seen.response.history[0].cookies["hop"]
    assert getattr(cookie, "value", cookie) == "1"
