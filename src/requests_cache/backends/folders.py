"""Where the caches of a user lie, by the conventions of the platform."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from http_client_cache.errors import ConfigurationError, check_flag


def user_cache_dir() -> Path:
    """The user's folder for caches; nothing is created.

    ``$XDG_CACHE_HOME``, if that is an absolute path, else ``~/.cache``; ``~/Library/Caches`` on
    macOS; ``%LOCALAPPDATA%`` on Windows.
    """
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    said = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The specification of XDG has relative ones ignored.
    return said if said.is_absolute() else Path.home() / ".cache"


def placed(
    name: str | os.PathLike[str], *, use_cache_dir: bool, use_temp: bool
) -> str | os.PathLike[str]:
    """A name, in the user's folder for caches if that is asked for and it is no path of its own.

    Raises:
        ConfigurationError: it is to be in two places.
    """
    if not check_flag(use_cache_dir, "use_cache_dir"):
        return name
    if check_flag(use_temp, "use_temp"):
        raise ConfigurationError("use_cache_dir and use_temp name two places; give one of them")
    text = os.fspath(name)
    if text.startswith(("~", "file:")) or text == ":memory:" or not text:
        return name
    return user_cache_dir() / text
