"""Whatever is done to a store, in whatever order: it answers as plain dictionaries do."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from http_client_cache.plan import Plan
from http_client_cache.shell.store_driver import run_sync
from http_client_cache.testing._contract import Contract
from http_client_cache.testing._needs import need
from http_client_cache.testing.subject import Subject, run_as_async


class ModelContract(Contract):
    """Histories that Hypothesis makes up, told to the store in both colours and to a model.

    What fails is shown as the shortest history that does. It needs ``hypothesis``.

    Attributes:
        examples: how many histories; fewer where ``Subject.many`` is less than its default.
        steps: of how many operations each, at most.
        keeps_variants: whether the store keeps several entries for one key.
        has_leases: whether it is one for :class:`~http_client_cache.testing.LeaseContract`.
    """

    examples: ClassVar[int] = 10
    steps: ClassVar[int] = 25
    keeps_variants: ClassVar[bool] = True
    has_leases: ClassVar[bool] = True

    async def test_it_does_what_a_model_does(self, subject: Subject) -> None:
        """Each answer, and after each operation all that is there."""
        need("hypothesis")
        from http_client_cache.testing import _histories, _machine

        loop = asyncio.get_running_loop()

        def run(colour: str, plan: Plan[Any]) -> Any:
            # Histories are told in a thread, so that the loop is free for the async shell.
            if subject.sync_shell is not None and (colour == "sync" or "async" not in self.colours):
                return run_sync(plan, subject.sync_shell)
            return asyncio.run_coroutine_threadsafe(run_as_async(subject, plan), loop).result(60)

        traits = _machine.Traits(self.keeps_variants, self.has_leases)
        examples = max(3, self.examples * subject.many // Subject._field_defaults["many"])
        await asyncio.to_thread(
            _histories.compare, subject.store, run, traits, examples=examples, steps=self.steps
        )
