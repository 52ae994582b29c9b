"""Who may import whom. A new rule is a line in one of the two tables."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SRC = Path(__file__).parents[2] / "src"
ENGINE = "http_client_cache"
FACES = {path.name for path in SRC.iterdir() if (path / "__init__.py").exists()} - {ENGINE}
CLIENTS = {"aiohttp", "httpx", "multidict", "requests", "urllib3", "yarl"}


def engine(*modules: str) -> set[str]:
    return {f"{ENGINE}.{module}" for module in modules}


STORES = engine(
    *(f"store.{path.stem}" for path in (SRC / ENGINE / "store").glob("*.py") if path.stem[0] != "_")
)
VALUES = engine("body", "errors", "message", "entry", "urls")

# Modules, and those of ours that they may import; all that is ours and not named is forbidden.
# A name stands for the module and whatever lies below it, and a module may import its own parts.
MAY_IMPORT = {
    f"{ENGINE}.errors": set(),
    f"{ENGINE}.body": set(),
    f"{ENGINE}.body_statements": engine("body"),
    f"{ENGINE}.clock": set(),
    f"{ENGINE}.compression": engine("body", "errors"),
    f"{ENGINE}.shell.packed_files": engine("body", "compression", "errors"),
    f"{ENGINE}.store._packing": VALUES | engine("body_statements", "compression", "plan"),
    f"{ENGINE}.store._blocks": VALUES
    | engine("body_statements", "codec.protocol", "compression", "plan"),
    f"{ENGINE}.shell.guard": engine("errors", "shell.lifetime"),
    f"{ENGINE}.shell.helpers": engine("shell.lifetime"),
    f"{ENGINE}.shell.remote": engine(
        *("body_statements", "compression", "errors", "shell.guard", "shell.helpers"),
        "shell.lifetime",
        "statements",
    ),
    f"{ENGINE}.redis_statements": set(),
    f"{ENGINE}.shell.redis": engine(
        "errors", "redis_statements", "shell.guard", "shell.helpers", "shell.remote"
    ),
    f"{ENGINE}.mongodb_statements": set(),
    f"{ENGINE}.shell.mongodb": engine(
        *("errors", "mongodb_statements", "shell.guard", "shell.helpers", "shell.mongodb_calls"),
        "shell.remote",
    ),
    f"{ENGINE}.shell.mongodb_calls": engine("errors", "mongodb_statements", "shell.remote"),
    f"{ENGINE}.filters": set(),
    f"{ENGINE}.urls": engine("errors"),
    f"{ENGINE}.message": engine("errors", "urls"),
    f"{ENGINE}.entry": engine("body", "errors", "message", "urls"),
    f"{ENGINE}.expiry": VALUES | engine("rfc9111"),
    f"{ENGINE}.patterns": VALUES | engine("expiry"),
    f"{ENGINE}.plan": VALUES,
    f"{ENGINE}.read_only": VALUES | engine("plan"),
    f"{ENGINE}.served": VALUES | engine("plan", "rfc9111", "status"),
    f"{ENGINE}.options": VALUES | engine("expiry", "plan", "rfc9111", "served"),
    f"{ENGINE}.lease": VALUES | engine("plan", "rfc9111", "scope", "served", "store"),
    f"{ENGINE}.lawful.weigh": VALUES
    | engine("decide", "expiry", "options", "plan", "rfc9111", "settings"),
    f"{ENGINE}.lawful.respond": VALUES | engine("options", "rfc9111", "served"),
    f"{ENGINE}.codec": VALUES,
    f"{ENGINE}.file_format": set(),
    f"{ENGINE}.file_statements": engine("body", "file_format", "limits"),
    f"{ENGINE}.rfc9111": VALUES,
    f"{ENGINE}.checked": engine("errors"),
    f"{ENGINE}.settings": VALUES
    | engine("checked", "expiry", "filters", "patterns", "rfc9111", "windows"),
    f"{ENGINE}.windows": engine("errors"),
    f"{ENGINE}.limits": VALUES | engine("clock", "rfc9111", "settings"),
    f"{ENGINE}.content": engine("errors", "urls"),
    f"{ENGINE}.key": VALUES | engine("content", "settings"),
    f"{ENGINE}.decide": VALUES | engine("expiry", "options", "rfc9111", "settings", "key"),
    f"{ENGINE}.status": engine("rfc9111.reasons"),
    f"{ENGINE}.storable": VALUES | engine("key", "plan", "settings"),
    f"{ENGINE}.testing": VALUES | engine("plan", "shell.store_driver", "statements", "store"),
    **{face: {ENGINE} for face in FACES},
    "acachecontrol": {ENGINE, "aiohttp_client_cache"},
}

# What only the shell does: wait, ask the time, touch the world.
WORLD = {
    *("asyncio", "os", "random", "socket", "sqlite3", "threading", f"{ENGINE}.clock"),
    *("time.time", "time.time_ns", "time.monotonic", "time.perf_counter", "time.sleep"),
    *("datetime.now", "datetime.utcnow", "datetime.datetime.now", "datetime.datetime.utcnow"),
}

# Modules, and what they never import, ours or others'.
NEVER_IMPORTS = {
    ENGINE: CLIENTS | FACES,
    f"{ENGINE}.shell": engine("flow", "decide", "store", "engine"),
    f"{ENGINE}.store": engine("shell", "decide", "flow", "engine"),
    # A flow knows what a store can do, not which one it is.
    f"{ENGINE}.flow": WORLD | STORES | engine("lawful", "shell", "engine"),
    f"{ENGINE}.lawful": WORLD | STORES | engine("flow", "shell", "engine"),
    f"{ENGINE}.steps": WORLD | STORES | engine("flow", "keep", "lawful", "shell", "engine"),
    f"{ENGINE}.lease": WORLD | STORES,
    f"{ENGINE}.keep": WORLD | STORES | engine("flow", "lawful", "shell", "engine"),
    f"{ENGINE}.scope": WORLD | STORES | engine("flow", "keep", "shell", "engine"),
    f"{ENGINE}.decide": WORLD,
    f"{ENGINE}.rfc9111": WORLD,
    f"{ENGINE}.plan": WORLD,
    f"{ENGINE}.read_only": WORLD,
    f"{ENGINE}.status": WORLD,
    **{store: STORES - {store} for store in STORES},
    "requests_cache": {"aiohttp"},
    "aiohttp_client_cache": {"requests"},
    "acachecontrol": {"requests"},
}

# What only packages that are called `testing` import; themselves, they are imported by users.
FOR_TESTS = {
    "hypothesis",
    "pytest",
    "pytest_asyncio",
    *(f"{name}.testing" for name in FACES | {ENGINE}),
}

# What nobody imports.
BANNED = {"pickle", "unittest", "inspect.signature"}

# A plain import of the first brings in none of the others.
STAYS_CLEAR_OF = {
    # aiohttp itself imports zstd, where it is installed.
    ENGINE: CLIENTS | {"backports.zstd", "compression.zstd"},
    "aiohttp_client_cache": {"requests", "urllib3", "redis", "pymongo", "boto3", "aiobotocore"},
    "acachecontrol": {"requests", "urllib3", "redis", "pymongo", "boto3", "aiobotocore"},
    "requests_cache": {"aiohttp", "redis", "pymongo", "boto3", "aiobotocore"},
}


class Import(NamedTuple):
    importer: str
    imported: str
    place: str


def below(module: str, name: str) -> bool:
    """Whether `module` is `name` or lies below it."""
    return module == name or module.startswith(f"{name}.")


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SRC.rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(module: str, source: str, *, package: bool) -> Iterator[tuple[str, int]]:
    """What a module imports, wherever in it, by absolute name: `from a import b` is `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")
            base = base[: len(base) - node.level + package] if node.level else []
            base += [node.module] if node.module else []
            for name in node.names:
                yield ".".join([*base, name.name]), node.lineno
        elif isinstance(node, ast.Attribute):
            # `import inspect` is fine, `inspect.signature` may not be.
            yield ast.unparse(node), node.lineno


def all_imports() -> Iterator[Import]:
    for module, path in modules():
        package = path.name == "__init__.py"
        for imported, line in imports(module, path.read_text(), package=package):
            yield Import(module, imported, f"{path.relative_to(SRC.parent)}:{line}")


IMPORTS = list(all_imports())


def complaints(rows: Iterator[Import]) -> list[str]:
    return [f"{row.place}: {row.importer} imports {row.imported}" for row in rows]


@pytest.mark.parametrize("importer", sorted(MAY_IMPORT))
def test_imports_only_what_it_may(importer: str) -> None:
    allowed = MAY_IMPORT[importer] | {importer}
    assert not complaints(
        row
        for row in IMPORTS
        if below(row.importer, importer)
        and any(below(row.imported, ours) for ours in FACES | {ENGINE})
        and not any(below(row.imported, name) for name in allowed)
    )


@pytest.mark.parametrize("importer", sorted(NEVER_IMPORTS))
def test_never_imports(importer: str) -> None:
    assert not complaints(
        row
        for row in IMPORTS
        if below(row.importer, importer)
        and any(below(row.imported, name) for name in NEVER_IMPORTS[importer])
    )


def test_nobody_imports_what_is_banned() -> None:
    assert not complaints(
        row for row in IMPORTS if any(below(row.imported, name) for name in BANNED)
    )


def test_only_tests_import_what_is_for_tests() -> None:
    assert not complaints(
        row
        for row in IMPORTS
        if row.importer.split(".")[1:2] != ["testing"]
        and any(below(row.imported, name) for name in FOR_TESTS)
    )


def test_inside_the_engine_nobody_takes_the_way_round_the_package() -> None:
    """`from http_client_cache import Entry` would hide where Entry comes from."""
    names = {module for module, _ in modules()}
    assert not complaints(
        row
        for row in IMPORTS
        if below(row.importer, ENGINE)
        and row.importer != ENGINE
        and row.imported.count(".") <= 1
        and below(row.imported, ENGINE)
        and row.imported not in names
    )


@pytest.mark.parity
@pytest.mark.parametrize("package", sorted(STAYS_CLEAR_OF.keys() & (FACES | {ENGINE})))
def test_a_plain_import_stays_clear_of(package: str) -> None:
    code = f"import sys, {package}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert not STAYS_CLEAR_OF[package] & set(loaded.stdout.split())


def test_every_package_says_it_is_typed() -> None:
    assert all((SRC / package / "py.typed").exists() for package in FACES | {ENGINE})


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import a.b", {"a.b"}),
        ("from a import b, c", {"a.b", "a.c"}),
        ("from . import b", {"p.q.b"}),
        ("from .b import c", {"p.q.b.c"}),
        ("from ..b import c", {"p.b.c"}),
        ("def f():\n    from a import b", {"a.b"}),
        ("import inspect\ninspect.signature", {"inspect", "inspect.signature"}),
    ],
)
def test_the_walker_sees(source: str, found: set[str]) -> None:
    assert {name for name, _ in imports("p.q.m", source, package=False)} == found
