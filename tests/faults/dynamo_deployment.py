"""DynamoDB, and what answers in its place."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, ClassVar

from aiohttp_client_cache import DynamoDBBackend
from http_client_cache.backends.remote import Remote
from tests.faults.deployments import Deployment
from tests.faults.faults import (
    CREDENTIALS,
    FULL,
    GATEWAY,
    INTERNAL,
    KILLED,
    MEMORY,
    ON_THE_WAY,
    READ_ONLY,
    SUSPENDED,
    THROTTLED,
    Fault,
)
from tests.support.servers import DynamoServer, Proxy
from tests.support.servers.dynamo_stub import Answer, error, stub_before

WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


class DynamoDB(Deployment):
    name = "dynamodb"
    title = "DynamoDB"
    weight = 4
    faults: ClassVar[tuple[Fault, ...]] = (
        *(*ON_THE_WAY, SUSPENDED, KILLED, CREDENTIALS, READ_ONLY),
        *(THROTTLED, INTERNAL, GATEWAY),
    )
    without: ClassVar[dict[str, str]] = {
        MEMORY.name: "it has no end; who asks for too much is throttled",
        FULL.name: "it has no end; who asks for too much is throttled",
    }
    # DynamoDB Local needs a tenth of a second for what takes Amazon's some milliseconds.
    budget = 0.5

    def start(self, stack: ExitStack) -> None:
        self.server = stack.enter_context(DynamoServer())
        self.stub = stack.enter_context(stub_before(self.server.url))
        self.proxies = [stack.enter_context(Proxy(self.server.address))]

    def servers(self) -> list[Any]:
        return [self.server]

    def backend(self, *, cache_name: str, **options: Any) -> Remote:
        return DynamoDBBackend(
            cache_name,
            # What looks through a cache looks through its table.
            table=cache_name,
            endpoint_url=self.proxies[0].through(self.server.url),
            region_name="eu-west-1",
            aws_access_key_id="somebody",
            aws_secret_access_key="open-sesame",
            **options,
        )

    @contextlib.contextmanager
    def _answering(self, answer: Callable[[str], Answer | None]) -> Iterator[None]:
        (proxy,) = self.proxies
        self.stub.instead = lambda operation, _, __: answer(operation)
        try:
            proxy.target = "127.0.0.1", int(self.stub.url.rpartition(":")[2])
            proxy.reset_connections()
            yield
        finally:
            proxy.target = self.server.address
            proxy.reset_connections()

    def _always(self, answer: Answer) -> Any:
        return self._answering(lambda _: answer)

    def _throttled(self) -> Any:
        return self._always(error("ProvisionedThroughputExceededException"))

    def _internal(self) -> Any:
        return self._always((500, error("InternalServerError")[1]))

    def _gateway(self) -> Any:
        return self._always((503, {}))

    def _credentials(self) -> Any:
        return self._always(error("UnrecognizedClientException"))

    def _read_only(self) -> Any:
        refused = error("AccessDeniedException")
        return self._answering(lambda name: refused if name in WRITES else None)
