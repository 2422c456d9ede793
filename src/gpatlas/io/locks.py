"""Byte locks on one file: who among several processes does what, and who is still alive.

The system drops a process' locks when it ends, however it ends, so that nothing is left behind by a killed one.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gpatlas.errors import StoreError


class ByteLocks:
    """Locks on single bytes of a file; the bytes need not exist.

    POSIX record locks: they belong to the process, hold on network file systems, and are not inherited by children.

    Parameters
    ----------
    path
        File to lock, made if absent; it stays empty.

    Raises
    ------
    StoreError
        The file cannot be made, or its file system has no locks.
    """

    def __init__(self, path: Path):
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror}") from None

    def hold(self, byte: int, wait: bool = True) -> bool:
        """Take a lock; without `wait`, return False when another process has it."""
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, byte)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise StoreError(f"cannot lock {self._path}: {error.strerror}; put it on another disk") from None
        return True

    def free(self, byte: int) -> None:
        """Give a lock back."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, byte)

    def held_by_another(self, byte: int) -> bool:
        """Whether another, living process has a lock."""
        if not self.hold(byte, wait=False):
            return True
        self.free(byte)
        return False

    @contextmanager
    def holding(self, byte: int) -> Iterator[None]:
        """Hold a lock for a block of code."""
        self.hold(byte)
        try:
            yield
        finally:
            self.free(byte)

    def close(self) -> None:
        """Give all locks back."""
        os.close(self._descriptor)
