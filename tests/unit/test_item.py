"""What a user's own storage is handed."""

from __future__ import annotations

import dataclasses
import pickle
import pickletools
from datetime import UTC, datetime
from typing import Any

import pytest

from http_client_cache.entry import Alias
from http_client_cache.item import StoredResponse
from tests.flow.scene import NOW, hop, stored

FOUND = stored(body=b"\x00body", lifetime=60, content_type="text/plain", set_cookie="a=1")
ITEM = StoredResponse(FOUND.entry, FOUND.body)
ALIAS = Alias("target", (hop("/a", "/b"),), NOW)


def test_what_it_tells() -> None:
    assert (ITEM.method, ITEM.url, ITEM.status) == ("GET", "http://origin.test/a", 200)
    assert (ITEM.reason, ITEM.headers.get("Content-Type")) == ("OK", "text/plain")
    assert ITEM.created_at == datetime.fromtimestamp(NOW, UTC)
    assert ITEM.expires == datetime.fromtimestamp(NOW + 60, UTC)
    assert ITEM.is_expired
    assert repr(ITEM) == "<StoredResponse GET http://origin.test/a [200]>"


def test_what_never_expires() -> None:
    found = stored()
    item = StoredResponse(found.entry, found.body)
    assert (item.expires, item.is_expired) == (None, False)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("item", [ITEM, ALIAS])
def test_pickled_and_back(item: Any, protocol: int) -> None:
    data = pickle.dumps(item, protocol)
    assert pickle.loads(data) == item


@pytest.mark.parametrize("item", [ITEM, ALIAS])
def test_no_code_lies_in_it(item: Any) -> None:
    """Names of our own classes and what Python needs to make them, and nothing else."""
    names = set()
    for opcode, argument, _ in pickletools.genops(pickle.dumps(item, 2)):
        if opcode.name == "GLOBAL":
            names.add(str(argument))
    assert {name.split()[0] for name in names} <= {
        "_codecs",
        "copy_reg",
        "http_client_cache.entry",
        "http_client_cache.item",
        "msgspec._core",
    }


def test_equal_and_immutable() -> None:
    same = StoredResponse(FOUND.entry, FOUND.body)
    assert same == ITEM
    assert hash(same) == hash(ITEM)
    assert StoredResponse(FOUND.entry, b"other") != ITEM
    with pytest.raises(dataclasses.FrozenInstanceError):
        same.body = b"changed"  # type: ignore[misc]
