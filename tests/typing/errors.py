"""Checked by mypy and pyright, never run.

A wrong use carries a `type: ignore`, which both complain about when it is not wrong any more.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from http_client_cache.errors import CacheError, ConfigurationError, MissingDependency

caught_as_cache_error: CacheError = ConfigurationError("")
caught_as_value_error: ValueError = ConfigurationError("")
caught_as_import_error: ImportError = MissingDependency("")
not_caught_as_value_error: ValueError = MissingDependency("")  # type: ignore[assignment]
