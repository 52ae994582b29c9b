"""Caching for a whole program: sessions that are made while a cache is installed use it.

What is replaced is how ``requests.Session`` objects begin, not the class: it stays the one that it
is for everybody who knows it. Sessions that exist already are left in peace.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from requests import Session

from requests_cache.disabled import Switch
from requests_cache.sending import Sending
from requests_cache.session import CachedSession

if TYPE_CHECKING:
    from collections.abc import Generator

    from http_client_cache.expiry import ExpireAfter
    from requests_cache.backends.base import BaseCache
    from requests_cache.backends.choose import BackendSpecifier

_lock = threading.RLock()
_plain_init = Session.__init__


class _Installation:
    """A cache for all sessions that begin.

    Args:
        kind: of the sessions that ``requests.Session()`` makes.
        arguments: of ``kind``.
    """

    def __init__(self, kind: type[CachedSession], arguments: dict[str, Any]) -> None:
        self.kind = kind
        # It is the first user of its backend: those who come and go, as `requests.get`, leave it
        # open.
        self._first = kind(**arguments)
        self.cache: BaseCache = self._first.cache
        self.switch = Switch()

    def begin(self, session: Session) -> None:
        """Let a new session use the cache."""
        if type(session) is Session:
            session.__class__ = self.kind
            self.kind.__init__(cast("CachedSession", session), backend=self.cache)
        else:
            _plain_init(session)
            session.__class__ = _with_cache(type(session))
            session._begin(self.cache)  # type: ignore[attr-defined]
        session._switch = self.switch  # type: ignore[attr-defined]

    def end(self) -> None:
        """Its sessions go on without a cache."""
        self.switch.stay_off()
        self._first.close()


_installed: _Installation | None = None


def _begin(self: Session, *args: Any, **kwargs: Any) -> None:
    """Stands in for ``Session.__init__`` while a cache is installed."""
    installed = _installed
    if installed is None or isinstance(self, Sending):
        _plain_init(self, *args, **kwargs)
    else:
        installed.begin(self)


def _with_cache(kind: type[Session]) -> type[Session]:
    """A class of the user's, with the cache before it."""
    known = _made.get(kind)
    if known is None:
        bases: tuple[type, ...] = (Sending, kind)
        names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
        known = _made[kind] = type(kind.__name__, bases, names)
    return known


_made: dict[type[Session], type[Session]] = {}


def _use(installation: _Installation | None) -> None:
    global _installed  # noqa: PLW0603 - a program has one
    _installed = installation
    begin: Any = _plain_init if installation is None else _begin
    Session.__init__ = begin  # type: ignore[method-assign]


def install_cache(
    cache_name: str = "http_cache",
    backend: BackendSpecifier = None,
    *,
    session_factory: type[CachedSession] = CachedSession,
    **kwargs: Any,
) -> None:
    """Let all functions of ``requests``, and all sessions made from now on, use a cache.

    Sessions that exist already go on without. To install again replaces the cache.

    Args:
        cache_name: of the backend.
        backend: as for :class:`CachedSession`.
        session_factory: what ``requests.Session()`` makes meanwhile.
        **kwargs: as for :class:`CachedSession`.

    Raises:
        ConfigurationError: a value is not what its argument accepts; nothing is changed then.
    """
    arguments = {"cache_name": cache_name, "backend": backend, **kwargs}
    with _lock:
        new = _Installation(session_factory, arguments)
        old = _installed
        _use(new)
        if old is not None:
            old.end()


def uninstall_cache() -> None:
    """Undo :func:`install_cache`; sessions made meanwhile go on without a cache."""
    with _lock:
        old = _installed
        _use(None)
        if old is not None:
            old.end()


@contextmanager
def enabled(*args: Any, **kwargs: Any) -> Generator[None]:
    """Install a cache for a while; what was installed before comes back, whatever happens.

    Args:
        *args: as for :func:`install_cache`.
        **kwargs: as for :func:`install_cache`.
    """
    with _lock:
        before = _installed
        _use(None)
        try:
            install_cache(*args, **kwargs)
        except BaseException:
            _use(before)
            raise
        mine = _installed
    try:
        yield
    finally:
        with _lock:
            if _installed is mine:
                _use(before)
            if mine is not None:
                mine.end()


@contextmanager
def disabled() -> Generator[None]:
    """Switch the installed cache off for a while, in all threads; may be nested."""
    installed = _installed
    if installed is None:
        yield
        return
    with installed.switch.off():
        yield


def is_installed() -> bool:
    """Whether a cache is installed."""
    return _installed is not None


def get_cache() -> BaseCache | None:
    """The installed cache, or ``None``."""
    return None if _installed is None else _installed.cache


def clear() -> None:
    """Delete all responses of the installed cache, if there is one."""
    cache = get_cache()
    if cache is not None:
        cache.clear()


def delete(*args: Any, **kwargs: Any) -> None:
    """Delete responses of the installed cache, if there is one.

    Args:
        *args: as for ``session.cache.delete``.
        **kwargs: as for ``session.cache.delete``.
    """
    cache = get_cache()
    if cache is not None:
        cache.delete(*args, **kwargs)


def remove_expired_responses(expire_after: ExpireAfter = None) -> int:
    """Delete the expired responses of the installed cache; answers how many.

    Args:
        expire_after: applied to all stored responses first, counted from when each was created.
    """
    cache = get_cache()
    return 0 if cache is None else cache.remove_expired_responses(expire_after)
