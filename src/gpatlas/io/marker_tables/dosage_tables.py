"""Delimited tables of dosages: csv, tsv or spaces; samples or loci in rows; with or without header and names.

Counts are whole numbers 0..ploidy; -1, -9, NA, NaN, "." and empty fields are missing. Which way round a table is, is
told by columns that describe loci (chr, pos, ref, alt), by the name of the names' column (`id`, `marker`), by names
that look like loci or samples, or by its shape; where nothing tells it must be said. PLINK's `.raw` and gperceiver's
tables of markers are such tables.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gpatlas.dataset import Dataset
from gpatlas.errors import ConfigError, DataError, did_you_mean
from gpatlas.io.field_data import field_dataset
from gpatlas.io.marker_tables.allele_codes import are_allele_codes, decode_alleles
from gpatlas.io.marker_tables.counts import Table, read_counts
from gpatlas.io.marker_tables.dosage_codings import CODINGS, decode
from gpatlas.io.marker_tables.marker_maps import LocusDescriptions, describe, read_marker_map
from gpatlas.io.marker_tables.table_layout import PLINK_RAW, Layout, Rows, layout_of, word_of
from gpatlas.io.text import DELIMITERS, delimiter_of, fields, first_lines, unfinished
from gpatlas.wording import several, some_names


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
        "counts": 0..ploidy, and -1 is missing; "centred": -1, 0, 1 stand for 0, 1, 2; "alleles": gperceiver's codes
        (see `allele_codes`). By default counts, or alleles where they can be nothing else; a table of -1, 0 and 1
        alone could be counts or centred, so there it must be said.
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
    layout = layout_of([fields(line, delimiter) for line in judged], path, ignore)
    _check_ignored(ignore, layout, path)
    table = read_counts(path, layout, delimiter)
    rows, because = (rows, "as asked for") if rows else _orientation(layout, table, path)
    account = [f"dosage table separated by {DELIMITERS[delimiter]}, {rows} in rows ({because})"]
    if layout.header is None:
        account.append("no header: the columns were numbered")
    left_out = [layout.header[k] for k in layout.left_out] if layout.header else []
    if left_out:
        account.append(f"{several(len(left_out), 'column')} left out ({some_names(left_out)})")
    account += unfinished(path)
    samples, loci = _names(table, rows)
    counts = table.counts if rows == "samples" else np.ascontiguousarray(table.counts.T)
    described = describe(table.cells, layout.described, path) if layout.described else None
    if layout.header and tuple(map(word_of, layout.header[: len(PLINK_RAW)])) == PLINK_RAW:
        loci, described = _of_plink_raw(loci)
    if coding == "alleles" or (coding is None and ploidy in (None, 2) and are_allele_codes(counts)):
        ploidy = ploidy or 2
        dosage, alleles, kept, said = decode_alleles(counts, ploidy, path)
        loci = [loci[k] for k in kept]
        place = described or LocusDescriptions([""] * counts.shape[1], np.full(counts.shape[1], np.nan), "", None)
        described = LocusDescriptions(
            [place.chromosome[k] for k in kept], place.position[kept], place.position_unit, alleles
        )
    else:
        dosage, ploidy, said = decode(counts, ploidy, coding, path)
    account += said
    known: dict[str, Any] = {} if described is None else dict(vars(described))
    if marker_map is not None:
        described, said = read_marker_map(marker_map, loci)
        known |= {what: value for what, value in vars(described).items() if value is not None}
        account += said
    return field_dataset(path, dosage, samples, loci, ploidy=ploidy, account=account, **known)


def _names(table: Table, rows: Rows) -> tuple[list[str], list[str]]:
    """Return the names of samples and loci; those without are numbered."""
    sizes = dict(
        zip(("samples", "loci") if rows == "samples" else ("loci", "samples"), table.counts.shape, strict=True)
    )
    found = {rows: table.row_names, "loci" if rows == "samples" else "samples": table.column_names}
    return tuple(  # type: ignore[return-value] # of length two
        found[kind] or [f"{one}_{k}" for k in range(1, sizes[kind] + 1)]
        for kind, one in (("samples", "sample"), ("loci", "locus"))
    )


def _orientation(layout: Layout, table: Table, path: str | Path) -> tuple[Rows, str]:
    if layout.rows is not None:
        return layout.rows, layout.because
    n_rows, n_columns = table.counts.shape
    if n_columns > n_rows:
        return "samples", "there are more columns than rows"
    raise DataError(
        f"{path}: {n_rows} rows and {n_columns} columns, and no name tells samples from loci; say what a row is: "
        f"rows = samples or rows = loci"
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
