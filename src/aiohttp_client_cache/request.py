"""From aiohttp's request to the engine's: what will be sent, without using it up."""

from __future__ import annotations

from aiohttp import ClientRequest, MultipartWriter
from aiohttp.payload import BytesIOPayload, BytesPayload, Payload

from http_client_cache.message import UNKEYABLE, Headers, Request, Unkeyable


def engine_request(request: ClientRequest) -> Request:
    """The request as aiohttp is about to send it: cookies, auth and defaults included.

    Raises:
        AttributeError: a header field is no text; aiohttp will say so when it sends it.
    """
    return Request(
        request.method,
        str(request.url),
        Headers.of(request.headers),
        body_bytes(request.body),
    )


def body_bytes(body: object) -> bytes | Unkeyable:
    """The bytes of a request body, or ``UNKEYABLE`` where reading them would use them up.

    Known are bytes, text, JSON and urlencoded forms, ``io.BytesIO``, and multipart made of
    these. Generators, files and streams are not: they may be read but once.
    """
    if isinstance(body, bytes):
        return body
    if isinstance(body, BytesPayload):
        return bytes(body._value)
    if isinstance(body, BytesIOPayload):
        value = body._value
        if value.closed:
            # The first aiohttp of 3.12 closes it after it was sent.
            return UNKEYABLE
        # Where aiohttp begins to send, and begins again for another attempt.
        start = getattr(body, "_start_position", None)
        return value.getvalue()[value.tell() if start is None else start :]
    if isinstance(body, MultipartWriter):
        return _multipart_bytes(body)
    return UNKEYABLE


def _multipart_bytes(writer: MultipartWriter) -> bytes | Unkeyable:
    boundary = writer.boundary.encode("ascii")
    pieces: list[bytes] = []
    part: Payload
    for part, _, _ in writer:
        body = _nested_bytes(part) if isinstance(part, MultipartWriter) else body_bytes(part)
        if isinstance(body, Unkeyable):
            return UNKEYABLE
        pieces += (b"--", boundary, b"\r\n", _field_lines(part), b"\r\n", body, b"\r\n")
    pieces += (b"--", boundary, b"--\r\n")
    return b"".join(pieces)


def _nested_bytes(writer: MultipartWriter) -> bytes | Unkeyable:
    """What tells a multipart within another from others, less its random boundary."""
    pieces: list[bytes] = []
    part: Payload
    for part, _, _ in writer:
        body = _nested_bytes(part) if isinstance(part, MultipartWriter) else body_bytes(part)
        if isinstance(body, Unkeyable):
            return UNKEYABLE
        for piece in (_field_lines(part), body):
            pieces += (b"%d:" % len(piece), piece)
    return b"".join(pieces)


def _field_lines(part: Payload) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in part.headers.items())
    if isinstance(part, MultipartWriter):
        lines = lines.replace(part.boundary, "")
    return lines.encode()
