"""The backend that keeps responses as files in a folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from http_client_cache.backends.base import Backend, Parts
from http_client_cache.codec import codec_for
from http_client_cache.errors import check_flag
from http_client_cache.shell.filesystem import (
    AsyncFiles,
    SyncFiles,
    folder_path,
    shared_folder,
)
from http_client_cache.store.filesystem import FileStore

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    from http_client_cache.backends.options import BackendOptions
    from http_client_cache.expiry import ExpireAfter


class Files(Backend):
    """Keeps responses in a folder, one file each: for any sessions, threads and processes.

    The first line of a file is JSON that says what it holds; at its end lies the body as it is,
    or compressed.
    The folder is created with the first response, and what is in it is readable and writable by
    its owner alone. Other files in it are left alone.

    Args:
        cache_name: name or path of the folder, in the working directory unless it says otherwise;
            ``~`` is the home directory. Missing folders are created.
        expire_after: how long responses are fresh.
        max_bytes: how many bytes may be kept, by the lengths of files; ``None`` for no limit.
        use_temp: put the folder into the system's folder for temporary files.
        fast_save: do not wait for the disk; what was saved last may be lost in a power failure.
        **options: as for :class:`Backend`.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: ``compression`` needs a package that is not installed.
        TypeError: an unknown argument.
    """

    def __init__(
        self,
        cache_name: str | os.PathLike[str] = "aiohttp-cache",
        expire_after: ExpireAfter = None,
        *,
        max_bytes: int | None = None,
        use_temp: bool = False,
        fast_save: bool = False,
        **options: Unpack[BackendOptions],
    ) -> None:
        self.path: Path = folder_path(cache_name, use_temp=check_flag(use_temp, "use_temp"))
        self._fast_save = check_flag(fast_save, "fast_save")
        super().__init__(cache_name, expire_after, max_bytes=max_bytes, **options)

    def _open(self) -> Parts:
        store = FileStore(
            codec_for(self._serializer, self._secret_key),
            **self._limits._asdict(),
            retention=self._retention,
            compression=self._compression,
        )
        folder = shared_folder(self.path, fast_save=self._fast_save)
        return store, AsyncFiles(folder), SyncFiles(folder)
