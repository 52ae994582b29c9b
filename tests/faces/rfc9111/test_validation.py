"""How stored responses are validated (RFC 9111 section 4.3)."""

from __future__ import annotations

import pytest

from tests.faces.rfc9111.web import BROKEN_OFF, OpenWeb, Web
from tests.support.scripted import End, Received, Reply, reply

TAG = 'ETag: "a"'
MODIFIED = "Thu, 31 Dec 2020 08:00:00 GMT"


async def stale(web: Web, *lines: str, body: str = "kept") -> None:
    """Store a response that has expired."""
    web.origin.answers("/", reply("Cache-Control: max-age=10", *lines, body=body))
    await web.get()
    web.clock.advance(seconds=20)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['ETag: "a"'], {"If-None-Match": '"a"'}),
        (['ETag: W/"a"'], {"If-None-Match": 'W/"a"'}),
        (['ETag: ""'], {"If-None-Match": '""'}),
        (['ETag: "a, b"'], {"If-None-Match": '"a, b"'}),
        (['ETag: "a-gzip"', "Vary: Accept-Encoding"], {"If-None-Match": '"a-gzip"'}),
        ([f"Last-Modified: {MODIFIED}"], {"If-Modified-Since": MODIFIED}),
        (
            ['ETag: "a"', f"Last-Modified: {MODIFIED}"],
            {"If-None-Match": '"a"', "If-Modified-Since": MODIFIED},
        ),
    ],
    ids=str,
)
async def test_the_question_and_a_304(
    any_web: Web, lines: list[str], expected: dict[str, str]
) -> None:
    web = any_web
    await stale(web, *lines)
    web.origin.answers("/", reply("Cache-Control: max-age=10", *lines, status=304))
    seen = await web.get()
    asked = web.origin.last
    names = ("If-None-Match", "If-Modified-Since")
    assert {name: asked.headers[name] for name in names if name in asked.headers} == expected
    assert (seen.status, seen.body, seen.from_cache) == (200, b"kept", True)
    assert seen.reason == "OK"
    assert await web.is_reused()
    assert web.origin.count() == 2


async def test_without_a_validator_the_request_is_plain(web: Web) -> None:
    await stale(web)
    await web.get()
    assert not [name for name in web.origin.last.headers if name.lower().startswith("if-")]


async def test_it_has_the_fields_of_the_request(web: Web) -> None:
    """Section 4.3.1: it starts with the request that is to be satisfied."""
    web.origin.answers("/", reply("Cache-Control: max-age=10", 'ETag: "a"', "Vary: X-A"))
    await web.get("/?q=1", {"X-A": "1"})
    web.clock.advance(seconds=20)
    await web.get("/?q=1", {"X-A": "1", "X-B": "2", "User-Agent": "me"})
    asked = web.origin.last
    told = [asked.headers.get(name) for name in ("X-A", "X-B", "User-Agent", "If-None-Match")]
    assert told == ["1", "2", "me", '"a"']
    assert (asked.method, asked.target) == ("GET", "/?q=1")


async def test_each_time_it_expires(web: Web) -> None:
    await stale(web, 'ETag: "a"')
    web.origin.answers("/", reply(status=304))
    for count in range(2, 5):
        assert (await web.get()).body == b"kept"
        assert await web.is_reused()
        assert web.origin.count() == count
        web.clock.advance(seconds=11)


@pytest.mark.parametrize(
    "lines",
    [
        ["Cache-Control: no-cache"],
        ["Cache-Control: no-cache, max-age=60"],
        ["Cache-Control: max-age=60", "Cache-Control: NO-CACHE"],
        ["Cache-Control: max-age=0"],
        ["Cache-Control: max-age=0, must-revalidate"],
        ["Expires: 0"],
        [],
    ],
    ids=str,
)
async def test_what_is_validated_before_every_use(any_web: Web, lines: list[str]) -> None:
    web = any_web
    web.origin.answers("/", reply(*lines, 'ETag: "a"', body="kept"), reply(*lines, status=304))
    for count in range(1, 4):
        seen = await web.get()
        assert (seen.body, seen.from_cache, web.origin.count()) == (b"kept", count > 1, count)
    assert web.origin.last.headers["If-None-Match"] == '"a"'


async def test_a_full_answer_takes_its_place(any_web: Web) -> None:
    """Section 4.3.3."""
    web = any_web
    await stale(web, 'ETag: "a"', "X-Old: 1")
    web.origin.answers("/", reply("Cache-Control: max-age=10", 'ETag: "b"', body="new"))
    seen = await web.get()
    assert (seen.body, seen.from_cache) == (b"new", False)
    again = await web.get()
    assert (again.body, again.from_cache, again.headers["ETag"]) == (b"new", True, '"b"')
    assert "X-Old" not in again.headers


@pytest.mark.parametrize("status", [404, 410, 301])
async def test_so_does_another_status_that_may_be_stored(web: Web, status: int) -> None:
    await stale(web, 'ETag: "a"')
    web.origin.answers("/", reply("Cache-Control: max-age=10", status=status))
    assert (await web.get(allow_redirects=False)).status == status
    seen = await web.get(allow_redirects=False)
    assert (seen.status, seen.from_cache) == (status, True)


@pytest.mark.parametrize("status", [500, 503, 599])
async def test_an_error_is_handed_over_and_changes_nothing(web: Web, status: int) -> None:
    """Section 4.3.3: it may be forwarded; what is stored is as good as before."""
    await stale(web, 'ETag: "a"')
    web.origin.answers("/", reply(status=status), reply(status=304))
    assert (await web.get()).status == status
    seen = await web.get()
    assert (seen.status, seen.body) == (200, b"kept")
    assert web.origin.last.headers["If-None-Match"] == '"a"'


class TestFreshening:
    """Sections 3.2 and 4.3.4."""

    async def test_fields_of_the_304_take_the_place_of_stored_ones(self, any_web: Web) -> None:
        web = any_web
        await stale(web, 'ETag: "a"', "X-Kept: 1", "X-Changed: 1", "X-Changed: 2")
        web.origin.answers(
            "/",
            reply(
                "Cache-Control: max-age=30",
                'ETag: "a"',
                "x-changed: 3",
                "X-Added: 4",
                status=304,
            ),
        )
        for _ in range(2):
            seen = await web.get()
            assert seen.headers.getall("X-Changed") == ["3"]
            assert [seen.headers[name] for name in ("X-Kept", "X-Added")] == ["1", "4"]
            assert seen.headers.getall("Cache-Control") == ["max-age=30"]
            assert seen.headers.getall("Date") == [web.origin.date()]
        web.clock.advance(seconds=25)
        assert await web.is_reused()
        web.clock.advance(seconds=10)
        assert not await web.is_reused()

    async def test_some_do_not(self, web: Web) -> None:
        """Not Content-Length, nor what describes the stored content or one connection."""
        await stale(web, 'ETag: "a"', body="four")
        web.origin.answers(
            "/",
            reply(
                "Cache-Control: max-age=30",
                "Content-Length: 1000",
                "Content-Encoding: gzip",
                "Content-Range: bytes 0-1/2",
                "Connection: X-Hop",
                "X-Hop: 1",
                "Proxy-Authenticate: Basic",
                status=304,
            ),
        )
        for _ in range(2):
            seen = await web.get()
            assert (seen.status, seen.body) == (200, b"four")
            assert seen.headers.getall("Content-Length") == ["4"]
            for name in ("Content-Encoding", "Content-Range", "X-Hop", "Proxy-Authenticate"):
                assert name not in seen.headers

    async def test_a_lifetime_can_end(self, web: Web) -> None:
        await stale(web, 'ETag: "a"')
        web.origin.answers("/", reply("Cache-Control: no-cache", status=304))
        for count in (2, 3):
            assert (await web.get()).body == b"kept"
            assert web.origin.count() == count

    async def test_a_304_that_names_another_is_not_taken(self, web: Web) -> None:
        """Section 4.3.4: it MUST NOT update; whoever asked has to be given something."""

        def answer(request: Received) -> Reply:
            if "If-None-Match" in request.headers:
                return reply('ETag: "other"', "X-New: 1", "Cache-Control: max-age=10", status=304)
            return reply('ETag: "b"', "Cache-Control: max-age=10", body="new")

        await stale(web, 'ETag: "a"')
        web.origin.answers("/", answer)
        seen = await web.get()
        assert (seen.status, seen.body) == (200, b"new")
        assert "X-New" not in seen.headers
        assert (await web.get()).body == b"new"

    @pytest.mark.parametrize(
        ("stored", "told"),
        [
            ('ETag: W/"a"', 'ETag: W/"a"'),
            ('ETag: W/"a"', None),
            ('ETag: "a"', None),
            (f"Last-Modified: {MODIFIED}", f"Last-Modified: {MODIFIED}"),
            (f"Last-Modified: {MODIFIED}", None),
        ],
    )
    async def test_what_identifies_it(self, web: Web, stored: str, told: str | None) -> None:
        await stale(web, stored)
        lines = ["Cache-Control: max-age=10", "X-New: 1", *([told] if told else [])]
        web.origin.answers("/", reply(*lines, status=304))
        for _ in range(2):
            seen = await web.get()
            assert (seen.body, seen.headers["X-New"]) == (b"kept", "1")
        assert web.origin.count() == 2

    async def test_it_may_depend_on_other_fields_from_now_on(self, web: Web) -> None:
        """Vary is updated as any field; what was validated is for the request that did it."""
        web.origin.answers("/", reply("Cache-Control: max-age=10", TAG, "Vary: X-A"))
        await web.get("/", {"X-A": "1", "X-B": "1"})
        web.clock.advance(seconds=20)
        web.origin.answers(
            "/", reply("Cache-Control: max-age=10", TAG, "Vary: X-B", status=304), reply()
        )
        assert (await web.get("/", {"X-A": "1", "X-B": "1"})).body == b"1"
        assert not await web.is_reused("/", {"X-A": "1", "X-B": "2"})

    async def test_the_user_sees_the_new_times(self, session_web: Web) -> None:
        web = session_web
        await stale(web, 'ETag: "a"')
        web.origin.answers("/", reply("Cache-Control: max-age=30", status=304))
        response = (await web.get()).response
        assert response.created_at.timestamp() == web.clock.time()
        assert response.expires.timestamp() == web.clock.time() + 30
        assert response.is_expired is False


class TestAskedByTheCaller:
    """The cache's own arguments, in this mode, too."""

    async def test_refresh_validates_what_is_fresh(self, session_web: Web) -> None:
        web = session_web
        web.origin.answers("/", reply("Cache-Control: max-age=60", 'ETag: "a"', body="kept"))
        await web.get()
        web.origin.answers("/", reply("X-New: 1", status=304))
        seen = await web.get(refresh=True)
        assert (seen.body, seen.from_cache, seen.headers["X-New"]) == (b"kept", True, "1")
        assert web.origin.last.headers["If-None-Match"] == '"a"'

    async def test_force_refresh_asks_without_conditions(self, session_web: Web) -> None:
        web = session_web
        web.origin.answers("/", reply("Cache-Control: max-age=60", 'ETag: "a"'))
        await web.get()
        assert (await web.get(force_refresh=True)).body == b"2"
        assert "If-None-Match" not in web.origin.last.headers
        assert (await web.get()).body == b"2"
        assert web.origin.count() == 2

    async def test_only_if_cached(self, session_web: Web) -> None:
        web = session_web
        web.origin.answers("/", reply("Cache-Control: max-age=60"))
        assert (await web.get(only_if_cached=True)).status == 504
        await web.get()
        assert (await web.get(only_if_cached=True)).body == b"1"
        web.clock.advance(seconds=61)
        assert (await web.get(only_if_cached=True)).status == 504
        assert web.origin.count() == 1


async def test_an_answer_that_breaks_off_replaces_nothing(web: Web) -> None:
    """The stored response stays until there is a whole one, or one to be completed."""
    await stale(web, 'ETag: "a"')
    web.origin.answers("/", reply("Cache-Control: max-age=10", body="half", end=End.CUT_CHUNK))
    response = await web.open()
    with pytest.raises(BROKEN_OFF):
        await response.read()
    web.origin.answers("/", reply("Cache-Control: max-age=10", body="whole"))
    assert (await web.get()).body == b"whole"


async def test_proxy_revalidate_is_for_shared_caches(open_web: OpenWeb) -> None:
    line = "Cache-Control: max-age=10, proxy-revalidate"
    for shared in (False, True):
        web = open_web(shared=shared)
        web.origin.answers("/", reply(line, 'ETag: "a"'))
        await web.get()
        web.clock.advance(seconds=20)
        assert await web.is_reused("/", {"Cache-Control": "max-stale"}) == (not shared)


@pytest.mark.parametrize(("status", "left"), [(404, False), (410, False), (403, True), (429, True)])
async def test_an_error_that_is_not_stored(any_web: Web, status: int, left: bool) -> None:
    """What tells of the resource outdates what is stored; what tells of the request does not."""
    any_web.origin.answers(
        "/",
        reply("Cache-Control: max-age=10", 'ETag: "a"'),
        reply("Cache-Control: no-store", status=status),
        reply("Cache-Control: max-age=10", 'ETag: "a"', status=304),
    )
    await any_web.get()
    any_web.clock.advance(seconds=20)
    assert (await any_web.get()).status == status
    any_web.origin.answers("/", lambda _: reply(status=304))
    await any_web.get()
    assert any_web.origin.last.all("If-None-Match") == (['"a"'] if left else [])


async def test_a_weak_tag_that_two_variants_share(any_web: Web) -> None:
    """The request has selected one of them, though the other is more recent."""
    lines = ("Cache-Control: max-age=10", "Vary: X-A", 'ETag: W/"a"')
    any_web.origin.answers("/", lambda request: reply(*lines, body=request.headers["X-A"]))
    for value in "12":
        await any_web.get("/", {"X-A": value})
        any_web.clock.advance(seconds=1)
    any_web.clock.advance(seconds=20)
    any_web.origin.answers("/", reply(*lines, status=304))
    assert (await any_web.get("/", {"X-A": "1"})).body == b"1"
    assert (await any_web.get("/", {"X-A": "2"})).body == b"2"


async def test_a_weak_tag_of_another_coding(any_web: Web) -> None:
    """A server that weakens the tag of what it codes would confirm it for those who want none."""
    modified = f"Last-Modified: {any_web.origin.date(-1000)}"
    lines = ("Cache-Control: max-age=60", "Vary: Accept-Encoding", modified)

    def answer(request: Received) -> Reply:
        if any('"a"' in tags for tags in request.all("If-None-Match")):
            return reply(*lines, 'ETag: "a"', status=304)
        coded = request.headers["Accept-Encoding"] != "identity"
        return reply(*lines, 'ETag: W/"a"' if coded else 'ETag: "a"', body="ab"[coded])

    any_web.origin.answers("/", answer)
    assert (await any_web.get("/", {"Accept-Encoding": "gzip"})).body == b"b"
    assert (await any_web.get("/", {"Accept-Encoding": "identity"})).body == b"a"
    assert (await any_web.get("/", {"Accept-Encoding": "gzip"})).body == b"b"
    assert any_web.origin.count() == 2
