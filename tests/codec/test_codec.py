"""Records: what comes back, what is refused, and what older and newer versions make of them."""

from __future__ import annotations

import json
import marshal
import pickle
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_client_cache.codec import Codec, codec_for
from http_client_cache.entry import Alias, Entry, Hop
from http_client_cache.errors import ConfigurationError, RecordError, StoreError
from tests.support.structs import filled, structs


def is_plain(value: object) -> bool:
    """Whether any serializer can be expected to take it."""
    if type(value) is dict:
        return all(type(name) is str and is_plain(item) for name, item in value.items())
    if type(value) is list:
        return all(map(is_plain, value))
    if type(value) is str:
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    return type(value) in {int, float, bool, type(None)}


class BytesJson:
    """As orjson: gives bytes, takes bytes, and nothing but plain values."""

    @staticmethod
    def dumps(value: Any) -> bytes:
        assert is_plain(value)
        return json.dumps(value).encode()

    @staticmethod
    def loads(data: bytes) -> Any:
        assert isinstance(data, bytes)
        return json.loads(data)


CODECS: dict[str, Codec] = {
    "msgpack": codec_for(),
    "json": codec_for("json"),
    "json module": codec_for(json),
    "own": codec_for(BytesJson),
    "signed": codec_for(None, "secret"),
    "signed json": codec_for("json", [b"new", "old"]),
}

entries, aliases = structs(Entry), structs(Alias)

ENTRY = Entry(
    "GET", "https://a.b/", 200, "OK", (1, 1), ((b"A", b"caf\xe9"),), (), 1.0, 2.0, None, 4
)
ALIAS = Alias("b.1", (Hop("GET", "https://a.b/", 301, "Moved", (1, 1), ((b"A", b"b"),)),), 1.0)


REQUIRED = [field for field in msgspec.structs.fields(Entry) if field.required]
LATER = [field for field in msgspec.structs.fields(Entry) if not field.required]
FILLED_LATER = {field.name: getattr(filled(Entry), field.name) for field in LATER}


def without(entry: Entry, gone: list[msgspec.structs.FieldInfo]) -> Any:
    """The entry as a version wrote it that did not know its last fields."""
    kept = msgspec.structs.fields(Entry)[: -len(gone)]
    older = msgspec.defstruct(
        "Older", [(field.name, field.type) for field in kept], array_like=True
    )
    return older(*(getattr(entry, field.name) for field in kept))


@pytest.fixture(params=CODECS)
def codec(request: pytest.FixtureRequest) -> Codec:
    return CODECS[request.param]


@pytest.mark.parametrize("name", CODECS)
@given(entry=entries, body=st.binary())
def test_an_entry_comes_back(name: str, entry: Entry, body: bytes) -> None:
    codec = CODECS[name]
    record = codec.encode("k.1", "v", entry, body)
    assert type(record) is bytes
    assert codec.decode("k.1", "v", record, body) == entry
    assert codec.decode("k.1", "v", record, None) == entry
    renewed = codec.renew("k.1", "v", msgspec.structs.replace(entry, created=5.0), record)
    assert codec.decode("k.1", "v", renewed, body).created == 5.0


@pytest.mark.parametrize(
    ("entry", "changed"), [(filled(Entry), ENTRY), (ENTRY, filled(Entry)), (ENTRY, ENTRY)]
)
def test_every_field_comes_back(codec: Codec, entry: Entry, changed: Entry) -> None:
    record = codec.encode("k.1", "v", entry, b"body")
    found = codec.decode("k.1", "v", record, b"body")
    assert repr(found) == repr(entry)  # Which tells 1 from True and 1.0, and a list from a tuple.
    renewed = codec.renew("k.1", "v", changed, record)
    assert repr(codec.decode("k.1", "v", renewed, b"body")) == repr(changed)


def test_every_field_of_an_alias_comes_back(codec: Codec) -> None:
    alias = filled(Alias)
    found = codec.decode_alias("k.1", codec.encode_alias("k.1", alias))
    assert (found, repr(found.hops)) == (alias, repr(alias.hops))


@pytest.mark.parametrize("name", CODECS)
@given(alias=aliases)
def test_an_alias_comes_back(name: str, alias: Alias) -> None:
    codec = CODECS[name]
    assert codec.decode_alias("k.1", codec.encode_alias("k.1", alias)) == alias


@pytest.mark.parametrize("name", CODECS)
@given(record=st.binary(max_size=200), start=st.sampled_from([b"", b"\x01", b"\x81", b"t", b"b"]))
def test_garbage_is_a_record_error(name: str, record: bytes, start: bytes) -> None:
    codec = CODECS[name]
    with pytest.raises(RecordError):
        codec.decode("k.1", "", start + record, b"body")
    with pytest.raises(RecordError):
        codec.decode_alias("k.1", start + record)


@pytest.mark.parametrize("name", CODECS)
@given(data=st.data())
def test_a_damaged_record_is_an_error_or_another_record(name: str, data: st.DataObject) -> None:
    codec = CODECS[name]
    record = bytearray(codec.encode("k.1", "", ENTRY, b"body"))
    record[data.draw(st.integers(0, len(record) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        entry = codec.decode("k.1", "", bytes(record), b"body")
    except RecordError:
        return
    assert isinstance(entry, Entry)
    assert not codec.binds_body


def test_records_are_told_apart(codec: Codec) -> None:
    """A record of one codec is absent for the others."""
    record = codec.encode("k.1", "", ENTRY, b"body")
    readers = [other for other in CODECS.values() if type(other) is not type(codec)]
    for other in readers:
        with pytest.raises(RecordError):
            other.decode("k.1", "", record, b"body")


def test_an_entry_is_no_alias(codec: Codec) -> None:
    with pytest.raises(RecordError):
        codec.decode_alias("k.1", codec.encode("k.1", "", ENTRY, b"body"))
    with pytest.raises(RecordError):
        codec.decode("k.1", "", codec.encode_alias("k.1", ALIAS), b"body")


@pytest.mark.parametrize("reason", ["OK", "caf\udce9"])
def test_older_records_have_fewer_fields(codec: Codec, reason: str) -> None:
    # Of any text, and of text that takes the long way.
    full = msgspec.structs.replace(ENTRY, **FILLED_LATER, reason=reason)
    assert codec.decode("k.1", "", codec.encode("k.1", "", full, b"body"), b"body") == full
    for missing in range(1, len(LATER) + 1):
        gone = LATER[-missing:]
        record = codec.encode("k.1", "", without(full, gone), b"body")
        expected = msgspec.structs.replace(full, **{field.name: field.default for field in gone})
        assert codec.decode("k.1", "", record, b"body") == expected


def test_a_field_that_somebody_took_out_has_its_default() -> None:
    codec = codec_for("json")
    full = msgspec.structs.replace(ENTRY, **FILLED_LATER)
    for field in LATER:
        plain = json.loads(codec.encode("k.1", "", full, b""))
        del plain[field.name]
        expected = msgspec.structs.replace(full, **{field.name: field.default})
        assert codec.decode("k.1", "", json.dumps(plain).encode(), b"") == expected
    for field in REQUIRED:
        plain = json.loads(codec.encode("k.1", "", full, b""))
        del plain["http_version" if field.name == "version" else field.name]
        with pytest.raises(RecordError, match="damaged"):
            codec.decode("k.1", "", json.dumps(plain).encode(), b"")


def test_newer_records_are_refused() -> None:
    fields = msgspec.to_builtins(ENTRY, builtin_types=(bytes,))
    with pytest.raises(RecordError, match="newer"):
        codec_for().decode("k.1", "", b"\x02" + msgspec.msgpack.encode(fields), b"")
    plain = json.loads(codec_for("json").encode("k.1", "", ENTRY, b""))
    plain["version"] = 2
    with pytest.raises(RecordError, match="newer"):
        codec_for("json").decode("k.1", "", json.dumps(plain).encode(), b"")


@pytest.mark.parametrize("entry", [ENTRY, filled(Entry)])
def test_a_later_field_of_the_same_version_is_no_obstacle(codec: Codec, entry: Entry) -> None:
    described = [(field.name, field.type) for field in msgspec.structs.fields(Entry)]
    newer = msgspec.defstruct("Newer", [*described, ("later", Any)], array_like=True)
    later: Any = newer(*msgspec.structs.astuple(entry), (("a", None), ("b", "caf\udce9")))
    record = codec.encode("k.1", "", later, b"body")
    assert codec.decode("k.1", "", record, b"body") == entry


def test_json_is_for_people() -> None:
    plain = json.loads(codec_for("json").encode("k.1", "", ENTRY, b"body"))
    assert plain["url"] == "https://a.b/"
    assert plain["http_version"] == [1, 1]
    assert plain["headers"] == [["A", {"base64": "Y2Fm6Q=="}]]
    plain = json.loads(codec_for("json").encode_alias("k.1", ALIAS))
    assert plain["hops"][0]["headers"] == [["A", "b"]]
    vary = (("accept", "a digest"), ("cookie", None))
    varied = msgspec.structs.replace(ENTRY, vary=vary, reason="caf\udce9")
    plain = json.loads(codec_for("json").encode("k.1", "", varied, b"body"))
    assert plain["vary"] == [["accept", "a digest"], ["cookie", None]]
    assert plain["reason"] == {"base64": "Y2Fm6Q=="}


def test_what_is_signed_belongs_together() -> None:
    codec = codec_for(None, "secret")
    body, other = b"body", b"else"
    record = codec.encode("a.1", "v", ENTRY, body)
    for key, variant, beside in (("a.2", "v", body), ("a.1", "w", body), ("a.1", "v", other)):
        with pytest.raises(RecordError):
            codec.decode(key, variant, record, beside)
    # What lies beside each other must not be shifted from one to the other.
    with pytest.raises(RecordError):
        codec.decode("a.1v", "", record, body)
    with pytest.raises(RecordError):
        codec.decode_alias("b.1", codec.encode_alias("a.1", ALIAS))
    with pytest.raises(RecordError):
        codec.renew("a.2", "v", ENTRY, record)
    with pytest.raises(RecordError):
        codec.decode("a.1", "v", codec_for().encode("a.1", "v", ENTRY, body), body)


def test_a_forged_digest_is_not_signed_when_the_entry_is_renewed() -> None:
    codec = codec_for(None, "secret")
    record = codec.encode("a.1", "", ENTRY, b"body")
    digest = codec.encode("a.1", "", ENTRY, b"evil")[32:64]
    with pytest.raises(RecordError):
        codec.renew("a.1", "", ENTRY, record[:32] + digest + record[64:])


def test_the_first_secret_signs_and_all_verify() -> None:
    old, new = codec_for(None, "old"), codec_for(None, ["new", b"old"])
    assert new.decode("a.1", "", old.encode("a.1", "", ENTRY, b""), b"") == ENTRY
    assert codec_for(None, "new").decode("a.1", "", new.encode("a.1", "", ENTRY, b""), b"") == ENTRY
    with pytest.raises(RecordError):
        old.decode("a.1", "", new.encode("a.1", "", ENTRY, b""), b"")


class Unpickled:
    def __reduce__(self) -> Any:
        raise AssertionError


@pytest.mark.parametrize(
    "serializer",
    [
        pickle,
        marshal,
        "pickle",
        "dill",
        "cloudpickle",
        pickle.Pickler,
        SimpleNamespace(dumps=pickle.dumps, loads=pickle.loads),
        SimpleNamespace(dumps=json.dumps, loads=json.loads, serializer=pickle),
    ],
)
def test_what_runs_code_is_refused(serializer: object) -> None:
    with pytest.raises(ConfigurationError, match="never run code"):
        codec_for(serializer)


@pytest.mark.parametrize("serializer", ["yaml", "", 5, object(), SimpleNamespace(dumps=json.dumps)])
def test_what_is_no_serializer(serializer: object) -> None:
    with pytest.raises(ConfigurationError, match="serializer must be"):
        codec_for(serializer)


@pytest.mark.parametrize("secret", ["", b"", [], ["a", ""], 5, ["a", 5], [None]])
def test_what_is_no_secret(secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="secret_key") as raised:
        codec_for(None, secret)
    assert "'a'" not in str(raised.value)


def test_a_serializer_that_fails() -> None:
    def fail(_: object) -> Any:
        raise ZeroDivisionError

    with pytest.raises(StoreError, match="ZeroDivisionError"):
        codec_for(SimpleNamespace(dumps=fail, loads=fail)).encode("a.1", "", ENTRY, b"")
    odd = codec_for(SimpleNamespace(dumps=lambda _: 5, loads=fail))
    with pytest.raises(StoreError, match="int"):
        odd.encode("a.1", "", ENTRY, b"")
    with pytest.raises(RecordError, match="ZeroDivisionError"):
        odd.decode("a.1", "", b"tx", b"")
