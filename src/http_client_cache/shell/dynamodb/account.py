"""How clients of DynamoDB are made: of arguments, or of what the user already has."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Final

from http_client_cache.errors import ConfigurationError, MissingDependency, StoreError, describe

POOL: Final = 64
"""Connections that a client keeps at most."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where DynamoDB is, and who asks.

    Attributes:
        session: arguments of ``boto3.Session``: keys and a profile, no region.
        client: arguments of its ``client("dynamodb", …)``.
        connection: of the user's own: a client, a resource or a session.

    Raises:
        ConfigurationError: ``connection`` is none of these.
    """

    session: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    client: dict[str, Any] = field(default_factory=dict[str, Any])
    connection: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.connection is not None and not self.kind:
            raise ConfigurationError(
                "connection must be a client, resource or session of boto3 or aiobotocore, "
                f"not {describe(self.connection)}"
            )

    @property
    def kind(self) -> str:
        """What ``connection`` is; empty if there is none, or none that is known."""
        given = self.connection
        if _is(given, "aiobotocore.client", "AioBaseClient"):
            return "aiobotocore client"
        if _is(given, "aiobotocore.session", "AioSession"):
            return "aiobotocore session"
        if _is(given, "botocore.client", "BaseClient"):
            return "boto3 client"
        if _is(given, "boto3.session", "Session"):
            return "boto3 session"
        if _is(given, "boto3.resources.base", "ServiceResource"):
            return "boto3 resource"
        return ""

    def sync_client(self, seconds: float) -> Any:
        """A client of boto3 whose calls take so many seconds at most.

        Raises:
            StoreError: of what the user gave there is none.
            Exception: of the driver.
        """
        kind = self.kind
        if kind == "boto3 client":
            return self.connection
        if kind.startswith("aiobotocore"):
            raise StoreError(
                f"what reads without awaiting cannot use an {kind}: await the method instead, "
                "or give connection a client of boto3"
            )
        import boto3.session
        from botocore.config import Config

        config = Config(**_config(seconds), parameter_validation=False)
        if kind == "boto3 session":
            return self.connection.client("dynamodb", config=config, **self.client)
        if kind == "boto3 resource":
            # Its own client takes and gives other types.
            owned: Any = self.connection.meta.client
            session = _with_files(_botocore_session())
            session._credentials = owned._request_signer._credentials  # noqa: SLF001 - nothing else tells
            derived: Any = boto3.session.Session(botocore_session=session)
            return derived.client(
                "dynamodb",
                region_name=owned.meta.region_name,
                endpoint_url=owned.meta.endpoint_url,
                config=owned.meta.config.merge(config),
            )
        profile = self.session.get("profile_name")
        found = _with_files(_botocore_session(profile))
        given = {name: value for name, value in self.session.items() if name != "profile_name"}
        made: Any = boto3.session.Session(botocore_session=found, **given)
        return made.client("dynamodb", config=config, **self.client)

    @property
    def in_threads(self) -> bool:
        """Whether an event loop has to leave it to threads: what was given is boto3's."""
        return self.kind.startswith("boto3")

    def aio_session(self) -> Any:
        """A session of aiobotocore that has read its files; call it in a thread."""
        if self.kind == "aiobotocore session":
            return self.connection
        from aiobotocore.session import AioSession

        session: Any = _with_files(AioSession(profile=self.session.get("profile_name")))
        return session

    def aio_client(self, session: Any, seconds: float) -> Any:
        """An async context manager that gives a client of aiobotocore."""
        from aiobotocore.config import AioConfig

        given = {name: value for name, value in self.session.items() if name != "profile_name"}
        config = AioConfig(**_config(seconds), parameter_validation=False)
        return session.create_client("dynamodb", config=config, **given, **self.client)


def check_drivers(account: Account) -> None:
    """Say what has to be installed.

    Raises:
        MissingDependency: boto3 or aiobotocore is missing, and needed.
    """
    needed = {"boto3": ("boto3",), "aiobotocore": ("aiobotocore",), "": ("boto3", "aiobotocore")}
    for name in needed[account.kind.partition(" ")[0]]:
        if find_spec(name) is None:
            raise MissingDependency(
                f"DynamoDB needs {name}: pip install aiohttp-client-cache[dynamodb]"
            )


_files: list[Any] = []
"""What has read the files that describe DynamoDB's operations, once for all clients."""


def _botocore_session(profile: str | None = None) -> Any:
    import botocore.session

    session: Any = botocore.session.Session(profile=profile)
    return session


def _with_files(session: Any) -> Any:
    """Let a session use what others have read, unless it has files of its own."""
    if not session.get_config_variable("data_path"):
        if not _files:
            _files.append(session.get_component("data_loader"))
            _read_files()
        session.register_component("data_loader", _files[0])
    return session


def _read_files() -> None:
    """Read all that a client needs: that takes a tenth of a second, better not in a loop."""
    session = _with_files(_botocore_session())
    config = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    session.create_client("dynamodb", "us-east-1", **config).close()


def _config(seconds: float) -> dict[str, Any]:
    return {
        # Whoever waits decides whether it is tried again.
        "retries": {"total_max_attempts": 1, "mode": "standard"},
        "connect_timeout": seconds,
        "read_timeout": seconds,
        "max_pool_connections": POOL,
        "tcp_keepalive": True,
    }


def _is(given: object, module: str, name: str) -> bool:
    # Whoever has such an object has imported its module.
    known = getattr(sys.modules.get(module), name, None)
    return isinstance(known, type) and isinstance(given, known)
