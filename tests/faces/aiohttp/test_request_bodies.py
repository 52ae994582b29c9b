"""Bodies of requests are part of what tells them apart, and reach the origin as they are."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.faces.aiohttp.conftest import OpenSession
from tests.support.origin import Origin

POSTS = {"allowed_methods": ("GET", "POST")}


def form_data(text: str) -> aiohttp.FormData:
    return aiohttp.FormData({"field": text})


def multipart(text: str) -> aiohttp.FormData:
    data = aiohttp.FormData()
    data.add_field("field", text)
    data.add_field("file", text.encode(), filename="name.txt", content_type="text/plain")
    return data


def multipart_writer(text: str) -> aiohttp.MultipartWriter:
    writer = aiohttp.MultipartWriter("mixed")
    writer.append(text)
    writer.append_json({"text": text})
    return writer


# What can be keyed without being used up.
KEYED: dict[str, Callable[[str], dict[str, Any]]] = {
    "bytes": lambda text: {"data": text.encode()},
    "bytearray": lambda text: {"data": bytearray(text.encode())},
    "text": lambda text: {"data": text},
    "json": lambda text: {"json": {"list": [text, 1, None]}},
    "form": lambda text: {"data": {"field": text, "other": "1"}},
    "pairs": lambda text: {"data": [("field", text), ("field", "1")]},
    "form data": lambda text: {"data": form_data(text)},
    "multipart": lambda text: {"data": multipart(text)},
    "multipart writer": lambda text: {"data": multipart_writer(text)},
    "payload": lambda text: {"data": aiohttp.JsonPayload({"text": text})},
}


async def pieces(text: str) -> AsyncIterator[bytes]:
    for letter in text:
        yield letter.encode()


@pytest.mark.parametrize("kind", KEYED)
async def test_equal_bodies_are_one_request(
    origin: Origin, open_session: OpenSession, kind: str
) -> None:
    async with open_session(**POSTS) as session:
        for text, cached in (("one", False), ("two", False), ("one", True), ("two", True)):
            response = await session.post(origin.url("/echo"), **KEYED[kind](text))
            assert response.from_cache is cached
            assert text.encode() in await response.read()
        assert not (await session.post(origin.url("/echo"))).from_cache
    assert origin.count() == 3


async def test_no_two_kinds_are_confused(origin: Origin, open_session: OpenSession) -> None:
    """Bytes that agree are not one request if they do not mean the same."""
    async with open_session(**POSTS) as session:
        for request in (
            {"data": {"a": "1"}},
            {"data": b"a=1"},
            {"params": {"a": "1"}},
            {"json": {"a": "1"}},
            {"json": {"a": 1}},
            {"json": ["a", "1"]},
            {"json": "a"},
            {"data": b""},
        ):
            response = await session.post(origin.url("/serial"), **request)
            assert not response.from_cache, request


async def test_bodies_of_get_requests_count(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:
        for text, cached in (("one", False), ("two", False), ("one", True)):
            response = await session.get(origin.url("/echo"), data=text)
            assert response.from_cache is cached
            assert await response.text() == text
        assert not (await session.get(origin.url("/echo"))).from_cache


@pytest.mark.parametrize("kind", ["generator", "file", "text file", "bytes io", "multipart file"])
async def test_streamed_bodies_arrive_whole(
    origin: Origin, open_session: OpenSession, tmp_path: Path, kind: str
) -> None:
    """What cannot be keyed without using it up goes past the cache; nothing is ever confused."""
    bodies = ["one " * 5000, "two " * 5000]
    async with open_session(**POSTS) as session:
        for n, text in enumerate(bodies * 2):
            path = tmp_path / f"{n}.txt"
            path.write_text(text)
            if kind == "generator":
                await post(session, origin, text, pieces(text))
            elif kind == "bytes io":
                await post(session, origin, text, io.BytesIO(text.encode()))
            elif kind == "text file":
                with path.open() as file:
                    await post(session, origin, text, file)
            else:
                with path.open("rb") as file:
                    data: Any = file
                    if kind == "multipart file":
                        data = aiohttp.FormData()
                        data.add_field("upload", file, filename="upload.txt")
                    await post(session, origin, text, data)
    if kind == "generator":
        assert origin.count() == 4


async def post(session: Any, origin: Origin, text: str, data: Any) -> None:
    response = await session.post(origin.url("/echo"), data=data)
    assert text.encode() in await response.read()


async def test_a_file_is_read_once_on_its_way(
    origin: Origin, open_session: OpenSession, tmp_path: Path
) -> None:
    """Even one that was read in part before: what is left of it is the body."""
    path = tmp_path / "body.txt"
    path.write_bytes(b"skipped, sent")
    async with open_session(**POSTS) as session:
        for _ in range(2):
            with path.open("rb") as file:
                file.seek(9)
                response = await session.post(origin.url("/echo"), data=file)
                assert await response.read() == b"sent"


async def test_bodies_that_are_sent_compressed(origin: Origin, open_session: OpenSession) -> None:
    async with open_session(**POSTS) as session:
        for text, cached in ((b"one" * 99, False), (b"two" * 99, False), (b"one" * 99, True)):
            response = await session.post(origin.url("/echo"), data=text, compress="deflate")
            assert response.from_cache is cached
            assert await response.read() == text
    assert origin.received[0].headers["Content-Encoding"] == "deflate"


async def test_bodies_that_wait_to_be_asked_for(origin: Origin, open_session: OpenSession) -> None:
    async with open_session(**POSTS) as session:
        for _ in range(2):
            response = await session.post(origin.url("/echo"), data=b"body", expect100=True)
            assert await response.read() == b"body"


@pytest.mark.parametrize("status", [307, 308])
async def test_bodies_survive_redirects(
    origin: Origin, open_session: OpenSession, status: int
) -> None:
    url = origin.url(f"/redirect-to?to=/echo&status={status}")
    async with open_session(**POSTS) as session:
        for cached in (False, True):
            response = await session.post(url, data=b"payload")
            assert (response.status, response.from_cache) == (200, cached)
            assert await response.read() == b"payload"
        assert not (await session.post(url, data=b"other")).from_cache
    assert [request.body for request in origin.received] == [b"payload"] * 2 + [b"other"] * 2


async def test_a_post_that_becomes_a_get(origin: Origin, open_session: OpenSession) -> None:
    url = origin.url("/redirect-to?to=/serial&status=303")
    async with open_session(**POSTS) as session:
        for cached in (False, True):
            response = await session.post(url, data=b"payload")
            assert (response.method, response.from_cache) == ("GET", cached)
    assert origin.count("/serial") == 1


async def test_unsafe_requests_pass_through(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:
        for _ in range(2):
            response = await session.post(origin.url("/echo"), json={"n": 1})
            assert await response.json(content_type=None) == {"n": 1}
            assert not response.from_cache
    assert origin.count() == 2
