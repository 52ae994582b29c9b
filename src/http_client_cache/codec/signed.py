"""Records that only who knows the secret could have written."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from http_client_cache.codec.protocol import Codec
from http_client_cache.entry import Alias, Entry
from http_client_cache.errors import RecordError

_SIZE: Final = hashlib.sha256().digest_size
_ENTRY: Final = b"http-client-cache entry 1"
_ALIAS: Final = b"http-client-cache alias 1"


class SignedCodec:
    """Wraps a codec: record = signature, digest of the body, inner record.

    The signature (HMAC-SHA256) covers key, variant, inner record and the body's digest, each
    with its length: neither record nor body can be swapped for those of another key.

    Args:
        inner: the codec that is wrapped.
        secrets: the first signs, all of them verify (so that a secret can be replaced).
    """

    __slots__ = ("_inner", "_secrets")

    binds_body = True

    def __init__(self, inner: Codec, secrets: Sequence[bytes]) -> None:
        self._inner = inner
        self._secrets = tuple(secrets)

    def encode(
        self, key: str, variant: str, entry: Entry, body: bytes, digest: bytes | None = None
    ) -> bytes:
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        inner = self._inner.encode(key, variant, entry, body)
        digest = hashlib.sha256(body).digest() if digest is None else digest
        return self._seal(key, variant, digest, inner)

    def digest_of(self, record: bytes) -> bytes:
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        return record[_SIZE : 2 * _SIZE]

    def renew(self, key: str, variant: str, entry: Entry, record: bytes) -> bytes:
        """See :class:`~http_client_cache.codec.protocol.Codec`.

        The record that is replaced is verified first: else a forged digest would be signed.
        """
        digest, inner = self._open(_ENTRY, key, variant, record)
        return self._seal(key, variant, digest, self._inner.renew(key, variant, entry, inner))

    def decode(self, key: str, variant: str, record: bytes, body: bytes | None) -> Entry:
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        digest, inner = self._open(_ENTRY, key, variant, record)
        if body is not None and not hmac.compare_digest(digest, hashlib.sha256(body).digest()):
            raise RecordError("the body is not the one that was signed")
        return self._inner.decode(key, variant, inner, body)

    def encode_alias(self, key: str, alias: Alias) -> bytes:
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        inner = self._inner.encode_alias(key, alias)
        return _sign(self._secrets[0], _ALIAS, key, "", inner) + inner

    def decode_alias(self, key: str, record: bytes) -> Alias:
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        self._verify(_ALIAS, key, "", record)
        return self._inner.decode_alias(key, record[_SIZE:])

    def _seal(self, key: str, variant: str, digest: bytes, inner: bytes) -> bytes:
        rest = digest + inner
        return _sign(self._secrets[0], _ENTRY, key, variant, rest) + rest

    def _open(self, domain: bytes, key: str, variant: str, record: bytes) -> tuple[bytes, bytes]:
        self._verify(domain, key, variant, record)
        return record[_SIZE : 2 * _SIZE], record[2 * _SIZE :]

    def _verify(self, domain: bytes, key: str, variant: str, record: bytes) -> None:
        signature, rest = record[:_SIZE], record[_SIZE:]
        for secret in self._secrets:
            if hmac.compare_digest(signature, _sign(secret, domain, key, variant, rest)):
                return
        raise RecordError("the record is not signed with any of the secret keys")


def _sign(secret: bytes, domain: bytes, key: str, variant: str, rest: bytes) -> bytes:
    parts = domain, key.encode("utf-8", "surrogateescape"), variant.encode(), rest
    message = b"".join([len(part).to_bytes(8, "big") + part for part in parts])
    return hmac.digest(secret, message, "sha256")
