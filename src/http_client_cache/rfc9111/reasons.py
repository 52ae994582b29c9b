"""Why a request was or was not answered from the cache: every verdict has one of these names.

``docs/reasons.md`` is made of this file (``make reasons``).
"""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """A named verdict.

    The value says in words what happened, and where the rule stands. The text below each member
    is for users: what that means to them, and what they can do about it.
    """

    # Served from the cache.

    HIT = "served from the cache (RFC 9111 section 4)"
    """Nobody was asked. Where the response does not stay good for ever, `ttl` says for how long."""
    VALIDATED = "the origin said that the stored response is still good (RFC 9111 section 4.3.3)"
    """It had to be asked, answered 304, and the stored body was served: only the header fields were
    transferred. A longer lifetime saves the question."""
    COMPLETED = "the origin sent what was missing of a stored part (RFC 9111 section 3.4)"
    """Only the rest was transferred. The whole is stored now."""
    COLLAPSED = "served with the answer to the same request, made meanwhile (RFC 9111 section 4)"
    """Several callers wanted the same at once: one of them asked the origin, and all were given
    its answer."""
    MAX_STALE = "served stale: the request's max-stale allows it (RFC 9111 section 5.2.1.2)"
    """If it is too old for you, say a smaller `max-stale` in the request's `Cache-Control`."""
    STALE_WHILE_REVALIDATE = "served stale, to be validated meanwhile (RFC 5861 section 3)"
    """The next request gets what the origin says now. The response allows it, or the setting
    `stale_while_revalidate` does."""
    STALE_IF_ERROR = "served because the origin failed (RFC 9111 section 4.2.4, RFC 5861 section 4)"
    """It could not be reached, was not to be asked (`only_if_cached`), or answered with 500, 502,
    503 or 504. The response or the request allows it, or the setting `stale_if_error` does."""

    # Reasons to ask the origin.

    MISS = "nothing is stored for this request (RFC 9111 section 4)"
    """It is the first of its kind, or what was stored is gone. If you expected a hit, compare the
    `key` of both: method, URL, body and credentials tell requests apart, and so do the fields that
    `include_headers` names."""
    VARIANT = "what is stored was chosen for other request fields (RFC 9111 section 4.1)"
    """The `Vary` of the stored response names a request field that is different this time. Send the
    same value with every request, if the difference means nothing to you."""
    VARY_ANY = "Vary: * matches no other request (RFC 9111 section 4.1)"
    """The server says that its answer depends on more than the request. It is stored only to be
    validated. As a refusal: it has no validator (`ETag` or `Last-Modified`) for that."""
    EXPIRED = "the stored response has expired (RFC 9111 section 4.2)"
    """`expire_after` says how long a response is fresh; with `cache_control=True` the server does,
    where it speaks."""
    NO_CACHE = (
        "the response is to be validated before every use: no-cache (RFC 9111 section 5.2.2.4)"
    )
    """The server wants it. With a validator (`ETag` or `Last-Modified`) the answer can be a
    304, without a body."""
    MUST_REVALIDATE = (
        "the response must not be served stale (RFC 9111 sections 5.2.2.2 and 5.2.2.8)"
    )
    """It has expired, and the server forbids what `max-stale`, `stale_if_error` or
    `stale_while_revalidate` would otherwise allow."""
    CLOCK = "the clock is behind the time of storing: no age is known (RFC 9111 section 4.2.3)"
    """The clock of this machine, or of another one that uses the same store, was wrong by more
    than a minute."""
    REFRESH = "the caller asked for the stored response to be validated (refresh=True)"
    """Without that option, it is served as long as it is fresh."""
    FORCE_REFRESH = "the caller asked for a new response (force_refresh=True)"
    """Without that option, what is stored is used, or at least validated. `refresh=True` validates
    it in any case."""
    REQUEST_NO_CACHE = "the request wants validation: no-cache (RFC 9111 sections 5.2.1.4 and 5.4)"
    """It has `Cache-Control: no-cache`, or `Pragma: no-cache` and no `Cache-Control`. Look at the
    session's default headers, too."""
    REQUEST_MAX_AGE = (
        "the stored response is older than the request wants (RFC 9111 section 5.2.1.1)"
    )
    """The `max-age` in the request's `Cache-Control` says how old it may be."""
    REQUEST_MIN_FRESH = (
        "the stored response is not fresh for long enough (RFC 9111 section 5.2.1.3)"
    )
    """The `min-fresh` in the request's `Cache-Control` says for how long it must still be fresh."""
    ORIGIN_CONDITION = (
        "If-Match and If-Unmodified-Since are the origin's to weigh (RFC 9111 section 4.3.2)"
    )
    """The request has one of these fields, and only the origin knows the current state."""
    PART = "only a part is stored, and not the one that is asked for (RFC 9111 section 3.3)"
    """What is missing is fetched. A request without `Range` stores the whole."""
    SEVERAL_RANGES = "several ranges are the origin's to put together (RFC 9110 section 14.2)"
    """Ask for them one by one, and each can be answered from what is stored."""
    CODED_RANGE = "stored decoded, while ranges count encoded bytes (RFC 9110 section 14.1.2)"
    """The server had compressed the body. With `Accept-Encoding: identity`, both are the same."""
    UNIDENTIFIED = "the 304 names none of the stored responses (RFC 9111 section 4.3.4)"
    """The origin said that nothing has changed, but not of what is stored here. So it was asked
    again, without conditions."""
    FILTERED_ON_READ = "filter_fn refused the stored response"
    """It is asked before every hit as well, and returned something false, or raised an exception,
    which is logged."""
    STORE_FAILED = "the store failed; the request went to the origin"
    """The log of `http_client_cache` says what happened. As a refusal: the response could not be
    written."""
    METHOD = "the method is not among allowed_methods"
    """Only GET and HEAD are, by default. Add the method if a request with it changes nothing."""
    UNSAFE = "the method may change something, which is the origin's to do (RFC 9111 section 4)"
    """Nothing stored answers such a request, though its answer may be stored for later ones."""
    METHOD_NOT_UNDERSTOOD = "the method says nothing about caching (RFC 9111 section 3)"
    """Requests with methods other than GET, HEAD and POST are the origin's alone."""
    DISABLED = "caching is disabled at the moment (session.disabled())"
    """The request was made inside `with session.disabled()`."""
    DO_NOT_CACHE = "expire_after is 0 for this request: do not cache"
    """The request, the pattern in `urls_expire_after` that its URL matches, or the session says
    so."""
    RANGE = "a request for a part of a response is not answered from the cache"
    """It has a `Range` field. Parts are served and stored with `cache_control=True` only. As a
    refusal: the answer was a part, or said that there is none."""
    UPGRADE = "the connection is to change to another protocol (RFC 9110 section 7.8)"
    """The request has an `Upgrade` field, as for a WebSocket."""
    UNKEYABLE_BODY = "the request's body cannot be read without using it up"
    """It is a stream or an iterator, and different bodies are different requests. Pass bytes, text,
    `json` or a form."""
    KEY_FUNCTION = "key_fn failed or returned no key"
    """It has to return text that is not empty. What it raised is logged."""

    # Reasons not to store what the origin answered.

    NO_STORE = "the response is not to be stored: no-store (RFC 9111 section 5.2.2.5)"
    """The server forbids it, and no setting of `cache_control=True` overrules that. Without
    `cache_control`, only the settings decide."""
    REQUEST_NO_STORE = (
        "the request is not to leave anything stored: no-store (RFC 9111 section 5.2.1.5)"
    )
    """It has `Cache-Control: no-store`. Look at the session's default headers, too."""
    PRIVATE = "private, and this cache is shared (RFC 9111 section 5.2.2.7)"
    """Leave out `shared=True`, if the cache has one user."""
    AUTHORIZATION = (
        "the answer to one user's credentials, and this cache is shared (RFC 9111 section 3.5)"
    )
    """The server can allow it with `public`, `s-maxage` or `must-revalidate`. Leave out
    `shared=True`, if the cache has one user."""
    AUTHORIZATION_ADDED = (
        "credentials were added after the request was keyed (RFC 9111 section 3.5)"
    )
    """The cache cannot know whose answer it is. Let the middleware that adds them come before the
    cache."""
    STATUS = "the status code is not among allowed_codes (RFC 9111 section 3)"
    """Only 200 is, by default without `cache_control`. Add the status to store such responses."""
    NOT_CACHEABLE = (
        "neither the status code nor the response allows it to be stored (RFC 9111 section 3)"
    )
    """The server can allow it with `max-age`, `Expires` or `public`; an `expire_after` that is set
    does so in its place."""
    NEITHER_FRESH_NOR_VALIDATABLE = (
        "never fresh, and without a validator (RFC 9111 sections 3 and 4.3)"
    )
    """It could never be used. Where the server says nothing about freshness, `expire_after` can."""
    ALREADY_EXPIRED = "the response would have expired before it could be used again"
    """`expire_after` is a moment in the past, or too short."""
    NOT_UNDERSTOOD = (
        "must-understand, and the status code is not understood (RFC 9111 section 5.2.2.3)"
    )
    """The server allows storing only to caches that know the rules of this status code."""
    NEVER_STORED = "responses with this status must not be stored (RFC 6585 sections 3 to 6)"
    """428, 429, 431 and 511 tell about this one request, or about the network."""
    NOT_FINAL = "an interim response is not stored (RFC 9111 section 3)"
    """Its status is below 200; another response follows."""
    POST = "the answer to a POST is not one that a GET would have (RFC 9110 section 9.3.3)"
    """It would need an explicit lifetime, and a `Content-Location` that is the URL of the
    request."""
    CONDITION = "the answer to a condition of the caller's own (RFC 9111 section 4.3.2)"
    """The request has a field like `If-None-Match`, and the answer, such as 304 or 412, is of use
    to its caller alone."""
    PARTIAL = "a partial response that cannot be combined with others (RFC 9111 section 3.3)"
    """Parts are put together only where `Content-Range` is right, a strong validator tells what
    they are parts of, and the body is not compressed."""
    INVALIDATED = "an unsafe request has changed the resource meanwhile (RFC 9111 section 4.4)"
    """While the origin was answering, a POST, PUT, DELETE or the like to the same URL succeeded:
    the answer may be from before."""
    INCOMPLETE = "the body broke off before its end (RFC 9111 section 3.3)"
    """The connection was lost. The next request tries again."""
    UNFRAMED = "nothing tells whether its coded body is whole (RFC 9112 section 8)"
    """It has a `Content-Encoding` and no `Content-Length`, and ends where the server closes the
    connection, or where that is lost."""
    REDIRECT = "a redirect is kept with the response it leads to"
    """If that one is stored, the whole chain is served from the cache next time."""
    REDACTED = "the redirect leads to a URL with parts that are not to be stored"
    """Its `Location` repeats one of `ignored_parameters` or `redacted_parameters`, or brings
    credentials. Without them it would lead to another place."""
    NOT_YET = "large or slow: stored when the caller has read it to its end"
    """Read the body to its end, and it is stored then. A response that is closed before is not."""
    STREAMING = "the response is a stream without an end"
    """That is what `text/event-stream` and `multipart/x-mixed-replace` are for."""
    TOO_LARGE = "the body is larger than max_entry_bytes"
    """A larger `max_entry_bytes`, or `None`, lets it in."""
    READ_ONLY = "nothing is stored at the moment (read_only=True)"
    """The setting `read_only` lets what is stored be served, and nothing else."""
    FILTERED = "filter_fn refused the response"
    """It returned something false, or raised an exception, which is logged."""

    # Neither.

    NOT_CACHED = (
        "nothing usable is stored, and only_if_cached was asked for (RFC 9111 section 5.2.1.7)"
    )
    """The origin was not asked: the answer is a 504 that the cache made itself. The option
    `only_if_cached=True` wants that, or `only-if-cached` in the request's `Cache-Control`."""
