"""The oldest dependencies that are tested are the oldest that are promised."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_oldest_tested_are_the_oldest_promised() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promised = re.findall(
        r"^([a-z0-9.]+)>=([0-9.]+)(?:;.*)?$",
        "\n".join(chain(project["dependencies"], *project["optional-dependencies"].values())),
        re.MULTILINE,
    )
    tested = re.findall(
        r"^([a-z0-9.]+)==([0-9.]+)$", (ROOT / "tests" / "oldest.txt").read_text(), re.MULTILINE
    )
    release = re.compile(r"(\.0)*$")
    assert {(name, release.sub("", version)) for name, version in tested} == {
        (name, release.sub("", version)) for name, version in promised
    }
