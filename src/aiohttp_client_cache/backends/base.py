"""What every backend can do; on its own, the backend that keeps responses in memory."""

from __future__ import annotations

from typing import Self

from aiohttp_client_cache.backends.inspection import Inspection
from aiohttp_client_cache.backends.storage import (
    BaseCache,
    DictCache,
    OwnResponses,
    RedirectStorage,
    ResponseStorage,
)
from aiohttp_client_cache.backends.urls import Urls
from http_client_cache import housekeeping
from http_client_cache.backends.base import Backend, Parts
from http_client_cache.engine import AsyncCache
from http_client_cache.errors import ConfigurationError, describe
from http_client_cache.expiry import UNSET, ExpireAfter, parse_expire_after
from http_client_cache.shell.custom import CustomShell, NoSyncShell
from http_client_cache.shell.drivers import SyncDriver
from http_client_cache.shell.flights import SyncFlights
from http_client_cache.store.custom import CustomStore

__all__ = ["BaseCache", "CacheBackend", "DictCache", "Urls"]


class CacheBackend(Backend, Inspection):
    """Keeps responses in this process's memory; the base of all backends.

    Each of the arguments that :class:`~http_client_cache.settings.Settings` knows can be read
    and set later as an attribute, here and on the session.

    The arguments and what they raise are those of
    :class:`~http_client_cache.backends.base.Backend`.
    """

    def _use(self, parts: Parts) -> None:
        store, shell, sync_shell = parts
        name = self._name()
        self.engine = AsyncCache(self.settings, store, shell, name=name, clock=self.clock)
        self._sync = SyncDriver(sync_shell, SyncFlights(), self.engine.failures)

    # Storages

    @property
    def responses(self) -> BaseCache:
        """The stored responses; assign a :class:`BaseCache` of your own to keep them there."""
        assigned = self._assigned.get("responses")
        return ResponseStorage(self.engine) if assigned is None else assigned

    @responses.setter
    def responses(self, storage: BaseCache) -> None:
        self._assign("responses", storage)

    @property
    def redirects(self) -> BaseCache:
        """The stored redirects; assign a :class:`BaseCache` of your own to keep them there."""
        assigned = self._assigned.get("redirects")
        return RedirectStorage(self.engine) if assigned is None else assigned

    @redirects.setter
    def redirects(self, storage: BaseCache) -> None:
        self._assign("redirects", storage)

    def _assign(self, which: str, storage: object) -> None:
        if not isinstance(storage, BaseCache):
            raise ConfigurationError(f"{which} must be a BaseCache, not {describe(storage)}")
        self._assigned[which] = storage
        store, shell, _ = self._parts
        own = AsyncCache(self.settings, store, shell, name=self._name(), clock=self.clock)
        responses = self._assigned.get("responses", OwnResponses(own))
        redirects = self._assigned.get("redirects", RedirectStorage(own, whole=True))
        closers = [storage.close for storage in self._assigned.values()]
        shell = CustomShell([*closers, self._parts[1].close])
        self._use((CustomStore(responses, redirects), shell, NoSyncShell()))

    # Expiration

    async def delete_expired_responses(self, expire_after: ExpireAfter = None) -> int:
        """Delete all expired responses; answers how many.

        Args:
            expire_after: applied to all stored responses first, counted from when each was
                created: longer or shorter than before.
        """
        expiry = parse_expire_after(expire_after, "expire_after")
        if expiry is not UNSET:
            await self._run(housekeeping.reset_expiration(self.engine.store, expiry))
        return await self._run(housekeeping.sweep(self.engine.store, self.clock.time()))

    remove_expired_responses = delete_expired_responses

    # Life

    async def detach(self, user: object) -> None:
        """Note that a session uses this backend no more; the last one closes it."""
        self._users.discard(user)
        if self.autoclose and not self._users:
            await self.close()

    async def close(self) -> None:
        """Write what is under way and let go of files and connections.

        The backend opens again when it is used again.
        """
        await self.engine.stop_background()
        try:
            await self.engine.shell.close()
        except Exception as error:  # noqa: BLE001 - closing must not hide what the program does
            self.engine.failures.failed(error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
