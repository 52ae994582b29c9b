"""Sessions and patching, where they once were: :mod:`requests_cache` itself has them all."""

from requests_cache.patcher import (
    clear,
    delete,
    disabled,
    enabled,
    get_cache,
    install_cache,
    is_installed,
    remove_expired_responses,
    uninstall_cache,
)
from requests_cache.policy.settings import ALL_METHODS
from requests_cache.session import CachedSession, CacheMixin

__all__ = [
    "ALL_METHODS",
    "CacheMixin",
    "CachedSession",
    "clear",
    "delete",
    "disabled",
    "enabled",
    "get_cache",
    "install_cache",
    "is_installed",
    "remove_expired_responses",
    "uninstall_cache",
]
