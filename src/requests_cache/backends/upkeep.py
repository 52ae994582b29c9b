"""How a cache is changed as a whole: deletion, expiration, keys, and the contents of another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from requests import Request

from http_client_cache import housekeeping
from http_client_cache.errors import ConfigurationError, describe
from http_client_cache.expiry import UNSET, at
from requests_cache.backends.inspection import Inspection, Wanted
from requests_cache.backends.saving import copy, key_again, link_to
from requests_cache.backends.storage import links, pages
from requests_cache.policy.expiration import requests_expiry

if TYPE_CHECKING:
    from http_client_cache.expiry import ExpireAfter
    from requests_cache.cache_keys import AnyRequest


class Upkeep(Inspection):
    """Deletes and changes what is stored, some of it at a time."""

    def delete(
        self,
        *keys: str,
        expired: bool = False,
        invalid: bool = False,
        older_than: ExpireAfter = None,
        requests: Iterable[AnyRequest] | None = None,
        urls: Iterable[str] | None = None,
    ) -> int:
        """Delete responses, and the redirects that led to them; answers how many.

        Args:
            *keys: of what is deleted.
            expired: delete what has expired.
            invalid: delete what cannot be read; that goes by itself, and it changes nothing.
            older_than: delete what was received or validated longer ago than this, or before
                this moment.
            requests: delete what is stored for these.
            urls: delete whatever is stored for these: each method, body and set of fields.
        """
        del invalid
        wanted = [*keys, *(self.create_key(request) for request in requests or ())]
        deleted = self._run(housekeeping.delete(self.engine.store, wanted)) if wanted else 0
        for url in _listed(urls, "urls"):
            deleted += self.delete_url(url)
        if older_than is not None:
            old = self._conditions(valid=False, expired=False, older_than=older_than)
            deleted += self._drop(old)
        if expired:
            deleted += self._run(housekeeping.sweep(self.engine.store, self.engine.now()))
        return deleted

    remove = delete

    def _drop(self, wanted: Wanted) -> int:
        store, deleted = self.engine.store, 0
        for page in pages(self.engine):
            gone = [(stored.key, stored.variant) for stored in page if wanted(stored.entry)]
            if gone:
                deleted += self._run(housekeeping.ask(store.drop(gone), 0, writes=True))
        return deleted

    def delete_url(self, url: str, method: str | None = None, **kwargs: Any) -> int:
        """Delete what is stored for a URL: each method, body and set of header fields.

        Args:
            url: absolute.
            method: deletes what the plain request of this method got, and nothing else.
            **kwargs: of ``requests.Request``, such as ``params``; with a method.
        """
        if method is not None or kwargs:
            return self.delete(requests=[Request(method or "GET", url, **kwargs)])
        return self._run(housekeeping.delete_url(self.engine.store, self.settings, url))

    def delete_urls(self, urls: Iterable[str], method: str | None = None, **kwargs: Any) -> int:
        """The same for several URLs."""
        return sum(self.delete_url(url, method, **kwargs) for url in _listed(urls, "urls"))

    def clear(self) -> None:
        """Delete all responses and redirects of this cache, and nothing else."""
        self._run(housekeeping.ask(self.engine.store.clear(), None, writes=True))

    def remove_expired_responses(self, expire_after: ExpireAfter = None) -> int:
        """Delete all expired responses; answers how many.

        Args:
            expire_after: applied to all stored responses first, counted from when each was
                created: longer or shorter than before.
        """
        expiry = requests_expiry(expire_after)
        if expiry is not UNSET:
            self._run(housekeeping.reset_expiration(self.engine.store, expiry))
        return self.delete(expired=True)

    delete_expired_responses = remove_expired_responses

    def reset_expiration(self, expire_after: ExpireAfter = None) -> int:
        """Give all stored responses another expiration, counted from now; answers how many.

        Args:
            expire_after: ``None`` or -1 for never, 0 for at once.
        """
        expiry = requests_expiry(expire_after)
        expires = expiry.expires(self.engine.now())
        moment = expiry if expires is None else at(expires)
        return self._run(housekeeping.reset_expiration(self.engine.store, moment))

    def recreate_keys(self) -> int:
        """Give stored responses the keys that they would have under the settings of now.

        Those stay as they are whose request is not stored as a whole: with a body, with
        credentials, or with parameters that are not stored. Answers how many have another key.
        """
        changed = 0
        for page in pages(self.engine):
            for stored in page:
                key = key_again(self.engine, stored)
                if key != stored.key:
                    changed += self._move(stored.key, stored.variant, key)
        return changed

    def _move(self, before: str, variant: str, after: str) -> bool:
        store = self.engine.store
        for stored in self._run(housekeeping.ask(store.load(before), ())):
            if stored.variant == variant and copy(self.engine, stored, self.engine, after):
                place = (before, variant)
                return bool(self._run(housekeeping.ask(store.drop([place]), 0, writes=True)))
        return False

    def update(self, other: Inspection) -> int:
        """Store all that another cache has; answers how many responses.

        Where both have a response, that of the other takes its place. Both should make keys in
        the same way: what differs there is not found.

        Raises:
            ConfigurationError: it is no backend.
        """
        if not isinstance(cast("object", other), Inspection):
            raise ConfigurationError(f"other must be a backend, not {describe(other)}")
        copied = 0
        for page in pages(other.engine, bodies=True):
            for stored in page:
                copied += copy(other.engine, stored, self.engine, stored.key)
        for key, alias in links(other.engine):
            link_to(self.engine, key, alias)
        return copied


def _listed(urls: Iterable[str] | None, argument: str) -> Iterable[str]:
    if isinstance(urls, str):
        # It would be taken for a list of letters.
        raise ConfigurationError(f"{argument} must be a list of URLs, not {describe(urls)}")
    return urls or ()
