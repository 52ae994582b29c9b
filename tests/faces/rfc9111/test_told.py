"""What ``response.cache`` tells where this law decides."""

from __future__ import annotations

from tests.faces.rfc9111.web import Web
from tests.support.scripted import reply


async def test_a_miss_and_a_hit_tell_the_same_key(web: Web) -> None:
    web.origin.answers("/", reply("Cache-Control: max-age=60"))
    missed, hit = await web.get(), await web.get()
    assert missed.response.cache.key is not None
    assert missed.response.cache.key == hit.response.cache.key


async def test_an_answer_that_is_not_stored_has_a_key(web: Web) -> None:
    web.origin.answers("/", reply("Cache-Control: no-store"))
    missed = await web.get()
    assert missed.response.cache.key is not None
    assert not missed.response.cache.stored


async def test_the_key_is_that_under_which_a_response_is_shared(web: Web) -> None:
    """Section 3.5: then it is not the user's own."""
    web.origin.answers("/", reply("Cache-Control: public, max-age=60"))
    missed = await web.get(fields={"Authorization": "one"})
    hit = await web.get(fields={"Authorization": "another"})
    assert hit.from_cache
    assert missed.response.cache.key == hit.response.cache.key


async def test_a_request_for_the_cache_alone_has_a_key(web: Web) -> None:
    refused = await web.get(fields={"Cache-Control": "only-if-cached"})
    web.origin.answers("/", reply("Cache-Control: max-age=60"))
    missed = await web.get()
    assert (refused.status, refused.response.cache.key) == (504, missed.response.cache.key)
