"""A failing store is counted, and said once."""

from __future__ import annotations

import pytest

from http_client_cache.plan import Failed
from http_client_cache.shell.failures import Failures

ERROR = OSError("down")


@pytest.fixture
def failures() -> Failures:
    return Failures("SQLiteBackend('demo')")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [f"{line.name} {line.levelname}: {line.getMessage()}" for line in caplog.records]


def test_once_when_it_fails_and_once_when_it_works(
    failures: Failures, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert failures.failed(ERROR) == Failed(ERROR)
    assert failures.failing
    failures.worked()
    failures.worked()
    assert not failures.failing
    assert failures.count == 3
    fails, works = lines(caplog)
    assert fails.startswith("http_client_cache WARNING: The cache's store SQLiteBackend('demo')")
    assert fails.endswith("fails; requests go to the origin meanwhile: OSError: down")
    assert works.endswith("SQLiteBackend('demo') works again")


def test_each_time_anew(failures: Failures, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        failures.failed(ERROR)
        failures.worked()
    assert len(lines(caplog)) == 4


def test_reading_well_does_not_mean_that_it_works(
    failures: Failures, caplog: pytest.LogCaptureFixture
) -> None:
    """On a full disk, each hit would say "works again", and each miss "fails"."""
    for _ in range(3):
        failures.failed(ERROR, writes=True)
        failures.worked()
    assert len(lines(caplog)) == 1
    failures.worked(writes=True)
    assert not failures.failing
    assert len(lines(caplog)) == 2


def test_it_works_when_both_do(failures: Failures) -> None:
    failures.failed(ERROR)
    failures.failed(ERROR, writes=True)
    failures.worked(writes=True)
    assert failures.failing
    failures.worked()
    assert not failures.failing


def test_a_function_of_the_users(failures: Failures, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        assert failures.user_function_failed(len, ERROR) == Failed(ERROR)
    assert lines(caplog) == ["http_client_cache ERROR: len failed; the response is not cached"] * 2
    assert (failures.count, failures.failing) == (0, False)
