"""What is stored without being fetched: responses of one's own, and those of other caches."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec
from requests import Response

from http_client_cache import housekeeping
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.errors import ConfigurationError, StoreError, describe
from http_client_cache.expiry import UNSET, at
from http_client_cache.keep import link
from http_client_cache.key import BY_THE_LAW, create_key, request_key
from http_client_cache.lawful import weigh
from http_client_cache.lawful.keep import entry_by_law
from http_client_cache.message import Headers, Request
from http_client_cache.plan import Answer
from http_client_cache.rfc9111.selection import names_to_keep, vary_values
from http_client_cache.steps import save
from http_client_cache.storable import entry_of, hop_of
from http_client_cache.variant import variant_name
from requests_cache.cache_keys import key_under
from requests_cache.origin import head_of
from requests_cache.request import engine_request

if TYPE_CHECKING:
    from http_client_cache.body import KeptBody
    from http_client_cache.engine import SyncCache
    from http_client_cache.entry import Hop
    from http_client_cache.expiry import Expiry


def save_response(
    engine: SyncCache, response: Response, key: str | None = None, expires: datetime | None = None
) -> str:
    """Store a response, and the redirects in its history; answers its key.

    Args:
        engine: of the backend.
        response: with its whole body, which is read if it has not been.
        key: if left out, the one it had in a cache, else that of its request.
        expires: if left out, what the settings say.

    Raises:
        ConfigurationError: it is no response to a request, or has no key, or ``expires`` is no
            moment.
    """
    settings, now = engine.settings, engine.now()
    given = cast("object", response)
    if not isinstance(given, Response) or cast("Any", given).request is None:
        raise ConfigurationError(f"a response must have a request, unlike {describe(given)}")
    prepared = response.request
    if key is None:
        # What is stored of a request may not be all that tells it from others.
        key = cast("str | None", getattr(response, "cache_key", None))
    if key is None:
        key = key_under(settings, prepared)
    request = engine_request(prepared)
    body = response.content
    answer = Answer(head_of(response), response, now - response.elapsed.total_seconds(), now)
    expiry = settings.expiry_for(request.url, UNSET) if expires is None else at(_moment(expires))
    entry = msgspec.structs.replace(
        _entry(engine, request, answer, expiry, said=expires is not None), body_size=len(body)
    )
    stored = Stored(key, entry, body, (), variant_name(entry))
    engine.run(save(engine, stored))
    if response.history and not settings.cache_control:
        chain = tuple([_hop(engine, each) for each in response.history])
        engine.run(link(engine, chain, stored))
    return key


def _entry(
    engine: SyncCache, request: Request, answer: Answer, expiry: Expiry, *, said: bool
) -> Entry:
    settings = engine.settings
    if not settings.cache_control:
        return entry_of(settings, request, answer, expiry.expires(answer.received))
    head = answer.head
    verdict = weigh.assessed(head, answer.requested, answer.received, expiry, settings)
    if said:
        verdict = verdict._replace(expires=expiry.expires(answer.received))
    names = names_to_keep(head.headers, [])
    entry = entry_by_law(settings, request, answer, verdict)
    return msgspec.structs.replace(entry, vary=vary_values(names, request))


def _moment(expires: object) -> float:
    if not isinstance(expires, datetime):
        raise ConfigurationError(f"expires must be a datetime or None, not {describe(expires)}")
    aware = expires if expires.utcoffset() is not None else expires.replace(tzinfo=UTC)
    return aware.timestamp()


def _hop(engine: SyncCache, response: Response) -> tuple[str, Hop]:
    request = engine_request(response.request)
    key = key_under(engine.settings, response.request)
    return key, hop_of(engine.settings, request, head_of(response))


def copy(source: SyncCache, stored: Stored, engine: SyncCache, key: str) -> bool:
    """Store what another cache has stored; answers whether that worked.

    Args:
        source: where it is stored.
        stored: as it was loaded there.
        engine: where it is to be stored.
        key: under which.
    """
    store, entry, variant = engine.store, stored.entry, stored.variant
    body = stored.body
    if not isinstance(body, bytes):
        try:
            return _copy_in_pieces(source, stored._replace(key=key), body, engine)
        except StoreError:
            # It has gone meanwhile, or is damaged.
            return False
    saving = store.save(key, entry, body, variant=variant)
    return engine.run(housekeeping.ask(saving, None, writes=True)) is not None


def _copy_in_pieces(source: SyncCache, stored: Stored, body: KeptBody, engine: SyncCache) -> bool:
    store, key, entry, variant = engine.store, stored.key, stored.entry, stored.variant
    draft = engine.run(
        housekeeping.ask(store.begin(key, entry, variant=variant), None, writes=True)
    )
    held: list[bytes] = []
    done = 0
    while done < len(body):
        piece = source.read(body, done)
        done += len(piece)
        if draft is None:
            held.append(piece)
        elif not engine.run(housekeeping.ask(store.append(draft, [piece]), False, writes=True)):
            engine.run(housekeeping.ask(store.forget(draft), None, writes=True))
            return False
    saving = store.save(key, entry, b"".join(held) if draft is None else draft, variant=variant)
    return engine.run(housekeeping.ask(saving, None, writes=True)) is not None


def link_to(engine: SyncCache, key: str, alias: Alias) -> None:
    """Let a key lead to another."""
    engine.run(housekeeping.ask(engine.store.link(key, alias), None, writes=True))


def key_again(engine: SyncCache, stored: Stored) -> str:
    """The key of a stored response under the settings of now.

    It stays as it is unless what is stored of the request is all that told it from others: without
    its body and its credentials, it would be the answer to requests of others.
    """
    settings, entry = engine.settings, stored.entry
    request = Request(entry.method, entry.url, Headers(entry.request_headers))
    if stored.key not in _keys(request, by_the_law=settings.cache_control):
        return stored.key
    if settings.key_fn is None:
        return request_key(settings, request) or stored.key
    made = settings.key_fn(request)
    return made if isinstance(made, str) and made else stored.key


def _keys(request: Request, *, by_the_law: bool) -> set[str | None]:
    """The keys that a request may have had, if it is told whole."""
    extra = (BY_THE_LAW,) if by_the_law else ()
    if by_the_law and request.method == "HEAD":
        request = request._replace(method="GET")
    names = frozenset(name.lower() for name in request.headers)
    return {
        create_key(request, match_headers=match, sort_query=not by_the_law, extra=extra)
        for match in (False, True, names)
    }
