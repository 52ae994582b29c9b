"""The storages of a backend, where a key has several responses."""

from __future__ import annotations

import msgspec

from aiohttp_client_cache.backends.base import DictCache
from http_client_cache import housekeeping
from http_client_cache.item import StoredResponse
from tests.faces.rfc9111.web import Web, only_aiohttp
from tests.support.scripted import reply

pytestmark = only_aiohttp("that of requests is a mapping, which has tests of its own")


async def test_responses_that_vary(any_web: Web) -> None:
    any_web.origin.answers("/", reply("Cache-Control: max-age=60", "Vary: Accept-Language"))
    await any_web.get("/", {"Accept-Language": "en"})
    any_web.clock.advance(seconds=1)
    await any_web.get("/", {"Accept-Language": "de"})
    responses = any_web.backend.responses
    keys = [key async for key in responses.keys()]  # noqa: SIM118 - no dict
    bodies = [await response.read() async for response in responses.values()]
    assert (len(keys), sorted(bodies), await responses.size()) == (1, [b"1", b"2"], 2)
    newest = await responses.read(keys[0])
    assert await newest.read() == b"2"
    await responses.delete(keys[0])
    assert await responses.size() == 0


async def test_what_is_written_takes_the_place_of_its_like(any_web: Web) -> None:
    any_web.origin.answers("/", reply("Cache-Control: max-age=60", "Vary: Accept-Language"))
    await any_web.get("/", {"Accept-Language": "en"})
    store = any_web.backend.engine.store
    plan = housekeeping.page(store, "", bodies=True)
    (_, stored), *_ = await any_web.backend.engine.run(plan)
    responses = any_web.backend.responses
    entry = msgspec.structs.replace(stored.entry, body_size=5)
    await responses.write(stored.key, StoredResponse(entry, b"other"))
    assert await responses.size() == 1
    assert (await any_web.get("/", {"Accept-Language": "en"})).body == b"other"


async def test_a_storage_with_one_item_for_each_key(web: Web) -> None:
    web.backend.responses = DictCache()
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=60", "Vary: Accept-Language", 'ETag: "a"'),
        reply("Cache-Control: max-age=60", "Vary: Accept-Language", 'ETag: "b"'),
        reply("Cache-Control: max-age=60", 'ETag: "b"', status=304),
    )
    await web.get("/", {"Accept-Language": "en"})
    assert (await web.get("/", {"Accept-Language": "en"})).from_cache
    for fields in ({"Accept-Language": "de"}, {"Accept-Language": "de"}):
        assert (await web.get("/", fields)).body == b"2"
    assert web.origin.count() == 2
    web.clock.advance(seconds=70)
    assert (await web.get("/", {"Accept-Language": "de"})).body == b"2"
    assert (await web.get("/", {"Accept-Language": "de"})).from_cache
    assert await web.backend.size() == 1
