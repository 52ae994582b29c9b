"""Requests that have nothing to do with the cache."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.expiry import DO_NOT_CACHE
from http_client_cache.message import UNKEYABLE, Request
from http_client_cache.options import Options
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded
from http_client_cache.settings import Settings
from tests.flow.scene import Scene, answer, get, stored


@pytest.mark.parametrize(
    ("request_", "options", "settings", "reason"),
    [
        (get(), {"disabled": True}, {}, Reason.DISABLED),
        (get(method="POST"), {}, {}, Reason.METHOD),
        (get(), {}, {"allowed_methods": ["POST"]}, Reason.METHOD),
        (get(), {"expire_after": DO_NOT_CACHE}, {}, Reason.DO_NOT_CACHE),
        (get(), {}, {"expire_after": 0}, Reason.DO_NOT_CACHE),
        (get(), {}, {"urls_expire_after": {"origin.test/a": 0}}, Reason.DO_NOT_CACHE),
        (get(body=UNKEYABLE), {}, {}, Reason.UNKEYABLE_BODY),
        (get(Range="bytes=0-1"), {}, {}, Reason.RANGE),
        (get(Upgrade="websocket"), {}, {}, Reason.UPGRADE),
    ],
)
def test_goes_to_the_origin_and_nowhere_else(
    request_: Request, options: dict[str, Any], settings: dict[str, Any], reason: Reason
) -> None:
    fetched = answer()
    scene = Scene(origin=[fetched], load={"/a": stored()}, settings=Settings(**settings))
    served = scene.serve(request_, Options(**options))
    assert served == Forwarded(fetched, reason, refusal=reason)
    assert scene.told == [f"{request_.method} /a"]


def broken(_: object) -> str:
    raise LookupError("a function of the user's")


@pytest.mark.parametrize("key_fn", [broken, lambda _: None, lambda _: "", lambda _: 7])
def test_without_a_key(key_fn: Any) -> None:
    fetched = answer()
    scene = Scene(origin=[fetched], settings=Settings(key_fn=key_fn))
    served = scene.serve()
    assert served == Forwarded(fetched, Reason.KEY_FUNCTION, refusal=Reason.KEY_FUNCTION)
    assert scene.told == ["ask", "GET /a"]


def test_a_key_of_the_users_own() -> None:
    asked: list[Request] = []

    def key_fn(request: Request) -> str:
        asked.append(request)
        return "mine"

    fresh = stored()
    scene = Scene(load={"mine": fresh}, settings=Settings(key_fn=key_fn))
    assert scene.serve().stored is fresh
    assert scene.told == ["ask", "load mine"]
    assert asked == [get()]


def test_a_bypassed_request_that_nobody_answers() -> None:
    with pytest.raises(OSError, match="gone"):
        Scene(origin=[OSError("gone")]).serve(get(method="POST"))
