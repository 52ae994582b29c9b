"""Responses and requests, for annotations."""

from requests import PreparedRequest

from requests_cache.cache_keys import AnyRequest
from requests_cache.policy.settings import CacheSettings
from requests_cache.raw import StoredRaw
from requests_cache.response import AnyResponse, CachedResponse

CachedHTTPResponse = StoredRaw
"""What ``raw`` is on a response from the cache."""

CachedRequest = PreparedRequest
"""What ``request`` is on a response from the cache; it is requests' own class."""

AnyPreparedRequest = PreparedRequest

OriginalResponse = CachedResponse
"""A new response of a caching session; its ``from_cache`` is false."""

__all__ = [
    "AnyPreparedRequest",
    "AnyRequest",
    "AnyResponse",
    "CacheSettings",
    "CachedHTTPResponse",
    "CachedRequest",
    "CachedResponse",
    "OriginalResponse",
]
