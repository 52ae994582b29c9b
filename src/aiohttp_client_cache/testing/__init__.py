"""What a storage promises, as tests for a storage of your own.

::

    class TestMyStorage(StorageContract):
        @pytest.fixture
        def storage(self, tmp_path):
            return MyStorage(tmp_path)

``docs/custom-backends.md`` tells more. For stores of the engine there is
:mod:`http_client_cache.testing`.

Raises:
    MissingDependency: on import, where pytest or pytest-asyncio is not installed.
"""

from aiohttp_client_cache.testing import _shown as _shown
from aiohttp_client_cache.testing.serving import answers
from aiohttp_client_cache.testing.storage import StorageContract

__all__ = ["StorageContract", "answers"]
