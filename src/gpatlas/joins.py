"""Joining tables of phenotypes and covariates to genotypes by the samples' names, with an account of who matched."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, as_bytes, as_text
from gpatlas.errors import DataError
from gpatlas.wording import some_names

# ways in which names of one sample differ between files, and what makes them equal
DIFFERENCES: dict[str, Callable[[str], str]] = {
    "by upper and lower case": str.lower,
    "by white space, -, _ and .": lambda name: re.sub(r"[\s_.-]+", "", name).lower(),
    "by a trailing .0": lambda name: name.removesuffix(".0"),
    "by leading zeros": lambda name: name.lstrip("0"),
    "as FID_IID does from IID": lambda name: re.sub(r"^(.+)_\1$", r"\1", name),
    "as FID_IID does from IID, before the first _": lambda name: name.partition("_")[2] or name,
}


@dataclass(frozen=True)
class Phenotypes:
    """One table of traits and covariates, one row per sample.

    Parameters
    ----------
    source
        Where it comes from, for messages.
    sample_id
        Names; each once.
    trait_id, values
        Names, and float64 `(n_samples, n_traits)`, NaN where missing.
    covariate_id, covariates
        The same for covariates.
    levels, environments
        As in `Dataset`.
    family
        Family or other group of each sample, "" where none; None without.
    account
        What was noticed on reading, in sentences.
    """

    source: str
    sample_id: list[str]
    trait_id: list[str]
    values: NDArray[np.float64]
    covariate_id: list[str]
    covariates: NDArray[np.float64]
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    environments: dict[str, tuple[str, str]] = field(default_factory=dict)
    family: list[str] | None = None
    account: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Account:
    """Who matched when tables were joined to genotypes.

    Parameters
    ----------
    matched
        Samples with genotypes and a row in the table of phenotypes (of covariates, without one of phenotypes).
    without_row, without_genotypes
        Names of the samples that are only in the genotypes, only in that table.
    sentences
        All of it to print, the account of the reading included.
    """

    matched: int
    without_row: tuple[str, ...]
    without_genotypes: tuple[str, ...]
    sentences: list[str]


def attach(dataset: Dataset, phenotypes: Phenotypes, covariates: Phenotypes | None = None) -> tuple[Dataset, Account]:
    """Join tables to genotypes by the samples' names.

    Samples keep the order of the genotypes, and those without a row stay, with missing values: what is to be predicted
    has none. Rows without genotypes are left out. Both are counted. Traits that the dataset has already stay.

    Raises
    ------
    DataError
        No name is in both, or a trait or covariate is there already.
    """
    names = as_text(dataset.sample_id).tolist()
    accounts = []
    for table in (phenotypes, covariates):
        if table is not None:
            dataset, account = _join(dataset, names, table)
            accounts.append(account)
    sentences = [sentence for account in accounts for sentence in account.sentences]
    provenance = dataset.provenance | {"account": [*dataset.provenance.get("account", []), *sentences]}
    return replace(dataset, provenance=provenance), replace(accounts[0], sentences=sentences)


def with_genotypes_of(dataset: Dataset, source: str, other: Dataset) -> Dataset:
    """Return a dataset with other genotypes of its samples and loci, which are found by name.

    Parameters
    ----------
    dataset
        All but its genotypes, and which alleles they count, stays.
    source
        Where the other one comes from, for messages.
    other
        May have more samples.

    Raises
    ------
    DataError
        A sample that it does not have, other loci, or calls that mean something else.
    """
    for what in ("ploidy", "n_alleles"):
        ours, theirs = getattr(dataset, what), getattr(other, what)
        if ours != theirs:
            raise DataError(f"{source}: {what} is {theirs}, that of the dataset {ours}")
    places = {}
    for what in ("sample", "locus"):
        ours, theirs = (as_text(getattr(data, f"{what}_id")).tolist() for data in (dataset, other))
        place = {name: k for k, name in enumerate(theirs)}
        absent = [name for name in ours if name not in place]
        if absent or (what == "locus" and len(ours) != len(theirs)):
            lacks = f"lacks {what} {some_names(absent)} of the dataset" if absent else "has more loci than the dataset"
            raise DataError(f"{source}: {lacks}; it must have the same loci, and all samples")
        places[what] = np.array([place[name] for name in ours], dtype=np.intp)
    found = other.samples(places["sample"]).loci(places["locus"])
    return replace(dataset, genotypes=found.genotypes, codes=found.codes, alleles=found.alleles)


def _join(dataset: Dataset, names: list[str], table: Phenotypes) -> tuple[Dataset, Account]:
    row_of = {name: row for row, name in enumerate(table.sample_id)}
    rows = np.array([row_of.get(name, -1) for name in names])
    without_row = tuple(name for name in names if name not in row_of)
    genotyped = set(names)
    without_genotypes = tuple(name for name in table.sample_id if name not in genotyped)
    matched = int((rows >= 0).sum())
    hint = _hint(without_row, without_genotypes)
    if not matched:
        raise DataError(
            f"{table.source}: no sample of it has genotypes; its names are {some_names(table.sample_id)}, "
            f"the genotypes' {some_names(names)}{hint}"
        )
    said = f"{table.source}: {matched:,} of {len(names):,} genotyped samples have a row"
    said += _only("only in the genotypes", without_row) + _only(f"only in {table.source}", without_genotypes) + hint
    return _with_table(dataset, table, rows), Account(matched, without_row, without_genotypes, [*table.account, said])


def _with_table(dataset: Dataset, table: Phenotypes, rows: NDArray[np.intp]) -> Dataset:
    found = rows >= 0

    def taken(values: NDArray[np.float64]) -> NDArray[np.float64]:
        joined = np.full((len(rows), values.shape[1]), np.nan)
        joined[found] = values[rows[found]]
        return joined

    clash = [name for name, classes in table.levels.items() if dataset.levels.get(name, classes) != classes]
    if clash:
        raise DataError(
            f"{table.source}: the data have '{clash[0]}' already, with other classes "
            f"({', '.join(dataset.levels[clash[0]])}); name one of them otherwise"
        )
    joined: dict[str, Any] = {}
    for kind, matrix, names, values in (
        ("trait", "phenotypes", table.trait_id, table.values),
        ("covariate", "covariates", table.covariate_id, table.covariates),
    ):
        before = as_text(getattr(dataset, f"{kind}_id")).tolist()
        twice = [name for name in names if name in before]
        if twice:
            raise DataError(f"{table.source}: the data have a {kind} '{twice[0]}' already")
        if names:
            joined[f"{kind}_id"] = as_bytes(np.array([*before, *names]))
            joined[matrix] = np.hstack([getattr(dataset, matrix), taken(values)])
    if table.family is not None:
        of_sample = [table.family[row] if row >= 0 else "" for row in rows]
        joined["family"] = as_bytes(np.array(of_sample))
    return replace(
        dataset,
        levels=dataset.levels | table.levels,
        environments=dataset.environments | table.environments,
        **joined,
    )


def _only(where: str, names: Sequence[str]) -> str:
    return f"; {len(names):,} {where} ({some_names(names)})" if names else ""


def _hint(here: Sequence[str], there: Sequence[str]) -> str:
    """Say how names that did not match would, if that is plain."""
    if not here or not there:
        return ""
    for difference, same in DIFFERENCES.items():
        more = len({same(name) for name in here} & {same(name) for name in there})
        if more > 0.1 * min(len(here), len(there)):
            return f"; {more:,} more would match: their names differ {difference}"
    return ""
