"""``RequestContextManager``: a request, and after ``async with`` its response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp_client_cache.middleware import CacheMiddleware
from aiohttp_client_cache.session import CacheMixin

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType
    from typing import Self

    from aiohttp import ClientResponse, ClientSession
    from aiohttp.typedefs import StrOrURL
    from multidict import CIMultiDictProxy

    from acachecontrol.cache import AsyncCache

__all__ = ["RequestContextManager"]


class RequestContextManager:
    """What the request methods of a session return.

    ``async with`` sends the request, or answers it from the cache, and yields the object itself.
    ``await`` does the same, without giving the response's connection back in the end. Whatever is
    not named here is that of the ``aiohttp.ClientResponse``: ``reason``, ``cookies``, ``history``,
    ``raise_for_status()``, ``from_cache`` …

    Subclass it to change what the user of a session sees, and hand the class to the session.

    Args:
        client_session: sends requests, through the cache in any case.
        cache: that of the session.
        method: of the request.
        url: as it was given.
        **params: all other arguments of the request, as they were given.

    Attributes:
        response: ``None`` before the request.
    """

    response: ClientResponse | None = None

    if TYPE_CHECKING:
        status: int
        headers: CIMultiDictProxy[str]

    def __init__(
        self,
        client_session: ClientSession,
        cache: AsyncCache,
        method: str,
        url: StrOrURL,
        **params: Any,
    ) -> None:
        self.client_session = client_session
        self.cache = cache
        self.method = method
        self.url = url
        self.params = params

    async def __aenter__(self) -> Self:
        session = self.client_session
        params: dict[str, Any] = dict(self.params)
        if not isinstance(session, CacheMixin):
            # A session that knows no cache, of somebody who makes this object.
            behind = params.get("middlewares") or session._middlewares  # noqa: SLF001 - aiohttp's
            params["middlewares"] = (CacheMiddleware(self.cache), *behind)
        self.response = await session.request(self.method, self.url, **params)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.response is not None:
            self.response.release()
            await self.response.wait_for_close()

    def __await__(self) -> Generator[Any, None, Self]:
        return self.__aenter__().__await__()

    async def read(self) -> bytes:
        """The body.

        Raises:
            aiohttp.ClientError: the body broke off, or was let go unread.
        """
        return await self._answer().read()

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """The body as text; the arguments are those of ``aiohttp.ClientResponse``.

        Raises:
            aiohttp.ClientError: the body broke off, or was let go unread.
        """
        return await self._answer().text(encoding, errors)

    async def json(self, **kwargs: Any) -> Any:
        """The body as JSON; the arguments are those of ``aiohttp.ClientResponse``.

        Raises:
            aiohttp.ClientError: the body broke off, or says that it is something else.
        """
        return await self._answer().json(**kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._answer(), name)

    def _answer(self) -> ClientResponse:
        if self.response is None:
            raise AttributeError(
                f"there is no response yet: `async with session.{self.method.lower()}(…) as resp:`"
            )
        return self.response

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.url} {self.response!r}>"
