"""One fetch for many processes: the lease of a key in the store, and how long others wait for it.

Within a process ``Locked`` comes first, so that one plan of each process asks for the lease. It
ends with that plan's own :class:`~http_client_cache.plan.Lease`. The setting ``fetch_lease`` says
how long it lasts where nobody gives it back, and how long a request waits at most.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from http_client_cache.plan import Failed, Lease, Plan, UseStore, Wait
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.scope import Scope
from http_client_cache.served import Hit
from http_client_cache.store import NOBODY

PAUSES: Final = (0.005, 0.05)
"""Seconds between two looks at somebody else's lease: the first ones, and the longest."""

LONGER: Final = 1.5
"""By so much each pause is longer than the one before."""

Look = Callable[[Reason], Plan[Hit | None]]
"""Looks once more for what may be served, for the reason that is given."""


def claim(
    scope: Scope, name: str, lease: Lease, look: Look, *, wait: bool = True
) -> Plan[Hit | bool]:
    """Take the store's lease of a key, or wait for the process that holds it.

    Args:
        scope: the cache.
        name: of what is fetched.
        lease: this process's own; with it, that of the store ends.
        look: called when something may have been stored meanwhile.
        wait: whether another process may be waited for.

    Returns:
        What another process has stored; else whether the lease is this plan's. Without it, the
        plan may fetch all the same, but need not if it would not have waited.
    """
    most, owner = scope.settings.lease_seconds, scope.owner()
    waited, why = 0.0, Reason.HIT
    while True:
        # Before the claim: who is cancelled while it is on its way holds it all the same.
        lease.at_end = partial(scope.give_back, name)
        holder: str | Failed | None
        holder = yield UseStore(scope.store.claim(name, owner, scope.now(), most), writes=True)
        if isinstance(holder, Failed):
            return False
        if holder == owner:
            return (yield from look(why)) or True
        lease.at_end = None
        why, pause = Reason.COLLAPSED, PAUSES[0]
        while holder:
            if not wait or waited >= most:
                return False
            waited += yield Wait(min(pause, most - waited))
            pause = min(pause * LONGER, PAUSES[1])
            holder = yield UseStore(scope.store.holder(name, scope.now()))
            if isinstance(holder, Failed):
                return False
        # What was stored came before the lease was given back.
        hit = yield from look(why)
        if hit is not None:
            return hit
        if holder == NOBODY:
            # All at once, instead of one after the other, here and in other processes.
            lease.release()
            return False
