"""What a store promises, as tests for a store of your own.

Each class here is a part of the contract. Subclass those that your store is to keep, give the
subclass a fixture ``subject``, and run pytest::

    class TestMyStore(StoreContract, VariantsContract, PiecesContract, LeaseContract):
        @pytest.fixture
        def subject(self, tmp_path):
            return Subject(MyStore(), MySyncShell(tmp_path), MyAsyncShell(tmp_path))

``docs/custom-backends.md`` tells what each promise is for. Nothing in the engine imports this.

Raises:
    MissingDependency: on import, where pytest or pytest-asyncio is not installed.
"""

from http_client_cache.testing import _needs as _needs
from http_client_cache.testing._contract import Contract, Do
from http_client_cache.testing.leases import LeaseContract, NoLeaseContract
from http_client_cache.testing.local import LocalContract
from http_client_cache.testing.model import ModelContract
from http_client_cache.testing.pieces import PiecesContract, WholeBodiesContract
from http_client_cache.testing.store import StoreContract
from http_client_cache.testing.subject import NOW, Subject, alias, entry
from http_client_cache.testing.variants import VariantsContract

__all__ = [
    "NOW",
    "Contract",
    "Do",
    "LeaseContract",
    "LocalContract",
    "ModelContract",
    "NoLeaseContract",
    "PiecesContract",
    "StoreContract",
    "Subject",
    "VariantsContract",
    "WholeBodiesContract",
    "alias",
    "entry",
]
