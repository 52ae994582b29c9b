"""Why a request was or was not answered from the cache: every verdict has one of these names."""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """A named verdict; its value says in words what happened, and where the rule stands."""

    HIT = "served from the cache (RFC 9111 section 4)"
    COLLAPSED = "served with the answer to the same request, made at the same time (section 4)"
    VALIDATED = "the origin said that the stored response is still good (section 4.3.3)"

    MISS = "nothing is stored for this request (section 4)"
    EXPIRED = "the stored response has expired (section 4.2)"
    REFRESH = "the caller asked for the stored response to be validated (refresh=True)"
    FORCE_REFRESH = "the caller asked for a new response (force_refresh=True)"
    FILTERED_ON_READ = "filter_fn refused the stored response"

    DISABLED = "caching is disabled at the moment (session.disabled())"
    DO_NOT_CACHE = "expire_after is 0 for this request: do not cache"
    METHOD = "the method is not among allowed_methods"
    RANGE = "a request for a part of a response is not answered from the cache"
    UPGRADE = "the connection is to change to another protocol (RFC 9110 section 7.8)"
    UNKEYABLE_BODY = "the request's body cannot be read without using it up"
    KEY_FUNCTION = "key_fn failed or returned no key"

    NOT_CACHED = "nothing usable is stored, and only_if_cached was asked for (section 5.2.1.7)"

    STATUS = "the status code is not among allowed_codes (section 3)"
    REDIRECT = "a redirect is kept with the response it leads to"
    FILTERED = "filter_fn refused the response"
    NOT_YET = "large or slow: stored when the caller has read it to its end"
    STREAMING = "the response is a stream without an end"
    TOO_LARGE = "the body is larger than max_entry_bytes"
    CONDITION = "the answer to a condition of the caller's own (section 4.3.2)"
    INCOMPLETE = "the body broke off before its end (section 3.3)"
    AUTHORIZATION_ADDED = "credentials were added after the request was keyed (section 3.5)"
    ALREADY_EXPIRED = "the response would have expired before it could be used again"
    STORE_FAILED = "the store failed; the request went to the origin"
