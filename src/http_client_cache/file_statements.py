"""The words in which the filesystem store speaks to its shell.

A *name* stands for a key: ``"3f/3fa2…-9c01…"``, a shard and two digests, which is where its files
lie and how their own names begin. A *file* is one response of a name: ``MAIN``, or the digest of
a variant. What is in a file is told in ``file_format.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from http_client_cache.body import AnyBody, Draft
from http_client_cache.file_format import Frame
from http_client_cache.limits import Limits

MAIN: Final = "main"
"""The response without a variant, which most keys have and no other."""

LINK: Final = "redirect"
"""In a listing: the name leads to another one."""

TRACES: Final = "redirects"
"""In a listing: other names lead, or led, to this one."""

FRESH_HEAD: Final = "fresh"
"""In a listing: a newer head of one of the responses."""

SHARDS: Final = 256


@dataclass(eq=False, slots=True, weakref_slot=True)
class Upkeep:
    """What the thread that writes does besides, for one store.

    Attributes:
        limits: how much may be kept.
        now: UTC seconds.
        used: names that were read, and when (nanoseconds); what was used last is at the end.
            Whoever writes that down takes it, and leaves an empty one.
        flush_at: when uses are written down though nothing else is (UTC seconds).
        writes: how many there were since what has left was last looked for.
        swept: when that was (UTC seconds).
        shard: where to go on looking for it.
        told: whether the log has been told that the store is full.
    """

    limits: Limits
    now: Callable[[], float]
    used: dict[str, int] = field(default_factory=dict[str, int])
    flush_at: float = 0.0
    writes: int = 0
    swept: float = 0.0
    shard: int = 0
    told: bool = False


class Raw(NamedTuple):
    """One response as it lies there.

    Attributes:
        file: which of its name.
        head: all that is before the body; the newer one where it was rewritten apart.
        body: empty where it was not asked for; a handle where it is large.
        frame: measures of the head.
    """

    file: str
    head: bytes
    body: AnyBody
    frame: Frame


class Read(NamedTuple):
    """Read all responses of a name. Answers ``list[Raw]``, what is not on disk yet included."""

    name: str
    bodies: bool = True


class ReadLink(NamedTuple):
    """Read where a name leads. Answers a ``Raw`` without a body, or ``None``."""

    name: str


class ReadMany(NamedTuple):
    """Read some responses. Answers ``list[Raw | None]``, in their order.

    Attributes:
        files: pairs of name and file; a link is read by the file ``LINK``.
        bodies: whether they are wanted, too.
    """

    files: Sequence[tuple[str, str]]
    bodies: bool = False


class Found(NamedTuple):
    """What a listing tells of a file.

    Attributes:
        name: of the key.
        file: which of its responses, or ``LINK``, ``TRACES`` or ``FRESH_HEAD``.
        stamp: when it expires, as far as the file system tells: never later than that.
        size: of the file in bytes.
        used: when it was last used, as written down so far (nanoseconds).
    """

    name: str
    file: str
    stamp: float = 0.0
    size: int = 0
    used: int = 0


class List(NamedTuple):
    """List what is there. Answers a list of ``Found``, and the next shard to go on with.

    Attributes:
        first: shard, of ``SHARDS``.
        last: shard to end with, not listed itself.
        enough: ends with the shard that brings the listing to so many.
        prefix: what wanted names begin with.
        measures: whether stamps and sizes are wanted; they cost a look at each file.
    """

    first: int
    last: int = SHARDS
    enough: int = 1
    prefix: str = ""
    measures: bool = False


class Save(NamedTuple):
    """Publish a response. Answers ``None`` at once: every reader of this process sees it.

    Attributes:
        name: of the key.
        raw: the response.
        stamp: when it expires.
        upkeep: of the store.
        draft: holds the body already, behind room for the head.
        used: when it is saved (nanoseconds); known to the shell.
    """

    name: str
    raw: Raw
    stamp: float
    upkeep: Upkeep | None = None
    draft: Draft | None = None
    used: int = 0


class Link(NamedTuple):
    """Let a name lead to another one. Answers ``None`` at once, as ``Save``."""

    name: str
    raw: Raw
    target: str
    upkeep: Upkeep | None = None
    used: int = 0


class Use(NamedTuple):
    """Write uses down. Answers ``None`` at once."""

    upkeep: Upkeep


class Change(NamedTuple):
    """A new head for a response, unless one of another ``ref`` lies there by now."""

    name: str
    raw: Raw
    stamp: float


class Freshen(NamedTuple):
    """Replace heads. Answers how many there were to replace."""

    changes: Sequence[Change]
    upkeep: Upkeep | None = None


class Remove(NamedTuple):
    """Remove all that some names have, and what leads to them.

    Answers how many of them had a response or led somewhere.
    """

    names: Sequence[str]


class Drop(NamedTuple):
    """Remove some responses. Answers how many were there.

    With the last one of a name, what leads to the name is removed, too. No reader of this process
    sees them any more, but the answer comes when they are gone.

    Attributes:
        files: pairs of name and file.
        until: leaves those alone that expire later, by their stamps; readers see them all until
            they are gone.
    """

    files: Sequence[tuple[str, str]]
    until: float | None = None


class Tidy(NamedTuple):
    """Remove links that lead nowhere, what writers that died left behind, and empty folders."""


class Claim(NamedTuple):
    """Take a lease. Answers whose it is.

    Attributes:
        file: of the lease.
        owner: who wants it.
        since: now (UTC seconds).
        until: when its time is up.
        latest: a lease that begins later than this counts as free.
    """

    file: str
    owner: str
    since: float
    until: float
    latest: float


class Holder(NamedTuple):
    """Read whose a lease is. Answers ``None`` if it is free; ``latest`` as in ``Claim``."""

    file: str
    now: float
    latest: float


class Release(NamedTuple):
    """Give a lease back, after what was written before. Answers ``None`` at once.

    With ``until`` it is nobody's for so long, and not free.
    """

    file: str
    owner: str
    now: float
    until: float | None


class SweepLeases(NamedTuple):
    """Remove leases whose time was up by then (UTC seconds); ``None`` for all of them."""

    until: float | None


AnyRead = Read | ReadLink | ReadMany | List | Claim | Holder
AnyWrite = Save | Link | Use | Freshen | Remove | Drop | Tidy | Release | SweepLeases
