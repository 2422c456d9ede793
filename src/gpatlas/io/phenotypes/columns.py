"""What a column of a phenotype table holds: numbers, a case/control coding, or classes named by text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError
from gpatlas.io.text import shown
from gpatlas.wording import several

MISSING_TEXTS = frozenset(("", "NA", "N/A", "#N/A", "NAN", "NULL", ".", "?", "-"))
# texts that name the case, so that it becomes code 1 whatever the alphabet says
CASES = frozenset(
    (
        "case",
        "cases",
        "affected",
        "diseased",
        "disease",
        "ill",
        "sick",
        "patient",
        "yes",
        "y",
        "true",
        "positive",
        "pos",
    )
)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)?([eE][+-]?\d+)?")
_MOST_LEVELS = 50
_FEW = 10  # distinct whole numbers that might be classes


@dataclass(frozen=True)
class Column:
    """A column's name, its values float64 `(n_rows,)` with NaN, its classes or None, and what is to be said of it."""

    name: str
    values: NDArray[np.float64]
    levels: tuple[str, ...] | None
    account: list[str]


def read_column(
    name: str,
    texts: Sequence[str],
    lines: Sequence[int],
    where: str,
    is_trait: bool,
    categorical: bool,
    numeric: bool,
    missing: frozenset[str],
) -> Column:
    """Read a column.

    Parameters
    ----------
    name, texts
        The column.
    lines, where
        The line of every row and the file, for messages.
    is_trait
        Traits of two values that are 0 and 1, or 1 and 2, are case/control; covariates stay numbers.
    categorical, numeric
        What the column is said to be.
    missing
        Further texts that mean missing.

    Raises
    ------
    DataError
        Numbers beside text, too many classes, an infinite value, or 0, 1 and 2 in a trait, which could be two codings.
    """
    absent = np.array([text.upper() in MISSING_TEXTS or text in missing for text in texts])
    commas = not categorical and _are_decimal_commas(
        [text for text, gone in zip(texts, absent, strict=True) if not gone]
    )
    if commas:
        texts = [text.replace(",", ".") for text in texts]
    numbers = [None if gone else _number(text) for text, gone in zip(texts, absent, strict=True)]
    odd = [k for k, (number, gone) in enumerate(zip(numbers, absent, strict=True)) if number is None and not gone]
    if odd and {number for number in numbers if number is not None} == {-9}:
        absent |= np.array([number == -9 for number in numbers])  # a number beside text is no class
    if categorical:
        absent |= np.array([number == -9 for number in numbers])
        return _classes(name, texts, absent, where)
    if odd and (numeric or len(odd) < (~absent).sum()):
        raise DataError(
            f"{where}, line {lines[odd[0]]}: {name} {shown(texts[odd[0]])} is not a number, but other values are "
            f"(missing values are written NA; classes have to be declared categorical)"
        )
    if odd:
        return _classes(name, texts, absent, where)
    values = np.array([np.nan if number is None else number for number in numbers])
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise DataError(f"{where}, line {lines[infinite[0]]}: {name} {shown(texts[infinite[0]])} is not finite")
    values, said = _without_minus_nine(name, values)
    said = _missing(name, values) + said + [f"{name}: decimal commas were read as points"] * commas
    if is_trait and not numeric:
        return _case_control(name, values, said, where)
    return Column(name, values, None, said)


def _case_control(name: str, values: NDArray[np.float64], said: list[str], where: str) -> Column:
    """Recognise case/control codings, and small whole numbers that may be classes."""
    found = np.unique(values[~np.isnan(values)])
    if found.tolist() == [0, 1, 2]:
        raise DataError(
            f"{where}: {name} holds 0, 1 and 2: say whether these are classes (declare it categorical: --categorical "
            f"{name}, or --kind multiclass), numbers (--numeric {name}, or --kind continuous), or PLINK's missing, "
            f"control and case (import it with --missing {name}=0)"
        )
    if found.tolist() in ([0, 1], [1, 2]):
        low, high = (str(int(value)) for value in found)
        cases = int((values == found[1]).sum())
        coding = "0/1" if low == "0" else "1/2, as PLINK's"
        said.append(
            f"{name} is case/control ({coding}): {several(cases, 'case')} ({high}) and "
            f"{several(int((values == found[0]).sum()), 'control')} ({low})"
        )
        return Column(name, values - found[0], (low, high), said)
    if 1 < len(found) <= _FEW and (found == np.floor(found)).all() and len(found) < len(values) / 2:
        shown_values = ", ".join(str(int(value)) for value in found)
        said.append(f"{name} holds {shown_values} and is taken as a number (declare it categorical if it is not)")
    if len(found) == 1:
        said.append(f"{name} has one value, {found[0]:g}, throughout")
    return Column(name, values, None, said)


def _classes(name: str, texts: Sequence[str], absent: NDArray[np.bool_], where: str) -> Column:
    """Read classes; numbers in their order, text in the alphabet's, but a case after its control."""
    known = [text for text, gone in zip(texts, absent, strict=True) if not gone]
    levels = sorted(set(known), key=lambda text: (_number(text) is None, _number(text) or 0.0, text))
    if len(levels) > _MOST_LEVELS or (len(levels) > _FEW and len(levels) > len(known) / 2):
        raise DataError(
            f"{where}: {name} has {len(levels)} different values in {len(known)} rows ({', '.join(levels[:3])}, …), "
            f"too many for classes"
        )
    if len(levels) == 2 and levels[0].lower() in CASES and levels[1].lower() not in CASES:
        levels.reverse()
    code = {level: float(k) for k, level in enumerate(levels)}
    values = np.array([code.get(text, np.nan) for text in texts])
    values[absent] = np.nan
    of_each = ", ".join(f"{level} {known.count(level):,}" for level in levels)
    return Column(
        name, values, tuple(levels), [*_missing(name, values), f"{name} has {len(levels)} classes: {of_each}"]
    )


def _are_decimal_commas(texts: Sequence[str]) -> bool:
    """Whether these are numbers with decimal commas, such as 1,5, perhaps beside whole ones."""
    return any("," in text for text in texts) and all(_DECIMAL_COMMA.fullmatch(text) for text in texts)


def _missing(name: str, values: NDArray[np.float64]) -> list[str]:
    gone = int(np.isnan(values).sum())
    return [f"{name}: {gone:,} of {len(values):,} values are missing"] if gone else []


def _without_minus_nine(name: str, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    """Take -9 as missing where it cannot be a value: all others are 0 or more."""
    coded = values == -9
    if not coded.any():
        return values, []
    others = values[~coded & ~np.isnan(values)]
    if others.size and others.min() >= 0:
        return np.where(coded, np.nan, values), [f"{name}: {several(int(coded.sum()), 'value')} of -9 taken as missing"]
    return values, [f"{name}: -9 occurs {several(int(coded.sum()), 'time')} and is a value, as others are negative too"]


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)  # Python's 1_000 is nobody's number
    except ValueError:
        return None
