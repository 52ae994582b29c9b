"""The shells of the DynamoDB store: the only place that knows boto3 and aiobotocore."""

from http_client_cache.shell.dynamodb.account import Account, check_drivers
from http_client_cache.shell.dynamodb.shells import AsyncDynamoDB, SyncDynamoDB
from http_client_cache.shell.dynamodb.table import Table

__all__ = ["Account", "AsyncDynamoDB", "SyncDynamoDB", "Table", "check_drivers"]
