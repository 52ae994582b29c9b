"""What belongs to one user (RFC 9111 section 3.5)."""

from __future__ import annotations

import base64

import pytest

from tests.faces.rfc9111.web import OpenWeb, Web
from tests.support.scripted import Answerer, Received, Reply, reply

ANNA = {"Authorization": "Basic YW5uYTox"}
BERT = {"Authorization": "Basic YmVydDoy"}
NOBODY: dict[str, str] = {}


def by_user(*lines: str) -> Answerer:
    def answer(request: Received) -> Reply:
        return reply(*lines, body=request.headers.get("Authorization", "nobody"))

    return answer


@pytest.mark.parametrize(
    "directives",
    [
        "max-age=60",
        "private, max-age=60",
        "max-age=60, private, public",
        "private, s-maxage=60, max-age=60",
    ],
)
async def test_two_users_are_kept_apart(any_web: Web, directives: str) -> None:
    web = any_web
    web.origin.answers("/", by_user(f"Cache-Control: {directives}"))
    for _ in range(2):
        for fields in (ANNA, BERT, NOBODY):
            seen = await web.get("/", fields)
            assert seen.body.decode() == fields.get("Authorization", "nobody")
    assert web.origin.count() == 3


@pytest.mark.parametrize("directive", ["public", "s-maxage=60", "must-revalidate"])
async def test_what_may_be_shared(any_web: Web, directive: str) -> None:
    """The three directives that section 3.5 names."""
    web = any_web
    web.origin.answers("/", reply(f"Cache-Control: max-age=60, {directive}"))
    await web.get("/", ANNA)
    for fields in (BERT, ANNA, NOBODY):
        assert await web.is_reused("/", fields)


async def test_what_was_given_to_nobody_in_particular(web: Web) -> None:
    """The other way round: an answer without credentials may be for those without alone."""
    web.origin.answers("/", by_user("Cache-Control: max-age=60"))
    await web.get()
    seen = await web.get("/", ANNA)
    assert seen.body.decode() == ANNA["Authorization"]


@pytest.mark.parametrize(
    ("directives", "reused"),
    [
        ("max-age=60", False),
        ("max-age=60, public", True),
        ("s-maxage=60", True),
        ("max-age=60, must-revalidate", True),
        ("max-age=60, public, private", False),
    ],
)
async def test_a_shared_cache(open_web: OpenWeb, directives: str, reused: bool) -> None:
    """It must not even serve the same user again."""
    web = open_web(shared=True)
    web.origin.answers("/", reply(f"Cache-Control: {directives}"))
    await web.get("/", ANNA)
    assert await web.is_reused("/", ANNA) == reused
    assert await web.is_reused("/", BERT) == reused


@pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
async def test_credentials_by_argument(web: Web) -> None:
    web.origin.answers("/", by_user("Cache-Control: max-age=60"))
    for _ in range(2):
        for name in ("anna", "bert"):
            expected = b"Basic " + base64.b64encode(f"{name}:1".encode())
            assert (await web.get(auth=(name, "1"))).body == expected
    assert web.origin.count() == 2


async def test_an_unsafe_request_of_one_is_for_all(web: Web) -> None:
    def answer(request: Received) -> Reply:
        return reply("Cache-Control: max-age=60") if request.method == "GET" else reply()

    web.origin.answers("/", answer)
    for fields in (ANNA, BERT):
        await web.get("/", fields)
    await web.request("PUT", "/", ANNA)
    for fields in (ANNA, BERT):
        assert not await web.is_reused("/", fields)


async def test_cookies_do_not_count(web: Web) -> None:
    """Unless somebody says so: the response, or the house."""
    web.origin.answers("/", reply("Cache-Control: max-age=60"))
    await web.get("/", {"Cookie": "a=1"})
    assert await web.is_reused("/", {"Cookie": "a=2"})


@pytest.mark.parametrize("house", [False, True])
async def test_cookies_count_where_somebody_says_so(open_web: OpenWeb, house: bool) -> None:
    web = open_web(**({"include_headers": ["Cookie"]} if house else {}))
    lines = ["Cache-Control: max-age=60", *([] if house else ["Vary: Cookie"])]
    web.origin.answers("/", reply(*lines))
    for value in ("a=1", "a=2"):
        assert not await web.is_reused("/", {"Cookie": value})
        assert await web.is_reused("/", {"Cookie": value})


async def test_a_401_is_not_kept_without_a_word(web: Web) -> None:
    web.origin.answers(
        "/",
        reply('WWW-Authenticate: Basic realm="x"', status=401),
        reply("Cache-Control: max-age=60"),
    )
    assert (await web.get("/", ANNA)).status == 401
    assert (await web.get("/", ANNA)).status == 200


async def test_a_cookie_is_for_one_user(any_web: Web) -> None:
    """Whatever else the response says: RFC 9111 would allow it (section 7.3 warns of it)."""
    any_web.origin.answers("/", reply("Cache-Control: public, max-age=60", "Set-Cookie: a=1"))
    await any_web.get("/", ANNA)
    assert not await any_web.is_reused("/", BERT)
    assert await any_web.is_reused("/", ANNA)
