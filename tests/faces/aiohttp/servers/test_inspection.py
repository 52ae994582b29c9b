from tests.faces.aiohttp.test_inspection import *  # noqa: F403
