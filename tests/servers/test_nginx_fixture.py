from __future__ import annotations

from pathlib import Path

import aiohttp

from tests.servers.nginx import running_nginx


async def test_nginx_serves_validates_and_expires(tmp_path: Path) -> None:
    (tmp_path / "hour").mkdir()
    (tmp_path / "hour" / "a.txt").write_text("hello")
    with running_nginx(tmp_path) as url:
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{url}/hour/a.txt") as first:
                assert (first.status, await first.text()) == (200, "hello")
                assert first.headers["Cache-Control"] == "max-age=3600"
                assert first.headers["Content-Encoding"] == "gzip"
                etag = first.headers["ETag"]
            async with session.get(f"{url}/hour/a.txt", headers={"If-None-Match": etag}) as again:
                assert again.status == 304
            async with session.get(f"{url}/moved/hour/a.txt", allow_redirects=False) as moved:
                assert (moved.status, moved.headers["Location"]) == (301, f"{url}/hour/a.txt")
