"""The shells of stores on a server: forks, and the end of a program."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.line_server import LineServer

ROOT = Path(__file__).parents[3]

PRELUDE = """
import asyncio, logging, os, sys, threading, time, traceback
# In debug mode it tells of every tenth of a second that a busy machine took away.
logging.getLogger("asyncio").setLevel(logging.ERROR)
from http_client_cache.shell.guard import Guard
from tests.support.line_server import AsyncLines, Say, SyncLines
port = int(sys.argv[1])
shell = SyncLines(Guard(10.0), port)
def who():
    return shell.run(Say("who"))
def tell(*words):
    # In one piece, whoever else is writing.
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
def in_a_child(work):
    child = os.fork()
    if not child:
        code = 1
        try:
            tell("child", work())
            shell.close()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")


@pytest.fixture
def server() -> Iterator[LineServer]:
    with LineServer().serving() as server:
        yield server


def run(server: LineServer, code: str) -> list[str]:
    """Run a program in which warnings are errors; answers the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PRELUDE + code, str(server.port)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


@forks
def test_a_child_has_its_own_client(server: LineServer) -> None:
    code = "tell(who()); in_a_child(who); tell(who()); shell.close(); tell(*shell.ended)"
    assert run(server, code) == ["1", "child 2", "1", "closed"]


@forks
def test_a_child_of_who_connects_connects_itself(server: LineServer) -> None:
    server.greets.clear()
    code = """
threading.Thread(target=lambda: tell("parent", who())).start()
while shell._opening is None: time.sleep(0.001)
tell("connecting")
def work():
    tell("in the child")
    return who()
import warnings; warnings.simplefilter("ignore", DeprecationWarning)
in_a_child(work)
"""
    program = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code, str(server.port)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with program:
        assert program.stdout is not None
        assert program.stdout.readline() == "connecting\n"
        assert program.stdout.readline() == "in the child\n"
        server.greets.set()
        found = sorted(line.split() for line in program.stdout)
    assert program.returncode == 0
    assert [who for who, _ in found] == ["child", "parent"]
    assert {number for _, number in found} == {"1", "2"}


@forks
def test_a_child_is_not_locked_out(server: LineServer) -> None:
    """Whatever other threads are doing at the moment of the fork."""
    code = """
import warnings; warnings.simplefilter("ignore", DeprecationWarning)
stop = threading.Event()
def load():
    while not stop.is_set():
        try:
            who()
            shell.close()
        except Exception:
            pass
        time.sleep(0.001)
threads = [threading.Thread(target=load) for _ in range(3)]
for thread in threads: thread.start()
for _ in range(20): in_a_child(lambda: who() != "")
stop.set()
for thread in threads: thread.join()
"""
    assert run(server, code) == ["child True"] * 20


@forks
def test_a_child_has_a_loop_and_a_client_of_its_own(server: LineServer) -> None:
    code = """
shell = AsyncLines(Guard(10.0), port)
async def who():
    return await shell.run(Say("who"))
async def main():
    tell(await who())
    child = os.fork()
    if not child:
        code = 1
        try:
            tell("child", asyncio.run(who()))
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    tell(await who())
    await shell.close()
asyncio.run(main())
"""
    if sys.version_info >= (3, 12):
        code = f"import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n{code}"
    assert run(server, code) == ["1", "child 2", "1"]


async def test_at_the_end_of_a_program_it_is_closed(server: LineServer) -> None:
    assert run(server, "print(who())") == ["1"]
    async with asyncio.timeout(5):
        while server.open:  # noqa: ASYNC110 - it happens in another thread
            await asyncio.sleep(0.002)


def test_a_program_does_not_wait_for_who_is_connecting(server: LineServer) -> None:
    server.greets.clear()
    code = """
shell.guard.seconds = 0.05
try:
    who()
except Exception as error:
    print(error)
"""
    assert run(server, code) == ["no answer within 0.05 s"]
