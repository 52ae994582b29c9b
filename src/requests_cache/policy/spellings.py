"""Settings that have another name in the engine: this is the one table of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from http_client_cache.errors import ConfigurationError

SPELLINGS: Final = {
    "allowable_codes": "allowed_codes",
    "allowable_methods": "allowed_methods",
    "match_headers": "include_headers",
    # As they were called before.
    "include_get_headers": "include_headers",
    "old_data_on_error": "stale_if_error",
}
"""What users of requests call a setting, and what the engine calls it."""


def respelled(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same options, each under the name that the engine has for it.

    Raises:
        ConfigurationError: two of them are spellings of one.
    """
    plain: dict[str, Any] = {}
    by_name: dict[str, str] = {}
    for name, value in options.items():
        known = SPELLINGS.get(name, name)
        if known in by_name:
            first, second = sorted((by_name[known], name))
            raise ConfigurationError(f"{first} is another spelling of {second}; give one of them")
        by_name[known] = name
        plain[known] = value
    return plain
