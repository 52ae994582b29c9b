"""What a plan comes to in a cache that is only read."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from http_client_cache.plan import Failed, Lease, Locked, Plan, Spawn, UseStore

T = TypeVar("T")

REFUSED: Final = Failed(PermissionError("the cache is only read (read_only=True)"))
"""What a plan is told where it would change something. Nobody logs it."""


def reading(plan: Plan[T]) -> Plan[T]:
    """The same plan, less what it and its sub-plans would change in the store."""
    answer: Any = None
    try:
        while True:
            try:
                effect = plan.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            if isinstance(effect, UseStore) and (effect.writes or effect.lease):
                answer = REFUSED
            else:
                answer = yield _reading_within(effect)
    finally:
        plan.close()


def _reading_within(effect: Any) -> Any:
    if isinstance(effect, Locked):
        locked = effect.plan

        def lead(lease: Lease) -> Plan[Any]:
            return reading(locked(lease))

        return msgspec.structs.replace(effect, plan=lead)
    if isinstance(effect, Spawn):
        spawned = effect.plan
        return msgspec.structs.replace(effect, plan=lambda: reading(spawned()))
    return effect
