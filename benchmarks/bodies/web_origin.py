"""As ``origin.py``, without paces and waits, but served by ``aiohttp.web``: what many servers are.

It sends about a third of what bare sockets do.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading

from aiohttp import web

PIECE = 64 * 1024

_NOISE = os.urandom(PIECE)


async def _answer(request: web.Request) -> web.StreamResponse:
    size = int(request.match_info["size"])
    response = web.StreamResponse(
        headers={"ETag": '"5ff000e0-400"', "Cache-Control": "max-age=3600"}
    )
    if request.match_info["framing"] == "length":
        response.content_length = size
    else:
        response.enable_chunked_encoding()
    await response.prepare(request)
    whole, rest = divmod(size, PIECE)
    for _ in range(whole):
        await response.write(_NOISE)
    await response.write(_NOISE[:rest])
    await response.write_eof()
    return response


async def _serve() -> None:
    application = web.Application()
    application.router.add_get("/{framing}/{size}/0/0", _answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(_serve())
