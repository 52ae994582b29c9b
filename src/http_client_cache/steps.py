"""Steps that requests go through in either mode."""

from __future__ import annotations

from http_client_cache.body import READ_BYTES, AnyBody, Draft, KeptBody
from http_client_cache.entry import Stored
from http_client_cache.key import field_names, request_key
from http_client_cache.message import Request
from http_client_cache.options import Options
from http_client_cache.plan import Answer, Ask, Exchange, Failed, Lost, Plan, Present, UseStore
from http_client_cache.scope import Scope


def key_of(
    scope: Scope, request: Request, options: Options, marks: tuple[str, ...] = ()
) -> Plan[str | None]:
    """The key of a request: the user's own, or the one of :mod:`http_client_cache.key`."""
    settings = scope.settings
    extra = (*options.variant, *marks)
    if settings.key_fn is not None:
        key = yield Ask(settings.key_fn, (request,))
        if not isinstance(key, str) or not key:
            return None
        return ".".join((key, *extra))
    known = options.known
    if (
        known is not None
        and not marks
        and known.method == request.method
        and known.url == request.url
        # Whoever made the request of the call may have added these since.
        and not request.body
        and not request.headers.has_any(field_names(settings.credentials))
    ):
        return known.key
    return request_key(settings, request, extra)


def exchange(request: Request, conditions: tuple[tuple[str, str], ...] = ()) -> Plan[Answer]:
    """Ask the origin.

    Raises:
        Exception: what the client raised.
    """
    answer: Answer | Lost = yield Exchange(request, conditions)
    if isinstance(answer, Lost):
        raise answer.error
    return answer


def save(scope: Scope, stored: Stored, draft: Draft | None = None) -> Plan[Stored | None]:
    """Publish a response; answers it as it lies in the store, or ``None`` where that failed.

    Its body is that of the draft, if there is one.
    """
    scope.note_save(stored.key, stored.variant)
    body = stored.body if draft is None else draft
    if isinstance(body, KeptBody):
        raise TypeError("what is stored in pieces cannot be stored again")
    saving = scope.store.save(stored.key, stored.entry, body, variant=stored.variant)
    saved = yield UseStore(saving, writes=True)
    return None if isinstance(saved, Failed) else stored._replace(body=saved)


def whole(scope: Scope, body: AnyBody) -> Plan[bytes | None]:
    """All of a body, in memory; ``None`` where it cannot be read."""
    if isinstance(body, bytes):
        return body
    pieces: list[bytes] = []
    size = 0
    while size < len(body):
        piece = yield UseStore(scope.store.read(body, size, READ_BYTES))
        if isinstance(piece, Failed):
            return None
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def filtered(
    scope: Scope, answer: Answer | None, stored: Stored | None, body: AnyBody
) -> Plan[bool]:
    """What the user's filter says of a response; a filter that fails keeps nothing."""
    function = scope.settings.filter_fn
    if function is None:
        return True
    shown = None
    if scope.settings.filters_bodies:
        shown = yield from whole(scope, body)
        if shown is None:
            return False
    response = yield Present(answer, stored, shown)
    verdict = yield Ask(function, (response,))
    return not isinstance(verdict, Failed) and bool(verdict)
