"""What every backend can do; on its own, the backend that keeps responses in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from http_client_cache.backends.base import Backend, Parts
from http_client_cache.engine import SyncCache
from http_client_cache.settings import Settings
from requests_cache.backends.upkeep import Upkeep
from requests_cache.policy.settings import DEFAULT_CACHE_NAME, CacheSettings
from requests_cache.policy.spellings import respelled
from requests_cache.serializers import init_serializer

if TYPE_CHECKING:
    from typing import Unpack

    from http_client_cache.expiry import ExpireAfter
    from requests_cache.backends.options import CacheOptions

__all__ = ["BaseCache"]


class BaseCache(Upkeep, Backend):
    """Keeps responses in this process's memory; the base of all backends.

    Any number of sessions and threads may share it. The settings can be read and set later, here,
    as ``settings``, and on the session.

    Args:
        cache_name: names the cache where it is persistent.
        expire_after: how long responses are fresh: seconds, a ``timedelta``, a ``datetime``, -1
            for ever; 0 to keep what can be validated, and validate it before every use.
        **options: as for :class:`~http_client_cache.backends.base.Backend`, also under the names
            in :data:`~requests_cache.policy.spellings.SPELLINGS`.

    Raises:
        ConfigurationError: a value is not what its argument accepts, or an argument is given
            under two names.
        MissingDependency: what an argument asks for is not installed.
        TypeError: an unknown argument.
    """

    _rules: ClassVar[type[Settings]] = CacheSettings

    def __init__(
        self,
        cache_name: Any = DEFAULT_CACHE_NAME,
        expire_after: ExpireAfter = None,
        **options: Unpack[CacheOptions],
    ) -> None:
        given = respelled(cast("dict[str, Any]", options))
        init_serializer(given.get("serializer"))
        super().__init__(cache_name, expire_after, **given)

    def _use(self, parts: Parts) -> None:
        store, _, shell = parts
        name = self._name()
        self.engine = SyncCache(self.settings, store, shell, name=name, clock=self.clock)

    def detach(self, user: object) -> None:
        """Note that a session uses this backend no more; the last one closes it."""
        self._users.discard(user)
        if self.autoclose and not self._users:
            self.close()

    def close(self) -> None:
        """Write what is under way and let go of files and connections.

        The backend opens again when it is used again.
        """
        self.engine.tidy_up()
        self.engine.stop_background()
        try:
            self.engine.shell.close()
        except Exception as error:  # noqa: BLE001 - closing must not hide what the program does
            self.engine.failures.failed(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{self._name()}>"
