"""What a mapping promises that is given to ``AsyncCache``, as tests for a mapping of your own.

::

    class TestMyMapping(MappingContract):
        @pytest.fixture
        def mapping(self):
            return MyMapping()

Raises:
    MissingDependency: on import, where pytest or pytest-asyncio is not installed.
"""

from acachecontrol.testing import _shown as _shown
from acachecontrol.testing.mapping import MappingContract

__all__ = ["MappingContract"]
