"""From a request of requests' to the engine's: what will be sent, without using it up."""

from __future__ import annotations

from hashlib import blake2b
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

from http_client_cache.message import UNKEYABLE, Headers, Request, Unkeyable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requests import PreparedRequest


def engine_request(request: PreparedRequest) -> Request:
    """The request as it is about to be sent: cookies, auth and the session's defaults included."""
    # `items()` would look all of them up again, one by one.
    store: Any = getattr(request.headers, "_store", None)
    pairs: Any = request.headers.items() if store is None else store.values()
    return Request(
        (request.method or "GET").upper(),
        request.url or "",
        engine_headers(pairs),
        body_bytes(request.body),
    )


def engine_headers(fields: Iterable[tuple[str | bytes, str | bytes]]) -> Headers:
    """Header fields as bytes, the way that http.client sends and receives them."""
    return Headers(tuple([(_bytes(name), _bytes(value)) for name, value in fields]))


def _bytes(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        # It cannot be sent; whoever tries says so.
        return text.encode("utf-8", "surrogateescape")


def body_bytes(body: object) -> bytes | Unkeyable:
    """The bytes of a request body, or ``UNKEYABLE`` where reading them would use them up.

    Known are bytes, text, and what is in memory; forms, JSON and multipart are bytes by now.
    Generators and files are not: they may be read but once.
    """
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytearray):
        return bytes(body)
    if isinstance(body, BytesIO) and not body.closed:
        return body.getvalue()[body.tell() :]
    if isinstance(body, StringIO) and not body.closed:
        return body.getvalue()[body.tell() :].encode()
    return UNKEYABLE


def connection_marks(url: str | None, verify: object, cert: object) -> tuple[str, ...]:
    """What of a connection tells its responses from those of others.

    What nobody has vouched for is not for those who ask for more; and what is shown to the bearer
    of a client certificate is for nobody else.
    """
    if url is None or not url.lower().startswith("https:"):
        return ()
    marks: list[str] = []
    if verify is False:
        marks.append("unverified")
    if cert:
        # A path, or those of a certificate and of its key: as text they are told apart.
        named = repr(cert).encode()
        marks.append(f"cert-{blake2b(named, digest_size=8).hexdigest()}")
    return tuple(marks)
