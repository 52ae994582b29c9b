"""Where a Redis is: what a URL, arguments, or a client of the user's own say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from http_client_cache.errors import ConfigurationError

PORT: Final = 6379
SENTINEL_PORT: Final = 26379

Kind = Literal["one", "cluster", "sentinel"]


def _flag(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    return known[text.lower()]


OPTIONS: Final[Mapping[str, Callable[[str], Any]]] = {
    "db": int,
    "username": str,
    "password": str,
    "client_name": str,
    "protocol": int,
    "max_connections": int,
    "health_check_interval": int,
    "socket_keepalive": _flag,
    "ssl": _flag,
    "ssl_keyfile": str,
    "ssl_certfile": str,
    "ssl_password": str,
    "ssl_cert_reqs": str,
    "ssl_ca_certs": str,
    "ssl_ca_path": str,
    "ssl_ca_data": str,
    "ssl_check_hostname": _flag,
    "ssl_ciphers": str,
    "sentinel_username": str,
    "sentinel_password": str,
}
"""What of a connection can be set, in a URL or as an argument, and how a URL spells it."""

_SCHEMES: Final[Mapping[str, tuple[Kind, bool]]] = {
    "redis": ("one", False),
    "rediss": ("one", True),
    "valkey": ("one", False),
    "valkeys": ("one", True),
    "unix": ("one", False),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
}


class Address(NamedTuple):
    """Where a Redis is.

    Attributes:
        kind: one server, a cluster, or one that sentinels watch.
        nodes: hosts and ports: of the server, of some of a cluster's nodes, or of the sentinels.
        options: of :data:`OPTIONS`.
        path: of a socket, instead of ``nodes``.
        service: that the sentinels watch.
    """

    kind: Kind
    nodes: tuple[tuple[str, int], ...]
    options: Mapping[str, Any]
    path: str | None = None
    service: str | None = None

    def __repr__(self) -> str:
        # Neither password nor user: this may be logged.
        where = self.path or ",".join(f"{host}:{port}" for host, port in self.nodes)
        return f"Address({self.kind} at {where})"

    def having(self, given: Mapping[str, Any]) -> Address:
        """The same with what arguments say, which come before a URL.

        Args:
            given: of :data:`OPTIONS`, ``host`` and ``port``; ``None`` for what was not given.

        Raises:
            ConfigurationError: they do not go together.
        """
        options = {**self.options}
        options.update({name: value for name, value in given.items() if value is not None})
        host, port = options.pop("host", None), options.pop("port", None)
        nodes = self.nodes
        if host is not None or port is not None:
            if self.kind != "one" or self.path is not None:
                raise ConfigurationError("host and port are for one server; address names others")
            nodes = ((host or nodes[0][0], port or nodes[0][1]),)
        if self.kind == "cluster" and options.get("db"):
            raise ConfigurationError("db must be 0 or left out: a cluster has no other")
        for name in options:
            if name.startswith("ssl_") and not options.get("ssl"):
                # Nobody is to believe that it is encrypted.
                raise ConfigurationError(
                    f"{name} is for TLS: say ssl=True, or rediss:// as address"
                )
            if name.startswith("sentinel_") and self.kind != "sentinel":
                raise ConfigurationError(f"{name} is for redis+sentinel:// as address")
        return self._replace(options=options, nodes=nodes)


def parse(url: object) -> Address:
    """Read a URL.

    Raises:
        ConfigurationError: it cannot be understood. It is not shown: it may hold a password.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"address must be a URL, not {type(url).__name__}")
    if "#" in url:
        raise ConfigurationError("address: in a URL, a # is to be written as %23")
    try:
        scheme, place, path, query = _parts(url)
        kind, encrypted = _SCHEMES[scheme]
        user, _, hosts = place.rpartition("@")
        nodes = _nodes(hosts, SENTINEL_PORT if kind == "sentinel" else PORT)
    except (KeyError, ValueError):
        raise ConfigurationError(
            f"address must be a URL that begins with one of {', '.join(_SCHEMES)}, "
            "such as redis://localhost:6379/0"
        ) from None
    options = _query(query)
    username, _, password = user.partition(":")
    if username:
        options["username"] = unquote(username)
    if password:
        options["password"] = unquote(password)
    if encrypted:
        options["ssl"] = True
    path = unquote(path)
    if scheme == "unix":
        if not path:
            raise ConfigurationError("address: a unix:// URL names a socket: unix:///run/redis")
        return Address(kind, (), options, path)
    first, _, second = path.strip("/").partition("/")
    service = None
    if kind == "sentinel":
        if not first:
            raise ConfigurationError(
                "address: a URL of sentinels names the service, as redis+sentinel://host/mymaster"
            )
        service, first = first, second
    if first:
        options.setdefault("db", _converted("db", first))
    return Address(kind, nodes, options, None, service)


def _nodes(hosts: str, port: int) -> tuple[tuple[str, int], ...]:
    nodes: list[tuple[str, int]] = []
    for one in hosts.split(","):
        parts = urlsplit(f"//{one}")
        # Port 0 is no port; a missing one is.
        number = parts.port
        nodes.append((unquote(parts.hostname or "localhost"), port if number is None else number))
    return tuple(nodes)


def _parts(url: str) -> tuple[str, str, str, str]:
    """Scheme, authority, path and query: urllib wants one host alone, if it is in brackets."""
    scheme, _, rest = url.partition("://")
    head, _, query = rest.partition("?")
    place, slash, path = head.partition("/")
    return scheme.lower(), place, slash + path, query


def _query(query: str) -> dict[str, Any]:
    pairs = parse_qsl(query, keep_blank_values=True)
    return {name: _converted(name, value) for name, value in pairs}


def _converted(name: str, value: str) -> Any:
    if name in {"socket_timeout", "socket_connect_timeout", "timeout"}:
        raise ConfigurationError(f"address: {name} is set by store_timeout, not in the URL")
    if name not in OPTIONS:
        # It is not shown, as it may be what follows a ? or & in a password.
        raise ConfigurationError(
            f"address: the URL has an option that is not known; there are {', '.join(OPTIONS)}"
        )
    if not value:
        raise ConfigurationError(f"address: {name} has no value; write {name}=... in the URL")
    try:
        return OPTIONS[name](value)
    except (KeyError, ValueError):
        raise ConfigurationError(f"address: {name} has a value that it does not accept") from None
