from tests.faces.aiohttp.test_removal import *  # noqa: F403
