"""Covariates of new samples in the terms of those a model was fitted with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, as_text


@dataclass(frozen=True)
class Covariate:
    """A covariate of a model.

    Parameters
    ----------
    name
        Its column.
    levels
        Of a categorical one: what its codes 0, 1, … stand for; the first is the reference. Empty for numbers.
    """

    name: str
    levels: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Columns of X that it takes."""
        return len(self.levels) - 1 if self.levels else 1


def covariates_of(dataset: Dataset, names: Sequence[str] | None = None) -> tuple[Covariate, ...]:
    """Describe covariates of a dataset: those named, or all."""
    known = as_text(dataset.covariate_id).tolist()
    return tuple(Covariate(name, tuple(dataset.levels.get(name, ()))) for name in (known if names is None else names))


@dataclass(frozen=True)
class CovariateColumns:
    """Covariates as columns of X.

    Parameters
    ----------
    values
        float32 `(n_samples, n_columns)`: numbers, and 0/1 for every level but the first; NaN where missing.
    absent
        Names of covariates that the new data lack.
    sentences
        What was missing or unknown, with counts.
    """

    values: NDArray[np.float32]
    absent: tuple[str, ...]
    sentences: tuple[str, ...]


def covariate_columns(covariates: Sequence[Covariate], dataset: Dataset) -> CovariateColumns:
    """Return the columns that a model's covariates make of a dataset."""
    known = as_text(dataset.covariate_id).tolist()
    columns: list[NDArray] = []
    absent, said = [], []
    for covariate in covariates:
        if covariate.name not in known:
            absent.append(covariate.name)
            columns += [np.full(dataset.n_samples, np.nan)] * covariate.width
            continue
        values = dataset.covariates[:, known.index(covariate.name)]
        names = dataset.levels.get(covariate.name)
        if covariate.levels:
            values, unknown = _in_levels(values, names, covariate.levels)
            if unknown:
                shown = ", ".join(f"'{name}' ({count})" for name, count in sorted(unknown.items()))
                allowed = ", ".join(covariate.levels)
                said.append(f"Levels of {covariate.name} that the model does not know: {shown}; it knows {allowed}.")
            columns += _indicators(values, len(covariate.levels))
        else:
            if names is not None:
                values = _numbers(values, names)
            columns.append(values)
        if missing := int(np.isnan(values).sum()):
            said.append(f"{missing:,} of {len(values):,} samples have no known {covariate.name}.")
    if absent:
        said.append(f"The new data lack {_listed(absent)}, which the model uses.")
    stacked = np.column_stack(columns) if columns else np.empty((dataset.n_samples, 0))
    return CovariateColumns(stacked.astype(np.float32), tuple(absent), tuple(said))


def _indicators(codes: NDArray, n_levels: int) -> list[NDArray]:
    return [np.where(np.isnan(codes), np.nan, codes == code) for code in range(1, n_levels)]


def _in_levels(
    values: NDArray, names: tuple[str, ...] | None, levels: tuple[str, ...]
) -> tuple[NDArray[np.float64], dict[str, int]]:
    """Return codes in `levels`, NaN for others, and the names of the others with counts."""
    code_of = {name: float(code) for code, name in enumerate(levels)}
    codes, unknown = np.full(len(values), np.nan), dict[str, int]()
    for value in np.unique(values[~np.isnan(values)]):
        name = f"{value:g}" if names is None else names[int(value)]
        here = values == value
        if name in code_of:
            codes[here] = code_of[name]
        else:
            unknown[name] = int(here.sum())
    return codes, unknown


def _numbers(codes: NDArray, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the numbers that levels spell, NaN for those that spell none."""
    numbers = np.full(len(names), np.nan)
    for code, name in enumerate(names):
        try:
            numbers[code] = float(name)
        except ValueError:
            continue
    known = ~np.isnan(codes)
    found = np.full(len(codes), np.nan)
    found[known] = numbers[codes[known].astype(int)]
    return found


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
