"""What a user's own storage is handed: one value for a response, one for a redirect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from http_client_cache.entry import Entry
from http_client_cache.message import Headers


@dataclass(frozen=True, slots=True, repr=False)
class StoredResponse:
    """A response as it is stored: immutable, free of any client, and picklable.

    A storage of a user's own may keep the object as it is, or ``entry`` and ``body`` apart.

    Attributes:
        entry: the metadata.
        body: the bytes as the client delivered them.
    """

    entry: Entry
    body: bytes

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

    def __repr__(self) -> str:
        return f"<StoredResponse {self.method} {self.url} [{self.status}]>"
