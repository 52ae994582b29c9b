"""One Redis, or one Valkey."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.servers import programs
from tests.support.servers.process import Server
from tests.support.servers.resp import RespError, ask


class RedisServer(Server):
    """A Redis of one's own. It keeps nothing on disk, unless an argument says so.

    Args:
        arguments: more of the command line, as ``"--maxmemory", "3mb"``.
        password: what clients have to say; part of :attr:`url`.
        tls: speak TLS only, with a certificate for 127.0.0.1 and localhost from :attr:`ca`.
    """

    name = "redis"
    program: Callable[[], str] = staticmethod(programs.redis_server)

    def __init__(self, *arguments: str, password: str | None = None, tls: bool = False) -> None:
        super().__init__()
        self._arguments = arguments
        self._password = password
        self._tls = tls

    @property
    def url(self) -> str:
        """As redis-py takes it, with the password."""
        scheme = "rediss" if self._tls else "redis"
        user = f":{self._password}@" if self._password else ""
        return f"{scheme}://{user}{self.host}:{self.port}/0"

    @property
    def ca(self) -> Path:
        """The file with the certificate of the authority, where TLS is spoken."""
        return self.folder / "ca.pem"

    def prepare(self) -> None:
        """Make certificates."""
        if self._tls:
            # The package that makes them is optional for everything else.
            from tests.support.servers.certificates import make_certificates

            make_certificates(self.folder)

    def command(self) -> Sequence[str]:
        """The program and its arguments."""
        port = ["--port", "0", "--tls-port"] if self._tls else ["--port"]
        tls = [
            *("--tls-cert-file", "server.pem", "--tls-key-file", "server.key"),
            *("--tls-ca-cert-file", "ca.pem", "--tls-auth-clients", "no"),
        ]
        return [
            type(self).program(),
            *(*port, str(self.port), "--bind", self.host, "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no", "--enable-debug-command", "yes"),
            *(tls if self._tls else ()),
            *(("--requirepass", self._password) if self._password else ()),
            *self._arguments,
        ]

    def is_ready(self) -> bool:
        """Whether it answers, be it that a password is missing."""
        context = ssl.create_default_context(cafile=self.ca) if self._tls else None
        try:
            ask(self.address, "PING", context=context)
        except RespError as error:
            return not str(error).startswith("LOADING")
        return True


class ValkeyServer(RedisServer):
    """A Valkey of one's own, like :class:`RedisServer`; it has no TLS."""

    name = "valkey"
    program = staticmethod(programs.valkey_server)

    def __init__(self, *arguments: str, password: str | None = None) -> None:
        super().__init__(*arguments, password=password)
