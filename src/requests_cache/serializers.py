"""How metadata is stored: by name, or by an object with ``dumps`` and ``loads``."""

from __future__ import annotations

from typing import Any, Final

from http_client_cache.errors import ConfigurationError, describe

SERIALIZERS: Final = ("msgpack", "json")
"""The names that ``serializer`` accepts; the first is used if none is given."""

msgpack_serializer: Final = "msgpack"
json_serializer: Final = "json"

# Names that people import. Whoever uses one of these is told why it cannot be.
pickle_serializer: Final = "pickle"
safe_pickle_serializer: Final = "safe_pickle"
yaml_serializer: Final = "yaml"
bson_serializer: Final = "bson"


def init_serializer(serializer: Any = None) -> Any:
    """Check a serializer; answers it as it is.

    Args:
        serializer: ``None``, a name of :data:`SERIALIZERS`, or an object with ``dumps`` and
            ``loads``, which turns a dict of plain values into text or bytes and back.

    Raises:
        ConfigurationError: it is another name.
    """
    if isinstance(serializer, str) and serializer not in SERIALIZERS:
        raise ConfigurationError(
            "serializer must be 'msgpack', 'json' or an object with the functions dumps and "
            f"loads, not {describe(serializer)}: no code is run from what lies in a cache, "
            "whoever may have put it there"
        )
    return serializer


__all__ = [
    "SERIALIZERS",
    "bson_serializer",
    "init_serializer",
    "json_serializer",
    "msgpack_serializer",
    "pickle_serializer",
    "safe_pickle_serializer",
    "yaml_serializer",
]
