"""Programs of their own, for what one process cannot show."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

ROOT = Path(__file__).parents[4]

PRELUDE = """
import asyncio, gc, logging, os, resource, signal, sys
from aiohttp_client_cache import CachedSession, FileBackend, SQLiteBackend
# In debug mode it tells of every tenth of a second that a busy machine took away.
logging.getLogger('asyncio').setLevel(logging.ERROR)
def backend_of(kind, path, **settings):
    made = {"sqlite": SQLiteBackend, "files": FileBackend}[kind]
    return made(path, autoclose=False, **settings)
"""


async def start(code: str, *arguments: object) -> Process:
    """Start a program with warnings as errors, after ``PRELUDE``."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "dev", "-W", "error", "-c", PRELUDE + code),
        *map(str, arguments),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        stdout=PIPE,
        stderr=PIPE,
    )


async def finish(program: Process, *, quiet: bool = True) -> str:
    """Wait for the end of a program, and give what it printed."""
    out, err = await asyncio.wait_for(program.communicate(), 30)
    assert program.returncode == 0, err.decode()
    if quiet:
        assert err == b"", err.decode()
    return out.decode().strip()


async def run(code: str, *arguments: object, quiet: bool = True) -> str:
    return await finish(await start(code, *arguments), quiet=quiet)
