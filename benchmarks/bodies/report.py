"""The figures of large bodies as people and programs read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from statistics import median, quantiles
from typing import Any

from benchmarks.bodies import reading, throughput
from benchmarks.bodies.measure import Bodies, Result
from benchmarks.bodies.origin import CHUNK, KIB, MIB
from benchmarks.bodies.stall import TASKS
from benchmarks.bodies.task import PLAIN, TITLES, Figures, Task

Rows = list[tuple[str, ...]]

PHASES = ("plain", "miss", "hit")


def spread(values: Sequence[float]) -> Figures:
    """Median, quartiles and number of some values."""
    if len(values) > 1:
        low, _, high = quantiles(values, n=4, method="inclusive")
    else:
        low = high = values[0]
    return {"median": median(values), "quartiles": [low, high], "count": len(values)}


def quantile(values: Sequence[float], share: float) -> float:
    """The value that a share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _paired(values: Sequence[float], beside: Sequence[float]) -> Figures:
    return spread([own / other for own, other in zip(values, beside, strict=True)])


def _first_bytes(result: Figures) -> Figures:
    """The wait for first bytes, by kind and phase, and as a share of the plain one beside it."""
    told: Figures = {}
    for kind, figures in result.items():
        seconds = figures["seconds"]
        told[kind] = {key: figures[key] for key in ("framing", "size", "pace", "wait")}
        for phase in PHASES:
            waited = spread([value * 1e6 for value in seconds[phase]])
            ratio = _paired(seconds[phase], seconds["plain"])
            told[kind][phase] = {"us": waited, "to_plain": ratio}
    return told


def _delays(result: Figures, size: int) -> Figures:
    """How late the loop was, by phase; the p99 of each round, too, and what passed meanwhile."""
    told: Figures = {}
    for phase in PHASES:
        rounds = [[delay * 1e3 for delay in delays] for delays in result[phase]["delays"]]
        pooled = [delay for delays in rounds for delay in delays]
        told[phase] = {
            "p50_ms": quantile(pooled, 0.5),
            "p99_ms": quantile(pooled, 0.99),
            "max_ms": max(pooled),
            "p99_of_rounds_ms": spread([quantile(delays, 0.99) for delays in rounds]),
            "ticks": len(pooled),
            "mib_per_s": spread([TASKS * size / MIB / value for value in result[phase]["seconds"]]),
        }
        told[phase]["p99_above_plain_ms"] = told[phase]["p99_ms"] - told["plain"]["p99_ms"]
    return told


def _speeds(result: Figures, size: int) -> Figures:
    """How much passed per second, and per second of CPU time; and as a share of the plain body."""
    told: Figures = {}
    for phase in throughput.PHASES:
        told[phase] = {}
        for kind in ("wall", "cpu", "stored"):
            speeds, plain = (
                [size / MIB / value for value in result[which][kind]] for which in (phase, "plain")
            )
            told[phase][kind] = {"mib_per_s": spread(speeds), "to_plain": _paired(speeds, plain)}
    return told


def _summary(result: Result) -> Figures | None:
    if result.figures is None:
        return None
    size = result.task.size
    summaries: dict[str, Callable[[], Figures]] = {
        "memory": lambda: dict(result.figures or {}),
        "first-byte": lambda: _first_bytes(result.figures or {}),
        "stall": lambda: _delays(result.figures or {}, size),
        "throughput": lambda: _speeds(result.figures or {}, size),
    }
    return summaries[result.task.measure]()


def bodies_as_json(bodies: Bodies) -> Figures:
    """For programs: what was told to each process, and what it found."""
    hidden = ("origin", "folder", "core")
    return {
        **asdict(bodies.amount),
        "cores": bodies.cores,
        "folder": bodies.folder,
        "file_system": bodies.file_system,
        "results": [
            {
                **{key: value for key, value in asdict(result.task).items() if key not in hidden},
                "error": result.error,
                "figures": _summary(result),
            }
            for result in bodies.results
        ],
    }


def bodies_as_tables(bodies: Bodies) -> list[str]:
    """For people; also tables in Markdown."""
    where = "client and origin on a CPU of their own each" if bodies.cores else "not pinned to CPUs"
    lines = [f"Large bodies: {where}; stores on {bodies.file_system or 'disk'}"]
    for measure, rows in (
        ("memory", _memory_rows),
        ("first-byte", _first_byte_rows),
        ("stall", _stall_rows),
        ("throughput", _throughput_rows),
        ("throughput", _cpu_rows),
    ):
        results = [result for result in bodies.results if result.task.measure == measure]
        told = [(result, _summary(result)) for result in results if not result.error]
        if told:
            lines += ["", *aligned(list(rows(told)))]
    failed = [result for result in bodies.results if result.error]
    lines += [f"{result.task.measure}, {_title(result)}: {result.error}" for result in failed]
    return lines


Told = list[tuple[Result, Any]]


def _title(result: Result) -> str:
    return f"{TITLES[result.task.store]} {result.task.phase}".strip()


def _row_title(task: Task) -> str:
    server = "bare sockets" if task.server == "sockets" else "aiohttp.web"
    return f"{TITLES[task.store]}, from {server}"


def _size(size: int) -> str:
    return f"{size // MIB} MiB" if size % MIB in (0, 1) else f"{size // KIB} KiB"


def _memory_rows(told: Told) -> Iterator[tuple[str, ...]]:
    size = _size(told[0][0].task.size)
    yield f"Peak RSS growth, {size}", *(f"{reading.TITLES[way]}" for way in reading.WAYS)
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for result, figures in told:
        row = rows.setdefault((result.task.store, result.task.phase), {})
        row[result.task.reading] = f"{figures['growth'] / MIB:.1f} MiB"
    for (store, phase), row in rows.items():
        title = TITLES[store] if store == PLAIN else f"{TITLES[store]}: {phase}"
        yield title, *(row.get(way, "") for way in reading.WAYS)


def _with_spread(figures: Figures, form: str) -> str:
    low, high = figures["quartiles"]
    return f"{figures['median']:{form}} ({low:{form}}-{high:{form}})"


def _first_byte_rows(told: Told) -> Iterator[tuple[str, ...]]:
    yield "First bytes, µs", "plain aiohttp", "miss", "to plain", "hit"
    for result, kinds in told:
        for figures in kinds.values():
            over = " and a byte" if figures["size"] % MIB else ""
            pace = (
                f", at {CHUNK / MIB / figures['pace'] * 1e6:.0f} MiB/s" if figures["pace"] else ""
            )
            if figures["wait"]:
                pace += f", {figures['wait'] / 1e3:.0f} ms away"
            framing = "Content-Length" if figures["framing"] == "length" else "chunked"
            plain, miss, hit = (_with_spread(figures[phase]["us"], ".0f") for phase in PHASES)
            ratio = _with_spread(figures["miss"]["to_plain"], ".2f")
            title = f"{TITLES[result.task.store]}: {_size(figures['size'])}{over}, {framing}{pace}"
            yield title, plain, miss, ratio, hit


def _stall_rows(told: Told) -> Iterator[tuple[str, ...]]:
    size = _size(told[0][0].task.size)
    yield (
        f"Delay of the loop in ms, {TASKS} bodies of {size}: p50 / p99 / max",
        "plain aiohttp",
        "miss",
        "p99 above plain",
        "hit",
        "p99 above plain",
    )
    for result, phases in told:
        plain, miss, hit = (
            " / ".join(f"{phases[phase][key]:.1f}" for key in ("p50_ms", "p99_ms", "max_ms"))
            for phase in PHASES
        )
        above_miss, above_hit = (
            f"{phases[phase]['p99_above_plain_ms']:+.1f}" for phase in PHASES[1:]
        )
        yield _row_title(result.task), plain, miss, above_miss, hit, above_hit


def _throughput_rows(told: Told) -> Iterator[tuple[str, ...]]:
    size = _size(told[0][0].task.size)
    yield (
        f"Throughput in MiB/s, {size}",
        "plain aiohttp",
        "copied to a file",
        "miss",
        "of plain",
        "hit",
        "of plain",
    )
    for result, phases in told:
        row = [_row_title(result.task)]
        for phase, figures in phases.items():
            row.append(_with_spread(figures["wall"]["mib_per_s"], ".0f"))
            if phase in PHASES[1:]:
                row.append(_with_spread(figures["wall"]["to_plain"], ".2f"))
        yield tuple(row)


def _cpu_rows(told: Told) -> Iterator[tuple[str, ...]]:
    yield "CPU time in µs per MiB", "plain aiohttp", "copied to a file", "miss", "hit"
    for result, phases in told:
        row = (f"{1e6 / figures['cpu']['mib_per_s']['median']:.0f}" for figures in phases.values())
        yield _row_title(result.task), *row


def aligned(rows: Rows) -> list[str]:
    """A table in Markdown; the first row is its head, the first column its titles."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| "
        + " | ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in rows
    ]
    rule = (
        "|"
        + "|".join(
            "-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)
        )
        + "|"
    )
    return [lines[0], rule, *lines[1:]]
