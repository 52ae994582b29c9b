"""What every store promises, in both colours: the parts that users subclass, run over all stores.

A store is on the lists of ``subjects.py`` by the parts that it does without.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from http_client_cache.testing import (
    LeaseContract,
    LocalContract,
    ModelContract,
    NoLeaseContract,
    PiecesContract,
    StoreContract,
    VariantsContract,
    WholeBodiesContract,
)
from http_client_cache.testing._contract import does
from tests.stores.subjects import ALONE, LOCAL, WHOLE, Subject, but, entry


class TestStores(StoreContract):
    pass


class TestVariants(VariantsContract):
    pass


@pytest.mark.parametrize("subject", but(WHOLE), indirect=True)
class TestPieces(PiecesContract):
    pass


@pytest.mark.parametrize("subject", WHOLE, indirect=True)
class TestWholeBodies(WholeBodiesContract):
    pass


@pytest.mark.parametrize("subject", but(ALONE), indirect=True)
class TestLeases(LeaseContract):
    pass


@pytest.mark.parametrize("subject", ALONE, indirect=True)
class TestNoLeases(NoLeaseContract):
    pass


@pytest.mark.parametrize("subject", but(ALONE), indirect=True)
class TestModel(ModelContract):
    # TestModelForLong has more of them.
    examples = 4


@pytest.mark.parametrize("subject", ALONE, indirect=True)
class TestModelWithoutLeases(ModelContract):
    has_leases = False


@pytest.mark.soak
@pytest.mark.parametrize("subject", but(ALONE), indirect=True)
class TestModelForLong(ModelContract):
    examples = round(200 * float(os.environ.get("SOAK_SCALE", "1")))


@pytest.mark.parametrize("subject", LOCAL, indirect=True)
class TestLocal(LocalContract):
    async def test_nobody_sees_a_variant_that_is_being_dropped(self, subject: Subject) -> None:
        do, store = does(subject, "async"), subject.store
        for variant in ("de", "en"):
            await do(store.save("a.1", entry(), b"", variant=variant))
        assert await do(store.size()) == 2
        dropping = asyncio.ensure_future(do(store.drop([("a.1", "de")])))
        await asyncio.sleep(0)
        assert [stored.variant for stored in await do(store.load("a.1"))] == ["en"]
        assert await do(store.size()) == 1
        assert await dropping == 1
