"""What requests ask of a cache before nginx: parts, conditions, other methods; and its end."""

from __future__ import annotations

import pytest
from aiohttp import ClientConnectionError, ClientSession

from tests.servers.site import BYTES, DAY, TEXT, OpenSite, Site, came_from_cache


class TestRanges:
    @pytest.mark.parametrize(
        ("field", "content", "told"),
        [
            ("bytes=10-19", BYTES[10:20], "bytes 10-19/2048"),
            ("bytes=2000-", BYTES[2000:], "bytes 2000-2047/2048"),
            ("bytes=-5", BYTES[-5:], "bytes 2043-2047/2048"),
        ],
        ids=["from-to", "from", "last"],
    )
    async def test_of_a_stored_response(
        self, site: Site, field: str, content: bytes, told: str
    ) -> None:
        site.write("/hour/a.bin", BYTES)
        by_server = await site.get("/hour/a.bin", {"Range": field})
        await site.get("/hour/a.bin")
        site.server.asked()
        part = await site.get("/hour/a.bin", {"Range": field})
        assert (part.status, await part.read()) == (206, content)
        assert part.headers["Content-Range"] == told
        assert site.lines() == []
        for name in ("Content-Range", "Content-Length", "ETag", "Last-Modified"):
            assert part.headers[name] == by_server.headers[name]

    async def test_beyond_the_end(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        await site.get("/hour/a.bin")
        response = await site.get("/hour/a.bin", {"Range": "bytes=5000-"})
        assert response.status == 416
        assert response.headers["Content-Range"] == "bytes */2048"

    async def test_several_at_once(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        await site.get("/hour/a.bin")
        response = await site.get("/hour/a.bin", {"Range": "bytes=0-1,10-11"})
        body = await response.read()
        if response.status == 206:
            assert response.content_type == "multipart/byteranges"
            assert BYTES[0:2] in body
            assert BYTES[10:12] in body
        else:
            assert (response.status, body) == (200, BYTES)

    async def test_parts_make_a_whole(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        await site.get("/hour/a.bin", {"Range": "bytes=0-999"})
        part = await site.get("/hour/a.bin", {"Range": "bytes=100-199"})
        assert (part.status, await part.read()) == (206, BYTES[100:200])
        assert site.lines() == ["GET /hour/a.bin 206"]
        whole = await site.get("/hour/a.bin")
        assert (whole.status, await whole.read()) == (200, BYTES)
        asked = site.server.asked()
        assert [one.line for one in asked] == ["GET /hour/a.bin 206"]
        assert asked[0].range == "bytes=1000-"
        assert asked[0].if_range == whole.headers["ETag"]
        await site.get("/hour/a.bin")
        assert site.lines() == []

    async def test_a_part_of_what_has_changed(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES, age=2 * DAY)
        await site.get("/hour/a.bin", {"Range": "bytes=0-999"})
        site.write("/hour/a.bin", BYTES[::-1], age=DAY)
        whole = await site.get("/hour/a.bin")
        assert (whole.status, await whole.read()) == (200, BYTES[::-1])

    @pytest.mark.parametrize("current", [True, False])
    async def test_if_range(self, site: Site, current: bool) -> None:
        site.write("/hour/a.bin", BYTES)
        etag = (await site.get("/hour/a.bin")).headers["ETag"]
        fields = {"Range": "bytes=0-9", "If-Range": etag if current else '"other"'}
        response = await site.get("/hour/a.bin", fields)
        wanted = (206, BYTES[:10]) if current else (200, BYTES)
        assert (response.status, await response.read()) == wanted


class TestConditionsOfTheCaller:
    async def test_answered_from_what_is_stored(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        first = await site.get("/hour/a.txt")
        for fields in (
            {"If-None-Match": first.headers["ETag"]},
            {"If-Modified-Since": first.headers["Last-Modified"]},
        ):
            response = await site.get("/hour/a.txt", fields)
            assert (response.status, await response.read()) == (304, b"")
        assert (await site.get("/hour/a.txt", {"If-None-Match": '"other"'})).status == 200
        assert site.lines() == ["GET /hour/a.txt 200"]

    async def test_nothing_is_stored(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        async with ClientSession() as plain:
            response = await plain.get(f"{site.server.url}/hour/a.bin")
            etag = response.headers["ETag"]
        assert (await site.get("/hour/a.bin", {"If-None-Match": etag})).status == 304
        whole = await site.get("/hour/a.bin")
        assert (whole.status, await whole.read()) == (200, BYTES)


class TestOtherMethods:
    async def test_head_from_a_stored_get(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        by_server = await site.request("HEAD", "/hour/a.bin")
        first = await site.get("/hour/a.bin")
        site.server.asked()
        head = await site.request("HEAD", "/hour/a.bin")
        assert (head.status, await head.read()) == (200, b"")
        for name in ("Content-Length", "ETag", "Last-Modified", "Content-Type"):
            assert head.headers[name] == first.headers[name] == by_server.headers[name]
        assert site.lines() == []

    async def test_a_head_answers_no_get(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        await site.request("HEAD", "/hour/a.bin")
        assert await (await site.get("/hour/a.bin")).read() == BYTES

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("DELETE", "/dav/a.txt", 204),
            ("PUT", "/dav/a.txt", 204),
            ("POST", "/accepts/a.txt", 204),
        ],
    )
    async def test_they_outdate_what_is_stored(
        self, site: Site, method: str, path: str, status: int
    ) -> None:
        site.write(path, TEXT)
        await site.get(path)
        assert came_from_cache(await site.get(path))
        body = b"new" if method == "PUT" else None
        assert (await site.request(method, path, data=body)).status == status
        after = await site.get(path)
        assert not came_from_cache(after)
        wanted = {"DELETE": None, "PUT": "new", "POST": TEXT}[method]
        assert (after.status == 404) if wanted is None else (await after.text() == wanted)

    async def test_not_where_they_fail(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        await site.get("/hour/a.txt")
        assert (await site.request("POST", "/hour/a.txt")).status == 405
        assert came_from_cache(await site.get("/hour/a.txt"))
        assert site.lines() == ["GET /hour/a.txt 200", "POST /hour/a.txt 405"]


class TestBehindItsOwnCache:
    async def test_its_hit_is_ours_once(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        async with ClientSession() as plain:
            for _ in range(2):
                other = await plain.get(f"{site.server.url}/proxied/a.bin")
                await other.read()
        assert other.headers["X-Cache-Status"] == "HIT"
        site.server.asked()
        for _ in range(2):
            response = await site.get("/proxied/a.bin")
            assert (await response.read(), response.headers["X-Cache-Status"]) == (BYTES, "HIT")
        assert came_from_cache(response)
        assert site.lines() == ["GET /proxied/a.bin 200"]


class TestWithoutTheServer:
    async def test_a_lost_connection_raises(self, site: Site) -> None:
        site.write("/strict/a.txt", TEXT)
        await site.get("/strict/a.txt")
        site.server.stop()
        assert await (await site.get("/strict/a.txt")).text() == TEXT
        site.clock.advance(seconds=100)
        with pytest.raises(ClientConnectionError):
            await site.get("/strict/a.txt")
        site.server.start()
        assert await (await site.get("/strict/a.txt")).text() == TEXT

    async def test_stale_where_the_response_allows_it(self, site: Site) -> None:
        site.write("/lenient/a.txt", TEXT)
        await site.get("/lenient/a.txt")
        site.server.stop()
        site.clock.advance(seconds=100)
        response = await site.get("/lenient/a.txt")
        assert (await response.text(), int(response.headers["Age"]) >= 100) == (TEXT, True)
        site.server.start()
        site.server.asked()
        assert await (await site.get("/lenient/a.txt")).text() == TEXT
        assert site.lines() == ["GET /lenient/a.txt 304"]
        site.server.stop()
        site.clock.advance(seconds=700)
        with pytest.raises(ClientConnectionError):
            await site.get("/lenient/a.txt")

    async def test_stale_where_the_house_allows_it(self, open_site: OpenSite) -> None:
        site = open_site(stale_if_error=True)
        for folder in ("hour", "strict"):
            site.write(f"/{folder}/a.txt", TEXT)
            await site.get(f"/{folder}/a.txt")
        site.server.stop()
        site.clock.advance(days=1)
        assert await (await site.get("/hour/a.txt")).text() == TEXT
        with pytest.raises(ClientConnectionError):
            await site.get("/strict/a.txt")

    async def test_only_what_is_stored(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        fields = {"Cache-Control": "only-if-cached"}
        assert (await site.get("/hour/a.txt", fields)).status == 504
        await site.get("/hour/a.txt")
        site.server.stop()
        assert await (await site.get("/hour/a.txt", fields)).text() == TEXT
