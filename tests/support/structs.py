"""Values for any of the engine's structs, made of the types of its fields.

So a new field is in every test that uses these, and a type that they do not know is an error.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

S = TypeVar("S", bound=msgspec.Struct)

# As it comes off the wire: bytes that are no UTF-8 are lone surrogates, others never are.
wire_text = st.binary(max_size=20).map(lambda raw: raw.decode("utf-8", "surrogateescape"))

_STRATEGIES: dict[Any, st.SearchStrategy[Any]] = {
    str: wire_text,
    bytes: st.binary(max_size=20),
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    NoneType: st.none(),
}

# None of them is a default, and text and bytes are of the kind that needs most care.
_FILLINGS: dict[Any, Any] = {
    str: "caf\u00e9 \udce9",
    bytes: b"caf\xe9",
    bool: True,
    int: 7,
    float: 0.1,
}


def structs(kind: type[S]) -> st.SearchStrategy[S]:
    """Structs with any values in all fields."""
    return st.builds(
        kind, **{field.name: _values(field.type) for field in msgspec.structs.fields(kind)}
    )


def filled(kind: type[S]) -> S:
    """A struct in which no field has its default, and no sequence is empty."""
    made = kind(**{field.name: _filling(field.type) for field in msgspec.structs.fields(kind)})
    for field in msgspec.structs.fields(kind):
        if getattr(made, field.name) == field.default:
            raise AssertionError(f"{kind.__name__}.{field.name} has its default")
    return made


def _values(kind: Any) -> st.SearchStrategy[Any]:
    if kind in _STRATEGIES:
        return _STRATEGIES[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return structs(kind)
    of = get_args(kind)
    if get_origin(kind) in {Union, UnionType}:
        return st.one_of([_values(one) for one in of])
    if get_origin(kind) is tuple and of[1:] == (...,):
        return st.lists(_values(of[0]), max_size=3).map(tuple)
    if get_origin(kind) is tuple:
        return st.tuples(*[_values(one) for one in of])
    raise TypeError(f"{kind} is new here: say how to make one, and see that records carry it")


def _filling(kind: Any) -> Any:
    if kind in _FILLINGS:
        return _FILLINGS[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return filled(kind)
    of = get_args(kind)
    if get_origin(kind) in {Union, UnionType}:
        return _filling(next(one for one in of if one is not NoneType))
    if get_origin(kind) is tuple and of[1:] == (...,):
        return (_filling(of[0]), *_with_none(of[0]))
    if get_origin(kind) is tuple:
        return tuple(_filling(one) for one in of)
    raise TypeError(f"{kind} is new here: say how to make one, and see that records carry it")


def _with_none(kind: Any) -> tuple[Any, ...]:
    """The same once more, with ``None`` wherever that is allowed."""
    if get_origin(kind) is not tuple:
        return ()
    made = tuple(None if NoneType in get_args(one) else _filling(one) for one in get_args(kind))
    return (made,)
