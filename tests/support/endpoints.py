"""What the origin of the tests answers, endpoint by endpoint."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from typing import TYPE_CHECKING

import brotli
from aiohttp import web

if TYPE_CHECKING:
    from tests.support.origin import Origin

LINES = b"first line\nsecond; line\r\nthird line without an end"
POEM = "Tüür, Ärger und Öl.\n" * 200
ETAG = '"v1"'
MODIFIED = "Wed, 30 Dec 2020 08:00:00 GMT"

# Answers that no web framework would give, byte for byte; the connection is closed after them.
RAW = {
    "short-of-content-length": (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nonly this"
    ),
    "unfinished-chunks": (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n"
    ),
    "until-close": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end",
    "odd-headers": (
        b"HTTP/1.1 200 Quite Alright\r\nx-LOWER-upper: 1\r\nX-Repeated: a\r\nX-Repeated: b\r\n"
        b"X-Latin: caf\xe9\r\nX-Empty:\r\nContent-Length: 2\r\n\r\nok"
    ),
    "no-reason": b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok",
    "http-1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "garbage": b"this is not HTTP\r\n\r\n",
}


class Endpoints:
    """The handlers; the origin they belong to counts and holds the gates."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin

    # As httpbin.org has them

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "args": dict(request.query),
                "headers": dict(request.headers),
                "url": str(request.url),
            }
        )

    async def delay(self, request: web.Request) -> web.Response:
        await asyncio.sleep(float(request.match_info["seconds"]) * self.origin.second)
        response = await self.get(request)
        response.set_status(int(request.query.get("status", 200)))
        return response

    async def headers(self, request: web.Request) -> web.Response:
        return web.json_response({"headers": dict(request.headers)})

    async def post(self, request: web.Request) -> web.Response:
        text = (await request.read()).decode(errors="replace")
        return web.json_response({"data": text, "args": dict(request.query)})

    async def teapot(self, request: web.Request) -> web.Response:
        return web.Response(status=418, reason="I'M A TEAPOT", text="-=[ teapot ]=-")

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for n in range(int(request.match_info["lines"])):
            await response.write(json.dumps({"id": n}).encode() + b"\n")
        return response

    async def status(self, request: web.Request) -> web.Response:
        status = int(request.match_info["code"])
        return web.Response(status=status, text=f"status {status}")

    async def set_cookies(self, request: web.Request) -> web.Response:
        response = web.Response(text="cookies")
        for name, value in request.query.items():
            response.headers.add("Set-Cookie", f"{name}={value}; Path=/")
        return response

    async def duplicate_cookies(self, request: web.Request) -> web.Response:
        response = web.Response(text="one name, two paths")
        response.headers.add("Set-Cookie", "same=root; Path=/")
        response.headers.add("Set-Cookie", "same=below; Path=/below")
        return response

    async def cookies(self, request: web.Request) -> web.Response:
        return web.json_response(dict(request.cookies))

    async def cache(self, request: web.Request) -> web.Response:
        """Answer 304 to whatever is conditional."""
        if "If-None-Match" in request.headers or "If-Modified-Since" in request.headers:
            return web.Response(status=304)
        response = await self.get(request)
        response.headers.update({"ETag": ETAG, "Last-Modified": MODIFIED})
        return response

    async def cache_for(self, request: web.Request) -> web.Response:
        response = await self.get(request)
        response.headers["Cache-Control"] = f"public, max-age={request.match_info['seconds']}"
        return response

    async def etag(self, request: web.Request) -> web.Response:
        """Answer 304 to whoever knows the tag, which is the last part of the path."""
        tag = f'"{request.match_info["etag"]}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        response = await self.get(request)
        response.headers["ETag"] = tag
        return response

    async def range(self, request: web.Request) -> web.Response:
        """Answer with so many letters, or with the part of them that the request names."""
        size = int(request.match_info["size"])
        letters = bytes(97 + n % 26 for n in range(size))
        fields = {"ETag": f'"range{size}"', "Accept-Ranges": "bytes"}
        if "Range" not in request.headers:
            return web.Response(body=letters, headers=fields)
        asked = request.http_range
        first, stop = asked.start, min(asked.stop or size, size)
        fields["Content-Range"] = f"bytes {first}-{stop - 1}/{size}"
        return web.Response(status=206, body=letters[first:stop], headers=fields)

    async def response_headers(self, request: web.Request) -> web.Response:
        """Answer with the header fields that the query names."""
        fields = dict(request.query)
        return web.json_response(fields, headers=fields)

    # Bodies of every kind

    async def serial(self, request: web.Request) -> web.Response:
        """Answer with 1, 2, 3 …, for each path of its own."""
        return web.Response(text=str(self.origin.serial(request.path)))

    async def json(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"name": "Öl", "list": [1, 2.5, None], "args": dict(request.query)}
        )

    async def lines(self, request: web.Request) -> web.Response:
        return web.Response(body=LINES, content_type="text/plain", charset="utf-8")

    async def latin(self, request: web.Request) -> web.Response:
        body = POEM.encode("latin-1")
        return web.Response(body=body, headers={"Content-Type": "text/plain; charset=latin-1"})

    async def no_charset(self, request: web.Request) -> web.Response:
        return web.Response(body="café".encode("latin-1"), content_type="text/plain")

    async def binary(self, request: web.Request) -> web.Response:
        return web.Response(
            body=bytes(range(256)) * 4,
            headers={
                "Content-Disposition": 'attachment; filename="all bytes.bin"',
                "Link": '</next>; rel="next", <http://example.com/last>; rel=last',
            },
        )

    async def empty(self, request: web.Request) -> web.Response:
        return web.Response()

    async def no_content(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def large(self, request: web.Request) -> web.Response:
        size = int(request.query.get("size", 3 * 2**20))
        return web.Response(body=b"x" * size, content_type="application/octet-stream")

    async def chunked(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for start in range(0, len(LINES), 9):
            await response.write(LINES[start : start + 9])
        return response

    async def compressed(self, request: web.Request) -> web.Response:
        coding = request.match_info["coding"]
        raw = POEM.encode()
        body = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}[coding](raw)
        return web.Response(
            body=body, headers={"Content-Encoding": coding, "Content-Type": "text/plain"}
        )

    async def raw(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.write(RAW[request.match_info["name"]])
        request.transport.close()
        return web.Response()

    async def web_socket(self, request: web.Request) -> web.WebSocketResponse:
        """Say what is heard."""
        response = web.WebSocketResponse()
        await response.prepare(request)
        async for message in response:
            await response.send_str(message.data)
        return response

    async def hang_up(self, request: web.Request) -> web.Response:
        """Close the connection without a word every other time."""
        number = self.origin.serial(request.path)
        if number % 2:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text=f"answer {number}")

    async def unreliable(self, request: web.Request) -> web.Response:
        """Answer the first request."""
        number = self.origin.serial(request.path)
        return web.Response(status=200 if number == 1 else 503, text=f"answer {number}")

    # Redirects

    async def redirect_to(self, request: web.Request) -> web.Response:
        """Redirect to ``?to=``, with ``?status=``, setting a cookie of its own."""
        response = web.Response(status=int(request.query.get("status", 302)), text="this way")
        if "to" in request.query:
            response.headers["Location"] = request.query["to"]
        if "cookie" in request.query:
            response.headers.add("Set-Cookie", f"{request.query['cookie']}=hop; Path=/")
        return response

    async def redirect(self, request: web.Request) -> web.Response:
        """Redirect ``hops`` times, relatively, each hop with a cookie of its own."""
        hops = int(request.match_info["hops"])
        location = f"/redirect/{hops - 1}" if hops > 1 else "/serial/end"
        return web.Response(
            status=302, headers={"Location": location, "Set-Cookie": f"hop{hops}=yes; Path=/"}
        )

    async def now_and_then(self, request: web.Request) -> web.Response:
        """Redirect as long as the test says so."""
        if self.origin.moved:
            return web.Response(status=302, headers={"Location": "/lines"})
        return web.Response(text="here")

    async def loop(self, request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/loop"})

    # What arrived

    async def echo(self, request: web.Request) -> web.Response:
        return web.Response(body=await request.read(), content_type="application/octet-stream")

    async def echo_query(self, request: web.Request) -> web.Response:
        """Answer with the query, as often as it asks for."""
        return web.Response(text=f"?{request.query_string}" * int(request.query["size"]))

    async def echo_query_via(self, request: web.Request) -> web.Response:
        location = f"/echo-query?{request.query_string}"
        return web.Response(status=302, headers={"Location": location})

    async def whoami(self, request: web.Request) -> web.Response:
        return web.Response(text=request.headers.get("Authorization", "nobody"))

    async def digest(self, request: web.Request) -> web.Response:
        """Ask for digest authentication; whoever tries is let in."""
        if request.headers.get("Authorization", "").startswith("Digest "):
            return web.Response(text="let in")
        challenge = 'Digest realm="tests", nonce="0123456789", qop="auth", algorithm=MD5'
        return web.Response(status=401, text="who?", headers={"WWW-Authenticate": challenge})

    # Requests with conditions

    async def conditional(self, request: web.Request) -> web.Response:
        """Answer 304 to whoever knows the ETag."""
        if request.headers.get("If-None-Match") == ETAG:
            return web.Response(status=304, headers={"ETag": ETAG})
        return web.Response(text="validated", headers={"ETag": ETAG, "Last-Modified": MODIFIED})

    async def ranges(self, request: web.Request) -> web.Response:
        if request.headers.get("Range") == "bytes=0-4":
            return web.Response(
                status=206,
                body=LINES[:5],
                headers={"Content-Range": f"bytes 0-4/{len(LINES)}"},
            )
        return web.Response(body=LINES)

    async def no_store(self, request: web.Request) -> web.Response:
        return web.Response(text="no-store", headers={"Cache-Control": "no-store"})

    # At the gate

    async def gated(self, request: web.Request) -> web.Response:
        """Wait for a permit; its outcome is a status, ``ok`` or ``broken``."""
        outcome = await self.origin.permit()
        if outcome == "broken":
            assert request.transport is not None
            request.transport.write(RAW["garbage"])
            request.transport.close()
            return web.Response()
        status = 200 if outcome == "ok" else int(outcome)
        return web.Response(status=status, text=f"answer {self.origin.serial('/gated')}")

    async def trickle(self, request: web.Request) -> web.StreamResponse:
        """Send a piece of the body for each permit, until one says ``end``."""
        response = web.StreamResponse(headers={"Content-Type": request.query.get("type", "a/b")})
        await response.prepare(request)
        await response.write(b"piece 0\n")
        number = 0
        while await self.origin.permit() != "end":
            number += 1
            await response.write(b"piece %d\n" % number)
        return response


def add_routes(app: web.Application, origin: Origin) -> None:
    at = Endpoints(origin)
    for path, handler in {
        "/get": at.get,
        "/delay/{seconds}": at.delay,
        "/headers": at.headers,
        "/post": at.post,
        "/teapot": at.teapot,
        "/stream/{lines}": at.stream,
        "/status/{code}": at.status,
        "/cache": at.cache,
        "/cache/{seconds}": at.cache_for,
        "/etag/{etag}": at.etag,
        "/range/{size}": at.range,
        "/response-headers": at.response_headers,
        "/cookies/set": at.set_cookies,
        "/cookies/duplicate": at.duplicate_cookies,
        "/cookies": at.cookies,
        "/serial": at.serial,
        "/serial/{tail:.*}": at.serial,
        "/json": at.json,
        "/lines": at.lines,
        "/latin": at.latin,
        "/no-charset": at.no_charset,
        "/binary": at.binary,
        "/empty": at.empty,
        "/no-content": at.no_content,
        "/large": at.large,
        "/chunked": at.chunked,
        "/compressed/{coding}": at.compressed,
        "/raw/{name}": at.raw,
        "/unreliable": at.unreliable,
        "/hang-up": at.hang_up,
        "/redirect-to": at.redirect_to,
        "/redirect/{hops}": at.redirect,
        "/now-and-then": at.now_and_then,
        "/loop": at.loop,
        "/echo": at.echo,
        "/echo-query": at.echo_query,
        "/echo-query/via": at.echo_query_via,
        "/whoami": at.whoami,
        "/digest": at.digest,
        "/conditional": at.conditional,
        "/ranges": at.ranges,
        "/no-store": at.no_store,
        "/gated": at.gated,
        "/trickle": at.trickle,
        "/web-socket": at.web_socket,
    }.items():
        app.router.add_route("*", path, handler)
    # A name that a sample made up is a page of its own.
    app.router.add_route("*", "/{tail:.*}", at.serial)
