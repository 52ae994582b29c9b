"""Values of ``expire_after`` with a name."""

from __future__ import annotations

from http_client_cache.expiry import ExpireAfter

__all__ = ["DO_NOT_CACHE", "NEVER_EXPIRE", "ExpireAfter"]

NEVER_EXPIRE = -1
"""For responses that stay fresh for ever."""

DO_NOT_CACHE = 0
"""For requests that bypass the cache."""
