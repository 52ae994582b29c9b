"""The part of the driver that speaks requests: sends a request, and reads what comes back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from requests.models import CONTENT_CHUNK_SIZE
from requests.structures import CaseInsensitiveDict

from http_client_cache.entry import Hop
from http_client_cache.message import ResponseHead
from http_client_cache.plan import LATER, Answer, Body, Discard, Exchange, Lost, Present, ReadBody
from requests_cache.raw import replay
from requests_cache.request import engine_headers
from requests_cache.response import CachedResponse, build, cached, detached_response
from requests_cache.tee import Copy, is_coded, is_framed, undelivered

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest, Response

    from http_client_cache.engine import SyncCache

    Send = Callable[..., Response]
    """Takes a request; and the ``patience`` of one that has no timeout, in seconds."""

SMALL_BYTES = 64 * 1024
"""A body known to be no larger is read before a response with ``stream=True`` is handed over."""


PATIENCE = 60.0
"""Seconds that work in the background waits for an origin that says nothing."""


class Origin:
    """Asks the origin, for one request.

    Args:
        request: what is sent.
        send: sends it, through the adapter behind the cache.
        engine: tells the time, and stores what ends later.
        stream: whether the caller reads the body.
    """

    def __init__(
        self, request: PreparedRequest, send: Send, engine: SyncCache, *, stream: bool
    ) -> None:
        self._request = request
        self._send = send
        self._engine = engine
        self._stream = stream
        self.response: CachedResponse | None = None
        self.copy: Copy | None = None

    def abandon(self) -> None:
        """Close the answer, if there is one: nobody will be handed it."""
        if self.response is not None:
            self.response.close()

    def detached(self) -> Origin:
        """For work that goes on when the request has been answered."""
        send = partial(self._send, patience=PATIENCE)
        return Origin(self._request.copy(), send, self._engine, stream=False)

    def exchange(self, effect: Exchange) -> Answer | Lost:
        """Send the request; the client's own exception is an answer, too."""
        clock = self._engine.clock
        requested = clock.time()
        request = self._with_conditions(effect)
        try:
            response = cached(self._send(request))
        except Exception as error:  # noqa: BLE001 - the plan decides, and raises it again
            return Lost(error)
        sent = cast("PreparedRequest | None", response.request) or request
        if response.request is request:
            # Its caller did not ask for conditions.
            response.request = self._request
        self.response = response
        return Answer(
            head_of(response), response, requested, clock.time(), sent.headers.get("Authorization")
        )

    def _with_conditions(self, effect: Exchange) -> PreparedRequest:
        if not (effect.conditions or effect.without):
            return self._request
        request = self._request.copy()
        headers = CaseInsensitiveDict(request.headers)
        for name in effect.without:
            headers.pop(name, None)
        for name, value in effect.conditions:
            # Whatever bytes they were, http.client sends these.
            headers[name] = value.encode("utf-8", "surrogateescape").decode("latin-1")
        request.headers = headers
        return request

    def read_body(self, effect: ReadBody) -> Body:
        """Read the body and put it back; hand it over as it comes if the caller reads it."""
        response: CachedResponse = effect.answer.raw
        later = effect.later
        # A coded body that ends with the connection may lack its end, which only the coding tells.
        if is_coded(response) and not is_framed(response) and not has_no_body(response):
            return Lost(ValueError("nothing tells that the body is whole"))
        if self._stream and later is not None and not is_small(response, effect.at_once):
            self.copy = Copy.attached_to(response, self._engine, later)
            if self.copy is not None:
                return LATER
        pieces: list[bytes] = []
        try:
            if self._stream and response.raw is not None:
                pieces += response.iter_content(CONTENT_CHUNK_SIZE)
                # Its caller wants to read it, too.
                replay(response, b"".join(pieces))
            else:
                pieces.append(response.content or b"")
        except Exception as error:  # noqa: BLE001 - the caller meets it where the body breaks off
            if self._stream:
                pieces.append(undelivered(response.raw))
            response.close()
            replay(response, b"".join(pieces), error)
            return Lost(error)
        body = b"".join(pieces)
        return None if effect.limit is not None and len(body) > effect.limit else body

    def discard(self, effect: Discard) -> None:
        """Give the connection back."""
        response: Response = effect.answer.raw
        response.close()

    def present(self, effect: Present) -> CachedResponse:
        """What the user's filter sees: a response of its own, already read."""
        if effect.stored is not None:
            response = detached_response(effect.stored, self._engine)
        else:
            request = self._request
            response = build(
                *(_as_hop(effect.answer), b"", request),
                method=request.method or "GET",
                url=request.url or "",
                stream=False,
            )
        response._content = effect.body  # Where filters look.
        return response


def has_no_body(response: Response) -> bool:
    """Whether no body follows the head, whatever that says."""
    return response.request.method == "HEAD" or response.status_code in {204, 304}


def is_small(response: Response, size: int) -> bool:
    """Whether there is no body, or one that is known to be small."""
    length: str = response.headers.get("Content-Length", "")
    if has_no_body(response):
        return True
    return length.isdecimal() and int(length) <= min(size, SMALL_BYTES)


def _as_hop(answer: Answer | None) -> Hop:
    if answer is None:
        raise TypeError("either an answer or a stored response is presented")
    head = answer.head
    return Hop("", head.url, head.status, head.reason, head.version, head.headers.raw)


def head_of(response: Response) -> ResponseHead:
    """The head of a response of requests'."""
    raw = cast("Any", response.raw)
    fields: Any = getattr(raw, "headers", None)
    if fields is None:
        fields = response.headers
    # As they came, each on its own; a plain mapping has joined them.
    pairs = fields.iteritems() if hasattr(fields, "iteritems") else fields.items()
    version = getattr(raw, "version", None) or 11
    return ResponseHead(
        response.url,
        response.status_code,
        response.reason or "",
        (version // 10, version % 10) if isinstance(version, int) else (1, 1),
        engine_headers(pairs),
    )
