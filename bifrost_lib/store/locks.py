"""Locks between processes: files in the home, so that the kernel releases them however a process ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bifrost_lib.core.errors import StoreError


@contextmanager
def exclusive(path: Path, *, timeout_s: float = 120.0) -> Iterator[None]:
    """Hold the lock file `path` alone; wait for others up to `timeout_s`."""
    descriptor = _open(path)
    deadline = time.monotonic() + timeout_s
    try:
        while not _try(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise StoreError(f"another process has held {path} for {timeout_s:.0f} s; see who with: fuser {path}")
            time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


class SharedUse:
    """A share in `path`: while anyone holds one, the server is needed."""

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = _open(path)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def is_last(self) -> bool:
        """Tell whether nobody else holds a share; call it while the lock on starting is held."""
        return self._descriptor is not None and _try(self._descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        """Give the share back; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}; is the home folder another user's?") from None


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
