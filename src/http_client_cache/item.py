"""What a user's own storage is handed: one value for a response, one for a redirect."""

from __future__ import annotations

from datetime import UTC, datetime

from http_client_cache.entry import Alias, Entry
from http_client_cache.message import Headers


class StoredResponse:
    """A response as it is stored: immutable, free of any client, and picklable.

    A storage of a user's own may keep the object as it is, or ``entry`` and ``body`` apart.

    Args:
        entry: the metadata.
        body: the bytes as the client delivered them.
    """

    __slots__ = ("body", "entry")

    def __init__(self, entry: Entry, body: bytes) -> None:
        self.entry = entry
        self.body = body

    @property
    def method(self) -> str:
        """Of the request that was answered."""
        return self.entry.method

    @property
    def url(self) -> str:
        """Of the response."""
        return self.entry.url

    @property
    def status(self) -> int:
        """Status code."""
        return self.entry.status

    @property
    def reason(self) -> str:
        """Reason phrase."""
        return self.entry.reason

    @property
    def headers(self) -> Headers:
        """Response fields as received."""
        return Headers(self.entry.headers)

    @property
    def created_at(self) -> datetime:
        """When the response was received or last validated (UTC)."""
        return datetime.fromtimestamp(self.entry.created, UTC)

    @property
    def expires(self) -> datetime | None:
        """When it stops being fresh (UTC); ``None`` for never."""
        expires = self.entry.expires
        return None if expires is None else datetime.fromtimestamp(expires, UTC)

    @property
    def is_expired(self) -> bool:
        """Whether it has expired by now."""
        return self.entry.is_expired(datetime.now(UTC).timestamp())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, StoredResponse)
            and self.entry == other.entry
            and self.body == other.body
        )

    def __hash__(self) -> int:
        return hash((self.entry, self.body))

    def __reduce__(self) -> tuple[type[StoredResponse], tuple[Entry, bytes]]:
        return StoredResponse, (self.entry, self.body)

    def __repr__(self) -> str:
        return f"<StoredResponse {self.method} {self.url} [{self.status}]>"


Item = StoredResponse | Alias
