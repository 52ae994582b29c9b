"""The figures as people and programs read them."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks import requests_face
from benchmarks.backends import Measured, backends_as_json, backends_as_table
from benchmarks.bodies.measure import Bodies
from benchmarks.bodies.report import bodies_as_json, bodies_as_tables
from benchmarks.measure import Cost
from benchmarks.sweep import Sweep


@dataclass
class Report:
    """All that was measured.

    Attributes:
        costs: by name of the case, the baselines among them.
        sweeps: one per backend.
        imports: ms of importing aiohttp, and of what the cache adds.
        bodies: what large ones cost.
        backends: what each of them costs.
        requests: what the face for requests costs.
    """

    costs: dict[str, Cost]
    sweeps: list[Sweep] = field(default_factory=list)
    imports: tuple[float, float] | None = None
    bodies: Bodies | None = None
    backends: Measured | None = None
    requests: requests_face.Measured | None = None


def machine() -> str:
    """The machine and the versions, in one line."""
    packages = ("aiohttp-client-cache", "aiohttp", "requests")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    loop = platform.python_implementation()
    return (
        f"{_processor()}, {os.cpu_count()} CPUs, {platform.system()} {platform.machine()}; "
        f"{loop} {platform.python_version()}; {versions}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def as_table(report: Report) -> str:
    """For people; also a table in Markdown."""
    rows = [("CPU time per request", "µs", "compared")]
    rows += [
        (cost.case.title, f"{cost.median:.1f}", _compared(report, cost))
        for cost in report.costs.values()
    ]
    lines = [machine()]
    if report.costs:
        lines += ["", *_aligned(rows)]
    if report.sweeps:
        rows = [("delete_expired_responses, half expired", "s", "of which CPU; longest pause")]
        rows += [
            (
                f"{sweep.title}, {sweep.entries:,} entries",
                f"{sweep.seconds:.2f}",
                f"{sweep.cpu_seconds:.2f} s; {sweep.pause * 1e3:.1f} ms",
            )
            for sweep in report.sweeps
        ]
        lines += ["", *_aligned(rows)]
    if report.imports is not None:
        aiohttp, cache = report.imports
        rows = [
            ("CPU time of importing", "ms", ""),
            ("aiohttp", f"{aiohttp:.0f}", ""),
            ("aiohttp_client_cache, after it", f"{cache:.0f}", ""),
        ]
        lines += ["", *_aligned(rows)]
    if report.bodies is not None:
        lines += ["", *bodies_as_tables(report.bodies)]
    if report.backends is not None:
        lines += ["", *backends_as_table(report.backends)]
    if report.requests is not None:
        lines += ["", *requests_face.requests_as_table(report.requests)]
    return "\n".join(lines)


def _compared(report: Report, cost: Cost) -> str:
    baseline = report.costs.get(cost.case.baseline)
    if baseline is None or baseline is cost:
        return ""
    if cost.case.added:
        return f"adds {cost.added_to(baseline):.0f} µs to {cost.case.against}"
    return f"{cost.ratio_to(baseline):.0%} of {cost.case.against}"


def _aligned(rows: list[tuple[str, str, str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"| {first:<{widths[0]}} | {second:>{widths[1]}} | {third:<{widths[2]}} |"
        for first, second, third in rows
    ]
    rule = f"|{'-' * (widths[0] + 2)}|{'-' * (widths[1] + 1)}:|{'-' * (widths[2] + 2)}|"
    return [lines[0], rule, *lines[1:]]


def as_json(report: Report) -> str:
    """For programs."""
    costs = {
        name: {
            "title": cost.case.title,
            "median_us": cost.median,
            "rounds_us": cost.rounds,
            "baseline": cost.case.baseline,
        }
        for name, cost in report.costs.items()
    }
    return json.dumps(
        {
            "machine": machine(),
            "python": sys.version,
            "requests": costs,
            "sweeps": [asdict(sweep) for sweep in report.sweeps],
            "imports_ms": report.imports,
            "bodies": bodies_as_json(report.bodies) if report.bodies else None,
            "backends": backends_as_json(report.backends) if report.backends else None,
            "requests_face_us": report.requests,
        },
        indent=2,
        ensure_ascii=False,
    )
