"""A request on its way to the origin."""

from __future__ import annotations

import msgspec

from http_client_cache.entry import Stored
from http_client_cache.lawful.find import Found
from http_client_cache.message import Request
from http_client_cache.options import Options
from http_client_cache.plan import Lease
from http_client_cache.rfc9111.cache_control import RequestDirectives
from http_client_cache.scope import Scope


class Asking(msgspec.Struct, frozen=True):
    """A request on its way to the origin.

    Attributes:
        scope: the cache.
        request: the caller's.
        asked: its directives.
        options: what else the caller said.
        found: what is stored for it.
        since: how many changes and saves had been noted before it was sent.
        lease: held for its key; released as soon as it is known whether there is something to
            share.
        unattended: nobody waits for the answer, or will read its body.
    """

    scope: Scope
    request: Request
    asked: RequestDirectives
    options: Options
    found: Found
    since: int
    lease: Lease | None = None
    unattended: bool = False

    def again(self, found: Found, lease: Lease) -> Asking:
        """The same, sent later, by who holds the lease."""
        since = self.scope.changes()
        return msgspec.structs.replace(self, found=found, since=since, lease=lease)

    def release(self, stored: Stored | None = None) -> None:
        """Let those go who wait, with what they may be served."""
        if self.lease is not None:
            self.lease.release(stored)
