"""Counts and names in sentences."""

from collections.abc import Sequence
from typing import Any

_NAMES_SHOWN = 3
_PLURALS = {
    "locus": "loci",
    "batch": "batches",
    "has": "have",
    "is": "are",
    "was": "were",
    "stands": "stand",
    "lists": "list",
    "shares": "share",
    "counts": "count",
}


def several(count: int, *words: str) -> str:
    """Return a count with the words after it, in the plural unless it is one: "1 locus has", "3,093 loci have"."""
    if count == 1:
        return " ".join(["1", *words])
    noun, *verbs = words
    nouns = noun.split(" ")
    nouns[-1] = _PLURALS.get(nouns[-1], f"{nouns[-1]}s")
    return " ".join([f"{count:,}", *nouns, *(_PLURALS.get(verb, verb) for verb in verbs)])


def some_names(names: Sequence[str]) -> str:
    """Return the first few names, comma-separated, and "…" where there are more."""
    return ", ".join(names[:_NAMES_SHOWN]) + ", …" * (len(names) > _NAMES_SHOWN)


def rounded_mean(values: Any) -> float:
    """Return the mean, or 0 where it is nothing but rounding, as of standardised values."""
    mean, spread = float(values.mean()), float(values.std())
    return 0.0 if abs(mean) < 1e-12 * spread else mean
