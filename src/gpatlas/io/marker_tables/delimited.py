"""Delimited tables with a header, row by row as text."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from gpatlas.errors import DataError
from gpatlas.io.marker_tables.table_layout import lacks_corner
from gpatlas.io.text import delimiter_of, fields, first_lines, ragged, text_lines


def table_rows(path: str | Path) -> tuple[list[str], Iterator[tuple[int, list[str]]], str]:
    """Open a delimited table: its header, its rows as `(line number, fields)` one by one, and the delimiter.

    A header that is one field shorter than the rows gets "" for the column of row names.

    Raises
    ------
    DataError, StoreError
        As `text_lines`. A table of one column or without rows; while rows are read, one of another length.
    """
    judged = first_lines(path)
    delimiter = delimiter_of(judged)
    header, *rows = [fields(line, delimiter) for line in judged]
    if not rows:
        raise DataError(f"{path}: only one line, so there is no row below a header")
    width = len(rows[0])
    if width < 2:
        raise DataError(f"{path}: only one column; fields are separated by tabs, commas, semicolons or spaces")
    if lacks_corner(header, width):
        header = ["", *header]
    return header, _rows(path, delimiter, len(header)), delimiter


def _rows(path: str | Path, delimiter: str, width: int) -> Iterator[tuple[int, list[str]]]:
    for number, line in islice(text_lines(path), 1, None):
        row = fields(line, delimiter)
        if len(row) != width:
            raise ragged(path, number, len(row), width)
        yield number, row
