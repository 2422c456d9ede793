"""`Task`: one trait to predict, as one matrix and one vector, with the names of everything in them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, as_bytes, as_text
from gpatlas.encoding import MISSING
from gpatlas.errors import DataError, did_you_mean
from gpatlas.wording import rounded_mean, several

Kind = Literal["continuous", "binary", "multiclass"]

LEAST_SAMPLES, LEAST_OF_A_CLASS = 12, 6  # below these no fold of a fold has something to learn from
FEW_VALUES = 10  # distinct whole numbers up to which a trait may be meant as classes


@dataclass(frozen=True)
class Task:
    """Samples with a phenotype, what is known of them, and what is to be predicted.

    Parameters
    ----------
    trait
        Its name.
    kind
        "continuous", "binary" or "multiclass".
    classes
        Names of the codes in `y`; binary: the second is the case. Empty for a continuous trait.
    X
        float32 `(n_samples, n_loci + n_covariates)`: dosage first, covariates last, NaN where missing.
    y
        float64 `(n_samples,)`: trait units, or codes of classes.
    n_covariates
        How many of the last columns are covariates (a categorical one counts once for each level but the first).
    feature_id
        Text `(n_features,)`: loci, then covariates ("site=Norwich" for the level of a categorical one).
    sample_id, locus_id, chromosome, position, position_unit, alleles, ploidy
        As in `Dataset`.
    groups
        Text `(n_samples,)`: what must not be split between fitting and judging; None where nothing is known.
    grouping
        What groups are: "family", "environment", or "".
    genetic_value
        float64 `(n_samples,)`, the true genetic value where data were simulated (of a clinic, the probability of being
        ill), else None; None of several classes, too.
    account
        Sentences on how the task came about, with counts.
    row
        Row of the dataset that each sample is, `(n_samples,)`; None for a task that was not made of one.
    """

    trait: str
    kind: Kind
    classes: tuple[str, ...]
    X: NDArray[np.float32]
    y: NDArray[np.float64]
    n_covariates: int
    feature_id: NDArray
    sample_id: NDArray
    locus_id: NDArray
    chromosome: NDArray
    position: NDArray[np.float64]
    position_unit: str
    alleles: NDArray | None = None
    ploidy: int = 2
    groups: NDArray | None = None
    grouping: str = ""
    genetic_value: NDArray[np.float64] | None = None
    account: tuple[str, ...] = field(default=())
    row: NDArray[np.intp] | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.y)

    @property
    def n_loci(self) -> int:
        """Number of loci."""
        return self.X.shape[1] - self.n_covariates

    @property
    def class_counts(self) -> dict[str, int]:
        """Samples of each class, by its name; empty for a continuous trait."""
        return {name: int((self.y == code).sum()) for code, name in enumerate(self.classes)}

    def rows(self, rows: NDArray) -> "Task":
        """Return the task on some of the samples."""
        return replace(
            self,
            X=self.X[rows],
            y=self.y[rows],
            sample_id=self.sample_id[rows],
            groups=None if self.groups is None else self.groups[rows],
            genetic_value=None if self.genetic_value is None else self.genetic_value[rows],
            row=None if self.row is None else self.row[rows],
        )

    def with_phenotypes(self, y: NDArray[np.float64]) -> "Task":
        """Return the task with other phenotypes of the same samples, e.g. permuted ones."""
        return replace(self, y=y, genetic_value=None)

    def digest(self) -> str:
        """Hash everything that a search depends on."""
        digest = hashlib.blake2b(f"{self.trait} {self.kind} {self.classes} {self.n_covariates}".encode(), digest_size=8)
        names = [self.sample_id, self.feature_id] + ([] if self.groups is None else [self.groups])
        arrays: list[NDArray] = [self.X, self.y, *map(as_bytes, names)]
        for array in arrays:
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def make_task(
    dataset: Dataset,
    trait: str,
    *,
    kind: Kind | None = None,
    covariates: Sequence[str] | None = None,
    grouped: bool = True,
) -> Task:
    """Make the task of predicting one trait of a dataset.

    Parameters
    ----------
    dataset
        With the trait among its traits; or the name that several traits share, each in its own environment, whose
        records are then put one below the other.
    trait
        Name of the trait.
    kind
        What the trait is; None follows from its levels and values.
    covariates
        Names of covariates to use; None uses all, an empty list none.
    grouped
        Whether families are kept together where the dataset names them.

    Raises
    ------
    DataError
        No such trait or covariate, one class only, or too few samples.
    """
    records = _records(dataset, trait)
    rows, y = records.rows, records.y
    known = ~np.isnan(y)
    account = list(records.account)
    if not known.all():
        account.append(f"{(~known).sum():,} of {len(y):,} records have no {trait} and are left out.")
    rows, y = rows[known], y[known]
    kind, classes, y, said = _classes(trait, y, dataset.levels.get(records.levels_of), kind)
    account.append(said)
    _check_size(trait, y, classes)
    if kind == "continuous" and records.environment is not None:
        y = _deviations(y, records.environment[known])
        account.append("Phenotypes are deviations from the mean of their environment.")
    columns, names = _covariates(dataset, trait, covariates)
    dosage = dataset.dosage()[rows].astype(np.float32)
    dosage[dosage == MISSING] = np.nan
    environment = None if records.environment is None else records.environment[known]
    groups, grouping = (environment, "environment") if environment is not None else _families(dataset, rows, grouped)
    sample_id = as_text(dataset.sample_id)[rows]
    if environment is not None:
        sample_id = np.array([f"{sample}@{place}" for sample, place in zip(sample_id, environment, strict=True)])
    genetic_value = None
    if dataset.truth is not None and kind != "multiclass" and environment is None:
        genetic_value = dataset.truth.genetic_values[rows, records.column]
    return Task(
        trait=trait,
        kind=kind,
        classes=classes,
        X=np.hstack([dosage, columns[rows].astype(np.float32)]),
        y=y,
        n_covariates=columns.shape[1],
        feature_id=np.concatenate([as_text(dataset.locus_id), np.array(names, dtype=str)]),
        sample_id=sample_id,
        locus_id=as_text(dataset.locus_id),
        chromosome=as_text(dataset.chromosome),
        position=dataset.position,
        position_unit=dataset.position_unit,
        alleles=None if dataset.alleles is None else as_text(dataset.alleles),
        ploidy=dataset.ploidy,
        groups=groups,
        grouping=grouping,
        genetic_value=genetic_value,
        account=tuple(account),
        row=rows,
    )


@dataclass(frozen=True)
class _Records:
    """Rows of the dataset and their values of a trait; a row for each environment where there are several."""

    rows: NDArray[np.intp]
    y: NDArray[np.float64]
    levels_of: str
    column: int
    environment: NDArray | None = None
    account: tuple[str, ...] = ()


def _records(dataset: Dataset, trait: str) -> _Records:
    names = as_text(dataset.trait_id).tolist()
    everyone = np.arange(dataset.n_samples)
    if trait in names:
        column = names.index(trait)
        return _Records(everyone, dataset.phenotypes[:, column], trait, column)
    columns = [names.index(name) for name, (base, _) in dataset.environments.items() if base == trait]
    if not columns:
        bases = [base for base, _ in dataset.environments.values()]
        known = list(dict.fromkeys([*names, *bases]))
        what = did_you_mean(trait, known) if known else "; it has no traits"
        raise DataError(f"the dataset has no trait '{trait}'{what}")
    places = [dataset.environments[names[column]][1] for column in columns]
    return _Records(
        np.tile(everyone, len(columns)),
        dataset.phenotypes[:, columns].T.reshape(-1),
        names[columns[0]],
        columns[0],
        np.repeat(places, dataset.n_samples),
        (f"{trait} was measured in {len(places)} environments ({', '.join(places)}): a record for each.",),
    )


def _classes(
    trait: str, y: NDArray[np.float64], levels: tuple[str, ...] | None, kind: Kind | None
) -> tuple[Kind, tuple[str, ...], NDArray[np.float64], str]:
    """Return kind, names of classes, phenotypes (codes of classes that occur) and a sentence."""
    values, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    whole = bool(np.all(values == np.round(values)))
    if not len(y):
        raise DataError(f"trait {trait} has no phenotype at all")
    if kind is None:
        if levels is not None:
            kind = "binary" if len(values) <= 2 else "multiclass"
        else:
            kind = "binary" if whole and len(values) == 2 else "continuous"
    elif kind == "binary" and len(values) > 2:
        raise DataError(f"trait {trait} has {len(values)} distinct values, not two; take kind multiclass or continuous")
    if kind == "continuous":
        if len(values) == 1:
            raise DataError(f"trait {trait} is {values[0]:g} in all {len(y)} samples; there is nothing to predict")
        hint = f" It has {len(values)} distinct values; --kind multiclass would take them as classes."
        few = whole and levels is None and len(values) <= FEW_VALUES
        spread = f"mean {rounded_mean(y):.4g}, standard deviation {y.std():.4g}"
        return kind, (), y, f"{trait} is continuous: {len(y):,} samples, {spread}.{hint if few else ''}"
    if len(values) > max(FEW_VALUES, len(levels or ())):
        raise DataError(f"trait {trait} has {len(values)} distinct values, too many for classes; take kind continuous")
    if not whole:
        raise DataError(f"trait {trait} has the value {values[values != np.round(values)][0]:g}, which is no class")
    names = tuple(f"{v:g}" for v in values) if levels is None else tuple(levels[int(v)] for v in values)
    if len(names) == 1:
        raise DataError(f"trait {trait} is '{names[0]}' in all {len(y)} samples; one class cannot be told from another")
    if kind == "multiclass" and len(names) == 2:
        kind = "binary"
    shown = ", ".join(f"{count:,} of '{name}'" for name, count in zip(names, counts, strict=True))
    what = f"binary, and '{names[1]}' is the case" if kind == "binary" else f"of {len(names)} classes"
    return kind, names, codes.astype(np.float64), f"{trait} is {what}: {shown}."


def _check_size(trait: str, y: NDArray[np.float64], classes: tuple[str, ...]) -> None:
    if len(y) < LEAST_SAMPLES:
        raise DataError(f"trait {trait} has {len(y)} phenotyped samples; AutoML needs at least {LEAST_SAMPLES}")
    for code, name in enumerate(classes):
        if (count := int((y == code).sum())) < LEAST_OF_A_CLASS:
            raise DataError(
                f"class '{name}' of trait {trait} has {several(count, 'sample')}; at least {LEAST_OF_A_CLASS} are "
                "needed, so join it with another class or leave its samples out"
            )


def _deviations(y: NDArray[np.float64], environment: NDArray) -> NDArray[np.float64]:
    _, codes = np.unique(environment, return_inverse=True)
    return y - (np.bincount(codes, y) / np.bincount(codes))[codes]


def _covariates(dataset: Dataset, trait: str, chosen: Sequence[str] | None) -> tuple[NDArray[np.float64], list[str]]:
    """Return covariates as columns `(n_samples, n_columns)` and their names; levels become 0/1 but for the first."""
    known = as_text(dataset.covariate_id).tolist()
    columns, names = [], []
    for name in known if chosen is None else chosen:
        if name == trait:
            raise DataError(f"covariate '{name}' is the trait itself; name the covariates to use")
        if name not in known:
            hint = did_you_mean(name, known) if known else "; it has no covariates"
            raise DataError(f"the dataset has no covariate '{name}'{hint}")
        values, levels = dataset.covariates[:, known.index(name)], dataset.levels.get(name)
        if levels is None:
            columns.append(values)
            names.append(name)
            continue
        for code, level in list(enumerate(levels))[1:]:
            columns.append(np.where(np.isnan(values), np.nan, values == code))
            names.append(f"{name}={level}")
    return np.column_stack(columns) if columns else np.empty((dataset.n_samples, 0)), names


def _families(dataset: Dataset, rows: NDArray[np.intp], grouped: bool) -> tuple[NDArray | None, str]:
    """Return groups of samples; a sample without a family is one of its own. None where no two share one."""
    if dataset.family is None or not grouped:
        return None, ""
    family = as_text(dataset.family)[rows]
    alone = np.array([f"\x00{k}" for k in range(len(rows))])
    family = np.where(family == "", alone, family)
    n_families = len(np.unique(family))
    return (None, "") if n_families in (1, len(rows)) else (family, "family")
