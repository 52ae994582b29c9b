"""How much memory one large body takes at its peak."""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path

from benchmarks.bodies.reading import read_through
from benchmarks.bodies.task import (
    PLAIN,
    Addresses,
    Figures,
    Task,
    expect,
    open_session,
    settle,
    warm_up,
)

SAMPLE_SECONDS = 0.001

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def _field(name: str) -> int:
    """A field of ``/proc/self/status``, in bytes."""
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{_STATUS} has no {name}")


class PeakMemory:
    """The growth of the resident set from now to its peak.

    Attributes:
        way: ``VmHWM`` where the kernel keeps the peak and lets it be reset; ``samples`` where only
            the present size is told; else ``ru_maxrss``, which misses what stays under an earlier
            peak.
    """

    def __init__(self) -> None:
        self._done = threading.Event()
        self._sampler: threading.Thread | None = None
        try:
            _CLEAR.write_text("5", encoding="ascii")
            self._before, self.way = _field("VmHWM"), "VmHWM"
        except OSError:
            if _STATUS.exists():
                self._before, self.way = _field("VmRSS"), "samples"
                self._highest = self._before
                self._sampler = threading.Thread(target=self._sample)
                self._sampler.start()
            else:
                self._before, self.way = _most_used(), "ru_maxrss"

    def growth(self) -> int:
        """Bytes at the peak above those at the beginning."""
        if self._sampler is not None:
            self._done.set()
            self._sampler.join()
            return self._highest - self._before
        return (_field("VmHWM") if self.way == "VmHWM" else _most_used()) - self._before

    def _sample(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self._highest = max(self._highest, _field("VmRSS"))


def _most_used() -> int:
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


async def measure(task: Task) -> Figures:
    """One miss or one hit, after a small one of each: bytes at the peak above those before."""
    addresses = Addresses(task)
    address = addresses.new(task.size)
    async with open_session(task) as session:
        await warm_up(session, addresses.small)
        gc.collect()
        memory = PeakMemory()
        async with session.get(address) as response:
            await read_through(response, task.size, task.reading)
        expect(response, hit=task.phase == "hit")
        await settle(session)
        growth = memory.growth()
        if task.phase == "miss" and task.store != PLAIN:
            async with session.get(address) as again:
                expect(again, hit=True)
        if task.phase == "hit":
            await settle(session, clear=True)
    return {"growth": growth, "way": memory.way}
