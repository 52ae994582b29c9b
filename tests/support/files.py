"""What is in a folder."""

from __future__ import annotations

import stat
from pathlib import Path


def everything_in(folder: Path) -> bytes:
    """The contents of all files, one after the other."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def modes_in(folder: Path) -> dict[str, int]:
    """The permissions of each file."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def remove_everything_in(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
