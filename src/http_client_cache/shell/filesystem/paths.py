"""Where the files lie."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from http_client_cache.errors import ConfigurationError, describe

VERSION: Final = 1
"""Of the layout and of the files; part of a folder's name, so that versions never read each
other's."""

RESPONSE: Final = ".response"
MORE: Final = ".more"
"""Ends the folder of what a name has besides ``MAIN``."""
FRESH: Final = ".fresh"
"""Ends the file with the newer head of a large response."""
LEADS: Final = ".redirect"
LED: Final = ".redirects"
"""Ends the folder of what leads here: an empty file for each, of its name."""

TEMP: Final = "tmp"
LEASES: Final = "leases"

OURS: Final = re.compile(r"([0-9a-f]{16}-[0-9a-f]{32})(\.response|\.more|\.redirect|\.redirects)")
"""Names in a shard."""

IN_MORE: Final = re.compile(r"(main|[0-9a-f]{32})(\.response|\.fresh)")

IN_LED: Final = re.compile(r"[0-9a-f]{16}-[0-9a-f]{32}")


def folder_path(cache_name: str | os.PathLike[str], *, use_temp: bool = False) -> Path:
    """The folder that a ``cache_name`` means; nothing is created.

    Args:
        cache_name: name or path; ``~`` is the user's home.
        use_temp: whether a relative name lies in the system's folder for temporary files.

    Returns:
        An absolute path.

    Raises:
        ConfigurationError: it names no folder.
    """
    given: object = cache_name
    name = os.fspath(given) if isinstance(given, Path) else given
    if not isinstance(name, str):
        raise ConfigurationError(f"cache_name must be str or Path, not {describe(given)}")
    if not name or "\0" in name or name == ":memory:" or name.startswith("file:"):
        raise ConfigurationError(f"cache_name must name a folder, not {describe(name)}")
    path = Path(name)
    if name.startswith("~"):
        with suppress(RuntimeError):
            path = path.expanduser()
    base = Path(tempfile.gettempdir()) if use_temp else Path.cwd()
    return base / path


def root_of(folder: Path) -> str:
    """What all paths in a folder begin with: a folder of this version's own, and ``/``."""
    return os.path.join(folder, f"http_cache_v{VERSION}", "")  # noqa: PTH118 - paths are text here
