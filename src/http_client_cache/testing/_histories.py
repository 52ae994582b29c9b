"""Many histories, and what is shown of one that fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from http_client_cache.store import Store
from http_client_cache.testing._machine import History, Run, Traits
from http_client_cache.testing._steps import Step, shortest


def compare(store: Store, run: Run, traits: Traits, *, examples: int, steps: int) -> None:
    """Tell histories to a store and to a model, until there are enough or one of them differs.

    Raises:
        AssertionError: the store answers otherwise than the model.
    """
    failed: list[Sequence[Step]] = []

    def begin() -> History:
        return History(store, run, traits, failed)

    def replay(steps: Sequence[Step]) -> Exception | None:
        try:
            history = begin()
            history.what_is_there()
            for name, arguments in steps:
                getattr(history, name)(**arguments)
                history.what_is_there()
        except Exception as error:  # noqa: BLE001 - whatever it is, the store has failed
            return error
        return None

    try:
        run_state_machine_as_test(
            cast("type[History]", begin),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                # Steps are left out faster than Hypothesis finds out which may be.
                phases=[Phase.generate],
                report_multiple_bugs=False,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            ),
        )
    except Exception:
        found = shortest(failed[-1], replay) if failed else None
        if found is None:
            raise
        raise found  # noqa: B904 - it has a cause
