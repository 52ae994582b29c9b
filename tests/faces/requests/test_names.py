"""The names that people import, from where they import them."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import requests_cache
from requests_cache import serializers

NAMES = {
    "requests_cache": [
        *("CachedSession", "CacheMixin", "CachedResponse", "AnyResponse", "OriginalResponse"),
        *("install_cache", "uninstall_cache", "disabled", "enabled", "is_installed", "get_cache"),
        *("clear", "delete", "remove_expired_responses", "init_backend", "create_key"),
        *("BaseCache", "SQLiteCache", "RedisCache", "MongoCache", "GridFSCache", "FileCache"),
        *("DynamoDbCache", "NEVER_EXPIRE", "EXPIRE_IMMEDIATELY", "DO_NOT_CACHE", "CacheSettings"),
        *("ExpirationTime", "CachedRequest", "AnyRequest", "json_serializer"),
    ],
    "requests_cache.core": [
        *("CachedSession", "CacheMixin", "install_cache", "uninstall_cache", "disabled"),
        *("enabled", "is_installed", "get_cache", "clear", "delete", "remove_expired_responses"),
    ],
    "requests_cache.session": ["CachedSession", "CacheMixin"],
    "requests_cache.patcher": ["install_cache", "uninstall_cache", "disabled", "enabled"],
    "requests_cache.backends": [
        *("BaseCache", "SQLiteCache", "RedisCache", "MongoCache", "GridFSCache", "FileCache"),
        *("DynamoDbCache", "init_backend", "BackendSpecifier"),
    ],
    "requests_cache.backends.base": ["BaseCache"],
    "requests_cache.backends.sqlite": ["SQLiteCache"],
    "requests_cache.backends.filesystem": ["FileCache"],
    "requests_cache.backends.redis": ["RedisCache"],
    "requests_cache.backends.mongodb": ["MongoCache"],
    "requests_cache.backends.gridfs": ["GridFSCache"],
    "requests_cache.backends.dynamodb": ["DynamoDbCache"],
    "requests_cache.cache_keys": ["create_key"],
    "requests_cache.models": [
        *("CachedResponse", "CachedRequest", "AnyResponse", "AnyRequest", "AnyPreparedRequest"),
        *("OriginalResponse", "CachedHTTPResponse", "CacheSettings"),
    ],
    "requests_cache.policy": [
        *("NEVER_EXPIRE", "EXPIRE_IMMEDIATELY", "DO_NOT_CACHE", "ExpirationTime", "CacheSettings"),
        *("DEFAULT_CACHE_NAME", "DEFAULT_IGNORED_PARAMS", "DEFAULT_METHODS", "ALL_METHODS"),
        "DEFAULT_STATUS_CODES",
    ],
    "requests_cache.policy.expiration": ["NEVER_EXPIRE", "EXPIRE_IMMEDIATELY", "DO_NOT_CACHE"],
    "requests_cache.policy.settings": ["CacheSettings", "DEFAULT_CACHE_NAME"],
    "requests_cache.serializers": [
        *("SERIALIZERS", "init_serializer", "json_serializer", "pickle_serializer"),
        *("safe_pickle_serializer", "yaml_serializer", "bson_serializer"),
    ],
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in NAMES.items() for name in names]
)
def test_it_is_there(module: str, name: str) -> None:
    found = getattr(import_module(module), name)
    known = getattr(requests_cache, name, found)
    assert found is known or module == "requests_cache"


@pytest.mark.parametrize("module", [module for module in NAMES if module.count(".") <= 1])
def test_what_is_public_is_there(module: str) -> None:
    found = import_module(module)
    assert all(hasattr(found, name) for name in getattr(found, "__all__", ()))


@pytest.mark.parametrize("module", ["requests_cache", "requests_cache.backends"])
def test_what_is_not_there(module: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'Nothing'"):
        import_module(module).Nothing  # noqa: B018


def test_each_refused_serializer_says_why() -> None:
    for name in ("pickle", "safe_pickle", "yaml", "bson"):
        with pytest.raises(requests_cache.ConfigurationError, match=f"not '{name}'.*no code"):
            requests_cache.BaseCache(serializer=getattr(serializers, f"{name}_serializer"))
    assert serializers.init_serializer() is None
    assert serializers.init_serializer("json") == "json"


def test_a_missing_driver_is_told(tmp_path: object) -> None:
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "import requests_cache\n"
        "try: requests_cache.RedisCache()\n"
        "except requests_cache.MissingDependency as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "[redis]" in told.stdout


@pytest.mark.parametrize("argument", ["ignored_parameters", "match_headers"])
def test_a_key_without_a_backend(argument: str) -> None:
    import requests

    def request(value: str) -> requests.Request:
        return requests.Request("GET", f"http://a/?a={value}", headers={"a": value})

    def keys(**options: list[str]) -> set[str]:
        return {requests_cache.create_key(request(value), **options) for value in "12"}

    assert len(keys()) == 2
    assert len(keys(ignored_parameters=["a"])) == 1
    assert len(keys(**{argument: ["A"]})) == 2
    with requests_cache.CachedSession(backend="memory") as session:
        assert session.cache.create_key(request("1")) == requests_cache.create_key(request("1"))


def test_settings_that_there_are_not_are_told() -> None:
    with requests_cache.CachedSession(backend="memory") as session:
        for name in ("disabled", "only_if_cached", "content_root_key"):
            with pytest.raises(AttributeError, match=f"no setting '{name}'"):
                setattr(session.settings, name, True)
        session.settings.expire_after = 5
        session.settings.allowable_codes = (200, 404)
        assert (session.expire_after, 404 in session.allowed_codes) == (5, True)
