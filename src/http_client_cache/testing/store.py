"""What every store promises."""

from __future__ import annotations

from http_client_cache.testing._aliases import Aliases
from http_client_cache.testing._deleting import Deleting
from http_client_cache.testing._entries import Entries
from http_client_cache.testing._listing import Listing
from http_client_cache.testing._sharing import Sharing
from http_client_cache.testing._sweeping import Sweeping


class StoreContract(Entries, Aliases, Deleting, Listing, Sweeping, Sharing):
    """Entries, aliases, what ends them, what is there, and many users at once.

    Variants, bodies in pieces and leases are parts of their own, as not every store has them.
    """
