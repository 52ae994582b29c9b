"""For stores that are given bodies whole, and hand them over whole."""

from __future__ import annotations

from collections.abc import Sequence

from http_client_cache.body import Draft, KeptBody
from http_client_cache.entry import Entry
from http_client_cache.limits import Limits
from http_client_cache.plan import Plan


class WholeBodies:
    """What such a store answers where it is asked about pieces."""

    limits = Limits()

    def begin(self, key: str, entry: Entry, *, variant: str = "") -> Plan[None]:
        """Not in pieces."""
        del key, entry, variant
        yield from ()

    def append(self, draft: Draft, pieces: Sequence[bytes]) -> Plan[bool]:
        """There are no drafts."""
        yield from self._none(draft, pieces)
        return False

    def forget(self, draft: Draft) -> Plan[None]:
        """There are no drafts."""
        yield from self._none(draft)

    def read(self, body: KeptBody, start: int, size: int) -> Plan[bytes]:
        """There are no such bodies."""
        yield from self._none(body, start, size)
        return b""

    def _none(self, *arguments: object) -> Plan[None]:
        yield from ()
        raise TypeError(
            f"{type(self).__name__} keeps bodies whole, and knows nothing of {arguments}"
        )


def whole(body: bytes | Draft | KeptBody) -> bytes:
    """A body that can be nothing else, as no draft was begun."""
    if not isinstance(body, bytes):
        raise TypeError(f"a body must be bytes, not {type(body).__name__}")
    return body
