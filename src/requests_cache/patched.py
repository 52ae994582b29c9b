"""What others put into a session: they mean the adapter that sends, and not the cache before it."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any

from requests import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests.adapters import BaseAdapter


class GetAdapter:
    """The method ``get_adapter`` of a caching session.

    Test doubles put one of their own into a session, and what they take for the former one back
    later. As this is a data descriptor, the cache stays before whatever is there.

    Args:
        method: finds the adapter; it asks the one that somebody has put into ``vars(session)``, if
            there is one, for the one behind the cache.
    """

    def __init__(self, method: Callable[..., BaseAdapter]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, session: Any, owner: type | None = None) -> Any:
        return self if session is None else MethodType(self._method, session)

    def __set__(self, session: Any, method: Any) -> None:
        if getattr(method, "__func__", None) in (self._method, Session.get_adapter):
            session.__dict__.pop("get_adapter", None)
        else:
            session.__dict__["get_adapter"] = method

    def __delete__(self, session: Any) -> None:
        session.__dict__.pop("get_adapter", None)
