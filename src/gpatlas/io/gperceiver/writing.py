"""A dataset as gperceiver's three tables."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import n_codes
from gpatlas.dataset import Dataset, Fold, as_text
from gpatlas.errors import ConfigError, DataError, did_you_mean
from gpatlas.io.atomic import atomic_path
from gpatlas.io.gperceiver.coding import n_partial, to_gperceiver
from gpatlas.wording import several, some_names

Report = Callable[[int, int, str], None]

_ROWS = 256  # written at once


def write_gperceiver(
    dataset: Dataset,
    chroms: str | Path,
    markers: str | Path,
    phenotypes: str | Path | None = None,
    trait: str | None = None,
    report: Report = lambda done, total, note: None,
) -> list[str]:
    """Write a dataset as gperceiver reads it: with `--ploidy`, and `--nalleles` one more than `n_alleles`.

    Parameters
    ----------
    dataset
        Of any ploidy and number of alleles, at loci of different names.
    chroms, markers
        Tables to write: `chr marker pos`, and `name` with the allele codes of every marker (see `coding`).
    phenotypes
        `name response block cv`: a row for every value that is known. cv is 1 where a sample validates and 0 where it
        trains; test samples have no row.
    trait
        The trait, with all its environments as blocks; needed where there are several.
    report
        Called after every block of samples with samples written, samples in all and a note.

    Returns
    -------
    list of str
        What had to be changed or left out, in sentences.

    Raises
    ------
    DataError
        A name stands twice, or has a tab or quote in it; no trait.
    ConfigError
        Several traits, or no such one.
    StoreError
        A file cannot be written.
    """
    names = {"sample": as_text(dataset.sample_id).tolist(), "marker": as_text(dataset.locus_id).tolist()}
    for kind, of_kind in names.items():
        _check_names(kind, of_kind)
    columns = [] if phenotypes is None else _columns_of(dataset, trait)
    position, account = _positions(dataset)
    account.append("alleles are numbered from 1, the first that dosage does not count; their names are not written")
    chromosome = [name or "0" for name in as_text(dataset.chromosome).tolist()]
    with atomic_path(chroms) as temporary:
        rows = zip(chromosome, names["marker"], position, strict=True)
        temporary.write_text("chr\tmarker\tpos\n" + "".join(f"{c}\t{m}\t{x}\n" for c, m, x in rows), encoding="utf-8")
    _write_markers(dataset, names["sample"], names["marker"], Path(markers), report)
    if phenotypes is not None:
        account += _write_phenotypes(dataset, names["sample"], columns, Path(phenotypes))
    return account


def _check_names(kind: str, names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(f"gperceiver's names are unique, but a {kind} stands more than once ({some_names(twice)})")
    odd = [name for name in names if not name or name != name.strip() or any(sign in name for sign in '\t\n\r"')]
    if odd:
        raise DataError(f"gperceiver's tables cannot hold the {kind} {odd[0]!r}: a tab, quote or space bounds names")


def _positions(dataset: Dataset) -> tuple[list[str], list[str]]:
    """Return positions as text: bp whole, Morgan as cM, ranks where one is not known; and what was changed."""
    position, unit = np.asarray(dataset.position, dtype=np.float64), dataset.position_unit
    if not np.isfinite(position).all():
        said = several(int((~np.isfinite(position)).sum()), "locus", "has", "no position: ranks are written for all")
        return [str(rank) for rank in range(1, dataset.n_loci + 1)], [said]
    account = []
    if unit == "Morgan":
        position = 100 * position
        account.append("positions in Morgan are written in cM")
    whole = (position == np.floor(position)).all()
    if unit in ("cM", "Morgan") and whole:
        account.append("positions in cM are all whole numbers, which look like bp")
    return [str(int(x)) if x == int(x) else repr(x) for x in position.tolist()], account


def _write_markers(dataset: Dataset, samples: list[str], markers: list[str], path: Path, report: Report) -> None:
    ploidy, n_alleles = dataset.ploidy, dataset.n_alleles
    texts = [str(code) for code in range(n_partial(ploidy, n_alleles) + n_codes(ploidy, n_alleles) + 1)]
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("\t".join(["name", *markers]) + "\n")
        for start in range(0, dataset.n_samples, _ROWS):
            codes = to_gperceiver(dataset.allele_codes(slice(start, start + _ROWS)), ploidy, n_alleles)
            for name, row in zip(samples[start : start + _ROWS], codes.tolist(), strict=True):
                file.write("\t".join([name, *(texts[code] for code in row)]) + "\n")
            report(min(start + _ROWS, dataset.n_samples), dataset.n_samples, "samples")


def _columns_of(dataset: Dataset, trait: str | None) -> list[tuple[str, str]]:
    """Return the columns of a trait and their environments, in order."""
    names = as_text(dataset.trait_id).tolist()
    if not names:
        raise DataError("there is no trait to write as gperceiver's response")
    of_trait: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        whole, environment = dataset.environments.get(name, (name, "0"))
        of_trait.setdefault(whole, []).append((name, environment))
    if trait is None and len(of_trait) > 1:
        raise ConfigError(
            f"gperceiver's tables hold one trait, the data {len(of_trait)}; choose it: {', '.join(of_trait)}"
        )
    trait = trait or next(iter(of_trait))
    if trait not in of_trait:
        raise ConfigError(f"the data have no trait '{trait}'{did_you_mean(trait, of_trait)}")
    return of_trait[trait]


def _write_phenotypes(dataset: Dataset, samples: list[str], columns: list[tuple[str, str]], path: Path) -> list[str]:
    places = as_text(dataset.trait_id).tolist()
    named = [environment for _, environment in columns]
    as_they_are = all(name.isdecimal() for name in named)
    blocks = [int(name) for name in named] if as_they_are else list(range(len(named)))
    account = []
    if not as_they_are:
        said = ", ".join(f"{block} {name}" for block, name in zip(blocks, named, strict=True))
        account.append(f"blocks are numbered: {said}")
    for name, _ in columns[:1]:
        if name in dataset.levels:
            said = ", ".join(f"{code} {level}" for code, level in enumerate(dataset.levels[name]))
            account.append(f"classes are written as numbers: {said}")
    values = dataset.phenotypes[:, [places.index(name) for name, _ in columns]]
    tested = dataset.fold == Fold.test
    if tested.any():
        account.append(f"rows of {several(int(tested.sum()), 'test sample')} are left out: gperceiver has no test fold")
    if dataset.covariates.shape[1] or dataset.family is not None:
        account.append("covariates and families are not written")
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("name\tresponse\tblock\tcv\n")
        for i in np.flatnonzero(~tested).tolist():
            file.write(_rows(samples[i], values[i], blocks, int(dataset.fold[i] == Fold.validation)))
    return account


def _rows(sample: str, values: NDArray[np.float64], blocks: list[int], cv: int) -> str:
    known = [(value, block) for value, block in zip(values.tolist(), blocks, strict=True) if value == value]
    return "".join(f"{sample}\t{value!r}\t{block}\t{cv}\n" for value, block in known)
