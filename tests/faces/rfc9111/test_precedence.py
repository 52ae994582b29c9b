"""House rules beside what requests and responses say: the first that speaks, in this order.

Request directives, the response, per request, per URL, per session.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.faces.rfc9111.web import OpenWeb, Web, only_aiohttp
from tests.support.scripted import reply

DAY = 86_400


async def lasts(web: Web, seconds: float, target: str = "/", **kwargs: Any) -> bool:
    """Whether it is fresh for this time, and no longer."""
    await web.get(target, **kwargs)
    web.clock.advance(seconds=seconds - 1)
    before = await web.is_reused(target)
    web.clock.advance(seconds=2)
    return before and not await web.is_reused(target)


class TestExpireAfter:
    async def test_it_fills_in_where_the_response_is_silent(self, open_any_web: OpenWeb) -> None:
        web = open_any_web(expire_after=30)
        web.origin.answers("/", reply())
        assert await lasts(web, 30)

    @pytest.mark.parametrize(
        "lines", [("Cache-Control: max-age=60",), ("Expires: Fri, 01 Jan 2021 18:01:00 GMT",)]
    )
    async def test_the_response_comes_first(self, open_web: OpenWeb, lines: tuple[str]) -> None:
        web = open_web(expire_after=30)
        web.origin.answers("/", reply(*lines))
        assert await lasts(web, 60)

    @pytest.mark.parametrize(
        "line", ["Cache-Control: max-age=0", "Cache-Control: no-cache", "Expires: 0"]
    )
    async def test_also_where_it_says_not_at_all(self, open_web: OpenWeb, line: str) -> None:
        web = open_web(expire_after=30)
        web.origin.answers("/", reply(line))
        for _ in range(2):
            assert not await web.is_reused()

    async def test_it_does_not_overrule_no_store(self, open_web: OpenWeb) -> None:
        web = open_web(expire_after=-1)
        web.origin.answers("/", reply("Cache-Control: no-store"))
        for _ in range(2):
            assert not await web.is_reused()

    async def test_it_takes_the_place_of_a_guess(self, open_web: OpenWeb) -> None:
        web = open_web(expire_after=30)
        web.origin.answers("/", reply(f"Last-Modified: {web.origin.date(-20 * DAY)}"))
        assert await lasts(web, 30)

    async def test_for_ever(self, open_web: OpenWeb) -> None:
        web = open_web(expire_after=-1)
        web.origin.answers("/", reply())
        await web.get()
        web.clock.advance(days=4000)
        assert await web.is_reused()

    async def test_a_validation_begins_it_anew(self, open_web: OpenWeb) -> None:
        web = open_web(expire_after=30)
        web.origin.answers("/", reply('ETag: "a"'), reply(status=304))
        await web.get()
        web.clock.advance(seconds=31)
        assert await lasts(web, 30)
        assert web.origin.count() == 3

    @pytest.mark.parametrize(
        "value", [30, 30.0, timedelta(seconds=30), datetime(2021, 1, 1, 18, 0, 30, tzinfo=UTC)]
    )
    async def test_its_values(self, open_web: OpenWeb, value: Any) -> None:
        web = open_web(expire_after=value)
        web.origin.answers("/", reply())
        assert await lasts(web, 30)

    async def test_unset_leaves_it_to_the_rfc(self, open_web: OpenWeb) -> None:
        web = open_web(expire_after=None)
        web.origin.answers("/", reply(f"Last-Modified: {web.origin.date(-600)}"))
        assert await lasts(web, 60)

    @only_aiohttp("0 is another value to requests, which has DO_NOT_CACHE")
    async def test_zero_is_a_veto(self, open_web: OpenWeb) -> None:
        web = open_web(expire_after=0)
        web.origin.answers("/", reply("Cache-Control: max-age=60"))
        for _ in range(2):
            assert not await web.is_reused()
        assert await web.size() == 0

    @only_aiohttp("0 is another value to requests, which has DO_NOT_CACHE")
    async def test_by_url(self, open_web: OpenWeb) -> None:
        web = open_web(
            expire_after=30,
            urls_expire_after={
                "127.0.0.1:*/long": 100,
                "127.0.0.1:*/never": 0,
                "127.0.0.1:*/unset": None,
            },
        )
        for path in ("/long", "/never", "/unset", "/other"):
            web.origin.answers(path, reply())
        assert await lasts(web, 100, "/long")
        assert await lasts(web, 30, "/other")
        for _ in range(2):
            assert not await web.is_reused("/never")
        web.origin.answers("/never", reply("Cache-Control: max-age=60"))
        for _ in range(2):
            assert not await web.is_reused("/never")

    async def test_per_request(self, open_session_web: OpenWeb) -> None:
        web = open_session_web(expire_after=30, urls_expire_after={"127.0.0.1:*/url": 50})
        for path in ("/url", "/other", "/said"):
            web.origin.answers(path, reply())
        web.origin.answers("/said", reply("Cache-Control: max-age=70"))
        assert await lasts(web, 100, "/url", expire_after=100)
        assert await lasts(web, 10, "/other", expire_after=10)
        assert await lasts(web, 70, "/said", expire_after=10)

    @only_aiohttp("0 is another value to requests, which has DO_NOT_CACHE")
    async def test_zero_per_request(self, open_session_web: OpenWeb) -> None:
        web = open_session_web()
        web.origin.answers("/", reply("Cache-Control: max-age=60"))
        for _ in range(2):
            assert not (await web.get(expire_after=0)).from_cache
        assert await web.size() == 0


ORDER = ("request directives", "response", "per request", "per URL", "per session")
"""Who is heard first, as the documents have it."""


class TestTheOrder:
    """Each of five sources beside those that come after it."""

    @staticmethod
    async def shown(open_web: OpenWeb, said: dict[str, int]) -> tuple[float, Web, Any]:
        """For how long the response is said to be fresh, where these sources speak."""
        web = open_web(
            expire_after=said.get("per session"),
            urls_expire_after={"127.0.0.1:*/": said.get("per URL")},
        )
        response = said.get("response")
        web.origin.answers(
            "/", reply(*(() if response is None else (f"Cache-Control: max-age={response}",)))
        )
        directive = said.get("request directives")
        fields = None if directive is None else {"Cache-Control": f"max-age={directive}"}
        await web.get("/", fields, expire_after=said.get("per request"))
        seen = (await web.get("/", fields)).response
        assert seen.from_cache
        return seen.expires.timestamp() - web.clock.time(), web, fields

    @pytest.mark.parametrize(("higher", "lower"), list(pairwise(ORDER)))
    @pytest.mark.parametrize("seconds", [(30, 60), (60, 30)], ids=["shorter", "longer"])
    async def test_neighbours(
        self, open_session_web: OpenWeb, higher: str, lower: str, seconds: tuple[int, int]
    ) -> None:
        said = dict(zip((higher, lower), seconds, strict=True))
        shown, web, fields = await self.shown(open_session_web, said)
        assert shown == seconds[0]
        # A request may ask for less than what is stored; it cannot make it last longer.
        lasting = min(seconds) if higher == ORDER[0] else seconds[0]
        web.clock.advance(seconds=lasting - 1)
        assert await web.is_reused("/", fields)
        web.clock.advance(seconds=2)
        assert not await web.is_reused("/", fields)

    @pytest.mark.parametrize("first", range(len(ORDER)))
    async def test_the_first_that_speaks(self, open_session_web: OpenWeb, first: int) -> None:
        said = {name: 100 * (index + 1) for index, name in enumerate(ORDER)}
        heard = dict(list(said.items())[first:])
        shown, _, _ = await self.shown(open_session_web, heard)
        assert shown == said[ORDER[first]]

    async def test_a_directive_is_for_its_own_request(self, open_session_web: OpenWeb) -> None:
        _, web, fields = await self.shown(
            open_session_web, {"request directives": 30, "response": 60}
        )
        web.clock.advance(seconds=40)
        assert await web.is_reused("/")
        assert not await web.is_reused("/", fields)


class TestVetoes:
    async def test_codes(self, open_any_web: OpenWeb) -> None:
        web = open_any_web(allowed_codes=[200, 418])
        for status in (200, 404, 418):
            web.origin.answers(f"/{status}", reply("Cache-Control: max-age=60", status=status))
            await web.get(f"/{status}")
        assert [await web.is_reused(f"/{status}") for status in (200, 404, 418)] == [
            True,
            False,
            True,
        ]

    async def test_a_set_code_is_no_permission(self, open_web: OpenWeb) -> None:
        """Section 3: without a word of the response's or the house's, it stays out."""
        web = open_web(allowed_codes=[200, 500])
        web.origin.answers("/", reply('ETag: "a"', status=500))
        for _ in range(2):
            assert not await web.is_reused()

    async def test_methods(self, open_web: OpenWeb) -> None:
        web = open_web(allowed_methods=["HEAD"])
        web.origin.answers("/", reply("Cache-Control: max-age=60"))
        for _ in range(2):
            assert not await web.is_reused()
        assert await web.size() == 0

    async def test_the_filter(self, open_web: OpenWeb) -> None:
        web = open_web(filter_fn=lambda response: response.headers.get("X-Keep") == "yes")
        for value in ("yes", "no"):
            web.origin.answers(f"/{value}", reply("Cache-Control: max-age=60", f"X-Keep: {value}"))
            await web.get(f"/{value}")
        assert await web.is_reused("/yes")
        assert not await web.is_reused("/no")

    async def test_the_largest_body(self, open_web: OpenWeb) -> None:
        web = open_web(max_entry_bytes=5)
        for body in ("small", "larger"):
            web.origin.answers(f"/{body}", reply("Cache-Control: max-age=60", body=body))
            await web.get(f"/{body}")
        assert await web.is_reused("/small")
        assert not await web.is_reused("/larger")


class TestWhatExpiresShows:
    """The first source that speaks, request directives included."""

    async def test_the_sources(self, open_session_web: OpenWeb) -> None:
        web = open_session_web(expire_after=40, urls_expire_after={"127.0.0.1:*/url": 30})
        web.origin.answers("/said", reply("Cache-Control: max-age=50"))
        web.origin.answers("/url", reply())
        web.origin.answers("/other", reply())
        start = web.clock.time()

        async def shown(path: str, **kwargs: Any) -> float:
            await web.get(path, **kwargs)
            response = (await web.get(path, **kwargs)).response
            assert response.from_cache
            return response.expires.timestamp() - start

        assert await shown("/said") == 50
        assert await shown("/said", fields={"Cache-Control": "max-age=20"}) == 20
        assert await shown("/url") == 30
        assert await shown("/other") == 40
        # Nothing of that is stored.
        assert await shown("/said") == 50

    async def test_per_request(self, open_session_web: OpenWeb) -> None:
        web = open_session_web(expire_after=40)
        web.origin.answers("/", reply())
        start = web.clock.time()
        await web.get(expire_after=25)
        response = (await web.get()).response
        assert response.expires.timestamp() - start == 25

    async def test_a_guess(self, session_web: Web) -> None:
        web = session_web
        web.origin.answers("/", reply(f"Last-Modified: {web.origin.date(-600)}"))
        await web.get()
        response = (await web.get()).response
        assert response.expires.timestamp() == web.clock.time() + 60
        assert response.created_at.timestamp() == web.clock.time()
        assert response.is_expired is False

    async def test_with_an_age(self, session_web: Web) -> None:
        web = session_web
        web.origin.answers("/", reply("Cache-Control: max-age=60", "Age: 20"))
        await web.get()
        response = (await web.get()).response
        assert response.expires.timestamp() == web.clock.time() + 40


async def test_the_other_mode_goes_by_none_of_this(open_any_web: OpenWeb) -> None:
    web = open_any_web(cache_control=False)
    web.origin.answers("/", reply("Cache-Control: no-store", "Vary: *"))
    assert not await web.is_reused()
    assert await web.is_reused("/", {"Cache-Control": "no-cache, no-store"})
    assert (await web.get()).age is None


async def test_switched_on_and_off_while_it_runs(open_web: OpenWeb) -> None:
    web = open_web(cache_control=False)
    web.origin.answers("/", reply("Cache-Control: no-store"))
    await web.get()
    assert await web.is_reused()
    web.backend.cache_control = True
    web.origin.answers("/new", reply("Cache-Control: no-store"))
    for path in ("/", "/new", "/new"):
        assert not await web.is_reused(path)
