"""Servers are fetched whole, as pinned, or not at all."""

from __future__ import annotations

import base64
import hashlib
import io
import platform
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from scripts import fetch_servers
from scripts.fetch_servers import PINS, Fetch, Pin, check, install, is_there, unpack


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "servers"
    home.mkdir()
    monkeypatch.setattr(fetch_servers, "HOME", home)
    return home


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "thing-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        program = zipfile.ZipInfo("thing/bin/linux/server")
        program.external_attr = 0o100755 << 16
        archive.writestr(program, "#!/bin/sh")
        archive.writestr("thing/bin/linux/lib/data", "data")
        archive.writestr("thing/bin/linux/../../../escaped", "evil")
        archive.writestr("thing/other", "not wanted")
        archive.writestr("thing-1.dist-info/METADATA", "not wanted")
    return path


def pin_of(archive: Path, **changes: str) -> Pin:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    return replace(
        Pin("pypi", "thing==1", {platform.machine(): digest}, inside="thing/bin/*"), **changes
    )


class Here(Fetch):
    """Takes an archive that is on this machine."""

    def __init__(self, work: Path, archive: Path) -> None:
        super().__init__(work)
        work.mkdir()
        self.archive = archive

    def wheel(self, pin: Pin) -> Path:
        return self.archive


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def test_one_folder_of_a_wheel_with_its_modes(wheel: Path, tmp_path: Path) -> None:
    made = unpack(wheel, "thing/bin/*", tmp_path / "made")
    assert contents(made) == {"server": "#!/bin/sh", "lib/data": "data"}
    assert (made / "server").stat().st_mode & 0o777 == 0o755
    assert (made / "lib/data").stat().st_mode & 0o777 == 0o644


def test_one_folder_of_a_package(tmp_path: Path) -> None:
    path = tmp_path / "thing-1.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("package/lib/v1/x.jar", "package/lib/../../escaped", "package/package.json"):
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
        link = tarfile.TarInfo("package/lib/v1/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    made = unpack(path, "package/lib/*", tmp_path / "made")
    assert contents(made) == {"x.jar": "package/lib/v1/x.jar"}
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    pin = Pin("npm", "thing@1", {platform.machine(): digest}, inside="package/lib/*")
    check(path, pin)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SystemExit, match="has another hash"):
        check(path, pin)


def test_a_server_is_there_when_it_is_whole(wheel: Path, tmp_path: Path, home: Path) -> None:
    pin = pin_of(wheel)
    assert not is_there("thing", pin)
    install("thing", pin, Here(tmp_path / "work", wheel))
    assert is_there("thing", pin)
    assert (home / "thing/server").exists()


def test_another_hash_puts_nothing_there(wheel: Path, tmp_path: Path, home: Path) -> None:
    pin = pin_of(wheel)
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    with pytest.raises(SystemExit, match="thing==1 from pypi has another hash"):
        install("thing", pin, Here(tmp_path / "work", wheel))
    assert list(home.iterdir()) == []


def test_a_changed_pin_takes_the_place_of_what_is_there(
    wheel: Path, tmp_path: Path, home: Path
) -> None:
    old = home / "thing"
    old.mkdir()
    (old / "left").write_text("over")
    # As an interrupted program might have left it.
    assert not is_there("thing", pin_of(wheel))
    install("thing", pin_of(wheel), Here(tmp_path / "work", wheel))
    newer = pin_of(wheel, package="thing==2")
    assert not is_there("thing", newer)
    install("thing", newer, Here(tmp_path / "more work", wheel))
    assert is_there("thing", newer)
    assert set(contents(old)) == {"PIN", "server", "lib/data"}


def test_variables_make_servers_needless(
    monkeypatch: pytest.MonkeyPatch, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left to fetch is there already, so nothing is asked for."""
    for variable in ("MONGODB_URL", "DYNAMODB_ENDPOINT_URL"):
        monkeypatch.setenv(variable, "elsewhere")
    (home / "valkey").mkdir()
    (home / "valkey/PIN").write_text(fetch_servers.token(PINS["valkey"]))
    fetch_servers.main()
    assert [path.name for path in home.iterdir()] == ["valkey"]
    assert capsys.readouterr().err == ""
