"""The settings of a cache, under the names that users of requests know, too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from http_client_cache.expiry import Expiry
from http_client_cache.settings import DEFAULT_CODES, DEFAULT_METHODS, Settings
from requests_cache.policy.expiration import requests_expiry
from requests_cache.policy.spellings import respelled

DEFAULT_CACHE_NAME: Final = "http_cache"

DEFAULT_STATUS_CODES: Final = tuple(sorted(DEFAULT_CODES))

ALL_METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

DEFAULT_IGNORED_PARAMS: Final = ("Authorization", "X-API-KEY", "access_token", "api_key")
"""Names of credentials: they tell requests apart, and are not stored."""


def _spelling(name: str) -> Any:
    def read(settings: Any) -> Any:
        return getattr(settings, name)

    def write(settings: Any, value: Any) -> None:
        setattr(settings, name, value)

    return property(read, write, doc=f"Another spelling of ``{name}``.")


class CacheSettings(Settings):
    """The rules of one cache; a change holds for the next request.

    They are those of :class:`~http_client_cache.settings.Settings` with these differences:
    ``expire_after=0`` keeps what can be validated, and validates it before every use, and
    ``redacted_parameters`` is :data:`DEFAULT_IGNORED_PARAMS` if it is left out. Other spellings
    are in :data:`~requests_cache.policy.spellings.SPELLINGS`.

    Args:
        redacted_parameters: names that count, and are not stored.
        **rules: as for ``Settings``.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        TypeError: an unknown argument.
        AttributeError: a setting is set that there is not.
    """

    _is_made = False

    @staticmethod
    def parse_expiry(value: Any, name: str) -> Expiry:
        """What an expiration value means; raises ``ConfigurationError``."""
        return requests_expiry(value, name)

    def __init__(self, *, redacted_parameters: Iterable[str] | None = None, **rules: Any) -> None:
        if redacted_parameters is None:
            redacted_parameters = DEFAULT_IGNORED_PARAMS
        super().__init__(redacted_parameters=redacted_parameters, **respelled(rules))
        self._is_made = True

    def __setattr__(self, name: str, value: object) -> None:
        # Whoever sets a name that does nothing would rely on it.
        if self._is_made and name not in vars(self) and not hasattr(type(self), name):
            raise AttributeError(f"there is no setting {name!r}")
        super().__setattr__(name, value)

    allowable_codes = _spelling("allowed_codes")
    allowable_methods = _spelling("allowed_methods")
    match_headers = _spelling("include_headers")


__all__ = [
    "ALL_METHODS",
    "DEFAULT_CACHE_NAME",
    "DEFAULT_IGNORED_PARAMS",
    "DEFAULT_METHODS",
    "DEFAULT_STATUS_CODES",
    "CacheSettings",
]
