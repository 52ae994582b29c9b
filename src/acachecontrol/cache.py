"""``AsyncCache``: where responses are kept, and for how long where nobody says."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from aiohttp_client_cache.backends.base import CacheBackend
from http_client_cache import engine, housekeeping
from http_client_cache.backends.base import Parts
from http_client_cache.clock import Clock
from http_client_cache.errors import ConfigurationError, check_count, describe
from http_client_cache.key import locator, normalize_url
from http_client_cache.message import Request
from http_client_cache.options import Options
from http_client_cache.settings import Settings
from http_client_cache.shell.drivers import AsyncClient
from http_client_cache.shell.immediate import AsyncImmediate, SyncImmediate
from http_client_cache.statements import AsyncShell
from http_client_cache.store.mapping import MappingStore, OrderedMapping

if TYPE_CHECKING:
    from http_client_cache.served import Served

__all__ = ["AsyncCache"]

DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType(
    {"max_age": 120, "capacity": 100, "cacheable_methods": None, "sleep_time": 0.1}
)

RESPONSES_PER_URL: Final = 100
"""For one URL; how many there are otherwise is up to the server, which says what they vary by."""

LONG_AGO: Final = datetime.fromtimestamp(0, UTC)

INTERFACE: Final = (
    *("__contains__", "__len__", "__getitem__", "__setitem__"),
    *("pop", "popitem", "move_to_end"),
)


class AsyncCache(CacheBackend):
    """Keeps responses in a mapping, as RFC 9111 tells a private cache to.

    It may be shared by any number of sessions, one after the other or at the same time.

    Args:
        config: any of these; what is left out has its default.

            - ``max_age``: seconds for which a response is fresh whose header fields do not say
              (default 120); ``None`` leaves it to section 4.2.2 of RFC 9111.
            - ``capacity``: how many URLs are kept (default 100); what was used longest ago goes
              first. ``None`` for no limit.
            - ``cacheable_methods``: methods whose responses may be kept; ``None`` (default) for
              those of the RFC.
            - ``sleep_time``: seconds; taken for the sake of programs that set it. A request that
              waits for another is woken when the response is there, so that nobody sleeps.
        cache_backend: the mapping, an ``OrderedDict`` or any object with its ``__contains__``,
            ``__len__``, ``__getitem__``, ``__setitem__``, ``pop``, ``popitem`` and
            ``move_to_end``. It is this cache's alone, and holds one key for each URL. Its methods
            are called in the event loop; if one of them raises, the request goes to the server.
        clock: replaced in tests.

    Attributes:
        config: the configuration, defaults included.
        cache_backend: the mapping.

    Raises:
        ConfigurationError: an argument is not what it should be.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        cache_backend: OrderedMapping | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        self.config = MappingProxyType(_checked(config))
        self.cache_backend = OrderedDict[str, Any]() if cache_backend is None else cache_backend
        _check_interface(self.cache_backend)
        super().__init__(
            "acachecontrol",
            # As an expiration, 0 would say that nothing is to be kept; here it is for the silent.
            LONG_AGO if self.config["max_age"] == 0 else self.config["max_age"],
            allowed_methods=self.config["cacheable_methods"],
            cache_control=True,
            max_bytes=None,
            clock=clock,
        )

    def clear_cache(self) -> None:
        """Delete everything, without ``await``."""
        self._sync.run(housekeeping.ask(self.engine.store.clear(), None))

    def _open(self) -> Parts:
        store = MappingStore(self.cache_backend, self.config["capacity"], RESPONSES_PER_URL)
        return store, AsyncImmediate(), SyncImmediate()

    def _use(self, parts: Parts) -> None:
        super()._use(parts)
        store, shell, _ = parts
        if isinstance(store, MappingStore):
            self.engine = _Engine(self.settings, store, shell, self._name(), self.clock)


class _Engine(engine.AsyncCache):
    """Tells the store the URL of each request, which is the key in the user's mapping."""

    def __init__(
        self, settings: Settings, store: MappingStore, shell: AsyncShell, name: str, clock: Clock
    ) -> None:
        super().__init__(settings, store, shell, name=name, clock=clock)
        self._mapping = store

    async def serve(self, request: Request, options: Options, client: AsyncClient) -> Served:
        settings = self.settings
        sort = not settings.cache_control
        url = normalize_url(request.url, ignored=settings.ignored_parameters, sort_query=sort)
        self._mapping.name(locator(url), url)
        return await super().serve(request, options, client)


def _checked(config: object) -> dict[str, Any]:
    """The configuration, with defaults."""
    if config is None:
        return dict(DEFAULTS)
    if not isinstance(config, Mapping):
        raise ConfigurationError(f"config must be a dict, not {describe(config)}")
    checked = {**DEFAULTS, **cast("Mapping[str, Any]", config)}
    for name in checked:
        if name not in DEFAULTS:
            raise ConfigurationError(f"config knows {', '.join(DEFAULTS)}, but not {name!r}")
    if checked["max_age"] is not None:
        _check_seconds(checked["max_age"], "max_age", ", or None")
    _check_seconds(checked["sleep_time"], "sleep_time")
    if checked["capacity"] is not None:
        check_count(checked["capacity"], "config['capacity']", "a number of URLs, or None")
    if checked["cacheable_methods"] is not None:
        checked["cacheable_methods"] = _names(checked["cacheable_methods"], "cacheable_methods")
    return checked


def _names(value: object, name: str) -> tuple[str, ...]:
    rule = f"config[{name!r}] must be a list of names, or None"
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ConfigurationError(f"{rule}, not {describe(value)}")
    names: list[str] = []
    for one in cast("Iterable[object]", value):
        if not isinstance(one, str):
            raise ConfigurationError(f"{rule}; {describe(one)} is none")
        names.append(one)
    return tuple(names)


def _check_seconds(value: object, name: str, more: str = "") -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= cast("float", value) < math.inf:
        raise ConfigurationError(
            f"config[{name!r}] must be a number of seconds, 0 or more{more}, not {describe(value)}"
        )


def _check_interface(mapping: object) -> None:
    missing = [name for name in INTERFACE if not callable(getattr(mapping, name, None))]
    if missing or isinstance(mapping, type):
        lacks = f" (it lacks {', '.join(missing)})" if missing else ""
        raise ConfigurationError(
            "cache_backend must be an object with the interface of an OrderedDict, "
            f"not {describe(mapping)}{lacks}"
        )
