"""Which tokens are counts, and which stand for a missing one."""

import numpy as np

ABSENT = -128  # int8 code of a missing count; "-1" may be a count of another coding and stays -1
MISSING_TEXTS = frozenset(("", "NA", "N/A", "#N/A", "NAN", "NULL", "NONE", ".", "?", "-", "--", "-9", "NN", "./."))
_HIGHEST = 126


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
            value = float(token.replace("_", "x"))  # Python's 1_0 is nobody's number
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
