"""A cache for aiohttp that is ruled by ``Cache-Control``: RFC 9111, as a browser keeps to it."""

from acachecontrol.cache import AsyncCache
from acachecontrol.request_context_manager import RequestContextManager
from acachecontrol.session import AsyncCacheControl

__all__ = ["AsyncCache", "AsyncCacheControl", "RequestContextManager"]
