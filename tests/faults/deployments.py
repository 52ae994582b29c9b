"""Servers to be hurt, each with the backends that use it."""

from __future__ import annotations

import contextlib
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any, ClassVar, Self

from http_client_cache.backends.remote import Remote
from tests.faults.faults import BUDGET, KILLED, ON_THE_WAY, SUSPENDED, Fault
from tests.support.servers import Pass, Proxy


class Deployment(ABC):
    """A server, or several that belong together, behind proxies; a context manager.

    Attributes:
        name: in the names of tests.
        title: in the report.
        faults: that are tried.
        without: those that are not, by the names of faults, and why.
        stand_ins: for faults that need a deployment of their own.
        budget: seconds that a call may take.
        weight: how long all of its outages take, compared with others.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    faults: ClassVar[tuple[Fault, ...]] = (*ON_THE_WAY, SUSPENDED, KILLED)
    without: ClassVar[dict[str, str]] = {}
    stand_ins: ClassVar[dict[str, type[Deployment]]] = {}
    budget: ClassVar[float] = BUDGET
    weight: ClassVar[int] = 1

    def __init__(self) -> None:
        self.cache_name = f"faults-{secrets.token_hex(4)}"
        self.proxies: list[Proxy] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self.start(self._stack)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @abstractmethod
    def start(self, stack: ExitStack) -> None:
        """Start servers and proxies; the stack stops them."""

    @abstractmethod
    def backend(self, *, cache_name: str, **options: Any) -> Remote:
        """One that goes through the proxies."""

    @abstractmethod
    def servers(self) -> list[Any]:
        """Those that are suspended and killed."""

    def restart(self) -> None:
        """Start those again that have been killed."""
        for server in self.servers():
            server.start()

    def hurt(self, fault: Fault) -> AbstractContextManager[None]:
        """Entered, it goes wrong; left, it is repaired."""
        if fault.mode is not None:
            return self._on_the_way(fault)
        hurting: AbstractContextManager[None] = getattr(self, f"_{fault.name}")()
        return hurting

    @contextlib.contextmanager
    def _on_the_way(self, fault: Fault) -> Iterator[None]:
        assert fault.mode is not None
        try:
            for proxy in self.proxies:
                proxy.mode = fault.mode
            yield
        finally:
            for proxy in self.proxies:
                proxy.mode = Pass()

    @contextlib.contextmanager
    def _reset_in_use(self) -> Iterator[None]:
        for proxy in self.proxies:
            proxy.reset_connections()
        yield

    @contextlib.contextmanager
    def _suspended(self) -> Iterator[None]:
        try:
            for server in self.servers():
                server.suspend()
            yield
        finally:
            for server in self.servers():
                server.resume()

    @contextlib.contextmanager
    def _killed(self) -> Iterator[None]:
        try:
            for server in self.servers():
                server.kill()
            yield
        finally:
            self.restart()
