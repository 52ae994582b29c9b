"""DynamoDBBackend, as its users see it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

import aiohttp_client_cache
from aiohttp_client_cache import (
    CachedSession,
    ConfigurationError,
    DynamoDBBackend,
    MissingDependency,
)
from http_client_cache.shell.dynamodb import account
from tests.support import servers
from tests.support.origin import Origin
from tests.support.servers.dynamo_stub import error, stub_before

ROOT = Path(__file__).parents[3]
KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "hush", "region_name": "eu-west-1"}


def where() -> dict[str, Any]:
    return {**KEYS, "endpoint_url": servers.dynamodb_url(), "store_timeout": 5.0}


@pytest.fixture
def table() -> Iterator[str]:
    name = f"test-{token_hex(12)}"
    yield name
    import boto3

    client: Any = boto3.client("dynamodb", **KEYS, endpoint_url=servers.dynamodb_url())
    with suppress(client.exceptions.ResourceNotFoundException):
        client.delete_table(TableName=name)
    client.close()


@pytest.fixture
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the environment nor a file nor the machine knows any credentials."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


async def fetch(backend: DynamoDBBackend, origin: Origin, *, times: int = 2) -> list[bool]:
    async with CachedSession(cache=backend) as session:
        found: list[bool] = []
        for _ in range(times):
            async with session.get(origin.url("/get")) as response:
                assert response.status == 200
                await response.read()
                found.append(response.from_cache)
        return found


async def test_it_keeps_responses(origin: Origin, table: str) -> None:
    backend = DynamoDBBackend("demo", 60, table=table, **where())
    assert await fetch(backend, origin) == [False, True]
    # Both colours see the same.
    assert list(backend.urls) == await backend.get_urls() == [origin.url("/get")]
    async with CachedSession(
        backend="dynamodb", cache_name="demo", table=table, **where()
    ) as session:
        async with session.get(origin.url("/get")) as response:
            assert response.from_cache
        await session.cache.clear()
        assert list(session.cache.urls) == []
    assert await fetch(DynamoDBBackend("other", table=table, **where()), origin) == [False, True]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"cache_name": ""}, "cache_name must be text"),
        ({"table": "a"}, "table must be 3 to 255"),
        ({"table": "a/b/c"}, "table must be 3 to 255"),
        ({"table": None}, "table must be 3 to 255"),
        ({"create_if_not_exists": "yes"}, "create_if_not_exists must be True or False"),
        ({"ttl": 60}, "ttl must be True or False"),
        ({"ttl_offset": "soon"}, "ttl_offset"),
        ({"endpoint_url": "localhost:8000"}, "endpoint_url must be an http"),
        ({"endpoint_url": "http://"}, "endpoint_url must be an http"),
        ({"endpoint_url": "http://host:port"}, "endpoint_url must be an http"),
        ({"endpoint_url": 8000}, "endpoint_url must be an http .* not int"),
        ({"endpoint_url": "http://user:hush@host"}, "must not hold a user"),
        ({"region_name": ""}, "region_name must be text"),
        ({"aws_secret_access_key": b"hush"}, "aws_secret_access_key must be text, not bytes"),
        ({"aws_access_key_id": "key"}, "both"),
        ({"connection": object()}, "connection must be a client, resource or session"),
        ({"connection": "http://host"}, "connection must be a client, resource or session"),
        ({"max_bytes": 5}, "max_bytes is not for DynamoDBBackend: limit it by expire_after"),
        ({"store_timeout": 0}, "store_timeout must be a number"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as raised:
        DynamoDBBackend(**arguments)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("name", ["key_attr_name", "val_attr_name", "context", "read_capacity"])
def test_what_it_does_not_know(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        DynamoDBBackend(**{name: "x"})


@pytest.mark.parametrize("missing", ["boto3", "aiobotocore"])
def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    known = account.find_spec
    monkeypatch.setattr(account, "find_spec", lambda name: None if name == missing else known(name))
    with pytest.raises(MissingDependency, match=rf"{missing}: pip install .*\[dynamodb\]"):
        DynamoDBBackend()


def test_nothing_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, aiohttp_client_cache as a; a.DynamoDBBackend('x', region_name='eu-west-1');"
        "print([m for m in ('boto3', 'botocore', 'aiobotocore') if m in sys.modules])"
    )
    assert program(code) == "[]"
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        aiohttp_client_cache.Nothing  # noqa: B018


class TestConnection:
    """What users bring with them."""

    @pytest.mark.parametrize("kind", ["client", "resource", "session"])
    async def test_of_boto3(self, origin: Origin, table: str, kind: str) -> None:
        import boto3

        place = {"endpoint_url": servers.dynamodb_url()}
        given: Any = boto3.Session(**KEYS)
        more = place if kind == "session" else {}
        if kind == "client":
            given = given.client("dynamodb", **place)
        elif kind == "resource":
            given = given.resource("dynamodb", **place)
        backend = DynamoDBBackend(table=table, connection=given, store_timeout=5.0, **more)
        assert await fetch(backend, origin) == [False, True]
        assert len(backend.urls) == 1
        await backend.close()
        # It is the user's own, and works.
        if kind == "client":
            assert given.describe_table(TableName=table)["Table"]
            given.close()
        elif kind == "resource":
            assert given.Table(table).item_count >= 0
            given.meta.client.close()

    @pytest.mark.parametrize("kind", ["client", "session"])
    async def test_of_aiobotocore(
        self, origin: Origin, table: str, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        from aiobotocore.session import get_session

        session = get_session()
        place = {"endpoint_url": servers.dynamodb_url()}
        if kind == "session":
            session.set_credentials("key", "hush")
            backend = DynamoDBBackend(
                table=table, connection=session, region_name="eu-west-1", store_timeout=5, **place
            )
            assert await fetch(backend, origin) == [False, True]
        else:
            async with session.create_client("dynamodb", **KEYS, **place) as client:
                backend = DynamoDBBackend(table=table, connection=client, store_timeout=5.0)
                assert await fetch(backend, origin) == [False, True]
                assert (await client.describe_table(TableName=table))["Table"]
                assert len(await backend.get_urls()) == 1
                await backend.close()
        assert list(backend.urls) == []
        assert "await the method instead" in caplog.text

    def test_nothing_else_is_given_with_it(self) -> None:
        import boto3

        client: Any = boto3.client("dynamodb", **KEYS)
        with pytest.raises(ConfigurationError, match="region_name is of no use with connection"):
            DynamoDBBackend(connection=client, region_name="eu-west-1")
        client.close()


class TestTrouble:
    """It is told in one line, without secrets, and the request goes on."""

    async def said(
        self, backend: DynamoDBBackend, origin: Origin, caplog: pytest.LogCaptureFixture
    ) -> str:
        begun = time.monotonic()
        assert await fetch(backend, origin, times=3) == [False] * 3
        assert time.monotonic() - begun < 3
        (line,) = [r.getMessage() for r in caplog.records if r.name == "http_client_cache"]
        assert "\n" not in line
        assert "hush" not in line
        return line

    async def test_wrong_credentials(
        self, origin: Origin, caplog: pytest.LogCaptureFixture
    ) -> None:
        wrong = error("UnrecognizedClientException", "The security token is invalid.\nhush hush")
        with stub_before(servers.dynamodb_url()) as stub:
            stub.instead = lambda *_: wrong
            backend = DynamoDBBackend(**{**where(), "endpoint_url": stub.url})
            line = await self.said(backend, origin, caplog)
        assert "UnrecognizedClientException: The security token is invalid." in line

    async def test_no_credentials(
        self, origin: Origin, caplog: pytest.LogCaptureFixture, no_account: None
    ) -> None:
        backend = DynamoDBBackend(
            region_name="eu-west-1", endpoint_url=servers.dynamodb_url(), store_timeout=5.0
        )
        assert "Unable to locate credentials" in await self.said(backend, origin, caplog)

    async def test_no_region(
        self, origin: Origin, caplog: pytest.LogCaptureFixture, no_account: None
    ) -> None:
        backend = DynamoDBBackend(
            aws_access_key_id="key", aws_secret_access_key="hush", store_timeout=5.0
        )
        assert "You must specify a region" in await self.said(backend, origin, caplog)

    async def test_no_such_profile(
        self, origin: Origin, caplog: pytest.LogCaptureFixture, no_account: None
    ) -> None:
        backend = DynamoDBBackend(profile_name="nobody", region_name="eu-west-1", store_timeout=5.0)
        assert "nobody" in await self.said(backend, origin, caplog)

    async def test_nobody_listens(self, origin: Origin, caplog: pytest.LogCaptureFixture) -> None:
        url = f"http://127.0.0.1:{servers.free_port()}"
        backend = DynamoDBBackend(**{**where(), "endpoint_url": url})
        assert "Could not connect" in await self.said(backend, origin, caplog)

    async def test_no_table(
        self, origin: Origin, caplog: pytest.LogCaptureFixture, table: str
    ) -> None:
        backend = DynamoDBBackend(table=table, create_if_not_exists=False, **where())
        assert f"there is no table '{table}'" in await self.said(backend, origin, caplog)


def test_two_loops_one_after_the_other(table: str) -> None:
    backend = DynamoDBBackend("demo", table=table, autoclose=False, **where())
    found = [asyncio.run(backend.contains("a.1")) for _ in range(3)]
    assert found == [False] * 3
    assert backend.engine.failures.count == 0
    asyncio.run(backend.close())


PRELUDE = """
import asyncio, os, sys
from aiohttp_client_cache import DynamoDBBackend
backend = DynamoDBBackend(
    "demo", table=sys.argv[1], endpoint_url=sys.argv[2], region_name="eu-west-1",
    aws_access_key_id="key", aws_secret_access_key="hush", store_timeout=10.0, autoclose=False)
async def look():
    return await backend.contains("a.1")
"""


def program(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("print(asyncio.run(look()))", "False"),
        ("print(asyncio.run(look()), len(backend.urls), asyncio.run(look()))", "False 0 False"),
        (
            "loop = asyncio.new_event_loop(); print(loop.run_until_complete(look())); loop.close()",
            "False",
        ),
        ("print(len(backend.urls)); sys.stdout.flush(); os._exit(0)", "0"),
    ],
)
def test_programs_that_end_without_closing(table: str, code: str, told: str) -> None:
    code = f"import logging; logging.getLogger('asyncio').setLevel('ERROR'){PRELUDE}{code}"
    assert program(code, table, servers.dynamodb_url()) == told


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_fork_makes_connections_of_its_own(table: str) -> None:
    code = f"""{PRELUDE}
import logging, warnings
logging.getLogger('asyncio').setLevel('ERROR')
warnings.filterwarnings("ignore", category=DeprecationWarning)
print(len(backend.urls), asyncio.run(look()), flush=True)
child = os.fork()
print(len(backend.urls), asyncio.run(look()), flush=True)
if child:
    os.waitpid(child, 0)
    print(len(backend.urls), asyncio.run(look()), flush=True)
"""
    assert program(code, table, servers.dynamodb_url()) == "\n".join(["0 False"] * 4)
