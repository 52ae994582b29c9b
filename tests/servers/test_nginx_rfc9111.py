"""The RFC 9111 mode before a server that knows nothing of these tests: nginx."""

from __future__ import annotations

import pytest

from tests.servers.site import BYTES, DAY, GZIP, PLAIN, TEXT, OpenSite, Site, came_from_cache


class TestFreshness:
    async def test_as_long_as_it_says(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        first = await site.get("/hour/a.txt")
        site.clock.advance(seconds=3500)
        second = await site.get("/hour/a.txt")
        assert await first.text() == await second.text() == TEXT
        assert (came_from_cache(first), came_from_cache(second)) == (False, True)
        assert 3500 <= int(second.headers["Age"]) <= 3502
        assert site.lines() == ["GET /hour/a.txt 200"]

    async def test_then_it_is_validated(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        etag = (await site.get("/hour/a.bin")).headers["ETag"]
        site.clock.advance(seconds=3601)
        response = await site.get("/hour/a.bin")
        assert (response.status, await response.read()) == (200, BYTES)
        assert came_from_cache(response)
        asked = site.server.asked()
        assert [one.line for one in asked] == ["GET /hour/a.bin 200", "GET /hour/a.bin 304"]
        assert asked[1].if_none_match == etag
        assert asked[1].if_modified_since == response.headers["Last-Modified"]

    async def test_a_file_that_changed(self, site: Site) -> None:
        site.write("/second/a.txt", "old", age=2 * DAY)
        assert await (await site.get("/second/a.txt")).text() == "old"
        site.write("/second/a.txt", "new and longer", age=DAY)
        assert await (await site.get("/second/a.txt")).text() == "old"
        site.clock.advance(seconds=5)
        for _ in range(2):
            assert await (await site.get("/second/a.txt")).text() == "new and longer"
        # By the clock of the cache the new one is seconds old, too.
        assert [line[-3:] for line in site.lines()] == ["200", "200", "304"]

    async def test_a_file_that_went(self, site: Site) -> None:
        site.write("/second/a.txt", "old")
        await site.get("/second/a.txt")
        (site.root / "second/a.txt").unlink()
        site.clock.advance(seconds=5)
        assert (await site.get("/second/a.txt")).status == 404
        assert (await site.get("/second/a.txt")).status == 404

    async def test_a_tenth_of_the_time_since_it_was_modified(self, site: Site) -> None:
        site.write("/guessed.txt", TEXT, age=10 * 3600)
        await site.get("/guessed.txt")
        site.clock.advance(seconds=3500)
        assert came_from_cache(await site.get("/guessed.txt"))
        assert site.lines() == ["GET /guessed.txt 200"]
        site.clock.advance(seconds=200)
        assert await (await site.get("/guessed.txt")).text() == TEXT
        assert site.lines() == ["GET /guessed.txt 304"]

    @pytest.mark.parametrize("folder", ["past", "checked"])
    async def test_validated_every_time(self, site: Site, folder: str) -> None:
        site.write(f"/{folder}/a.txt", TEXT)
        for _ in range(3):
            assert await (await site.get(f"/{folder}/a.txt")).text() == TEXT
        path = f"GET /{folder}/a.txt"
        assert site.lines() == [f"{path} 200", f"{path} 304", f"{path} 304"]

    async def test_never_stored(self, site: Site) -> None:
        site.write("/never/a.txt", TEXT)
        for _ in range(2):
            await site.get("/never/a.txt")
        assert site.lines() == ["GET /never/a.txt 200"] * 2
        assert await site.backend.responses.size() == 0

    async def test_older_than_its_arrival(self, site: Site) -> None:
        site.write("/old/a.txt", TEXT)
        await site.get("/old/a.txt")
        site.clock.advance(seconds=5)
        assert 55 <= int((await site.get("/old/a.txt")).headers["Age"]) <= 57
        site.clock.advance(seconds=6)
        await site.get("/old/a.txt")
        assert site.lines() == ["GET /old/a.txt 200", "GET /old/a.txt 304"]


class TestStatuses:
    async def test_absent_with_a_lifetime(self, site: Site) -> None:
        for _ in range(2):
            assert (await site.get("/absent/a.txt")).status == 404
        assert site.lines() == ["GET /absent/a.txt 404"]

    @pytest.mark.parametrize(("path", "status"), [("/nothing.txt", 404), ("/gone/a.txt", 410)])
    async def test_absent_without(self, site: Site, path: str, status: int) -> None:
        for _ in range(2):
            assert (await site.get(path)).status == status
        assert site.lines() == [f"GET {path} {status}"] * 2

    async def test_moved_for_good_without_a_lifetime(self, site: Site) -> None:
        """There is nothing to guess a lifetime from; where it leads to is shared."""
        site.write("/hour/a.txt", TEXT)
        await site.get("/hour/a.txt")
        for _ in range(2):
            response = await site.get("/moved/hour/a.txt")
            assert (await response.text(), response.status) == (TEXT, 200)
            assert [one.status for one in response.history] == [301]
            assert came_from_cache(response)
        assert site.lines() == ["GET /hour/a.txt 200", *["GET /moved/hour/a.txt 301"] * 2]

    async def test_what_the_house_says_of_a_move(self, open_site: OpenSite) -> None:
        site = open_site(expire_after=60)
        site.write("/hour/a.txt", TEXT)
        for _ in range(2):
            assert await (await site.get("/moved/hour/a.txt")).text() == TEXT
        assert site.lines() == ["GET /moved/hour/a.txt 301", "GET /hour/a.txt 200"]


class TestCodings:
    async def test_variants_lie_side_by_side(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        for _ in range(2):
            coded = await site.get("/hour/a.txt", GZIP)
            plain = await site.get("/hour/a.txt", PLAIN)
            assert coded.headers["Content-Encoding"] == "gzip"
            assert "Content-Encoding" not in plain.headers
            assert await coded.text() == await plain.text() == TEXT
        assert site.lines() == ["GET /hour/a.txt 200"] * 2
        assert coded.headers["ETag"] == f"W/{plain.headers['ETag']}"

    async def test_weak_ones_are_validated(self, site: Site) -> None:
        site.write("/second/a.txt", TEXT)
        weak = (await site.get("/second/a.txt", GZIP)).headers["ETag"]
        assert weak.startswith('W/"')
        site.clock.advance(seconds=5)
        again = await site.get("/second/a.txt", GZIP)
        assert (again.status, await again.text()) == (200, TEXT)
        assert again.headers["Content-Encoding"] == "gzip"
        asked = site.server.asked()
        assert asked[1].line == "GET /second/a.txt 304"
        assert asked[1].if_none_match == weak

    async def test_each_variant_for_itself(self, site: Site) -> None:
        site.write("/second/a.txt", TEXT, age=2 * DAY)
        for fields in (GZIP, PLAIN):
            await site.get("/second/a.txt", fields)
        site.write("/second/a.txt", "new", age=DAY)
        site.clock.advance(seconds=5)
        for fields in (GZIP, PLAIN):
            assert await (await site.get("/second/a.txt", fields)).text() == "new"
        assert site.lines() == ["GET /second/a.txt 200"] * 4

    async def test_the_same_preferences_in_other_words(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        await site.get("/hour/a.txt", {"Accept-Encoding": "gzip, deflate"})
        await site.get("/hour/a.txt", {"Accept-Encoding": "deflate ,GZIP"})
        assert site.lines() == ["GET /hour/a.txt 200"]

    async def test_ranges_of_what_is_stored_coded(self, site: Site) -> None:
        """They count coded bytes, which are not stored; nginx sends no part of them either."""
        site.write("/hour/a.txt", TEXT)
        await site.get("/hour/a.txt", GZIP)
        coded = await site.get("/hour/a.txt", {**GZIP, "Range": "bytes=5-20"})
        assert (coded.status, await coded.text()) == (200, TEXT)
        plain = await site.get("/hour/a.txt", {**PLAIN, "Range": "bytes=5-20"})
        assert (plain.status, await plain.read()) == (206, TEXT.encode()[5:21])
        assert await (await site.get("/hour/a.txt", GZIP)).text() == TEXT
