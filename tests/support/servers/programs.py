"""Where the programs are that `make servers` has put on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

FETCHED = Path(__file__).resolve().parents[3] / ".servers"

# Servers live in sbin, which is not on everyone's path.
_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])


class ServerMissingError(RuntimeError):
    """A program is not on this machine."""

    def __init__(self, program: str, variable: str = "") -> None:
        hint = f" (with {variable} unset)" if variable and os.environ.get(variable) else ""
        super().__init__(f"{program} is not here: run `make servers`{hint}")


def redis_server() -> str:
    """Debian's Redis, which speaks TLS."""
    found = shutil.which("redis-server", path=_PATH)
    if found is None:
        raise ServerMissingError("redis-server", "REDIS_URL")
    return found


def valkey_server() -> str:
    """Valkey, without TLS."""
    return _fetched("valkey/valkey-server")


def mongod() -> str:
    """MongoDB."""
    return _fetched("mongodb/mongod", "MONGODB_URL")


def java() -> str:
    """The Java of this machine if `make servers` found it new enough, or else a fetched one."""
    if (FETCHED / "java/PIN").exists():
        return _fetched("java/bin/java")
    found = shutil.which("java", path=_PATH)
    if found is None:
        raise ServerMissingError("java", "DYNAMODB_ENDPOINT_URL")
    return found


def dynamodb_folder() -> str:
    """What DynamoDB Local's jar lies in."""
    return str(Path(_fetched("dynamodb/DynamoDBLocal.jar", "DYNAMODB_ENDPOINT_URL")).parent)


def _fetched(path: str, variable: str = "") -> str:
    program = FETCHED / path
    if not program.exists():
        raise ServerMissingError(program.name, variable)
    return str(program)
