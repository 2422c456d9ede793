"""Words on the command line: names that a user lists, and sentences that a verb says."""

from collections.abc import Sequence
from typing import overload


@overload
def listed(names: None) -> None: ...
@overload
def listed(names: str) -> list[str]: ...
def listed(names: str | None) -> list[str] | None:
    """Return the names in a comma-separated option; None where it was not given."""
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def say(sentences: Sequence[str]) -> None:
    """Print what was found and done, below the line that it belongs to."""
    for sentence in sentences:
        print(f"  {sentence}")
