"""The measurements run; what they say depends on the machine and is no test."""

from __future__ import annotations

import asyncio
import json
import mmap
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.bodies import throughput
from benchmarks.bodies.measure import Amount, Bodies, run
from benchmarks.bodies.origin import MIB
from benchmarks.bodies.report import PHASES, bodies_as_tables
from benchmarks.bodies.resident import PeakMemory
from benchmarks.bodies.stall import Ticker
from benchmarks.bodies.task import Task
from benchmarks.cases import cases

# One of them makes all of the figures, each in a process of its own.
pytestmark = pytest.mark.timeout(240)

FEW = ["--rounds", "2", "--operations", "2", "--urls", "2", "--entries", "30"]
FEW += ["--mebibytes", "2", "--processes", "1"]


def figures(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    main([*FEW, "--json", *arguments])
    return json.loads(capsys.readouterr().out)


def test_everything_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One test, so that no two processes of a test run measure it all."""
    report = figures(capsys, "--folder", str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    every_case_is_measured(report)
    every_store_is_measured_with_large_bodies(report)


def every_case_is_measured(report: Any) -> None:
    assert list(report["requests"]) == list(cases())
    for cost in report["requests"].values():
        assert len(cost["rounds_us"]) == 2
        assert cost["median_us"] > 0
        assert cost["baseline"] in report["requests"]
    assert {sweep["entries"] for sweep in report["sweeps"]} == {30}
    assert len(report["imports_ms"]) == 2


def test_a_case_brings_its_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(figures(capsys, "memory-miss")["requests"]) == ["get-new", "memory-miss"]


def every_store_is_measured_with_large_bodies(report: Any) -> None:
    results = report["bodies"]["results"]
    assert [result["error"] for result in results] == [""] * len(results)
    by_measure = {
        measure: [result for result in results if result["measure"] == measure]
        for measure in ("memory", "first-byte", "stall", "throughput")
    }
    kept = ["sqlite", "files"]
    assert [(result["store"], result["phase"]) for result in by_measure["memory"]] == 2 * [
        ("plain", "miss"),
        *((store, phase) for store in kept for phase in ("miss", "hit")),
    ]
    for result in by_measure["memory"]:
        assert result["size"] == 2 * MIB
        assert isinstance(result["figures"]["growth"], int)
    for measure, servers in (("first-byte", 1), ("stall", 2), ("throughput", 2)):
        asked = [result["store"] for result in by_measure[measure]]
        assert asked == servers * ["memory", *kept]
    for result in by_measure["first-byte"]:
        for kind in result["figures"].values():
            for phase in PHASES:
                assert kind[phase]["us"]["count"] == (1 if kind["pace"] or kind["wait"] else 2)
                assert kind[phase]["us"]["median"] > 0
    for result in by_measure["stall"]:
        for phase in PHASES:
            delays = result["figures"][phase]
            assert delays["ticks"] > 0
            assert 0 <= delays["p50_ms"] <= delays["p99_ms"] <= delays["max_ms"]
    for result in by_measure["throughput"]:
        for phase in throughput.PHASES:
            for kind in ("wall", "cpu", "stored"):
                speed = result["figures"][phase][kind]["mib_per_s"]
                assert speed["count"] == 2
                assert speed["median"] > 0


def test_tables_of_large_bodies_say_how_each_figure_compares(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main([*FEW, "--processes", "2", "bodies-first-byte"])
    table = capsys.readouterr().out
    assert "First bytes, µs" in table
    assert "SQLite: 2 MiB, chunked" in table
    assert "Throughput" not in table
    assert "CPU time per request" not in table


def test_a_failing_client_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    task = Task("memory", "plain", origin="http://127.0.0.1:1", folder=str(tmp_path))
    result = run(task)
    assert "ClientConnectorError" in result.error
    bodies = Bodies(Amount(1, 1, 1, 1), None, str(tmp_path), "", [result])
    assert "memory, plain aiohttp: " in bodies_as_tables(bodies)[-1]


def test_memory_is_measured_at_its_peak() -> None:
    memory = PeakMemory()
    # From the system, not from what Python has been given before.
    with mmap.mmap(-1, 32 * MIB) as block:
        for page in range(0, 32 * MIB, mmap.PAGESIZE):
            block[page] = 1
    assert memory.growth() > 30 * MIB


async def test_the_ticker_sees_a_loop_that_stands_still() -> None:
    with Ticker() as ticker:
        await asyncio.sleep(0.01)
        before = max(ticker.delays)
        time.sleep(0.2)  # noqa: ASYNC251 - this is what it is to see
        await asyncio.sleep(0.01)
    assert before < max(ticker.delays)
    assert max(ticker.delays) > 0.15


def test_it_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    main([*FEW, "memory-hit", "memory-miss", "memory-sweep", "imports"])
    table = capsys.readouterr().out
    assert "of a plain GET" in table
    assert "µs to a plain GET" in table
    assert "30 entries" in table
    assert "aiohttp_client_cache, after it" in table


def test_it_shows_where_the_time_goes(capsys: pytest.CaptureFixture[str]) -> None:
    main([*FEW, "--profile", "memory-hit", "--lines", "200"])
    assert "fastpath.py" in capsys.readouterr().out


def test_an_unknown_name_is_an_error() -> None:
    command = [sys.executable, "-m", "benchmarks", "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'nothing' is none of get, " in done.stderr
