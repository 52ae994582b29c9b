"""Counting the commands that a server receives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from boto3 import client as aws
from pymongo import MongoClient, UpdateOne
from redis import Redis
from redis.cluster import ClusterNode, RedisCluster
from redis.sentinel import Sentinel

from tests.support.servers import (
    Proxy,
    counting,
    dynamodb_url,
    mongodb_url,
    redis_cluster_nodes,
    redis_sentinels,
    redis_url,
)
from tests.support.servers.commands import _Requests


@pytest.fixture
def name() -> str:
    return f"test-{uuid4().hex}"


def test_redis(name: str) -> None:
    url = redis_url()
    with Redis.from_url(url) as client:
        with counting(url) as trips:
            client.set(name, b"\xff 1", ex=60)
            client.get(name)
            with client.pipeline(transaction=False) as pipe:
                pipe.get(name).ttl(name).execute()
            client.eval("return redis.call('GET', KEYS[1])", 1, name)
        client.delete(name)
    assert trips.names == ["SET", "GET", "GET", "TTL", "EVAL"]
    assert trips.count == 5
    with counting(url) as trips:
        pass
    assert trips.count == 0
    assert str(trips) == "none"


def test_redis_with_new_connections(name: str) -> None:
    url = redis_url()
    with counting(url) as trips:
        for _ in range(2):
            with Redis.from_url(url, db=1, client_name="x") as client:
                client.get(name)
    assert str(trips) == "2 GET"


def test_a_cluster(name: str) -> None:
    nodes = redis_cluster_nodes()
    names = [f"{name}{n}" for n in range(10)]
    with (
        RedisCluster(startup_nodes=[ClusterNode(*node) for node in nodes]) as client,
        counting(*(f"redis://{host}:{port}" for host, port in nodes)) as trips,
    ):
        for one in names:
            client.get(one)
    assert str(trips) == "10 GET"


def test_what_sentinels_and_replicas_say_does_not_count(name: str) -> None:
    addresses, service = redis_sentinels()
    sentinels = Sentinel(addresses)
    host, port = sentinels.discover_master(service)
    with sentinels.master_for(service) as client, counting(f"redis://{host}:{port}") as trips:
        client.set(name, "x", ex=60)
        # Its acknowledgement is one of the things that must not count.
        client.wait(1, 5000)
    assert str(trips) == "1 SET, 1 WAIT"


def test_mongodb(name: str) -> None:
    url = mongodb_url()
    with MongoClient[dict[str, Any]](url) as client:
        things = client[name].things
        with counting(url) as trips:
            things.insert_many([{"_id": n} for n in range(250)])
            things.find_one({"_id": 1})
            things.bulk_write([UpdateOne({"_id": n}, {"$set": {"x": n}}) for n in range(3)])
            list(things.find(batch_size=100))
        assert sorted(trips.names) == ["find", "find", "getMore", "getMore", "insert", "update"]
        with counting(url) as trips, MongoClient[dict[str, Any]](url) as other:
            other[name].things.delete_one({"_id": 1})
        assert str(trips) == "1 delete"
        client.drop_database(name)


@pytest.fixture
def dynamodb_proxy() -> Iterator[Proxy]:
    host, port = dynamodb_url().removeprefix("http://").split(":")
    with Proxy((host, int(port))) as proxy:
        yield proxy


def test_dynamodb(dynamodb_proxy: Proxy, name: str) -> None:
    client = aws(
        "dynamodb",
        endpoint_url=dynamodb_proxy.through(dynamodb_url()),
        region_name="eu-west-1",
        aws_access_key_id="anything",
        aws_secret_access_key="anything",
    )
    with counting(dynamodb_proxy) as trips:
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        item = {"id": {"S": "1"}, "body": {"B": b"x" * 300_000}}
        client.put_item(TableName=name, Item=item)
        got = client.get_item(TableName=name, Key={"id": {"S": "1"}})
        assert got["Item"] == item
        client.delete_table(TableName=name)
    client.list_tables()
    client.close()
    assert trips.names == ["CreateTable", "PutItem", "GetItem", "DeleteTable"]
    assert trips.count == 4


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_requests_in_pieces_of_any_size(size: int) -> None:
    post = b"POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.%s\r\nContent-Length: 4\r\n\r\n"
    stream = (
        post % b"PutItem" + b"\r\n\r\n" + post % b"GetItem" + b"{  }" + b"GET /x HTTP/1.1\r\n\r\n"
    )
    requests = _Requests()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    names = [name for piece in pieces for name in requests.feed(piece)]
    assert names == ["PutItem", "GetItem", "GET /x"]


def test_several_at_once(name: str) -> None:
    with (
        Redis.from_url(redis_url()) as one,
        MongoClient[dict[str, Any]](mongodb_url()) as other,
        counting(redis_url(), mongodb_url()) as trips,
    ):
        one.get(name)
        other[name].things.find_one()
    assert sorted(trips.names) == ["GET", "find"]
