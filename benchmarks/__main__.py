"""The command line of the measurements."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from benchmarks import backends, requests_face
from benchmarks.bodies.measure import GROUP, NAMES, Amount, Bodies, measure_bodies, wanted
from benchmarks.cases import Case, cases
from benchmarks.imports import measure_imports
from benchmarks.measure import measure
from benchmarks.origin import running_origin
from benchmarks.profiling import profile
from benchmarks.report import Report, as_json, as_table
from benchmarks.sweep import measure_sweep, sweeps

IMPORTS = "imports"

# Filling the cache before each takes long.
MOST_SWEEPS = 3


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    known = cases()
    names = [*known, *sweeps(), IMPORTS, GROUP, *NAMES, backends.GROUP]
    names.append(requests_face.GROUP)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure what the cache costs, beside plain aiohttp.",
        epilog=f"What can be measured: {', '.join(names)}.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure (all)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each case (%(default)s)")
    parser.add_argument(
        "--operations", type=int, default=500, help="requests per round (%(default)s)"
    )
    parser.add_argument(
        "--urls", type=int, default=100, help="how many URLs hits are for (%(default)s)"
    )
    parser.add_argument(
        "--entries", type=int, default=100_000, help="entries to sweep (%(default)s)"
    )
    parser.add_argument(
        "--mebibytes", type=int, default=1024, help="size of a large body (%(default)s)"
    )
    parser.add_argument(
        "--processes",
        type=int,
        default=3,
        help="processes that share the rounds of large bodies (%(default)s)",
    )
    parser.add_argument("--folder", help="where files are for large bodies (a temporary folder)")
    parser.add_argument(
        "--unpinned", action="store_true", help="let clients and origins of large bodies move"
    )
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    parser.add_argument("--profile", metavar="NAME", help="show where the time of one case goes")
    parser.add_argument(
        "--lines", type=int, default=40, help="functions that --profile shows (%(default)s)"
    )
    parsed = parser.parse_args(arguments)
    for name in parsed.names:
        if name not in names:
            parser.error(f"{name!r} is none of {', '.join(names)}")
    if parsed.profile is not None and parsed.profile not in known:
        parser.error(f"--profile {parsed.profile!r} is none of {', '.join(known)}")
    parsed.names = parsed.names or names
    return parsed


def _with_baselines(names: Sequence[str]) -> list[Case]:
    known = cases()
    wanted = {known[name].baseline for name in names if name in known} | set(names)
    return [case for name, case in known.items() if name in wanted]


async def _measure(options: argparse.Namespace, origin: str) -> Report:
    report = Report(
        await measure(
            _with_baselines(options.names),
            origin,
            rounds=options.rounds,
            operations=options.operations,
            urls=options.urls,
        )
    )
    for name in sweeps():
        if name in options.names:
            rounds = min(options.rounds, MOST_SWEEPS)
            sweep = await measure_sweep(name, origin, entries=options.entries, rounds=rounds)
            report.sweeps.append(sweep)
    if backends.GROUP in options.names:
        report.backends = await backends.measure_backends(
            origin, rounds=options.rounds, operations=options.operations, urls=options.urls
        )
    if requests_face.GROUP in options.names:
        report.requests = requests_face.measure_requests(
            origin, rounds=options.rounds, operations=options.operations, urls=options.urls
        )
    if IMPORTS in options.names:
        report.imports = measure_imports(options.rounds)
    return report


def _measure_bodies(options: argparse.Namespace) -> Bodies | None:
    measures = wanted(options.names)
    if not measures:
        return None
    return measure_bodies(
        measures,
        Amount(options.mebibytes, options.rounds, options.operations, options.processes),
        folder=options.folder,
        pinned=not options.unpinned,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = _parse(arguments)
    with running_origin() as origin:
        if options.profile is not None:
            case = cases()[options.profile]
            profiling = profile(
                case,
                origin,
                operations=options.operations,
                urls=options.urls,
                lines=options.lines,
            )
            print(asyncio.run(profiling))
            return
        report = asyncio.run(_measure(options, origin))
    report.bodies = _measure_bodies(options)
    print(as_json(report) if options.json else as_table(report))


if __name__ == "__main__":
    main()
