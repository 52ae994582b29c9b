"""The backends of docs/custom-backends.md, held to the contract as their readers would."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from http_client_cache import testing
from http_client_cache.testing import Contract
from tests.support.samples import modules_in

TEXT = (Path(__file__).parents[2] / "docs" / "custom-backends.md").read_text(encoding="utf-8")

CONFIGURATION = """[pytest]
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""

LEAST = {"test_folder_storage": 20, "test_my_mapping": 120, "test_table_store": 120}
"""Of how many tests each consists at least."""


@pytest.mark.parity
@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", LEAST)
def test_they_keep_the_contract(name: str, tmp_path: Path) -> None:
    for module, source in modules_in(TEXT).items():
        (tmp_path / f"{module}.py").write_text(source)
    (tmp_path / "pytest.ini").write_text(CONFIGURATION)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=short", f"{name}.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.search(r"^(\d+) passed in", done.stdout, re.MULTILINE)
    assert told is not None, done.stdout
    assert int(told[1]) >= LEAST[name]


def test_each_file_of_tests_is_run() -> None:
    assert {name for name in modules_in(TEXT) if name.startswith("test_")} == set(LEAST)


def test_the_page_tells_of_all_parts() -> None:
    parts = {
        name
        for name in testing.__all__
        if isinstance(kind := getattr(testing, name), type) and issubclass(kind, Contract)
    }
    shown = set(re.findall(r"^\| `(\w+Contract)` \|", TEXT, re.MULTILINE))
    assert shown == parts - {"Contract"}


def test_tests_that_the_page_names_are_there() -> None:
    known = {name for part in testing.__all__ for name in dir(getattr(testing, part))}
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    assert named <= known
    assert len(named) > 5
