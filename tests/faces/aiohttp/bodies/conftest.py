"""Scenes for the tests of bodies: each kind of backend, in each mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faces.aiohttp.bodies.scene import KINDS, Scene, scene_of


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["house", "law"])
def lawful(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def scene(kind: str, lawful: bool, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene_of(kind, tmp_path, lawful=lawful) as scene:
        yield scene
