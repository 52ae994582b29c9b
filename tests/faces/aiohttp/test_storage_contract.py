"""The contract of storages, run on those that are here."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from aiohttp_client_cache import BaseCache
from aiohttp_client_cache.backends.base import DictCache
from aiohttp_client_cache.testing import StorageContract

EXAMPLE = Path(__file__).parents[3] / "examples" / "custom_storage.py"


class TestDictCache(StorageContract):
    @pytest.fixture
    def storage(self) -> BaseCache:
        return DictCache()


class AsBytes(DictCache):
    """Items as they are for a storage that keeps nothing but bytes."""

    async def read(self, key: str) -> object:
        return self.deserialize(self.items.get(key))

    async def write(self, key: str, item: object) -> None:
        self.items[key] = self.serialize(item)

    async def values(self) -> object:
        for key in list(self.items):
            yield await self.read(key)


class TestBytes(StorageContract):
    @pytest.fixture
    def storage(self) -> BaseCache:
        return AsBytes()


class TestExample(StorageContract):
    # They are names of files there.
    any_key = False

    @pytest.fixture
    def storage(self, tmp_path: Path) -> BaseCache:
        return runpy.run_path(str(EXAMPLE))["FolderStorage"](tmp_path / "responses")
