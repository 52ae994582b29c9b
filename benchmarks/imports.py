"""How long importing takes."""

from __future__ import annotations

import subprocess
import sys
from statistics import median

# What both need is imported before: what is left is what the cache adds to a program with aiohttp.
_PROGRAM = """
import time
begin = time.process_time()
import aiohttp
middle = time.process_time()
import aiohttp_client_cache
print(middle - begin, time.process_time() - middle)
"""


def measure_imports(rounds: int) -> tuple[float, float]:
    """Medians, in ms of CPU time: importing aiohttp, and what the cache adds to it."""
    aiohttp, cache = zip(*[_import() for _ in range(rounds)], strict=True)
    return median(aiohttp) * 1e3, median(cache) * 1e3


def _import() -> tuple[float, float]:
    command = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(  # noqa: S603 - this very interpreter
        command, check=True, capture_output=True, text=True
    )
    aiohttp, cache = done.stdout.split()
    return float(aiohttp), float(cache)
