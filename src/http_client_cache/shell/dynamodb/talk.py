"""What is said to DynamoDB to carry out one statement: the same in both colours.

Talks are generators. Each step is a call of a method of the client, or a pause; whoever drives
one sends in the answer, or throws in the exception.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from typing import Any, Final, NamedTuple, TypeVar, cast

from http_client_cache.dynamodb_statements import Refused, Request
from http_client_cache.shell.remote import BusyError

T = TypeVar("T")


class Call(NamedTuple):
    """Call a method of the client.

    Attributes:
        operation: its name.
        arguments: its keywords.
        slow: whether it may take longer than a request would wait.
    """

    operation: str
    arguments: dict[str, Any]
    slow: bool = False


class Rest(NamedTuple):
    """Wait for so many seconds."""

    seconds: float


Talk = Generator[Call | Rest, Any, T]

FIRST_PAUSE: Final = 0.02
"""Seconds before a second try, at most; twice as long before each further one."""

BUSY: Final = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
"""What may be otherwise a moment later."""

_BUSY_REASONS: Final = frozenset(
    {"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}
)
_REFUSED: Final = "ConditionalCheckFailed"

_LEFT: Final = {"batch_write_item": "UnprocessedItems", "batch_get_item": "UnprocessedKeys"}


def code_of(error: Exception) -> str:
    """What DynamoDB calls an error; empty if it did not come from there."""
    response: Any = getattr(error, "response", None)
    if not isinstance(response, dict):
        return ""
    code: Any = cast("dict[str, Any]", response).get("Error", {}).get("Code", "")
    return str(code)


def talk(
    request: Request, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Talk[Any]:
    """Carry out a request within so many seconds, trying again where that may help.

    Raises:
        BusyError: DynamoDB did not take all of it in time.
        Exception: of the driver.
    """
    until = clock() + seconds
    arguments, left = request.arguments, _LEFT.get(request.operation)
    found: dict[str, list[Any]] = {}
    pause = FIRST_PAUSE
    reached = False
    while True:
        error: Exception | None = None
        answer: dict[str, Any] = {}
        try:
            answer = yield Call(request.operation, arguments, request.patience > 1)
        except Exception as raised:  # noqa: BLE001 - looked at at once
            error = raised
        if error is not None:
            refused = _refused(error)
            if refused is not None:
                return refused
            if not reached and type(error).__name__ == "ConnectionClosedError":
                # The server had closed the connection while nobody used it.
                reached = True
                continue
            if not _is_busy(error):
                raise error
        elif left is None:
            return answer
        else:
            for table, items in answer.get("Responses", {}).items():
                found.setdefault(table, []).extend(items)
            rest = answer.get(left)
            if not rest:
                return {**answer, "Responses": found}
            arguments = {**arguments, "RequestItems": rest}
        # Chance keeps apart those who were turned away together.
        rested = pause * (0.5 + random.random() / 2)  # noqa: S311 - no secret
        if clock() + rested >= until:
            raise BusyError("DynamoDB had no capacity for all of a batch in time") from error
        yield Rest(rested)
        pause *= 2


def _is_busy(error: Exception) -> bool:
    code = code_of(error)
    if code == "TransactionCanceledException":
        return any(reason.get("Code") in _BUSY_REASONS for reason in _reasons(error))
    return code in BUSY


def _refused(error: Exception) -> Refused | None:
    code = code_of(error)
    response: Any = getattr(error, "response", None)
    if code == "ConditionalCheckFailedException":
        return Refused((True,), (response.get("Item"),))
    if code == "TransactionCanceledException":
        reasons = _reasons(error)
        failed = tuple([reason.get("Code") == _REFUSED for reason in reasons])
        if any(failed):
            return Refused(failed, tuple([reason.get("Item") or None for reason in reasons]))
    return None


def _reasons(error: Exception) -> list[dict[str, Any]]:
    response: Any = getattr(error, "response", {})
    reasons: list[dict[str, Any]] = response.get("CancellationReasons", [])
    return reasons
