"""One normal form for the URLs of one resource, whichever client wrote them.

RFC 3986 section 6 says which URLs are equivalent. yarl (aiohttp) and requests go further, each
in its own way: ``params={"a": "1:2"}`` is sent as ``a=1:2`` by one, as ``a=1%3A2`` by the other.
Characters that delimit nothing where they stand are therefore decoded, all others kept as sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Final, NamedTuple
from urllib.parse import quote, unquote_plus

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?")
_HOST_AND_PORT: Final = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?")
DEFAULT_PORTS: Final = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
# RFC 3986 section 3.2; with controls and space, they have no place in a host.
_NOT_IN_HOST: Final = re.compile(r"[\x00-\x20/?#@:\[\]\\%]")

_UNRESERVED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
# `,`, `;` and `=` may delimit parameters in a path segment (RFC 3986 section 3.3), and `+` and `&`
# are close enough to them: those stay as sent.
_PLAIN_IN_PATH: Final = _UNRESERVED + "!$'()*:@"
# `;` has delimited like `&`, and both clients leave it as it is.
_PLAIN_IN_QUERY: Final = _UNRESERVED + "!$'()*:@,/?"


class SplitUrl(NamedTuple):
    """An absolute URL in its parts, normalised as far as it is the same for every use.

    Attributes:
        scheme: lower case.
        host: lower case, in ASCII; an IPv6 address in its brackets.
        port: digits, or empty for the scheme's default.
        path: percent-encoding and dot segments normalised; at least ``/``.
        query: as sent; empty if absent.
    """

    scheme: str
    host: str
    port: str
    path: str
    query: str


def split_url(url: str) -> SplitUrl | None:
    """Take a URL apart; userinfo and fragment are dropped. ``None`` if it is not absolute."""
    match = _URL.match(url)
    if match is None:
        return None
    scheme, authority, path, query = match.groups("")
    scheme = scheme.lower()
    authority = authority.rpartition("@")[2]
    parts = _HOST_AND_PORT.fullmatch(authority)
    host, port = parts.groups("") if parts is not None else (authority, "")
    if port:
        port = port.lstrip("0") or "0"
        if port == DEFAULT_PORTS.get(scheme):
            port = ""
    return SplitUrl(scheme, normalize_host(host), port, normalize_path(path or "/"), query)


def normalize_url(
    url: str, *, ignored: frozenset[str] = frozenset(), sort_query: bool = True
) -> str:
    """The normal form of a URL; equal for all that ask for the same resource.

    Args:
        url: as sent. One that is not absolute is returned as it is.
        ignored: decoded names of query parameters that do not count.
        sort_query: whether the order of parameters does not count; that of equal names does.
    """
    parts = split_url(url)
    if parts is None:
        return url
    query = normalize_query(parts.query, ignored, sort=sort_query) if parts.query else ""
    port = f":{parts.port}" if parts.port else ""
    tail = f"?{query}" if query else ""
    return f"{parts.scheme}://{parts.host}{port}{parts.path}{tail}"


def redact_url(url: str, ignored: frozenset[str]) -> str:
    """The URL as it was sent, less the query parameters in ``ignored``: for what is stored.

    Userinfo and fragment go as well: the one is a secret, the other was never sent.
    """
    match = _URL.match(url)
    if match is None:
        return url
    scheme, authority, path, query = match.groups("")
    if ignored and query:
        query = "&".join(p for p in query.split("&") if _name_of(p) not in ignored)
    tail = f"?{query}" if query else ""
    return f"{scheme}://{authority.rpartition('@')[2]}{path}{tail}"


def normalize_host(host: str) -> str:
    """A host in lower case; other alphabets as the client's IDNA (RFC 5891) would send them."""
    if host.isascii():
        return _compress(host.lower()) if host.startswith("[") else host.lower()
    # Not the `idna` codec: it takes `faß.example` for `fass.example`, which is another host.
    # Letter by letter, as lower() of a whole word knows a final sigma.
    folded = unicodedata.normalize("NFKC", "".join(c.lower() for c in host)).replace("\u3002", ".")
    sent = ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"
        for label in "".join(c.lower() for c in folded).split(".")
    )
    # Normalising may bring out a delimiter; the host is nonsense then, but must stay one host.
    return _quote(host).lower() if _NOT_IN_HOST.search(sent) else sent


def _compress(literal: str) -> str:
    """An IPv6 address in its shortest form (RFC 5952), as yarl sends it and requests does not."""
    try:
        return f"[{IPv6Address(literal[1:-1])}]"
    except ValueError:
        return literal


def normalize_path(path: str) -> str:
    """A path that begins with a slash, its percent-encoding and dot segments normalised."""
    path = normalize_escapes(path)
    return _remove_dot_segments(path) if "/." in path else path


def normalize_escapes(path: str) -> str:
    """A path, or a piece of one, with its percent-encoding normalised."""
    return _PATH_SPECIAL.sub(_PATH_CHANGE, path)


def normalize_query(query: str, ignored: frozenset[str], *, sort: bool) -> str:
    """A query, or a form's body, without empty pieces and what is ignored, in normal form."""
    query = _QUERY_SPECIAL.sub(_QUERY_CHANGE, query)
    if "&" not in query and not ignored:
        return query
    pieces = [p for p in query.split("&") if p and not (ignored and _name_of(p) in ignored)]
    if sort and len(pieces) > 1:
        pieces.sort(key=_raw_name_of)
    return "&".join(pieces)


def _raw_name_of(piece: str) -> str:
    return piece.partition("=")[0]


def _name_of(piece: str) -> str:
    name = piece.partition("=")[0]
    return unquote_plus(name) if "%" in name or "+" in name else name


def _quote(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _remove_dot_segments(path: str) -> str:
    """RFC 3986 section 5.2.4, for a path that begins with a slash."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _changer(plain: str) -> Callable[[re.Match[str]], str]:
    """A replacement for what :func:`_special` finds; ``plain`` needs no percent-encoding."""
    decoded = {f"%{ord(c):02X}": c for c in plain}
    digits = "0123456789abcdefABCDEF"
    escapes = {
        text: decoded.get(text.upper(), text.upper())
        for text in (f"%{a}{b}" for a in digits for b in digits)
    }
    # A per cent sign that begins no escape stands for itself; so both clients send it.
    escapes["%"] = "%25"

    def change(match: re.Match[str]) -> str:
        text = match[0]
        return escapes[text] if text[0] == "%" else _quote(text)

    return change


def _special(legal: str) -> re.Pattern[str]:
    """Escapes, per cent signs that begin none, and runs of what must be escaped."""
    return re.compile(rf"%(?:[0-9A-Fa-f]{{2}})?|[^%{re.escape(legal)}]+")


_PATH_SPECIAL: Final = _special(_PLAIN_IN_PATH + "/&+,;=")
_PATH_CHANGE: Final = _changer(_PLAIN_IN_PATH)
_QUERY_SPECIAL: Final = _special(_PLAIN_IN_QUERY + "&+;=")
_QUERY_CHANGE: Final = _changer(_PLAIN_IN_QUERY)
