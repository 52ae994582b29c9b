"""The servers that tests start: they come up, they can be hurt, and nothing of them stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from pymongo import MongoClient
from redis import Redis

from tests.support.servers import (
    MongoServer,
    RedisServer,
    Server,
    ValkeyServer,
    mongodb_url,
    redis_tls,
    redis_url,
    valkey_url,
)

DEDICATED: dict[str, Callable[[], Server]] = {
    "redis": RedisServer,
    "valkey": ValkeyServer,
    "mongodb": MongoServer,
}


@pytest.fixture(params=DEDICATED)
def server(request: pytest.FixtureRequest) -> Server:
    return DEDICATED[request.param]()


def info_of(url: str, **options: Any) -> dict[str, Any]:
    with Redis.from_url(url, **options) as client:
        return dict(client.info("server"))


def test_redis_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert info_of(redis_url())["redis_version"].startswith("7.")
    assert redis_url() == redis_url()


def test_valkey_answers() -> None:
    assert info_of(valkey_url())["valkey_version"].startswith("9.")


def test_redis_answers_over_tls_to_who_trusts_its_authority() -> None:
    url, ca = redis_tls()
    assert url.startswith("rediss://")
    assert info_of(url, ssl_ca_certs=ca)["redis_version"].startswith("7.")


def test_mongodb_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONGODB_URL", raising=False)
    with MongoClient[dict[str, Any]](mongodb_url()) as client:
        assert client.server_info()["version"].startswith("6.")


def test_a_variable_points_to_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    monkeypatch.setenv("MONGODB_URL", "mongodb://elsewhere")
    assert redis_url() == "redis://elsewhere"
    assert mongodb_url() == "mongodb://elsewhere"


def test_leaving_stops_it_and_removes_its_folder(server: Server) -> None:
    with server:
        pid, folder, port = server.pid, server.folder, server.port
        assert folder.exists()
        assert 1024 < port < 32768
        assert server.is_running
    assert not folder.exists()
    assert not server.is_running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
