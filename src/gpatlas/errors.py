"""One family of errors for everything a user can mend.

Whatever a user can cause (a misspelt key, a ragged table, a full disk) is raised as a `GpatlasError` whose
message is one line: what is wrong, the value seen, where it came from, what is allowed. The command line prints
that line and exits with 2. Anything else that escapes is a defect of ours and keeps its traceback.
"""

import difflib
from collections.abc import Iterable


class GpatlasError(Exception):
    """Base of all errors that a user can mend; the message is one complete line."""


class ConfigError(GpatlasError, ValueError):
    """A configuration value is misspelt, missing or not allowed."""


class DataError(GpatlasError, ValueError):
    """Genotypes, phenotypes or tables contradict themselves or each other."""


class StoreError(GpatlasError, OSError):
    """A file cannot be read or written: absent, truncated, of a newer format, disk full."""


class EngineError(GpatlasError, RuntimeError):
    """A simulation engine or optional dependency is not available here."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for a near match, else "; known are x, y, z"."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.55)
    return f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(known)}"
