"""Files appear whole or not at all: written under a temporary name in the same folder, then renamed."""

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gpatlas.errors import GpatlasError, StoreError

_ERRNO = re.compile(r"errno = (\d+)")


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
    except GpatlasError:
        raise
    except OSError as error:
        raise StoreError(f"cannot write {path}: {_reason(error)}") from None
    except RuntimeError as error:
        # h5py reports what goes wrong while objects are flushed (a full disk, mostly) as RuntimeError
        if _ERRNO.search(str(error)) is None:
            raise
        raise StoreError(f"cannot write {path}: {_reason(error)}") from None
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                temporary.unlink()


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    hidden = _ERRNO.search(str(error))  # HDF5 hides the number inside its message
    if number is None and hidden is not None:
        number = int(hidden.group(1))
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full" if number == errno.ENOSPC else "the disk quota is used up"
    return os.strerror(number) if number else " ".join(str(error).split())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
