"""Tables of phenotypes and covariates: one row per sample, or several with repeated measures or environments.

Columns are found by their names. Names of samples are text whatever they look like: 811 stays 811, 007 stays 007.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import ConfigError, DataError, did_you_mean
from gpatlas.io.marker_tables.delimited import table_rows
from gpatlas.io.marker_tables.table_layout import SAMPLE_WORDS, word_of
from gpatlas.io.phenotypes.columns import Column, read_column
from gpatlas.io.text import is_number, shown, unfinished
from gpatlas.joins import Phenotypes
from gpatlas.wording import several, some_names

_PLINK_COLUMNS = ("fid", "pat", "mat")


def read_phenotypes(
    path: str | Path,
    id_column: str | None = None,
    traits: Sequence[str] | None = None,
    environment: str | None = None,
    covariates: Sequence[str] = (),
    categorical: Sequence[str] = (),
    numeric: Sequence[str] = (),
    family: str | None = None,
    missing: Sequence[str] = (),
) -> Phenotypes:
    """Read a table of phenotypes.

    Parameters
    ----------
    path
        Table with a header; separated by tabs, commas, semicolons or spaces, gzipped or not.
    id_column
        Column of the samples' names; by default one called id, sample, taxa, name, line … or else the first.
    traits
        Columns of traits; by default all that are nothing else.
    environment
        Column that names environments. Each trait becomes one per environment, "yield@E1".
    covariates
        Columns of covariates.
    categorical, numeric
        Columns of classes that are written as numbers, and of numbers that look like classes.
    family
        Column of families or other groups.
    missing
        Texts that mean missing, besides NA, NaN, "." and an empty field (and -9 where no other value is negative);
        "status=0" is one in a column alone.

    Returns
    -------
    Phenotypes
        One row per sample; the mean of its rows where it has several.

    Raises
    ------
    DataError
        A table without header or ragged; a column with numbers and text; a sample with two classes.
    ConfigError
        A column that is asked for is not there.
    StoreError
        The file cannot be read.
    """
    header, cells, lines = _read_cells(path)
    asked = [*(traits or ()), *covariates, *categorical, *numeric]
    for name in (name for name in (id_column, environment, family, *asked) if name is not None):
        if name not in header:
            raise ConfigError(f"{path}: no column '{name}'{did_you_mean(name, header)}")
    samples, used, named = _names(path, header, cells, id_column)
    account = _rows_said(samples, named, None if environment is None else cells[environment])
    aside = {*used, environment, family, *covariates}
    of_traits = list(traits) if traits is not None else [name for name in header if name not in aside]

    def of_column(name: str) -> frozenset[str]:
        return frozenset(text.removeprefix(f"{name}=") for text in missing)

    def read(name: str, as_trait: bool) -> Column:
        return read_column(
            name, cells[name], lines, str(path), as_trait, name in categorical, name in numeric, of_column(name)
        )

    columns, left_out = [], []
    for name in of_traits:
        try:
            columns.append(read(name, True))
        except DataError:
            if traits is not None or not all(_is_text(text) for text in cells[name]):
                raise
            left_out.append(name)  # notes and the like, which nobody asked for
    of_covariates = [read(name, False) for name in covariates]
    if left_out:
        account.append(f"{several(len(left_out), 'column')} of text with many values left out ({some_names(left_out)})")
    if not columns and not of_covariates:
        raise DataError(f"{path}: no trait beside the column of names '{used[0]}'; found {', '.join(header)}")
    for column in (*columns, *of_covariates):
        account += column.account
    account += unfinished(path)
    order = {name: k for k, name in enumerate(dict.fromkeys(samples))}
    sample = np.array([order[name] for name in samples])
    names = list(order)
    values, trait_id, environments = _by_environment(columns, sample, names, cells.get(environment or ""), path)
    merged = [_merge(column, sample, names, path) for column in of_covariates]
    return Phenotypes(
        source=Path(path).name,
        sample_id=names,
        trait_id=trait_id,
        values=values,
        covariate_id=list(covariates),
        covariates=np.array(merged).T if merged else np.empty((len(names), 0)),
        levels=_levels(columns, of_covariates, environments),
        environments=environments,
        family=None if family is None else _families(cells[family], sample, names, path),
        account=[f"{Path(path).name}: {sentence}" for sentence in account],
    )


def column_names(path: str | Path) -> list[str]:
    """Return the names of a table's columns.

    Raises
    ------
    DataError, StoreError
        As `read_phenotypes`.
    """
    header, _, _ = _read_cells(path)
    return header


def read_covariates(
    path: str | Path,
    id_column: str | None = None,
    names: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    numeric: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> Phenotypes:
    """Read a table of covariates: as `read_phenotypes`, but its columns (all, or those named) are covariates.

    Raises
    ------
    DataError, ConfigError, StoreError
        As `read_phenotypes`.
    """
    if names is None:
        header, cells, _ = _read_cells(path)
        _, used, _ = _names(path, header, cells, id_column)
        names = [name for name in header if name not in used]
    classes, numbers = list(categorical), list(numeric)
    return read_phenotypes(
        path, id_column, traits=(), covariates=names, categorical=classes, numeric=numbers, missing=missing
    )


def _read_cells(path: str | Path) -> tuple[list[str], dict[str, list[str]], list[int]]:
    """Read a table to its header, its columns of text, and the line of every row."""
    header, rows, _ = table_rows(path)
    header = [name.lstrip("#") for name in header]
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise DataError(f"{path}, line 1: column {shown(twice[0])} stands more than once")
    read = list(rows)
    if not read:
        raise DataError(f"{path}: no row below the header")
    columns = [list(column) for column in zip(*(row for _, row in read), strict=True)]
    if all(_is_like(name, column) for name, column in zip(header[1:], columns[1:], strict=True)):
        raise DataError(f"{path}, line 1: expected the names of columns, found {shown(', '.join(header))}")
    return header, dict(zip(header, columns, strict=True)), [number for number, _ in read]


def _names(
    path: str | Path, header: list[str], cells: dict[str, list[str]], id_column: str | None
) -> tuple[list[str], list[str], str]:
    """Return every row's sample, the columns that name samples, and how samples are named, in words."""
    words = {word_of(name): name for name in reversed(header)}
    used = [words[word] for word in _PLINK_COLUMNS if word in words and "iid" in words]
    if id_column is None and "iid" in words:
        id_column = words["iid"]
    if id_column is None:
        id_column = next((name for name in header if word_of(name) in SAMPLE_WORDS), header[0])
    names, said = cells[id_column], f"named by column '{id_column}'"
    if word_of(id_column) == "iid" and "fid" in words and len(set(names)) < len(names):
        both = [f"{fid}_{iid}" for fid, iid in zip(cells[words["fid"]], names, strict=True)]
        if len(set(both)) > len(set(names)):
            names, said = both, "named FID_IID, as IID repeats across families"
    nameless = sum(not name for name in names)
    if nameless:
        raise DataError(f"{path}: {nameless} of {len(names)} rows have no name in column '{id_column}'")
    return names, [id_column, *used], said


def _rows_said(samples: list[str], named: str, environment: list[str] | None) -> list[str]:
    rows = samples if environment is None else [f"{a}\t{b}" for a, b in zip(samples, environment, strict=True)]
    times = dict.fromkeys(rows, 0)
    for row in rows:
        times[row] += 1
    twice = list(dict.fromkeys(row.partition("\t")[0] for row, count in times.items() if count > 1))
    said = [f"{several(len(rows), 'row')} of {several(len(set(samples)), 'sample')}, {named}"]
    if twice:
        where = "" if environment is None else " in an environment"
        said.append(
            f"{several(len(twice), 'sample', 'has')} more than one row{where} ({some_names(twice)}): means are taken"
        )
    return said


def _by_environment(
    columns: Sequence[Column],
    sample: NDArray[np.intp],
    names: list[str],
    environment: list[str] | None,
    path: str | Path,
) -> tuple[NDArray[np.float64], list[str], dict[str, tuple[str, str]]]:
    """Merge rows of a sample, within environments where there are any."""
    if environment is None:
        values = [_merge(column, sample, names, path) for column in columns]
        return np.array(values).T if values else np.empty((len(names), 0)), [column.name for column in columns], {}
    if any(not name for name in environment):
        raise DataError(f"{path}: {environment.count('')} rows name no environment")
    of_row, merged, environments = np.array(environment), [], {}
    for column in columns:
        for name in sorted(set(environment), key=_in_order):
            here = of_row == name
            part = Column(column.name, column.values[here], column.levels, [])
            merged.append(_merge(part, sample[here], names, path))
            environments[f"{column.name}@{name}"] = (column.name, name)
    return np.array(merged).T, list(environments), environments


def _in_order(name: str) -> tuple[bool, float, str]:
    """Sort numbers as such, before text."""
    return (False, float(name), name) if name.isdecimal() else (True, 0.0, name)


def _merge(column: Column, sample: NDArray[np.intp], names: list[str], path: str | Path) -> NDArray[np.float64]:
    """Return the mean of every sample's values, NaN where it has none; classes must agree."""
    known = ~np.isnan(column.values)
    times = np.bincount(sample[known], minlength=len(names))
    total = np.bincount(sample[known], weights=column.values[known], minlength=len(names))
    mean = np.where(times > 0, total / np.maximum(times, 1), np.nan)
    if column.levels is not None:
        differs = np.flatnonzero(known)[column.values[known] != mean[sample[known]]]
        if differs.size:
            who = names[sample[differs[0]]]
            classes = [
                column.levels[int(code)] for code in np.unique(column.values[known & (sample == sample[differs[0]])])
            ]
            raise DataError(
                f"{path}: sample '{who}' has {column.name} {' and '.join(classes)} in different rows (rows of "
                f"several environments need the name of their column: environment)"
            )
    return mean


def _levels(
    traits: Sequence[Column], covariates: Sequence[Column], environments: dict[str, tuple[str, str]]
) -> dict[str, tuple[str, ...]]:
    levels = {column.name: column.levels for column in (*traits, *covariates) if column.levels is not None}
    of_parts = {name: levels[trait] for name, (trait, _) in environments.items() if trait in levels}
    whole = {trait for trait, _ in environments.values()}
    return {name: names for name, names in levels.items() if name not in whole} | of_parts


def _families(texts: list[str], sample: NDArray[np.intp], names: list[str], path: str | Path) -> list[str]:
    families = [""] * len(names)
    for row, text in zip(sample, texts, strict=True):
        if families[row] not in ("", text):
            raise DataError(f"{path}: sample '{names[row]}' is of two families, {families[row]} and {text}")
        families[row] = text
    return families


def _is_like(name: str, values: list[str]) -> bool:
    """Whether a column's name is rather one of its values."""
    return name in values or (is_number(name) and any(is_number(value) for value in values))


def _is_text(text: str) -> bool:
    return not is_number(text)
