"""The measurements run; what they say depends on the machine and is no test."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.cases import cases

FEW = ["--rounds", "3", "--operations", "3", "--urls", "3", "--entries", "30"]


def figures(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    main([*FEW, "--json", *arguments])
    return json.loads(capsys.readouterr().out)


def test_every_case_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    report = figures(capsys)
    assert list(report["requests"]) == list(cases())
    for cost in report["requests"].values():
        assert len(cost["rounds_us"]) == 3
        assert cost["median_us"] > 0
        assert cost["baseline"] in report["requests"]
    assert {sweep["entries"] for sweep in report["sweeps"]} == {30}
    assert len(report["imports_ms"]) == 2


def test_a_case_brings_its_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(figures(capsys, "memory-miss")["requests"]) == ["get-new", "memory-miss"]


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
