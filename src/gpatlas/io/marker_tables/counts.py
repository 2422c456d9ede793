"""Tables of counts: digits are parsed at the speed of arrays, everything else token by token."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError
from gpatlas.io.marker_tables.count_tokens import Counts
from gpatlas.io.marker_tables.table_layout import Layout
from gpatlas.io.text import fields, ragged, shown, text_lines, unfinished

_DIGITS = np.full(256, -1, dtype=np.int8)
_DIGITS[ord("0") : ord("9") + 1] = np.arange(10)


@dataclass(frozen=True)
class Table:
    """A table as it stands: names, int8 counts `(n_rows, n_columns)` with `ABSENT`, and cells that describe rows."""

    row_names: list[str] | None
    column_names: list[str] | None
    counts: NDArray[np.int8]
    cells: list[list[str]]


def read_counts(path: str | Path, layout: Layout, delimiter: str) -> Table:
    """Read the table that a layout describes.

    Raises
    ------
    DataError
        A line of another length, a value that is not a count, or a last line that ends in the middle.
    """
    if not layout.counts:
        raise DataError(f"{path}: no column of dosages")
    known, start, n_counts = Counts(), layout.counts[0], len(layout.counts)
    counts_come_last = layout.counts == list(range(start, layout.width))
    row_names: list[str] = []
    cells: list[list[str]] = []
    counts: list[NDArray[np.int8]] = []
    line = ""
    for number, line in islice(text_lines(path), 1 if layout.header else 0, None):
        quick = counts_come_last and '"' not in line
        if quick:
            *row, rest = line.split(None if delimiter == " " else delimiter, start)
            row = [cell.strip() for cell in row]
        else:
            row, rest = fields(line, delimiter), ""
        if len(row) != (start if quick else layout.width):
            raise ragged(path, number, len(fields(line, delimiter)), layout.width)
        name = row[layout.name_column] if layout.name_column is not None else ""
        where = f"{path}, line {number}" + f" ({name})" * bool(name)
        if quick:
            counts.append(parse_counts(rest, delimiter, n_counts, known, where))
        else:
            counts.append(counts_of([row[k] for k in layout.counts], known, where))
        row_names.append(name)
        if layout.described:
            cells.append(row)
    if not counts:
        raise DataError(f"{path}: no row below the header")
    if line.endswith(delimiter) and unfinished(path):
        raise DataError(f"{path}: the last line ends in the middle, so the file was cut short")
    return Table(
        row_names if layout.name_column is not None else None,
        [layout.header[k] for k in layout.counts] if layout.header else None,
        np.array(counts, dtype=np.int8),
        cells,
    )


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
