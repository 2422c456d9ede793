"""Files appear whole or not at all: written under a temporary name in the same folder, then renamed."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py

from gpatlas.errors import StoreError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it to `path` on success, remove it on any failure.

    Raises
    ------
    StoreError
        The folder cannot be written, or the disk is full; nothing is left behind.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        os.close(handle)
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"cannot write {path}: {_reason(error)}") from None
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                temporary.unlink()


@contextmanager
def atomic_hdf5(path: str | Path) -> Iterator[h5py.File]:
    """Yield an HDF5 file to fill; it appears at `path` whole or not at all.

    Raises
    ------
    StoreError
        As `atomic_path`.
    """
    with atomic_path(path) as temporary, temporary.open("w+b", buffering=0) as raw:
        guarded = _GuardedFile(raw)
        try:
            with h5py.File(guarded, "w") as file:
                yield file
        finally:
            if guarded.error is not None:
                raise guarded.error


class _GuardedFile:
    """A file whose failed writes are remembered instead of raised.

    HDF5 does not survive a write that fails while it closes a file (it repeats the failure for every object it
    holds, and may crash). It is told that all went well, and the error is raised when it is done.
    """

    def __init__(self, raw: Any):
        self._raw = raw
        self.error: OSError | None = None
        self.read, self.readinto, self.seek = raw.read, raw.readinto, raw.seek
        self.tell, self.flush = raw.tell, raw.flush

    def write(self, data: Any) -> int:
        view = memoryview(data)
        try:
            while len(view) and self.error is None:
                view = view[self._raw.write(view) :]
        except OSError as error:
            self.error = error
        return len(data)

    def truncate(self, size: int) -> int:
        try:
            return self._raw.truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full"
    if error.errno == errno.EDQUOT:
        return "the disk quota is used up"
    return error.strerror or " ".join(str(error).split())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
