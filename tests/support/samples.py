"""Run the code samples of the documentation as they are written there."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any


def source_of(sample: str) -> str:
    """Strip the prompts of an interactive sample, and what it shows as printed."""
    sample = textwrap.dedent(sample).strip("\n")
    if not sample.startswith(">>>"):
        return sample
    return "\n".join(line[4:] for line in sample.splitlines() if line.startswith((">>>", "...")))


async def run_sample(sample: str, **names: Any) -> dict[str, Any]:
    """Execute ``sample``, in which ``await`` may stand at the top, and return its names."""
    namespace, outcome = _run(sample, names)
    if inspect.iscoroutine(outcome):
        await outcome
    return namespace


def run_blocking(sample: str, **names: Any) -> dict[str, Any]:
    """Execute ``sample``, in which nothing is awaited, and return its names."""
    namespace, outcome = _run(sample, names)
    assert outcome is None
    return namespace


def _run(sample: str, names: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    namespace = {"__name__": "sample", **names}
    code = compile(
        source_of(sample),
        "<sample>",
        "exec",
        flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        dont_inherit=True,
    )
    return namespace, eval(code, namespace)


def fences(text: str) -> Iterator[tuple[int, str]]:
    """The Python in a document, each piece with the line that it begins behind."""
    for match in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start()) + 1, match[1]


def modules_in(text: str) -> dict[str, str]:
    """The files that a document is made of: a piece may have the name of one in its first line."""
    pieces = [(re.match(r"# (\w+)\.py\n", piece), piece) for _, piece in fences(text)]
    return {name[1]: piece for name, piece in pieces if name is not None}
