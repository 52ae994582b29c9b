"""The table: made where it is missing, and looked at where it is not."""

from __future__ import annotations

import logging
from typing import Any, Final, NamedTuple

from http_client_cache.errors import StoreError
from http_client_cache.shell.dynamodb.talk import BUSY, Call, Rest, Talk, code_of

logger = logging.getLogger("http_client_cache")

KEYS: Final = ("pk", "sk")
TTL: Final = "ttl"
PAUSES: Final = (0.05, 1.0)
"""Seconds between two looks at a table that is being made: at first, and at most."""

MISSING: Final = "ResourceNotFoundException"
"""What is said of a table that is not there."""

_FORBIDDEN: Final = frozenset({"AccessDeniedException", "UnknownOperationException"})


class Table(NamedTuple):
    """The table that a store uses.

    Attributes:
        name: of the table.
        create: whether it is made if it is missing.
        ttl: whether entries are to leave by themselves.
    """

    name: str
    create: bool = True
    ttl: bool = True


def ready(table: Table) -> Talk[None]:
    """Return when the table can be used.

    Raises:
        StoreError: it is missing, and is not to be made; or it has other keys.
        Exception: of the driver.
    """
    try:
        found = (yield Call("describe_table", {"TableName": table.name}, slow=True))["Table"]
    except Exception as error:
        code = code_of(error)
        if code in _FORBIDDEN:
            # Who may use a table need not be allowed to describe it.
            return
        if code != MISSING:
            raise
        if not table.create:
            raise StoreError(
                f"there is no table {table.name!r}; create_if_not_exists=True makes it"
            ) from error
        yield from _make(table)
        return
    _check(table, found)
    if found.get("TableStatus") == "CREATING":
        yield from _wait(table)
    if table.ttl:
        yield from _let_leave(table)


def again(table: Table) -> Talk[None]:
    """Make the table once more if somebody has removed it; whatever is answered, it is heard.

    Raises:
        StoreError: it is missing, and is not to be made.
        Exception: of the driver.
    """
    try:
        yield Call("describe_table", {"TableName": table.name}, slow=True)
    except Exception as error:
        if code_of(error) != MISSING:
            raise
        yield from ready(table)


def _make(table: Table) -> Talk[None]:
    try:
        yield Call(
            "create_table",
            {
                "TableName": table.name,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    {"AttributeName": name, "AttributeType": "S"} for name in KEYS
                ],
                "KeySchema": [
                    {"AttributeName": name, "KeyType": kind}
                    for name, kind in zip(KEYS, ("HASH", "RANGE"), strict=True)
                ],
            },
            slow=True,
        )
    except Exception as error:
        # Another process makes it.
        if code_of(error) != "ResourceInUseException":
            raise
    yield from _wait(table)
    yield from _let_leave(table)


def _wait(table: Table) -> Talk[None]:
    pause, most = PAUSES
    while True:
        status = "CREATING"
        try:
            found = (yield Call("describe_table", {"TableName": table.name}, slow=True))["Table"]
            status = found["TableStatus"]
            _check(table, found)
        except Exception as error:
            # What has just been made is not known everywhere yet.
            if code_of(error) not in {MISSING, *BUSY}:
                raise
        if status != "CREATING":
            return
        yield Rest(pause)
        pause = min(2 * pause, most)


def _check(table: Table, found: dict[str, Any]) -> None:
    keys = tuple([part["AttributeName"] for part in found["KeySchema"]])
    types = {part["AttributeName"]: part["AttributeType"] for part in found["AttributeDefinitions"]}
    if keys != KEYS or any(types.get(name) != "S" for name in KEYS):
        told = ", ".join(f"{name} ({types.get(name)})" for name in keys)
        raise StoreError(
            f"the table {table.name!r} has the keys {told}; this cache needs pk (S), sk (S): "
            "give it another table"
        )


def _let_leave(table: Table) -> Talk[None]:
    """Have DynamoDB remove what has left; where that is not allowed, sweeps do it."""
    try:
        answer = yield Call("describe_time_to_live", {"TableName": table.name}, slow=True)
        told = answer["TimeToLiveDescription"]
        if told.get("TimeToLiveStatus") in ("ENABLED", "ENABLING"):
            if told.get("AttributeName", TTL) != TTL:
                _warn(table, f"it does so by the attribute {told['AttributeName']!r}")
            return
        setting = {"Enabled": True, "AttributeName": TTL}
        yield Call(
            "update_time_to_live",
            {"TableName": table.name, "TimeToLiveSpecification": setting},
            slow=True,
        )
    except Exception as error:
        code = code_of(error)
        if code in _FORBIDDEN:
            _warn(table, "it may not be told to")
        # Else somebody else tells it to at the same time.
        elif code not in ("ValidationException", "ResourceInUseException"):
            raise


def _warn(table: Table, why: str) -> None:
    logger.warning(
        "The DynamoDB table %r removes nothing by the attribute %r (%s); call "
        "delete_expired_responses() now and then",
        table.name,
        TTL,
        why,
    )
