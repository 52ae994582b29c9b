"""Histories for the model of a cache: what is asked, answered and changed, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from tests.property.model_oracle import House
from tests.property.model_origin import Ask, Say, told

T = TypeVar("T")

SOON = (0, 1, 5, 10, 30, 100)
PATHS = ("/a", "/b")
MOVES = (1, 5, 9, 11, 31, 99, 101, 1000, -1, -30, -61, -500)
METHODS = ("GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE")
STATUSES = (203, 301, 302, 404, 410, 429, 500, 503)
OPTIONS = ("refresh", "force_refresh", "only_if_cached")
WISHES = ("max-age", "max-stale", "min-fresh", "stale-if-error")
LIFETIMES = (
    *("max-age", "max-age", "max-age", "s-maxage"),
    *("stale-while-revalidate", "stale-if-error"),
)
FLAGS = (
    *("no-store", "no-cache", "private", "public", "must-revalidate"),
    *("proxy-revalidate", "must-understand", "immutable"),
)
CONDITIONS = ("If-None-Match", "If-None-Match", "If-Modified-Since", "If-Match")
RANGES = ("0-3", "4-9", "2-", "-5", "100-")


class Step(NamedTuple):
    """What happens next.

    Attributes:
        moved: seconds by which the clock is moved before.
        edited: page that the origin edits before, and what of it, besides its content.
        read: whether slow bodies are read to their end before.
        ask: the request.
        says: answers, in the order of their need.
        meanwhile: a request that overtakes the answer.
    """

    moved: int = 0
    edited: tuple[str, dict[str, Any]] | None = None
    read: bool = False
    ask: Ask = Ask()
    says: tuple[Say, ...] = (Say(),)
    meanwhile: tuple[tuple[Ask, Say], ...] = ()

    __repr__ = told


class Chance:
    """Makes up histories; what is first in a list, and most often so, is the simplest.

    Args:
        below: a number from 0 to before its argument.
    """

    def __init__(self, below: Callable[[int], int]) -> None:
        self.below = below

    def house(self) -> House:
        """The settings of a cache."""
        return House(
            shared=self.pick((False, True)),
            expire_after=self.seldom(3, lambda: self.pick((5, 50))),
            stale_if_error=self.pick((None, None, 20, -1)),
            stale_while_revalidate=self.pick((None, None, 20, -1)),
        )

    def history(self, longest: int) -> list[Step]:
        """What happens, one after the other."""
        return [self._step() for _ in range(2 + self.below(longest - 1))]

    def pick(self, options: Sequence[T]) -> T:
        """One of them."""
        return options[self.below(len(options))]

    def seldom(self, one_in: int, make: Callable[[], T], otherwise: Any = None) -> Any:
        """Something, once in so many times."""
        return make() if self.below(one_in) == one_in - 1 else otherwise

    def _step(self) -> Step:
        return Step(
            moved=self.seldom(2, lambda: self.pick(MOVES), 0),
            edited=self.seldom(3, lambda: (self.pick(PATHS), self._page())),
            read=self.seldom(4, lambda: True, otherwise=False),
            ask=self._ask(),
            says=tuple([self._say() for _ in range(1 + self.below(2))]),
            meanwhile=self.seldom(6, lambda: ((self._overtaking(), self._say()),), ()),
        )

    def _ask(self) -> Ask:
        return Ask(
            path=self.pick(PATHS),
            method=self.pick(METHODS),
            kind=self.pick((None, "x", "y")),
            user=self.pick((None, None, "A", "B")),
            seconds=self.seldom(3, lambda: self._seconds(WISHES), ()),
            flags=self.seldom(
                4, lambda: self._flags(("no-cache", "no-store", "only-if-cached")), ()
            ),
            pragma=self.seldom(16, lambda: True, otherwise=False),
            condition=self.seldom(4, lambda: (self.pick(CONDITIONS), self.below(2))),
            range=self.seldom(4, lambda: self.pick(RANGES)),
            if_range=self.pick((False, True)),
            option=self.seldom(8, lambda: self.pick(OPTIONS)),
        )

    def _overtaking(self) -> Ask:
        path, user = self.pick(PATHS), self.pick((None, "A"))
        if self.below(2) == 0:
            return Ask(path, self.pick(("POST", "PUT")), user=user)
        # Who asks for validation waits for nobody.
        kind = self.pick((None, "x", "y"))
        return Ask(path, self.pick(("GET", "HEAD")), kind, user, flags=("no-cache",))

    def _say(self) -> Say:
        return Say(
            status=self.seldom(4, lambda: self.pick(STATUSES), 200),
            seconds=self._seconds(LIFETIMES),
            flags=self.seldom(2, lambda: self._flags(FLAGS), ()),
            expires=self.seldom(4, lambda: self.pick((-5, *SOON))),
            age=self.seldom(4, lambda: self.pick(SOON)),
            date=self.seldom(4, lambda: self.pick((None, -10, -100, 10)), 0),
            delay=self.seldom(8, lambda: self.pick((1, 7)), 0),
            ranges=self.seldom(8, lambda: False, otherwise=True),
            bare=self.seldom(4, lambda: True, otherwise=False),
            points=self.seldom(3, lambda: self.pick(PATHS)),
            body=self.seldom(4, lambda: self.pick(("lost", "slow")), "whole"),
            lost=self.seldom(6, lambda: True, otherwise=False),
        )

    def _page(self) -> dict[str, Any]:
        return {
            **self.seldom(2, lambda: {"tag": self.pick(("strong", "weak", "none"))}, {}),
            **self.seldom(2, lambda: {"modified": self.pick((None, 20, 5000))}, {}),
            **self.seldom(2, lambda: {"vary": self.pick((None, "X-Kind", "X-Kind", "*"))}, {}),
        }

    def _seconds(self, names: Sequence[str]) -> tuple[tuple[str, int], ...]:
        """Up to two directives with seconds; a ``max-stale`` may come without."""
        said = {}
        for _ in range(self.below(3)):
            name = self.pick(names)
            said[name] = self.pick((*SOON, -1) if name == "max-stale" else SOON)
        return tuple(said.items())

    def _flags(self, names: Sequence[str]) -> tuple[str, ...]:
        """Up to two directives without."""
        return tuple(dict.fromkeys([self.pick(names) for _ in range(self.below(3))]))
