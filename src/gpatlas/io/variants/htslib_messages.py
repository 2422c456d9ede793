"""What htslib has to say goes into our one line instead of straight to the terminal."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gpatlas.errors import DataError


@contextmanager
def htslib_errors(path: Path) -> Iterator[None]:
    """Turn whatever cyvcf2 raises into a `DataError` with htslib's reason, which it prints to standard error only.

    Standard error is taken away for as long, so this goes around calls of the library, not around a whole reading.

    Raises
    ------
    DataError
        The library raised.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        failed: Exception | None = None
        try:
            yield
        except DataError:
            raise
        except Exception as error:  # the library raises bare Exception
            failed = error
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
        if failed is not None:
            messages.seek(0)
            raise DataError(f"{path}: {_reason(messages.read().decode(errors='replace'), failed)}") from None


def _reason(messages: str, error: Exception) -> str:
    """Return htslib's first error, without its function's name, or what was raised."""
    found = re.search(r"^\[E::\w+\] (.+)$", messages, flags=re.MULTILINE)
    if found:
        return f"not a whole and sound VCF or BCF file: {found.group(1)}"
    return "not a VCF or BCF file" if isinstance(error, OSError) else f"cannot be read ({' '.join(str(error).split())})"
