"""The words a plan may say.

A plan is a generator that tells *what* is to be done, in order, by yielding effects; a
driver (``shell/drivers.py``) does it, with ``await`` or without. Plans hold the policy once
for both colours.

Rules for those who write plans:

- No effect in ``finally`` or in ``except GeneratorExit``: what must be undone is an effect
  with a sub-plan (``Locked``). A driver closes a cancelled plan, it never throws into it.
- Plans set no ``ContextVar`` and call no user function: ``Ask`` does.
- An effect on the store answers ``Failed`` instead of raising.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from enum import Enum
from typing import Any, Final, Literal, Protocol, TypeVar

import msgspec

from http_client_cache.message import Request, ResponseHead

T = TypeVar("T")

Plan = Generator[Any, Any, T]
"""Yields effects, is sent their answers, returns a ``T``."""


class Failed(msgspec.Struct, frozen=True):
    """A store effect that could not be carried out; the request goes on without it."""

    reason: BaseException


class UseStore(msgspec.Struct, frozen=True):
    """Run a plan of statements against the store. Answers its result, or ``Failed``.

    Attributes:
        plan: of the store.
        writes: whether it changes something. A store may fail at that alone.
        lease: whether it is about a lease. The same.
    """

    plan: Plan[Any]
    writes: bool = False
    lease: bool = False


class Exchange(msgspec.Struct, frozen=True):
    """Send a request to the origin. Answers ``Answer`` or ``Lost``.

    Attributes:
        request: what is sent.
        conditions: fields for a conditional request (RFC 9110 section 13), in the place of the
            caller's of the same name.
        without: names of further fields of the caller's that are not sent, in lower case.
        insist: try once more where an old connection turns out to be closed, as the client itself
            would if it were told.
    """

    request: Request
    conditions: tuple[tuple[str, str], ...] = ()
    without: frozenset[str] = frozenset()
    insist: bool = False


class Answer(msgspec.Struct, frozen=True):
    """The head of the origin's answer, with the client's own object behind it.

    Attributes:
        head: status line and fields.
        raw: the client's response; only the client's own part of the driver touches it.
        requested: when the request was sent (UTC seconds).
        received: when the head arrived (UTC seconds).
        sent_authorization: the credentials that really went out.
    """

    head: ResponseHead
    raw: Any
    requested: float
    received: float
    sent_authorization: str | None = None


class Lost(msgspec.Struct, frozen=True):
    """The origin gave no answer: the client's own exception."""

    error: BaseException


class NotYet(Enum):
    """A body that is not there yet."""

    LATER = "the body goes to the caller as it comes"


LATER: Final = NotYet.LATER

Body = bytes | Lost | Literal[NotYet.LATER] | None
"""What ``ReadBody`` answers."""


class Later(Protocol):
    """What becomes of a body that goes to its caller as it comes; its plans are to be run."""

    def keep(self, pieces: Sequence[bytes]) -> Plan[bool]:
        """The next of it has come. Answers whether the rest is wanted."""
        ...

    def finish(self, pieces: Sequence[bytes]) -> Plan[None]:
        """The last of it has come: it is whole."""
        ...

    def give_up(self) -> None:
        """It will not be whole soon, or ever: nobody is to wait for it; may be called again."""
        ...

    def forget(self) -> Plan[None]:
        """It will never be whole: what was kept of it goes."""
        ...


class ReadBody(msgspec.Struct, frozen=True):
    """Read the answer's body, as long as it keeps coming.

    Answers the bytes; ``Lost`` if it broke off; ``None`` if it is larger than the limit; or
    ``LATER`` if it is large or slow. Whatever was read is handed to the caller again, as if
    nobody had read it.

    Attributes:
        answer: whose body.
        limit: in bytes; ``None`` for no limit.
        later: is given the body as its caller reads it; without it, it is read to its end now.
        at_once: bytes up to which it is read before the caller gets the response.
    """

    answer: Answer
    limit: int | None = None
    later: Later | None = None
    at_once: int = 0


class Discard(msgspec.Struct, frozen=True):
    """Give the answer's connection back; its body is not wanted. Answers ``None``."""

    answer: Answer


class Ask(msgspec.Struct, frozen=True):
    """Call a function of the user's. Answers its result, or ``Failed`` if it raised."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Present(msgspec.Struct, frozen=True):
    """Show an answer with its body, or a stored response, as the client's response object.

    For the user's ``filter_fn``. Answers the object.

    Attributes:
        answer: of the origin, or ``None``.
        stored: else.
        body: ``None`` where it is not to be looked at.
    """

    answer: Answer | None
    stored: Any
    body: bytes | None


AtEnd = Callable[[bool], None] | None
"""Called once at the end of a lease, with whether it was fruitless: nothing came that could be
shared, and nobody is to try in its place. It neither waits nor raises."""


class Lease:
    """The right to fetch a key, held by one plan at a time.

    It ends once, by the first of three: ``release`` with what was stored, for all who wait;
    ``release`` with nothing, after which each of them fetches for itself; or ``abandon``, which
    passes the lease on to one of them.

    Args:
        release: lets those go who wait.
        abandon: passes it on, with ``at_end``; answers whether anybody takes it.
        at_end: what is to be done at its end.

    Attributes:
        held: the lease outlives its plan (a redirect chain is not at its end yet).
        at_end: may be set as long as it has not ended.
    """

    __slots__ = ("_abandon", "_release", "at_end", "ended", "held")

    def __init__(
        self,
        release: Callable[[Any], None],
        abandon: Callable[[AtEnd], bool],
        at_end: AtEnd = None,
    ) -> None:
        self._release = release
        self._abandon = abandon
        self.at_end = at_end
        self.ended = False
        self.held = False

    def release(self, result: Any = None) -> None:
        """End the wait of the others, with ``result`` for each of them."""
        if not self.ended:
            self.ended = True
            self._release(result)
            if self.at_end is not None:
                self.at_end(result is None)

    def abandon(self) -> None:
        """Let one of those who wait take over."""
        if not self.ended:
            self.ended = True
            if not self._abandon(self.at_end) and self.at_end is not None:
                self.at_end(False)


class Locked(msgspec.Struct, frozen=True):
    """Run a sub-plan while no other plan fetches ``key``.

    Answers ``Led`` with the sub-plan's result; or, where another plan held the lease,
    ``Followed`` with what that plan released. With ``wait=False`` it answers
    ``Followed(None)`` at once where it would have to wait.
    """

    key: str
    plan: Callable[[Lease], Plan[Any]]
    wait: bool = True


class Led(msgspec.Struct, frozen=True):
    """This plan held the lease."""

    result: Any


class Followed(msgspec.Struct, frozen=True):
    """Another plan held the lease and released this (``None``: nothing that can be shared)."""

    result: Any


class Spawn(msgspec.Struct, frozen=True):
    """Run a plan in the background, unless one of that key is under way. Answers ``None``.

    It has a time limit of its own, and whatever it raises is no more than logged.
    """

    key: str
    plan: Callable[[], Plan[None]]


class Wait(msgspec.Struct, frozen=True):
    """Wait for somebody in another process. Answers the seconds that it took."""

    seconds: float


class Pause(msgspec.Struct, frozen=True):
    """Let others have their turn, in the middle of long work. Answers ``None``."""
