"""Run the code samples of the documentation as they are written there."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any


def source_of(sample: str) -> str:
    """Strip the prompts of an interactive sample, and what it shows as printed."""
    sample = textwrap.dedent(sample).strip("\n")
    if not sample.startswith(">>>"):
        return sample
    return "\n".join(line[4:] for line in sample.splitlines() if line.startswith((">>>", "...")))


async def run_sample(sample: str, **names: Any) -> dict[str, Any]:
    """Execute ``sample``, in which ``await`` may stand at the top, and return its names."""
    namespace = {"__name__": "sample", **names}
    code = compile(
        source_of(sample),
        "<sample>",
        "exec",
        flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        dont_inherit=True,
    )
    outcome = eval(code, namespace)
    if inspect.iscoroutine(outcome):
        await outcome
    return namespace
