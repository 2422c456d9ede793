"""Delimited tables of dosages: csv, tsv or spaces; samples or loci in rows; with or without header and names.

Counts are whole numbers 0..ploidy; -1, -9, NA, NaN, "." and empty fields are missing. Which way round a table is, is
told by columns that describe loci (chr, pos, ref, alt), by the name of the names' column (`id`, `marker`), by names
that look like loci or samples, or by its shape; where nothing tells it must be said. PLINK's `.raw` is such a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset
from gpatlas.encoding import MISSING
from gpatlas.errors import ConfigError, DataError, did_you_mean
from gpatlas.io.counts import ABSENT, Counts, counts_of, parse_counts
from gpatlas.io.field_data import field_dataset
from gpatlas.io.marker_maps import LocusDescriptions, describe, read_marker_map
from gpatlas.io.table_layout import PLINK_RAW, Layout, Rows, layout_of, word_of
from gpatlas.io.text import DELIMITERS, delimiter_of, fields, first_lines, ragged, text_lines, unfinished
from gpatlas.joins import some_names

CODINGS = ("counts", "centred")
_POLYPLOID_SHARE = 0.01  # of calls above 2; fewer are taken for mistakes, unless the ploidy is given


@dataclass(frozen=True)
class Table:
    """A table as it stands: names, counts `(n_rows, n_columns)` with `ABSENT`, and cells that describe the rows."""

    row_names: list[str] | None
    column_names: list[str] | None
    counts: NDArray[np.int8]
    cells: list[list[str]]


def read_dosage_table(
    path: str | Path,
    rows: Rows | None = None,
    ploidy: int | None = None,
    coding: str | None = None,
    ignore: Sequence[str] = (),
    marker_map: str | Path | None = None,
) -> Dataset:
    """Read a table of dosages.

    Parameters
    ----------
    path
        File, gzipped or not.
    rows
        What a row is, "samples" or "loci"; found out by default, and said.
    ploidy
        Chromosome sets; by default 1 where only 0 and 1 occur, 2 where 2 does, 4, 6 … where higher counts are common.
    coding
        "counts": 0..ploidy, and -1 is missing; "centred": -1, 0, 1 stand for 0, 1, 2. By default counts; a table of
        -1, 0 and 1 alone could be either, so there it must be said.
    ignore
        Names of columns that hold neither names nor dosages.
    marker_map
        A map of the loci (see `marker_maps`).

    Raises
    ------
    DataError
        The table is ragged, a value is not a dosage, samples repeat, or it cannot be told what a row is.
    ConfigError
        `rows` or `coding` is not one of the above.
    StoreError
        A file cannot be read.
    """
    _check_choice("rows", rows, ("samples", "loci"))
    _check_choice("coding", coding, CODINGS)
    judged = first_lines(path)
    delimiter = delimiter_of(judged)
    layout = layout_of([fields(line, delimiter) for line in judged], ignore)
    _check_ignored(ignore, layout, path)
    table = read_counts(path, layout, delimiter)
    rows, because = (rows, "as asked for") if rows else _orientation(layout, table, path)
    account = [f"dosage table separated by {DELIMITERS[delimiter]}, {rows} in rows ({because})"]
    if layout.header is None:
        account.append("no header: the columns were numbered")
    left_out = [layout.header[k] for k in layout.left_out] if layout.header else []
    if left_out:
        account.append(f"{len(left_out)} columns left out ({some_names(left_out)})")
    dosage, ploidy, said = decode(table.counts, ploidy, coding, path)
    account += [*said, *unfinished(path)]
    names = [
        found or [f"{kind}_{k}" for k in range(1, size + 1)]
        for found, kind, size in (
            (table.row_names, "sample" if rows == "samples" else "locus", dosage.shape[0]),
            (table.column_names, "locus" if rows == "samples" else "sample", dosage.shape[1]),
        )
    ]
    if rows == "loci":
        dosage, names = np.ascontiguousarray(dosage.T), names[::-1]
    samples, loci = names
    described = describe(table.cells, layout.described, path) if layout.described else None
    if layout.header and tuple(map(word_of, layout.header[: len(PLINK_RAW)])) == PLINK_RAW:
        loci, described = _of_plink_raw(loci)
    if marker_map is not None:
        described, said = read_marker_map(marker_map, loci)
        account += said
    return field_dataset(path, dosage, samples, loci, ploidy=ploidy, account=account, **as_given(described))


def read_counts(path: str | Path, layout: Layout, delimiter: str) -> Table:
    """Read the table that a layout describes.

    Raises
    ------
    DataError
        A line of another length, a value that is not a count, or a last line that ends in the middle.
    """
    known, start, n_counts = Counts(), layout.counts[0], len(layout.counts)
    counts_come_last = layout.counts == list(range(start, layout.width))
    row_names: list[str] = []
    cells: list[list[str]] = []
    counts: list[NDArray[np.int8]] = []
    line = ""
    for number, line in islice(text_lines(path), 1 if layout.header else 0, None):
        if counts_come_last and '"' not in line:
            *row, rest = line.split(None if delimiter == " " else delimiter, start)
            row = [cell.strip() for cell in row]
        else:
            row, rest = fields(line, delimiter), ""
        if len(row) < (start if rest else layout.width):
            raise ragged(path, number, len(fields(line, delimiter)), layout.width)
        name = row[layout.name_column] if layout.name_column is not None else ""
        where = f"{path}, line {number}" + f" ({name})" * bool(name)
        if rest:
            counts.append(parse_counts(rest, delimiter, n_counts, known, where))
        elif len(row) == layout.width:
            counts.append(counts_of([row[k] for k in layout.counts], known, where))
        else:
            raise ragged(path, number, len(row), layout.width)
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


def decode(
    counts: NDArray[np.int8], ploidy: int | None, coding: str | None, path: str | Path
) -> tuple[NDArray[np.int8], int, list[str]]:
    """Turn counts as they stand into dosage 0..ploidy and -1; return it, the ploidy, and what is to be said.

    Raises
    ------
    DataError
        Counts above the ploidy, or -1, 0 and 1 alone, where -1 may be a missing call or a homozygote.
    """
    values = [value for value in range(-1, int(counts.max()) + 1) if (counts == value).any()]
    said = []
    if coding is None and values == [-1, 0, 1] and ploidy != 1:
        raise DataError(
            f"{path}: -1, 0 and 1 occur: coding='counts' if -1 is missing, coding='centred' if -1 is a homozygote"
        )
    if coding == "centred":
        if values and max(values) > 1:
            raise DataError(f"{path}: {max(values)} occurs, but the centred coding has -1, 0 and 1 alone")
        counts, values = np.where(counts == ABSENT, counts, counts + np.int8(1)), [value + 1 for value in values]
        ploidy = ploidy or 2
        said.append("-1, 0 and 1 were read as 0, 1 and 2")
    elif -1 in values:
        said.append(f"{(counts == -1).sum():,} values of -1 were taken as missing")
    dosage = np.where(counts < 0, np.int8(MISSING), counts)
    highest = max([value for value in values if value >= 0], default=0)
    if ploidy is None:
        above = (dosage > 2).mean()
        if 0 < above < _POLYPLOID_SHARE:
            row, column = np.argwhere(dosage > 2)[0] + 1
            raise DataError(
                f"{path}: {(dosage > 2).sum()} of {dosage.size} values are above 2 (the first is {highest}, in row "
                f"{row}, column {column} of the dosages); if they are meant, give the ploidy"
            )
        ploidy = highest if highest < 2 else highest + highest % 2
        ploidy = max(ploidy, 1)
        said.append(f"ploidy {ploidy} follows from the highest dosage, {highest}")
    if highest > ploidy:
        raise DataError(f"{path}: dosage {highest} occurs, but the ploidy is {ploidy}")
    return dosage, ploidy, said


def as_given(described: LocusDescriptions | None) -> dict[str, Any]:
    """Return what is known of loci as the arguments of `field_dataset`."""
    return {} if described is None else dict(vars(described))


def _orientation(layout: Layout, table: Table, path: str | Path) -> tuple[Rows, str]:
    if layout.rows is not None:
        return layout.rows, layout.because
    n_rows, n_columns = table.counts.shape
    if n_columns > n_rows:
        return "samples", "there are more columns than rows"
    raise DataError(
        f"{path}: {n_rows} rows and {n_columns} columns, and no name tells samples from loci; say rows='samples' or "
        f"rows='loci'"
    )


def _of_plink_raw(columns: list[str]) -> tuple[list[str], LocusDescriptions]:
    """Cut the counted allele off each column's name: rs_12_A counts A of rs_12, rs_12_A(/G) tells the other too."""
    cut = [name.rpartition("_") for name in columns]
    names = [stem or allele for stem, _, allele in cut]
    counted = [allele.partition("(")[0] if stem else "" for stem, _, allele in cut]
    other = [allele.partition("(/")[2].rstrip(")") for _, _, allele in cut]
    nowhere = np.full(len(columns), np.nan)
    pairs = np.array([other, counted]).T
    return names, LocusDescriptions([""] * len(columns), nowhere, "", pairs)


def _check_choice(option: str, value: str | None, allowed: Sequence[str]) -> None:
    if value is not None and value not in allowed:
        raise ConfigError(f"{option} is {value!r}; allowed are {', '.join(allowed)}")


def _check_ignored(ignore: Sequence[str], layout: Layout, path: str | Path) -> None:
    for name in ignore:
        if name not in (layout.header or []):
            raise ConfigError(f"{path}: no column '{name}' to ignore{did_you_mean(name, (layout.header or [])[:50])}")
