"""Programs of their own that use a cache file, for what one process cannot show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_PRELUDE = """
import asyncio, logging, os, sys, threading, time
# In debug mode it tells of every tenth of a second that a busy machine took away.
logging.getLogger('asyncio').setLevel(logging.ERROR)
from pathlib import Path
from tests.stores.local_subjects import *
from http_client_cache.shell.store_driver import run_async, run_now, run_sync
subject = sqlite(Path(sys.argv[1]))
store, shell, loop_shell = subject.store, subject.sync_shell, subject.async_shell
def save(key, body=b"the body"):
    run_sync(store.save(key, entry(body=body), body), shell)
def load(key):
    return [stored.body for stored in run_sync(store.load(key, follow=True), shell)]
"""


def start(folder: Path, code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a program that finds ``store``, ``shell``, ``save`` and ``load`` in place.

    Warnings are errors in it, and whatever it says besides them is a failure of the test.
    """
    return subprocess.Popen(
        [
            *(sys.executable, "-X", "dev", "-W", "error", "-c", _PRELUDE + code),
            *(str(folder), *map(str, arguments)),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(program: subprocess.Popen[str], *, timeout: float = 30) -> str:
    """Wait for the end of a program, and give what it printed."""
    out, err = program.communicate(timeout=timeout)
    assert program.returncode == 0, err
    assert not err, err
    return out.strip()


def run(folder: Path, code: str, *arguments: object) -> str:
    return finish(start(folder, code, *arguments))
