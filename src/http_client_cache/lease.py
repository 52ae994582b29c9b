"""One fetch for many processes: the lease of a key in the store, and how long others wait for it.

Within a process ``Locked`` comes first, so that one plan of each process asks for the lease. It
ends with that plan's own :class:`~http_client_cache.plan.Lease`. The setting ``fetch_lease`` says
how long it lasts where nobody gives it back, and how long a request waits at most.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from http_client_cache.entry import Stored
from http_client_cache.plan import Failed, Lease, Plan, UseStore, Wait
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.scope import Scope
from http_client_cache.served import Hit
from http_client_cache.store import NOBODY

PAUSES: Final = (0.005, 0.05)
"""Seconds between two looks at somebody else's lease: the first ones, and the longest."""

LONGER: Final = 1.5
"""By so much each pause is longer than the one before."""


def is_news(before: Stored | None, now: Stored | None) -> bool:
    """Whether something has been stored since, or what there was has gone."""
    known = None if before is None else before.entry.created
    return known != (None if now is None else now.entry.created)


Look = Callable[[Reason], Plan[Hit | bool]]
"""Looks once more for what may be served, for the reason that is given.

Where there is nothing, it answers whether something else has been stored since it looked before.
"""


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
        holder = yield UseStore(
            scope.store.claim(name, owner, scope.now(), most), writes=True, lease=True
        )
        if isinstance(holder, Failed):
            return False
        if holder == owner:
            found = yield from look(why)
            return found if isinstance(found, Hit) else True
        lease.at_end = None
        why, pause = Reason.COLLAPSED, PAUSES[0]
        while holder:
            if not wait or waited >= most:
                return False
            waited += yield Wait(min(pause, most - waited))
            pause = min(pause * LONGER, PAUSES[1])
            holder = yield UseStore(scope.store.holder(name, scope.now()), lease=True)
            if isinstance(holder, Failed):
                return False
        # What was stored came before the lease was given back.
        found = yield from look(why)
        if isinstance(found, Hit):
            return found
        if found:
            # What came does not do here; to wait for the next process would be to take turns.
            return False
        if holder == NOBODY:
            # All of them at once, in this process, too.
            lease.release()
            return False


def turn_to_refresh(scope: Scope, name: str, lease: Lease, look: Look) -> Plan[bool]:
    """Whether a refresh is this plan's to do: nobody has done it, and no other process is at it."""
    turn: Hit | bool
    if scope.settings.lease_seconds:
        turn = yield from claim(scope, name, lease, look, wait=False)
    else:
        turn = (yield from look(Reason.HIT)) or True
    if isinstance(turn, Hit):
        lease.release(turn.stored)
    return turn is True
