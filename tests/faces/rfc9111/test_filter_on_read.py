"""A filter that refuses what is stored, in this mode."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faces.rfc9111.web import LOST, OpenWeb
from tests.support.scripted import reply


async def test_nothing_refused_is_served_in_the_place_of_an_error(open_web: OpenWeb) -> None:
    refused: list[bool] = []

    def filter_fn(_: Any) -> bool:
        return not refused

    web = open_web(filter_fn=filter_fn, stale_if_error=True)
    web.origin.answers("/", reply("Cache-Control: max-age=60"), reply(status=503))
    await web.get()
    assert (await web.get()).from_cache
    refused.append(True)
    seen = await web.get()
    assert (seen.status, seen.from_cache) == (503, False)
    web.origin.away = True
    with pytest.raises(LOST):
        await web.get()
