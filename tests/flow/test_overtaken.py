"""A 304 that comes when another response has taken the place of the stored one."""

from __future__ import annotations

import pytest

from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.settings import Settings
from tests.flow.scene import Scene, answer, expired, key

SETTINGS = Settings(expire_after=60)


@pytest.mark.parametrize("overtaken", [False, True])
def test_it_freshens_no_other(*, overtaken: bool) -> None:
    scene = Scene(
        load={"/a": expired(etag='"v1"')},
        origin=[answer(304, etag='"v1"')],
        settings=SETTINGS,
        overtaken=overtaken,
    )
    assert scene.serve().reason is Reason.VALIDATED
    assert ("freshen /a" in scene.told) is not overtaken


def test_what_is_saved_is_noted() -> None:
    scene = Scene(origin=[answer()], settings=SETTINGS)
    scene.serve()
    assert scene.saved == [(key(), "")]
