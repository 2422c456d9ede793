"""gperceiver's phenotypes: one response, a row for each sample in a block, and which rows validate."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gpatlas.dataset import Dataset, Fold, as_text
from gpatlas.errors import ConfigError, DataError
from gpatlas.io.marker_tables.delimited import table_rows
from gpatlas.io.phenotypes import read_phenotypes
from gpatlas.io.text import shown
from gpatlas.joins import attach
from gpatlas.wording import several, some_names

COLUMNS = ("name", "response", "block")


def are_gperceiver_columns(names: Sequence[str]) -> bool:
    """Whether a table with these columns can be gperceiver's phenotypes."""
    return set(COLUMNS) <= set(names)


def with_gperceiver_phenotypes(
    dataset: Dataset,
    path: str | Path,
    cv: str | int | None = None,
    categorical: bool = False,
    numeric: bool = False,
    missing: Sequence[str] = (),
) -> Dataset:
    """Return the dataset with gperceiver's phenotypes, a trait for every block: "response@0", "response@1", …

    Parameters
    ----------
    path
        `name response block`, and perhaps `cv`; other columns are left out. Rows of one sample in one block are
        averaged. Blocks are environments, numbered from 0.
    cv
        The value of column cv whose samples validate; the other samples train. None: all train. Folds are of whole
        samples, so that no sample is on both sides: its rows must agree.
    categorical, numeric, missing
        As in `read_phenotypes`.

    Raises
    ------
    DataError
        A column is absent, a row has no block, a sample validates in some of its rows only, no row has this cv, or no
        sample has genotypes.
    StoreError
        The file cannot be read.
    """
    header, rows, _ = table_rows(path)
    absent = [name for name in COLUMNS if name not in header]
    if absent:
        raise DataError(
            f"{path}, line 1: no column '{absent[0]}'; gperceiver's phenotypes have name, response, block and perhaps "
            f"cv, found {shown(', '.join(header))}"
        )
    if cv is not None and "cv" not in header:
        raise ConfigError(f"{path}: no column 'cv' in which {cv} could name validation samples")
    name, block = header.index("name"), header.index("block")
    cells = list(rows)
    for line, row in cells:
        if not row[block].isdecimal():
            found = f"block {shown(row[block])}" if row[block] else "no block"
            raise DataError(f"{path}, line {line}: sample '{row[name]}' has {found}; blocks are numbered 0, 1, …")
    table = read_phenotypes(
        path,
        id_column="name",
        traits=["response"],
        environment="block",
        categorical=["response"] * categorical,
        numeric=["response"] * numeric,
        missing=missing,
    )
    account = [*table.account]
    others = [column for column in header if column not in (*COLUMNS, "cv")]
    if others:
        account.append(f"{Path(path).name}: {several(len(others), 'column')} left out ({some_names(others)})")
    if cv is None:
        if "cv" in header:
            values = sorted({row[header.index("cv")] for _, row in cells})
            said = f"column cv ({some_names(values)}) is not used, as no value of it is said to validate"
            account.append(f"{Path(path).name}: {said}")
        return attach(dataset, replace(table, account=account))[0]
    validation = _validation(cells, name, header.index("cv"), str(cv), path)
    account.append(f"{Path(path).name}: {several(len(validation), 'sample', 'has')} cv {cv} and are for validation")
    dataset = attach(dataset, replace(table, account=account))[0]
    chosen = np.isin(as_text(dataset.sample_id), sorted(validation))
    if not chosen.any():
        raise DataError(f"{path}: no sample with cv {cv} has genotypes")
    fold = np.where(chosen, np.uint8(Fold.validation), np.uint8(Fold.train))
    return replace(dataset, fold=fold)


def _validation(
    rows: Sequence[tuple[int, list[str]]], name: int, column: int, cv: str, path: str | Path
) -> frozenset[str]:
    """Return the samples whose rows have this cv."""
    lines: dict[str, dict[bool, int]] = {}  # of every sample: a line that validates, and one that does not
    for line, row in rows:
        lines.setdefault(row[name], {}).setdefault(_same(row[column], cv), line)
    for sample, found in lines.items():
        if len(found) == 2:
            raise DataError(
                f"{path}: sample '{sample}' has cv {cv} in line {found[True]} but not in line {found[False]}; folds "
                f"are of whole samples, so its rows must agree (or leave cv out)"
            )
    validation = frozenset(sample for sample, found in lines.items() if True in found)
    if not validation:
        there = sorted({row[column] for _, row in rows})
        raise DataError(f"{path}: no row has cv {cv}; found {some_names(there)}")
    return validation


def _same(text: str, cv: str) -> bool:
    try:
        return float(text) == float(cv)
    except ValueError:
        return text == cv
