"""Parsing a line of counts: digits at the speed of arrays, everything else token by token."""

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError
from gpatlas.io.text import fields, shown

ABSENT = -128  # int8 code of a missing count; "-1" may be a count of another coding and stays -1
MISSING_TEXTS = frozenset(("", "NA", "N/A", "#N/A", "NAN", "NULL", "NONE", ".", "?", "-", "--", "-9", "NN", "./."))
_HIGHEST = 126
_DIGITS = np.full(256, -1, dtype=np.int8)
_DIGITS[ord("0") : ord("9") + 1] = np.arange(10)


class Counts(dict[str, int]):
    """Tokens and their int8 codes; a token is judged once. Raises ValueError for what is no count."""

    def __missing__(self, token: str) -> int:
        code = self[token] = self._code(token)
        return code

    @staticmethod
    def _code(token: str) -> int:
        if token.upper() in MISSING_TEXTS:
            return ABSENT
        try:
            value = float(token)
        except ValueError:
            raise ValueError("is not a count") from None
        if np.isnan(value):
            return ABSENT
        if value != np.floor(value):
            raise ValueError("is a fraction; dosages are whole counts (round imputed ones first)")
        if not -1 <= value <= _HIGHEST:
            raise ValueError(f"is not in 0..{_HIGHEST} (missing is -1, -9, NA or nothing)")
        return int(value)

    def is_count(self, token: str) -> bool:
        """Whether a token is a count or a missing one."""
        try:
            self[token]
        except ValueError:
            return False
        return True


def parse_counts(text: str, delimiter: str, n_counts: int, known: Counts, where: str) -> NDArray[np.int8]:
    """Parse counts separated by `delimiter` to int8, `ABSENT` where missing.

    Raises
    ------
    DataError
        There are fewer or more than `n_counts`, or one is not a whole number from -1 on, nor a sign for missing.
    """
    if len(text) == 2 * n_counts - 1 and text.isascii():
        characters = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
        counts = _DIGITS[characters[::2]]
        if (counts >= 0).all() and (characters[1::2] == ord(delimiter)).all():
            return counts
    tokens = fields(text, delimiter)
    if len(tokens) != n_counts:
        raise DataError(f"{where}: {len(tokens)} counts, but the lines before have {n_counts}")
    return counts_of(tokens, known, where)


def counts_of(tokens: list[str], known: Counts, where: str) -> NDArray[np.int8]:
    """Turn tokens into int8 counts, `ABSENT` where missing.

    Raises
    ------
    DataError
        As `parse_counts`.
    """
    try:
        return np.array([known[token] for token in tokens], dtype=np.int8)
    except ValueError:
        for column, token in enumerate(tokens, start=1):
            try:
                known[token]
            except ValueError as error:
                raise DataError(f"{where}, value {column}: {shown(token)} {error}") from None
        raise
