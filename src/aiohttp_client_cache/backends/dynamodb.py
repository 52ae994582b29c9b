"""The backend that keeps responses in a DynamoDB table."""

from __future__ import annotations

from aiohttp_client_cache.backends.base import CacheBackend
from http_client_cache.backends.dynamodb import DynamoDB

__all__ = ["DynamoDBBackend"]


class DynamoDBBackend(DynamoDB, CacheBackend):
    """Keeps responses in a table of Amazon's DynamoDB, for any sessions, processes and machines.

    The arguments and what they raise are those of
    :class:`~http_client_cache.backends.dynamodb.DynamoDB`.
    """
