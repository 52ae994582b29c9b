"""The contract itself: it notices whatever a store does wrong, and nothing else."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from http_client_cache import testing
from http_client_cache.entry import Entry
from http_client_cache.shell.immediate import AsyncImmediate, SyncImmediate
from http_client_cache.store.memory import MemoryStore
from http_client_cache.testing import Contract, ModelContract, Subject
from http_client_cache.testing.subject import full_entry
from tests.stores.broken_stores import BROKEN, FreshensTheBody

ROOT = Path(__file__).parents[2]

BEGIN = """
import pytest
from http_client_cache.shell.immediate import AsyncImmediate, SyncImmediate
from http_client_cache.testing import *
from tests.stores.broken_stores import BROKEN, Healthy

class OfStore(StoreContract, VariantsContract, PiecesContract, LeaseContract):
    @pytest.fixture
    def subject(self):
        return Subject(self.kind(), SyncImmediate(), AsyncImmediate(), many=120)
"""

OF_BROKEN_ONES = """
class TestHealthy(OfStore):
    kind = Healthy

for kind in BROKEN:
    globals()[f"Test{kind.__name__}"] = type(f"Test{kind.__name__}", (OfStore,), {"kind": kind})
"""

OF_ONE_COLOUR = """
class TestAsync(OfStore, ModelContract):
    colours = ("async",)

    @pytest.fixture
    def subject(self):
        return Subject(Healthy(), None, AsyncImmediate(), many=120)

class TestSync(OfStore, ModelContract):
    colours = ("sync",)

    @pytest.fixture
    def subject(self):
        return Subject(Healthy(), SyncImmediate(), many=120)

class TestNotToldSo(OfStore):
    @pytest.fixture
    def subject(self):
        return Subject(Healthy(), SyncImmediate(), many=120)
"""

CONFIGURATION = """[pytest]
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


def run(folder: Path, program: str, *options: str, only: tuple[str, ...] = ("",)) -> str:
    """The program as the test suite of somebody else, as strict about coroutines as by default."""
    path = folder / "test_stores.py"
    path.write_text(program)
    (folder / "pytest.ini").write_text(CONFIGURATION)
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", *options]
    command += [f"{path}{name}" for name in only]
    # Where it finds itself in CI, pytest shows differences whole, which takes minutes for bodies.
    env = {name: value for name, value in os.environ.items() if name not in {"CI", "BUILD_NUMBER"}}
    done = subprocess.run(
        [*command, "-p", "no:randomly"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=env,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(120)
def test_it_notices_what_is_broken(tmp_path: Path) -> None:
    """One test for each, as all of them would take minutes."""
    only = ("::TestHealthy", *(f"::Test{kind.__name__}::{kind.noticed_by}" for kind in BROKEN))
    told = run(tmp_path, BEGIN + OF_BROKEN_ONES, "--tb=no", "-rf", only=only)
    noticed = defaultdict(set)
    for kind, test in re.findall(r"^FAILED .*::Test(\w+)::(\w+)", told, re.MULTILINE):
        noticed[kind].add(test)
    assert "Healthy" not in noticed, noticed["Healthy"]
    assert {kind.__name__ for kind in BROKEN if kind.noticed_by not in noticed[kind.__name__]} == (
        set()
    )


@pytest.mark.parity
@pytest.mark.timeout(120)
def test_a_store_may_have_one_colour(tmp_path: Path) -> None:
    told = run(tmp_path, BEGIN + OF_ONE_COLOUR, "-k", "TestAsync or TestSync", "-rs")
    assert " passed" in told
    # What is about threads that block.
    assert " 1 skipped" in told
    assert "no caller of this store blocks" in told
    assert " failed" not in told
    told = run(tmp_path, BEGIN + OF_ONE_COLOUR, "-k", "TestNotToldSo and linking")
    assert "1 failed, 1 passed" in told
    assert "there is no async_shell: say colours = ('sync',) in the class" in told


def test_a_failure_says_what_was_compared(tmp_path: Path) -> None:
    told = run(tmp_path, BEGIN + OF_BROKEN_ONES, "-k", "TestOldestFirst and newest")
    assert "AssertionError: assert ['', 'de', 'en'] == ['en', 'de', '']" in told


async def test_a_model_shows_the_steps_that_matter() -> None:
    class OfBroken(ModelContract):
        examples = 60

    subject = Subject(FreshensTheBody(), SyncImmediate(), AsyncImmediate())
    with pytest.raises(AssertionError, match="these steps show where it differs") as raised:
        await OfBroken().test_it_does_what_a_model_does(subject)
    _, *steps = str(raised.value).splitlines()
    assert len(steps) <= 3
    assert "freshen" in steps[-1]
    assert isinstance(raised.value.__cause__, AssertionError)


async def test_a_model_of_a_store_that_raises() -> None:
    class Raising(MemoryStore):
        def purge(self, locator: str) -> Any:
            yield from ()
            raise OSError("there is no purge")

    class OfRaising(ModelContract):
        has_leases = False
        examples = 60

    subject = Subject(Raising(None), SyncImmediate(), AsyncImmediate())
    with pytest.raises(AssertionError, match="purge_or_clear") as raised:
        await asyncio.wait_for(OfRaising().test_it_does_what_a_model_does(subject), 50)
    assert isinstance(raised.value.__cause__, OSError)


def parts() -> list[type[Contract]]:
    found = [getattr(testing, name) for name in testing.__all__]
    return [one for one in found if isinstance(one, type) and issubclass(one, Contract)]


def test_its_parts_may_be_joined() -> None:
    """No test of one hides that of another one."""
    names = Counter(
        name
        for part in parts()
        for name in {name for kind in part.__mro__ for name in vars(kind)}
        if name.startswith("test_")
    )
    assert set(names.values()) == {1}


def test_all_tests_say_what_they_are_for() -> None:
    for part in parts():
        for kind in part.__mro__:
            for name, test in vars(kind).items():
                assert not name.startswith("test_") or test.__doc__, name


def test_a_full_entry_has_something_in_every_field() -> None:
    made = full_entry(body=b"x")
    for field in msgspec.structs.fields(Entry):
        if field.name != "packed":
            assert getattr(made, field.name) != field.default, field.name


@pytest.mark.parametrize("package", ["http_client_cache", "aiohttp_client_cache", "acachecontrol"])
@pytest.mark.parametrize("missing", ["pytest", "pytest_asyncio"])
def test_it_says_what_to_install(package: str, missing: str) -> None:
    code = f"import sys; sys.modules['{missing}'] = None; import {package}.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    *_, last = done.stderr.splitlines()
    assert last == (
        "http_client_cache.errors.MissingDependency: the contract of stores is run with "
        f"{missing}, not installed here; pip install aiohttp-client-cache[testing]"
    )


def test_only_a_model_needs_hypothesis() -> None:
    code = """
import asyncio, sys
sys.modules["hypothesis"] = None
from http_client_cache.testing import ModelContract
asyncio.run(ModelContract().test_it_does_what_a_model_does(None))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith(
        "run with hypothesis, not installed here; pip install aiohttp-client-cache[testing]\n"
    )
