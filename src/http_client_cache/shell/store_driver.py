"""Drivers for the plans of stores: whatever the shell raises, they raise."""

from __future__ import annotations

from typing import Any, TypeVar

from http_client_cache.plan import Plan
from http_client_cache.statements import NOT_NOW, AsyncShell, SyncShell

T = TypeVar("T")


def run_sync(plan: Plan[T], shell: SyncShell) -> T:
    """Run a plan to its end, blocking."""
    answer: Any = None
    try:
        while True:
            answer = shell.run(plan.send(answer))
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        plan.close()


async def run_async(plan: Plan[T], shell: AsyncShell) -> T:
    """Run a plan to its end; it waits only for what cannot be answered at once."""
    answer: Any = None
    try:
        while True:
            try:
                statement = plan.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = shell.run_now(statement)
            if answer is NOT_NOW:
                answer = await shell.run(statement)
    finally:
        plan.close()


def run_now(plan: Plan[T], shell: AsyncShell) -> T | Any:
    """Run a plan as long as nothing has to be waited for.

    Answers ``NOT_NOW``, with the plan closed, if something has. What a plan changed until
    then stays changed, so only plans that read, or change something last, belong here.
    """
    answer: Any = None
    try:
        while True:
            answer = shell.run_now(plan.send(answer))
            if answer is NOT_NOW:
                return NOT_NOW
    except StopIteration as stop:
        return stop.value
    finally:
        plan.close()
