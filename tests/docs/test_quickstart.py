"""The demo, run as people run it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.nginx import running_nginx
from tests.support.origin import Origin

PROGRAM = Path(__file__).parents[2] / "examples" / "quickstart.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(PROGRAM), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def cells(output: str, url: str) -> list[str]:
    line = next(line for line in output.splitlines() if line.startswith(url))
    return re.split(r"\s{2,}", line)


def test_without_arguments_it_serves_itself() -> None:
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    heading, *lines = done.stdout.splitlines()
    assert re.split(r"\s{2,}", heading) == [
        "URL", "status", "size", "first time", "second time", "from cache",
    ]  # fmt: skip
    rows = [re.split(r"\s{2,}", line) for line in lines[:6]]
    for _, status, _, first, second, cached in rows:
        assert (status, cached) == ("200", "yes")
        # All were asked at once, so none waited for another.
        assert first.endswith(" s")
        assert 1 <= float(first.split()[0]) < 3
        assert second.endswith(" ms")
    assert "reached the server: 6 the first time, 0 the second." in done.stdout
    assert re.search(r"Kept: 6 responses in \S+\.sqlite \([\d,]+ KiB\)\.", done.stdout)


def test_any_addresses(threaded_origin: Origin) -> None:
    good, missing = threaded_origin.url("/large?size=2048"), threaded_origin.url("/status/404")
    done = run(good, missing, good)
    assert (done.returncode, done.stderr) == (0, "")
    assert cells(done.stdout, good)[1:3] == ["200", "2,048 bytes"]
    assert cells(done.stdout, good)[5] == "yes"
    assert cells(done.stdout, missing)[1] == "404"
    assert cells(done.stdout, missing)[5] == "no"
    assert "Only answers with status 200 are kept" in done.stdout
    assert threaded_origin.count("/large") == 1


def test_nginx(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>Hello")
    with running_nginx(tmp_path) as address:
        done = run(f"{address}/page.html", f"{address}/moved/page.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert cells(done.stdout, f"{address}/page.html")[1:3] == ["200", "8 bytes"]
    assert cells(done.stdout, f"{address}/moved/page.html")[1:3] == ["200", "8 bytes"]


def test_an_error_is_a_line_in_the_table(threaded_origin: Origin) -> None:
    done = run(threaded_origin.url("/json"), threaded_origin.url("/raw/garbage"))
    assert (done.returncode, done.stderr) == (1, "")
    assert cells(done.stdout, threaded_origin.url("/json"))[5] == "yes"
    assert cells(done.stdout, threaded_origin.url("/raw/garbage"))[1] == "error"


@pytest.mark.parametrize("text", ["example.com", "ftp://example.com/", "http://[", "http:///x"])
def test_what_is_no_address_is_said_before_anything_happens(text: str) -> None:
    done = run("http://127.0.0.1:1/", text)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{text!r} is not a URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_kept_file_answers_the_next_run(threaded_origin: Origin, tmp_path: Path) -> None:
    url, file = threaded_origin.url("/json"), tmp_path / "kept.sqlite"
    for expected in ("yes", "both times"):
        done = run("--cache", str(file), url)
        assert done.returncode == 0
        assert cells(done.stdout, url)[5] == expected
        assert f"Kept: 1 responses in {file}" in done.stdout
    assert threaded_origin.count() == 1


def test_progress_is_for_who_watches(threaded_origin: Origin) -> None:
    url = threaded_origin.url("/json")
    # A terminal of the test's own is more than every machine has.
    watched = (
        "import runpy, sys; sys.stderr.isatty = lambda: True; "
        "del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    for command, shows in (([str(PROGRAM)], False), (["-c", watched, str(PROGRAM)], True)):
        done = subprocess.run(
            [sys.executable, *command, url], capture_output=True, text=True, timeout=30, check=True
        )
        assert ("second time: 1 of 1" in done.stderr) is shows
        assert "second time: 1 of 1" not in done.stdout
