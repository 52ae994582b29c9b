"""What backends take, under the names that users of requests know, and how one is chosen."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from http_client_cache.backends.options import CONSTRUCTION_NAMES, SETTING_NAMES
from http_client_cache.expiry import AT_ONCE
from requests_cache import (
    DEFAULT_IGNORED_PARAMS,
    DO_NOT_CACHE,
    BaseCache,
    CachedSession,
    ConfigurationError,
    FileCache,
    GridFSCache,
    MongoCache,
    RedisCache,
    SQLiteCache,
)
from requests_cache.backends import choose, init_backend
from requests_cache.backends.folders import user_cache_dir
from requests_cache.backends.options import MONGODB as OF_MONGODB
from requests_cache.policy.spellings import SPELLINGS
from tests.support.origin import Origin

# Choosing

KINDS: list[tuple[Any, type[BaseCache]]] = [
    ("memory", BaseCache),
    (None, SQLiteCache),
    ("sqlite", SQLiteCache),
    (SQLiteCache, SQLiteCache),
    ("filesystem", FileCache),
    (FileCache, FileCache),
    (BaseCache, BaseCache),
]


@pytest.mark.parametrize(("backend", "kind"), KINDS)
def test_a_backend_is_made(
    backend: Any, kind: type[BaseCache], origin: Origin, in_tmp_path: Path
) -> None:
    for round_ in range(2):
        with CachedSession("demo", backend, expire_after=60, serializer="json") as session:
            assert type(session.cache) is kind
            assert session.cache.cache_name == "demo"
            assert session.expire_after == 60
            response = session.get(origin.url("/get"))
            assert response.from_cache == (round_ == 1 and kind is not BaseCache)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://127.0.0.1:1/2", RedisCache),
        ("valkeys://127.0.0.1:1", RedisCache),
        ("mongodb://127.0.0.1:1/pages", MongoCache),
    ],
)
def test_a_url_will_do(url: str, kind: type[BaseCache]) -> None:
    with CachedSession("demo", url) as session:
        assert type(session.cache) is kind
        assert session.cache.cache_name == "demo"


def test_its_name_is_http_cache_by_default(in_tmp_path: Path) -> None:
    for kind in (BaseCache, SQLiteCache, FileCache, RedisCache, MongoCache, GridFSCache):
        with kind() as cache:
            assert cache.cache_name == "http_cache"
    with CachedSession() as session:
        assert session.cache.cache_name == "http_cache"


@pytest.mark.parametrize("backend", ["nothing", "", "ftp://user:secret@host", "SQLite"])
def test_what_is_no_backend(backend: str) -> None:
    with pytest.raises(ConfigurationError, match=r"memory, sqlite, .*redis") as told:
        CachedSession(backend=backend)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("backend", [dict, 5, object()])
def test_what_is_nothing_of_the_kind(backend: Any) -> None:
    with pytest.raises(ConfigurationError, match="backend must be a backend"):
        CachedSession(backend=backend)


def test_a_backend_that_was_made_before_takes_settings() -> None:
    cache = BaseCache("mine", expire_after=5, allowable_codes=[200, 404])
    with CachedSession("other", backend=cache, expire_after=60, match_headers=True) as session:
        assert session.cache is cache
        assert cache.cache_name == "mine"
        assert cache.expire_after == 60
        assert cache.match_headers is True
        assert cache.allowable_codes == {200, 404}


@pytest.mark.parametrize("option", [{"use_temp": True}, {"serializer": "json"}, {"max_bytes": 1}])
def test_what_belongs_to_the_backend_is_given_to_it(option: dict[str, Any]) -> None:
    with pytest.raises((ConfigurationError, TypeError), match=next(iter(option))):
        CachedSession(backend=BaseCache(), **option)


def test_nothing_changes_where_a_setting_is_wrong() -> None:
    cache = BaseCache(expire_after=5)
    with pytest.raises(ConfigurationError, match="allowed_codes"):
        CachedSession(backend=cache, expire_after=60, allowable_codes=[1])
    assert cache.expire_after == 5


def test_init_backend(tmp_path: Path) -> None:
    with init_backend(str(tmp_path / "demo"), "sqlite", fast_save=True) as cache:
        assert isinstance(cache, SQLiteCache)
        assert cache.db_path == tmp_path / "demo.sqlite"
        assert init_backend("other", cache) is cache


@pytest.mark.parametrize("option", ["wal", "namespace", "fast_save", "no_such_option"])
def test_what_it_does_not_know(option: str) -> None:
    with pytest.raises(TypeError, match=option):
        CachedSession(backend="memory", **{option: True})


@pytest.mark.parametrize("name", choose.BACKENDS)
def test_the_table_names_what_the_class_takes(name: str) -> None:
    """So that whoever adds an argument to a backend adds it to the session, too."""
    module, kind, own = choose.BACKENDS[name]
    backend = getattr(__import__(f"requests_cache.backends.{module}", fromlist=[kind]), kind)
    takes = {
        parameter
        for base in backend.__mro__
        if "__init__" in vars(base)
        for parameter in inspect.signature(base.__init__).parameters
    }
    if module in {"mongodb", "gridfs"}:
        takes |= OF_MONGODB
    common = {*SETTING_NAMES, *CONSTRUCTION_NAMES, "self", "options", "args", "kwargs"}
    assert set(own) == takes - common


# Names of caches


@pytest.mark.parametrize(
    ("kind", "argument"),
    [(SQLiteCache, "db_path"), (RedisCache, "namespace")],
)
def test_a_name_has_two_spellings(kind: Any, argument: str, in_tmp_path: Path) -> None:
    for given in (argument, "cache_name"):
        with kind(**{given: "demo"}) as cache:
            assert cache.cache_name == "demo"
    with pytest.raises(ConfigurationError, match=f"{argument} is another spelling of cache_name"):
        kind(**{argument: "demo", "cache_name": "demo"})


@pytest.mark.parametrize("kind", [MongoCache, GridFSCache])
def test_names_in_mongodb(kind: Any) -> None:
    def place(**arguments: Any) -> tuple[str, str]:
        cache = kind(**arguments)
        return cache.cache_name, cache._parts[2].target.database

    assert place() == ("http_cache", "http_cache")
    assert place(db_name="demo") == ("demo", "demo")
    assert place(cache_name="demo") == ("demo", "demo")
    assert place(db_name="demo", cache_name="pages") == ("pages", "demo")
    assert place(db_name="pages", host="mongodb://127.0.0.1:1/demo") == ("pages", "demo")
    assert place(db_name="pages", database="demo") == ("pages", "demo")


def test_names_in_dynamodb(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("boto3")
    from requests_cache import DynamoDbCache

    def place(**arguments: Any) -> tuple[str, str]:
        cache = DynamoDbCache(region_name="us-east-1", **arguments)
        return cache.cache_name, cache._table

    assert place() == ("http_cache", "http-client-cache")
    assert place(cache_name="demo") == ("demo", "http-client-cache")
    assert place(table_name="demo") == ("demo", "demo")
    assert place(table_name="demo", cache_name="pages") == ("pages", "demo")
    assert place(table="demo") == ("http_cache", "demo")
    with pytest.raises(ConfigurationError, match="table is another spelling"):
        place(table="demo", table_name="demo")
    assert not caplog.records
    place(read_capacity_units=1, write_capacity_units=1)
    assert "paid per request" in caplog.text


# Places of files


def test_the_folder_for_caches(
    tmp_path: Path, in_tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("requests_cache.backends.folders.user_cache_dir", lambda: tmp_path / "mine")
    with SQLiteCache("demo", use_cache_dir=True) as cache:
        assert cache.db_path == tmp_path / "mine" / "demo.sqlite"
        assert cache.cache_name == "demo"
    with FileCache("demo", use_cache_dir=True) as files:
        assert files.cache_dir == tmp_path / "mine" / "demo"
    with SQLiteCache(tmp_path / "there", use_cache_dir=True) as cache:
        assert cache.db_path == tmp_path / "there.sqlite"
    with SQLiteCache(":memory:", use_cache_dir=True) as cache:
        assert cache.db_path == ":memory:"
    for kind in (SQLiteCache, FileCache):
        with pytest.raises(ConfigurationError, match="two places"):
            kind("demo", use_cache_dir=True, use_temp=True)  # type: ignore[operator]
        with pytest.raises(ConfigurationError, match="use_cache_dir"):
            kind("demo", use_cache_dir="yes")  # type: ignore[operator]


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="they have other conventions")
def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert user_cache_dir() == tmp_path / ".cache"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert user_cache_dir() == tmp_path / ".cache"
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path / "xdg"))
    assert user_cache_dir() == tmp_path / "xdg"


def test_where_it_is_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert user_cache_dir() == tmp_path / "Library" / "Caches"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert user_cache_dir() == tmp_path / "local"


def test_the_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with SQLiteCache("demo", use_temp=True) as cache:
        assert cache.db_path == tmp_path / "demo.sqlite"
    with FileCache("demo", use_temp=True) as files:
        assert files.cache_dir == tmp_path / "demo"


def test_a_database_without_a_file(origin: Origin, in_tmp_path: Path) -> None:
    with CachedSession(use_memory=True) as session:
        assert isinstance(session.cache, SQLiteCache)
        assert session.cache.db_path == ":memory:"
        assert [session.get(origin.url("/get")).from_cache for _ in range(2)] == [False, True]
    assert not list(in_tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "seconds"), [({}, 5.0), ({"timeout": 2}, 2), ({"busy_timeout": 1500}, 1.5)]
)
def test_how_long_a_write_waits(given: Any, seconds: float, tmp_path: Path) -> None:
    with CachedSession(tmp_path / "demo", **given) as session:
        cache = session.cache
        assert isinstance(cache, SQLiteCache)
        assert cache._connecting["timeout"] == seconds


def test_it_is_said_once_how_long(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="in milliseconds"):
        SQLiteCache(tmp_path / "demo", timeout=1, busy_timeout=1000)
    for wrong in (-1, "1", 0.5):
        with pytest.raises(ConfigurationError, match="busy_timeout"):
            SQLiteCache(tmp_path / "demo", busy_timeout=wrong)  # type: ignore[arg-type]


# Settings


VALUES: dict[str, Any] = {
    "allowable_codes": [200, 404],
    "allowable_methods": ["GET", "POST"],
    "match_headers": ["Accept"],
    "include_get_headers": True,
    "old_data_on_error": True,
}


@pytest.mark.parametrize(("name", "plain"), SPELLINGS.items())
def test_a_setting_has_two_spellings(name: str, plain: str) -> None:
    value = VALUES[name]
    for given in (name, plain):
        with CachedSession(backend="memory", **{given: value}) as session:
            assert getattr(session.settings, plain) == getattr(BaseCache(**{plain: value}), plain)
            if hasattr(BaseCache, name):
                for holder in (session, session.cache, session.settings):
                    assert getattr(holder, name) == getattr(holder, plain)
    with pytest.raises(ConfigurationError, match=f"({name}|{plain}) is another spelling of"):
        BaseCache(**{name: value, plain: value})


@pytest.mark.parametrize("name", ["allowable_codes", "allowable_methods", "match_headers"])
def test_it_can_be_set_later_under_either(name: str) -> None:
    with CachedSession(backend="memory") as session:
        for holder in (session, session.cache, session.settings):
            setattr(holder, name, VALUES[name])
            assert getattr(session.settings, SPELLINGS[name]) == getattr(holder, name)
            setattr(holder, name, [])


def test_other_settings() -> None:
    with CachedSession(
        backend="memory",
        always_revalidate=True,
        read_only=True,
        stale_if_error=60,
        stale_while_revalidate=True,
        autoclose=False,
        ignored_parameters=["a"],
        urls_expire_after={"*.example": 0},
    ) as session:
        assert session.always_revalidate is session.read_only is True
        assert session.stale_if_error == 60
        assert session.cache.autoclose is False
        assert session.ignored_parameters == {"a"}
        assert session.redacted_parameters == set(DEFAULT_IGNORED_PARAMS)


@pytest.mark.parametrize("name", ["pickle", "yaml", "bson", "safe_pickle", "cattrs"])
@pytest.mark.parametrize("backend", ["memory", "sqlite", "filesystem"])
def test_no_serializer_runs_code(name: str, backend: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"msgpack.*json.*no code is run"):
        CachedSession(tmp_path / "demo", backend, serializer=name)


@pytest.mark.parametrize("backend", [SQLiteCache, FileCache])
def test_a_serializer_by_position(backend: Any, tmp_path: Path) -> None:
    by_position = (False, "json") if backend is FileCache else ("json",)
    assert backend(tmp_path / "demo", *by_position)._serializer == "json"


def test_zero_is_not_to_bypass() -> None:
    cache = BaseCache(expire_after=0, urls_expire_after={"*": DO_NOT_CACHE})
    assert cache.expire_after == 0
    assert cache.settings.expiry is AT_ONCE
    assert cache.settings.expiry_for("http://a/", DO_NOT_CACHE) is DO_NOT_CACHE
    cache.expire_after = DO_NOT_CACHE
    assert cache.settings.expiry is DO_NOT_CACHE
