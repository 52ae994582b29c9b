"""The contract of mappings, run on those that are here."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from typing import Any

import pytest

from acachecontrol.testing import MappingContract
from tests.support.mappings import CustomCacheBackend


class TestOrderedDict(MappingContract):
    @pytest.fixture
    def mapping(self) -> Any:
        return OrderedDict()


class TestSampleOfTheDocument(MappingContract):
    @pytest.fixture
    def mapping(self) -> Any:
        return CustomCacheBackend()


class Pickled(OrderedDict):
    """As on a disk: what comes out is never the object that was put in."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, pickle.dumps(value))

    def __getitem__(self, key: str) -> Any:
        return pickle.loads(super().__getitem__(key))

    def pop(self, key: str) -> Any:
        value = self[key]
        del self[key]
        return value


class TestPickled(MappingContract):
    @pytest.fixture
    def mapping(self) -> Any:
        return Pickled()
