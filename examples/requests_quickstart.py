"""The same cache for requests, which blocks: a session, threads, a whole program."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import requests

import requests_cache
from requests_cache import CachedSession, SQLiteCache


def main() -> None:
    """Fetch some pages twice, and look into the cache."""
    backend = SQLiteCache("requests_example", use_temp=True, autoclose=False)
    backend.clear()

    with CachedSession(backend=backend, expire_after=timedelta(hours=1)) as session:
        for _ in range(2):
            response = session.get("http://httpbin.org/get", params={"page": 1})
            print(response.status_code, "from cache" if response.from_cache else "new")

        # Of many threads that want the same, one fetches it.
        with ThreadPoolExecutor(10) as pool:
            urls = ["http://httpbin.org/delay/1"] * 10
            answers = list(pool.map(session.get, urls))
        print("fetched", sum(not answer.from_cache for answer in answers), "of", len(answers))

        # A large body passes into the cache while it is read.
        for _ in range(2):
            with session.get("http://httpbin.org/large", stream=True) as streamed:
                size = sum(len(piece) for piece in streamed.iter_content(65536))
            print(f"{size:,} bytes", "from cache" if streamed.from_cache else "new")

        # A secret tells users apart, and is not stored.
        for user in ("alice", "bob"):
            known = session.get("http://httpbin.org/get", params={"api_key": user}).from_cache
            print(user, "from cache" if known else "new")

    # All of a program: `requests.get`, and the sessions that others make.
    with requests_cache.enabled(backend=backend):
        for get in (requests.get, requests.Session().get):
            plain = get("http://httpbin.org/get?page=1", timeout=10)
            print(
                "while installed:", "from cache" if getattr(plain, "from_cache", False) else "new"
            )

    for url in backend.urls:
        print("kept:", url)
    print("deleted:", backend.delete(urls=["http://httpbin.org/large"]))
    backend.close()


if __name__ == "__main__":
    main()
