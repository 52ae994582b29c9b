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

    NO_CACHE = "the response is to be validated before every use: no-cache (section 5.2.2.4)"
    MUST_REVALIDATE = "the response must not be served stale (sections 5.2.2.2 and 5.2.2.8)"
    CLOCK = "the clock is behind the time of storing, so that no age is known (section 4.2.3)"
    REQUEST_NO_CACHE = "the request wants validation: no-cache (sections 5.2.1.4 and 5.4)"
    REQUEST_MAX_AGE = "the stored response is older than the request wants (section 5.2.1.1)"
    REQUEST_MIN_FRESH = "the stored response is not fresh for long enough (section 5.2.1.3)"
    MAX_STALE = "served stale: the request's max-stale allows it (section 5.2.1.2)"
    STALE_WHILE_REVALIDATE = "served stale, to be validated meanwhile (RFC 5861 section 3)"
    STALE_IF_ERROR = "served because the origin failed (section 4.2.4, RFC 5861 section 4)"

    METHOD_NOT_UNDERSTOOD = "the method says nothing about caching (section 3)"
    POST = "the answer to a POST is not one that a GET would have (RFC 9110 section 9.3.3)"
    NOT_FINAL = "an interim response is not stored (section 3)"
    NOT_UNDERSTOOD = "must-understand, and the status code is not understood (section 5.2.2.3)"
    NEVER_STORED = "responses with this status code must not be stored (RFC 6585)"
    PARTIAL = "a partial response that cannot be combined with others (section 3.3)"
    NO_STORE = "the response is not to be stored: no-store (section 5.2.2.5)"
    REQUEST_NO_STORE = "the request is not to leave anything stored: no-store (section 5.2.1.5)"
    PRIVATE = "private, and this cache is shared (section 5.2.2.7)"
    AUTHORIZATION = "the answer to one user's credentials, and this cache is shared (section 3.5)"
    NOT_CACHEABLE = "neither the status code nor the response allows it to be stored (section 3)"
    NEITHER_FRESH_NOR_VALIDATABLE = "never fresh, and without a validator (sections 3 and 4.3)"

    VARIANT = "what is stored was chosen for other request fields (section 4.1)"
    VARY_ANY = "Vary: * matches no other request (section 4.1)"
    ORIGIN_CONDITION = "If-Match and If-Unmodified-Since are the origin's to weigh (section 4.3.2)"
    UNIDENTIFIED = "the 304 names none of the stored responses (section 4.3.4)"
    CHANGED_BY_HEAD = "an answer to HEAD showed that the response has changed (section 4.3.5)"
    INVALIDATED = "an unsafe request has changed the resource (section 4.4)"
    GROUP_INVALIDATED = "an unsafe request has changed the response's group (RFC 9875 section 3)"
    PART = "only a part is stored, and not the one that is asked for (section 3.3)"
    SEVERAL_RANGES = "several ranges are the origin's to put together (RFC 9110 section 14.2)"
    CODED_RANGE = "the body is stored decoded, and ranges count encoded bytes (RFC 9110 14.1.2)"
