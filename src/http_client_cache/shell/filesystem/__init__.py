"""The shells of the filesystem store, in both colours, over one ``Folder``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard

from http_client_cache.body_statements import BodyStatement
from http_client_cache.file_statements import (
    AnyRead,
    AnyWrite,
    Claim,
    Drop,
    Holder,
    Link,
    List,
    Read,
    ReadLink,
    Release,
    Save,
    Use,
)
from http_client_cache.shell.filesystem.folder import Folder, shared_folder
from http_client_cache.shell.filesystem.paths import folder_path
from http_client_cache.shell.jobs import Job, apart, awaited, blocking
from http_client_cache.statements import NOT_NOW

__all__ = ["AsyncFiles", "Folder", "SyncFiles", "folder_path", "shared_folder"]


AnyStatement = AnyRead | AnyWrite | BodyStatement


def _is_taken(statement: AnyStatement, *, full: bool) -> TypeGuard[AnyWrite]:
    """Whether a write is answered before it is done."""
    return isinstance(statement, Use | Release) or (isinstance(statement, Save | Link) and not full)


class SyncFiles:
    """Carries out statements in the calling thread; only writes have a thread of their own.

    Args:
        folder: may be shared with other shells, of either colour.
    """

    __slots__ = ("folder",)

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def run(self, statement: AnyStatement) -> Any:
        """Answer a statement.

        Raises:
            StoreError: the folder cannot be read or written.
        """
        folder = self.folder
        if isinstance(statement, BodyStatement):
            return folder.bodies.run_blocking(statement)
        if isinstance(statement, AnyRead):
            if folder.pending.any and isinstance(statement, List):
                self._wait(Drop(()))
            return folder.read(statement)
        if _is_taken(statement, full=folder.pending.is_full):
            return folder.write(statement)
        return self._wait(statement)

    def _wait(self, work: AnyWrite) -> Any:
        future, tell = blocking()
        self.folder.write(work, tell)
        return future.result()

    def close(self) -> None:
        """Write what is waiting; the next statement begins anew."""
        self.folder.close()


class AsyncFiles:
    """Carries out statements for any running event loop, without ever blocking it for long.

    Args:
        folder: may be shared with other shells, of either colour.
    """

    __slots__ = ("folder",)

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def run_now(self, statement: AnyStatement) -> Any:
        """Answer a small read, or take a write that will be shown; else ``NOT_NOW``.

        Raises:
            StoreError: the folder cannot be read.
        """
        if isinstance(statement, Read | ReadLink | Claim | Holder):
            return self.folder.read_now(statement)
        if isinstance(statement, BodyStatement):
            return self.folder.bodies.run_now(statement)
        if _is_taken(statement, full=self.folder.pending.is_full):
            return self.folder.write(statement)
        return NOT_NOW

    async def run(self, statement: AnyStatement) -> Any:
        """Answer a statement, by a thread.

        Raises:
            StoreError: the folder cannot be read or written.
        """
        folder = self.folder
        if isinstance(statement, BodyStatement):
            return await folder.bodies.run(statement)
        if not isinstance(statement, AnyRead):
            return await self._write(statement)
        if folder.pending.any and isinstance(statement, List):
            await self._write(Drop(()))
        return await self._read(lambda: folder.read(statement))

    async def _write(self, work: AnyWrite) -> Any:
        future, tell = awaited()
        self.folder.write(work, tell)
        return await future

    async def _read(self, work: Callable[[], Any]) -> Any:
        future, tell = awaited()
        self.folder.reader.put(Job(work, tell))
        return await future

    async def close(self) -> None:
        """Write what is waiting; the next statement begins anew."""
        await apart(self.folder.close, "http-cache-closer")
