"""What is stored, and under which keys: every backend answers these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from requests import Request

from http_client_cache import housekeeping
from http_client_cache.entry import Entry
from http_client_cache.errors import ConfigurationError
from http_client_cache.expiry import Expiry, ExpiryKind
from http_client_cache.plan import Plan
from requests_cache.backends.options import LiveSettings
from requests_cache.backends.saving import save_response
from requests_cache.backends.storage import RedirectStorage, ResponseStorage, pages
from requests_cache.backends.urls import Urls
from requests_cache.cache_keys import AnyRequest, key_under
from requests_cache.policy.expiration import requests_expiry
from requests_cache.response import detached_response

if TYPE_CHECKING:
    from requests import Response

    from http_client_cache.engine import SyncCache
    from http_client_cache.expiry import ExpireAfter
    from http_client_cache.settings import HeaderNames
    from requests_cache.response import CachedResponse

T = TypeVar("T")

Wanted = Callable[[Entry], bool]


class Inspection(LiveSettings):
    """Looks around in a cache, and stores single responses.

    Whatever goes through the whole cache reads some of it at a time. What others store or delete
    meanwhile may be missed.
    """

    engine: SyncCache

    def _run(self, plan: Plan[T]) -> T:
        return self.engine.run(plan)

    # As mappings

    @property
    def responses(self) -> ResponseStorage:
        """The stored responses by key, as a mapping."""
        return ResponseStorage(self.engine)

    @property
    def redirects(self) -> RedirectStorage:
        """The keys of what redirects, and the keys that it leads to, as a mapping."""
        return RedirectStorage(self.engine)

    # Single responses

    def create_key(self, request: AnyRequest, match_headers: HeaderNames | None = None) -> str:
        """The key of a request.

        Args:
            request: a ``requests.Request`` or a prepared one.
            match_headers: in the place of the setting.

        Raises:
            ConfigurationError: it has none, as its body cannot be read without using it up.
        """
        settings = self.settings
        if match_headers is not None:
            settings = type(settings)(
                ignored_parameters=settings.ignored_parameters,
                redacted_parameters=settings.redacted_parameters,
                include_headers=match_headers,
                key_fn=settings.key_fn,
                cache_control=settings.cache_control,
            )
        return key_under(settings, request)

    def contains(
        self,
        key: str | AnyRequest | None = None,
        request: AnyRequest | None = None,
        url: str | None = None,
    ) -> bool:
        """Whether a key, a request or a URL has a response, or leads to one.

        Args:
            key: a key; a URL or a request may stand here, too.
            request: a ``requests.Request`` or a prepared one.
            url: absolute; asked with GET, without credentials and fields of one's own. For
                anything that is stored for a URL there is :meth:`has_url`.

        Raises:
            ConfigurationError: not one of them is given.
        """
        given = [each for each in (key, request, url) if each is not None]
        if len(given) != 1:
            raise ConfigurationError("contains() takes a key, a request or a URL: one of them")
        if isinstance(key, str):
            return self._has(key) or (_is_url(key) and self._has(self._key_of_url(key)))
        if url is not None:
            return self._has(self._key_of_url(url))
        return self._has(self.create_key(cast("AnyRequest", given[0])))

    def _has(self, key: str) -> bool:
        return self._run(housekeeping.ask(self.engine.store.contains(key, follow=True), False))

    def _key_of_url(self, url: str) -> str:
        return self.create_key(Request("GET", url))

    def has_key(self, key: str) -> bool:
        """Whether a key has a response, or leads to one."""
        return self._has(key)

    def has_url(self, url: str, method: str | None = None, **kwargs: Any) -> bool:
        """Whether anything is stored for a URL, or a redirect from it.

        Args:
            url: absolute.
            method: asks for the plain request of this method alone; any request if left out.
            **kwargs: of ``requests.Request``, such as ``params``; with a method.
        """
        if method is not None or kwargs:
            return self.contains(request=Request(method or "GET", url, **kwargs))
        return self._run(housekeeping.has_url(self.engine.store, self.settings, url))

    def get_response(self, key: str, default: Any = None) -> CachedResponse | Any:
        """The response of a key, or of the one that it leads to, whether expired or not."""
        loading = self.engine.store.load(key, follow=True)
        found = self._run(housekeeping.ask(loading, ()))
        return detached_response(found[0], self.engine) if found else default

    def save_response(
        self,
        response: Response,
        cache_key: str | None = None,
        expires: datetime | None = None,
    ) -> None:
        """Store a response, whatever the settings say, and the redirects in its history.

        Args:
            response: of requests; its body is read.
            cache_key: if left out, the one it had in a cache, else that of its request.
            expires: UTC if naive; if left out, what the settings say.

        Raises:
            ConfigurationError: it has no key, or ``expires`` is no moment.
        """
        save_response(self.engine, response, cache_key, expires)

    # Many of them

    def filter(
        self,
        valid: bool = True,  # noqa: FBT001, FBT002 - by position, as its users know it
        expired: bool = True,  # noqa: FBT001, FBT002
        invalid: bool = False,  # noqa: FBT001, FBT002
        older_than: ExpireAfter = None,
    ) -> Iterator[CachedResponse]:
        """The responses that meet one of these conditions.

        Args:
            valid: have not expired.
            expired: have.
            invalid: cannot be read; those are absent here, and it changes nothing.
            older_than: were received or validated longer ago than this, or before this moment.
        """
        del invalid
        wanted = self._conditions(valid=valid, expired=expired, older_than=older_than)
        for page in pages(self.engine, bodies=True):
            for stored in page:
                if wanted(stored.entry):
                    yield detached_response(stored, self.engine)

    def _conditions(self, *, valid: bool, expired: bool, older_than: ExpireAfter) -> Wanted:
        now = self.engine.now()
        before = _moment(requests_expiry(older_than, "older_than"), now)

        def wanted(entry: Entry) -> bool:
            old = before is not None and entry.created < before
            return old or (expired if entry.is_expired(now) else valid)

        return wanted

    @property
    def urls(self) -> Urls:
        """The URLs of all responses: sorted, each once, expired ones included.

        It is a list; called, as ``cache.urls(expired=False)``, it takes what :meth:`filter` does.
        """
        return Urls(self._run(housekeeping.urls(self.engine.store)), self._some_urls)

    def _some_urls(
        self,
        *,
        valid: bool = True,
        expired: bool = True,
        invalid: bool = False,
        older_than: ExpireAfter = None,
    ) -> list[str]:
        del invalid
        wanted = self._conditions(valid=valid, expired=expired, older_than=older_than)
        found = {
            stored.entry.url
            for page in pages(self.engine)
            for stored in page
            if wanted(stored.entry)
        }
        return sorted(found)

    def keys(self, check_expiry: bool = False) -> Iterator[str]:  # noqa: FBT001, FBT002 - as known
        """The keys of redirects and responses; with ``check_expiry``, of those still good."""
        yield from self.redirects
        if not check_expiry:
            yield from self.responses
            return
        wanted = self._conditions(valid=True, expired=False, older_than=None)
        for page in pages(self.engine):
            yield from (stored.key for stored in page if wanted(stored.entry))

    def values(
        self,
        check_expiry: bool = False,  # noqa: FBT001, FBT002 - as known
    ) -> Iterator[CachedResponse]:
        """All responses; with ``check_expiry``, those that have not expired."""
        return self.filter(expired=not check_expiry)

    def response_count(self, check_expiry: bool = False) -> int:  # noqa: FBT001, FBT002 - as known
        """How many responses there are; with ``check_expiry``, how many that have not expired."""
        if not check_expiry:
            return self.size()
        wanted = self._conditions(valid=True, expired=False, older_than=None)
        return sum(wanted(stored.entry) for page in pages(self.engine) for stored in page)

    def size(self) -> int:
        """How many responses are stored, expired ones included."""
        return self._run(housekeeping.ask(self.engine.store.size(), 0))

    def bytes(self) -> int:
        """How many bytes all of it takes, about, as counted for ``max_bytes``."""
        return self._run(housekeeping.ask(self.engine.store.bytes_size(), 0))


def _is_url(text: str) -> bool:
    return "://" in text


def _moment(expiry: Expiry, now: float) -> float | None:
    """Before which something is older than that; ``None`` where nothing is."""
    if expiry.kind is ExpiryKind.AFTER:
        return now - expiry.seconds
    if expiry.kind is ExpiryKind.AT:
        return expiry.seconds
    if expiry.kind is ExpiryKind.AT_ONCE:
        return now
    return None
