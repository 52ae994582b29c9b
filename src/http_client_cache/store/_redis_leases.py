"""The leases of the Redis store: a key each, which leaves by itself."""

from __future__ import annotations

from http_client_cache.plan import Plan
from http_client_cache.redis_statements import Run, Script
from http_client_cache.store import CLOCK_SECONDS, FRUITLESS_SECONDS
from http_client_cache.store import _redis_scripts as scripts
from http_client_cache.store._redis_names import Names, to_bytes, to_text
from http_client_cache.store._redis_records import MOST_SECONDS


class RedisLeases:
    """The part of the store that grants leases."""

    _names: Names

    def claim(self, name: str, owner: str, now: float, seconds: float) -> Plan[str]:
        """See :class:`~http_client_cache.store.Store`."""
        until = (now + seconds, _milliseconds(seconds), now + CLOCK_SECONDS)
        return to_text((yield self._run(scripts.CLAIM, name, owner, now, *until)))

    def holder(self, name: str, now: float) -> Plan[str | None]:
        """See :class:`~http_client_cache.store.Store`."""
        lease = self._names.prefix_of(name) + b"k:" + to_bytes(name)
        held: bytes | None = yield Run(scripts.HOLDER, (lease,))
        if held is None:
            return None
        try:
            since, until, owner = held.split(b" ", 2)
            if now >= float(until) or float(since) > now + CLOCK_SECONDS:
                return None
        except ValueError:
            return None
        return to_text(owner)

    def release(self, name: str, owner: str, now: float, *, fruitless: bool = False) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        until = (now + FRUITLESS_SECONDS, _milliseconds(FRUITLESS_SECONDS)) if fruitless else ()
        yield self._run(scripts.RELEASE, name, owner, now, *until)

    def _run(self, script: Script, name: str, owner: str, now: float, *until: float) -> Run:
        numbers = [repr(number).encode() for number in until]
        arguments = (to_bytes(name), to_bytes(owner), repr(now).encode(), *numbers)
        return Run(script, self._names.keys_of(self._names.shard_of(name)), arguments)


def _milliseconds(seconds: float) -> int:
    # The server may be ahead, and others go by the time that was written.
    return int(1000 * min(seconds + CLOCK_SECONDS, MOST_SECONDS))
