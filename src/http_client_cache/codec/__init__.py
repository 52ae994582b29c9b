"""Codecs: metadata to bytes and back, without ever running code that lies in a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any, Final

from http_client_cache.codec.msgpack import MsgpackCodec
from http_client_cache.codec.plain import PlainCodec
from http_client_cache.codec.protocol import Codec
from http_client_cache.codec.signed import SignedCodec
from http_client_cache.errors import ConfigurationError, describe

__all__ = ["Codec", "codec_for"]

SecretKey = str | bytes | Sequence[str | bytes] | None

_RUN_CODE: Final = frozenset(
    ("cloudpickle", "dill", "jsonpickle", "marshal", "pickle", "_pickle", "shelve")
)


def codec_for(serializer: Any = None, secret_key: SecretKey = None) -> Codec:
    """The codec that the arguments of a backend ask for.

    Args:
        serializer: ``"msgpack"`` (as ``None``), ``"json"``, or an object with ``dumps`` and
            ``loads`` that turns a dict of plain values into text or bytes and back.
        secret_key: signs records, which are rejected (a miss) if the signature does not fit.
            Of several, the first signs and all verify.

    Raises:
        ConfigurationError: an argument is none of these.
    """
    codec = _inner(serializer)
    if secret_key is None:
        return codec
    return SignedCodec(codec, _secrets(secret_key))


def _inner(serializer: Any) -> Codec:
    _refuse_code(serializer)
    if serializer is None or serializer == "msgpack":
        return MsgpackCodec()
    if serializer == "json":
        return PlainCodec()
    if all(callable(getattr(serializer, name, None)) for name in ("dumps", "loads")):
        return PlainCodec(serializer)
    raise ConfigurationError(
        "serializer must be 'msgpack', 'json' or an object with the functions dumps and loads, "
        f"not {describe(serializer)}"
    )


def _refuse_code(serializer: Any) -> None:
    """Refuse what loads code; itsdangerous and the like have the real one in an attribute."""
    for candidate in (serializer, getattr(serializer, "serializer", None)):
        for name in _origins(candidate):
            if name.partition(".")[0] in _RUN_CODE:
                raise ConfigurationError(
                    f"serializer: {name.lstrip('_')} is refused, because what lies in a cache "
                    "must never run code when it is read; use 'msgpack' or 'json'"
                )


def _origins(candidate: object) -> Iterable[str]:
    """The names of the modules that an object is made of."""
    if isinstance(candidate, str):
        yield candidate
    elif isinstance(candidate, ModuleType):
        yield candidate.__name__
    elif candidate is not None:
        yield type(candidate).__module__
        for part in (candidate, getattr(candidate, "loads", None)):
            module = getattr(part, "__module__", None)
            if isinstance(module, str):
                yield module


def _secrets(secret_key: object) -> list[bytes]:
    given: list[object] = (
        list(secret_key) if isinstance(secret_key, list | tuple) else [secret_key]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    )
    secrets = [_secret(one) for one in given]
    if not secrets:
        raise ConfigurationError("secret_key is an empty list; leave it out to not sign")
    return secrets


def _secret(one: object) -> bytes:
    if isinstance(one, str):
        one = one.encode()
    if not isinstance(one, bytes):
        # The value itself stays out of the message: it may be a secret after all.
        raise ConfigurationError(
            f"secret_key must be str or bytes or a list of them, not {type(one).__name__}"
        )
    if not one:
        raise ConfigurationError("secret_key is empty; leave it out to not sign")
    return one
