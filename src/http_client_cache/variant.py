"""How the responses of one key are told apart."""

from __future__ import annotations

from typing import Final

from http_client_cache.entry import Entry
from http_client_cache.rfc9111.selection import variant_id

_OF_HEAD: Final = "head"
_OF_PART: Final = "part"


def variant_name(entry: Entry) -> str:
    """The name of a response among those of its key: by selection, and what it is good for.

    Empty for a whole response that does not vary.
    """
    selection = variant_id(entry.vary)
    kind = _OF_HEAD if entry.method == "HEAD" else _OF_PART if entry.status == 206 else ""
    return f"{kind}.{selection}" if kind and selection else kind or selection
