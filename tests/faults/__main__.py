"""Play the fault table and print it in Markdown: ``python -m tests.faults [deployment …]``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.faults.operations import OPERATIONS
from tests.faults.outage import Outcome
from tests.faults.table import CELLS, DEPLOYMENTS, FAULTS, NOT_ASKED, ROWS, Table, reason


def main(names: list[str]) -> int:
    """Play what is named, or all."""
    wrong = 0
    names = names or [*DEPLOYMENTS]
    summary: list[str] = []
    with Table(row for row in ROWS if row[0] in names) as table:
        for name in names:
            kind = DEPLOYMENTS[name]
            sys.stdout.write(f"\n### {kind.title}\n\n")
            sys.stdout.writelines(f"{line}\n" for line in _head())
            tried: list[Outcome] = []
            for fault in kind.faults:
                outcomes = table.outcomes(name, fault.name)
                cells = [_shown(outcomes.get(operation)) for operation in OPERATIONS]
                sys.stdout.write(f"| {fault.title} | {' | '.join(cells)} |\n")
                sys.stdout.flush()
                tried += [outcomes[operation] for operation in OPERATIONS if operation in outcomes]
                for operation, outcome in outcomes.items():
                    wrong += bool(outcome.problems)
                    for problem in outcome.problems:
                        where = f"{name} {fault.name} {operation or 'log'}"
                        sys.stderr.write(f"{where}: {problem}\n")
            worst = max(tried, key=lambda outcome: outcome.seconds / outcome.most)
            summary.append(
                f"| {kind.title} | {len(kind.faults)} | {len(tried)} | "
                f"{sum(outcome.tries > 1 for outcome in tried)} | "
                f"{worst.seconds:.2f} of {worst.most:.2f} |"
            )
    sys.stdout.writelines(f"{line}\n" for line in _reasons())
    sys.stdout.write("\n### In all\n\n")
    sys.stdout.write("| server | faults | cells | tried again | closest to its limit (s) |\n")
    sys.stdout.write("|---|---|---|---|---|\n")
    sys.stdout.writelines(f"{line}\n" for line in summary)
    for row, outcomes in table.again.items():
        found = {name: outcome.problems for name, outcome in outcomes.items() if outcome.problems}
        sys.stderr.write(f"{' '.join(row)} was had again: {found}\n")
    sys.stderr.write(f"{len(CELLS)} cells in all; {wrong} not as promised\n")
    return min(wrong, 1)


def _head() -> Iterator[str]:
    titles = [make().title for make in OPERATIONS.values()]
    yield f"| what goes wrong | {' | '.join(titles)} |"
    yield f"|{'---|' * (len(titles) + 1)}"


def _shown(outcome: Outcome | None) -> str:
    if outcome is None:
        return "-"
    return f"{'**wrong**: ' if outcome.problems else ''}{outcome.answer} {outcome.seconds:.2f}"


def _reasons() -> Iterator[str]:
    yield "\n### Not tried\n"
    yield "| what goes wrong | with | why not |\n|---|---|---|"
    for fault in FAULTS.values():
        for name, kind in DEPLOYMENTS.items():
            if (why := reason(name, fault.name)) is not None:
                yield f"| {fault.title} | {kind.title} | {why} |"
    for (name, fault_name, operation), why in NOT_ASKED.items():
        title = OPERATIONS[operation]().title
        yield f"| {FAULTS[fault_name].title} | {DEPLOYMENTS[name].title}: {title} | {why} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
