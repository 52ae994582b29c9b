"""Changes what lies in a server, one thing at a time, as somebody might who can write there."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

from pymongo.errors import PyMongoError

from tests.faces.aiohttp.servers.places import Place

Change = tuple[str, Callable[[], Any]]
"""What it is called, and what does it."""


class Bomb:
    """Whoever unpickles this leaves a trace."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.putenv, ("HTTP_CACHE_BOMB", "exploded"), {"exploded": True}


BOMB = pickle.dumps(Bomb())


def others(value: bytes) -> Iterator[bytes]:
    """What somebody might put in the place of bytes."""
    for place in sorted({0, len(value) // 2, len(value) - 1} if value else ()):
        yield value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
    yield from (value[: len(value) // 2], value + b"x", b"", BOMB)


def tamper(place: Place, server: Any, random: Random) -> str:
    """Change one thing; answers what."""
    if place.kind == "dynamodb":
        changes = list(_in_dynamodb(place, server))
    elif place.kind in ("mongodb", "gridfs"):
        changes = list(_in_mongodb(place, server))
    else:
        changes = list(_in_redis(place, server))
    what, change = random.choice(changes)
    # A database may refuse it.
    with suppress(PyMongoError):
        change()
    return what


def change_a_block(place: Place, server: Any) -> None:
    """Change a bit of the third block of the only large body."""
    if place.kind == "dynamodb":
        blocks = [item for item in place.items(server) if "block" in item]
        [third] = [item for item in blocks if item["pk"]["S"].endswith("#2")]
        third["block"]["B"] = other_bit(third["block"]["B"])
        server.put_item(TableName=place.table, Item=third)
    elif place.kind in ("mongodb", "gridfs"):
        [blocks] = [
            each for each in place.collections(server) if each.name.endswith(("blocks", "chunks"))
        ]
        third = blocks.find_one({"_id.n" if place.kind == "mongodb" else "n": 2})
        change = {"$set": {"data": other_bit(third["data"])}}
        blocks.update_one({"_id": third["_id"]}, change)
    else:
        [key] = [key for key in place.keys(server) if b":c:" in key]
        server.hset(key, "2", other_bit(server.hget(key, "2")))


def other_bit(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


def _in_redis(place: Place, server: Any) -> Iterator[Change]:
    for key in place.keys(server):
        label = key.decode().rpartition("}:")[2][:12]
        if server.type(key) == b"hash":
            for field, value in server.hgetall(key).items():
                for number, other in enumerate(others(value)):
                    name = f"{label}.{field.decode()} {number}"
                    yield name, partial(server.hset, key, field, other)
                yield f"{label}.{field.decode()} gone", partial(server.hdel, key, field)
        yield f"{label} gone", partial(server.delete, key)


def _in_mongodb(place: Place, server: Any) -> Iterator[Change]:
    for collection in place.collections(server):
        label = collection.name.rpartition(".")[2]
        for document in collection.find():
            this = {"_id": document["_id"]}
            for name, value in document.items():
                if name == "_id":
                    continue
                instead: list[Any] = [None, {"$gt": ""}, ["x"], 7, "x", "", True, -1.5]
                if isinstance(value, bytes):
                    instead += others(value)
                for other in instead:
                    change = partial(collection.update_one, this, {"$set": {name: other}})
                    yield f"{label}.{name} = {other!r:.30}", change
                change = partial(collection.update_one, this, {"$unset": {name: ""}})
                yield f"{label}.{name} gone", change
            yield f"{label} empty", partial(collection.replace_one, this, {})
            yield f"{label} gone", partial(collection.delete_one, this)


def _in_dynamodb(place: Place, server: Any) -> Iterator[Change]:
    put = partial(server.put_item, TableName=place.table)
    for item in place.items(server):
        label = item["sk"]["S"][-12:]
        this = {"pk": item["pk"], "sk": item["sk"]}
        for name, value in item.items():
            if name in this:
                continue
            instead: list[Any] = [{"NULL": True}, {"S": "x"}, {"N": "-1.5"}, {"L": []}, {"B": b"x"}]
            if "B" in value:
                # The server refuses what is too large for it.
                instead += [{"B": other} for other in others(value["B"]) if len(other) < 390_000]
            for other in instead:
                yield f"{label}.{name} = {other!r:.30}", partial(put, Item={**item, name: other})
            rest = {kept: one for kept, one in item.items() if kept != name}
            yield f"{label}.{name} gone", partial(put, Item=rest)
        yield f"{label} empty", partial(put, Item=this)
        yield f"{label} gone", partial(server.delete_item, TableName=place.table, Key=this)
