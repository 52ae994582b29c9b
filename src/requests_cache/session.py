"""``CachedSession``: a ``requests.Session`` that remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from requests import Session

from requests_cache.backends.choose import choose_backend, take_options
from requests_cache.backends.options import LiveSettings
from requests_cache.sending import Sending

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from http_client_cache.expiry import ExpireAfter
    from requests_cache.backends.base import BaseCache
    from requests_cache.backends.choose import BackendSpecifier


class CacheMixin(Sending, LiveSettings):
    """Adds the cache to a session class; put it before ``Session`` and other mixins.

    ::

        class CustomSession(CacheMixin, CustomMixin, Session):
            pass

    A ``send`` of the classes behind it, such as a limiter's, sees only requests that go out.

    Args:
        cache_name: of the backend.
        backend: its name (``"sqlite"``, ``"memory"``, ``"redis"`` …), its URL, its class, or the
            backend itself; SQLite if left out.
        **kwargs: settings (:class:`~http_client_cache.settings.Settings` tells more), what the
            backend takes, and the arguments of the classes behind.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: what an argument asks for is not installed.
        TypeError: an unknown argument.
    """

    def __init__(
        self, cache_name: str | None = None, backend: BackendSpecifier = None, **kwargs: Any
    ) -> None:
        options = take_options(backend, kwargs)
        chosen = choose_backend(cache_name, backend, options)
        self.settings = chosen.settings
        self._users_left: list[BaseCache] = []
        super().__init__(**kwargs)
        self._begin(chosen)

    @property
    def cache(self) -> BaseCache:
        """The backend; another one may be assigned, and is used from the next request on."""
        return self._backend

    @cache.setter
    def cache(self, backend: BackendSpecifier) -> None:
        chosen = choose_backend(None, backend, {})
        self._users_left.append(self._backend)
        self._backend = chosen
        self.settings = chosen.settings
        chosen.attach(self)

    def cache_disabled(self) -> AbstractContextManager[None]:
        """Switch caching off for a while, in all threads; may be nested."""
        return self._switch.off()

    disabled = cache_disabled

    def remove_expired_responses(self, expire_after: ExpireAfter = None) -> int:
        """Delete all expired responses; answers how many.

        Args:
            expire_after: applied to all stored responses first, counted from when each was
                created: longer or shorter than before.
        """
        return self.cache.remove_expired_responses(expire_after)

    delete_expired_responses = remove_expired_responses

    def close(self) -> None:
        """Close the session, and the backend if no other session uses it."""
        try:
            super().close()
        finally:
            for backend in self._users_left:
                backend.detach(self)

    def __getstate__(self) -> Any:
        """Sessions are not pickled or copied.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"a {type(self).__name__} cannot be pickled or copied: make one where it is needed, "
            "with the same backend"
        )

    @classmethod
    def wrap(cls, session: Session, *args: Any, **kwargs: Any) -> Self:
        """A caching session with everything that another session has: adapters, cookies, hooks.

        Args:
            session: stays as it is; both share what can be shared.
            *args: of this class.
            **kwargs: of this class.
        """
        wrapped = cls(*args, **kwargs)
        for name in Session.__attrs__:
            setattr(wrapped, name, getattr(session, name))
        return wrapped


class CachedSession(CacheMixin, Session):  # pyright: ignore[reportIncompatibleMethodOverride]
    """A ``requests.Session`` with a cache; the arguments are those of :class:`CacheMixin`."""
