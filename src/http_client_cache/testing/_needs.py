"""What has to be there before the contract can be imported."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from http_client_cache.errors import MissingDependency

EXTRA: Final = "pip install aiohttp-client-cache[testing]"


def need(*packages: str) -> None:
    """Say what to install where one of these packages is not there.

    Raises:
        MissingDependency: one of them is not installed.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise MissingDependency(
            f"the contract of stores is run with {' and '.join(missing)}, not installed here; "
            f"{EXTRA}"
        )


def show_what_was_compared(package: str, *modules: str) -> None:
    """Let assertions in these modules of a package say what they compared, when they fail."""
    need("pytest", "pytest_asyncio")
    import pytest

    pytest.register_assert_rewrite(*(f"{package}.{module}" for module in modules))


show_what_was_compared(
    "http_client_cache.testing",
    *("_aliases", "_contract", "_deleting", "_entries", "_listing", "_machine", "_sharing"),
    *("_sweeping", "leases", "local", "pieces", "variants"),
)
