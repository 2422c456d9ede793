"""gperceiver's tables of chromosomes and markers, read as a dataset."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import decoder, dosage_of, n_codes
from gpatlas.dataset import Dataset
from gpatlas.errors import DataError
from gpatlas.io.field_data import field_dataset
from gpatlas.io.gperceiver.coding import n_partial, of_gperceiver
from gpatlas.io.gperceiver.phenotypes import with_gperceiver_phenotypes
from gpatlas.io.marker_tables.delimited import table_rows
from gpatlas.io.marker_tables.marker_maps import read_marker_map
from gpatlas.io.text import shown, unfinished
from gpatlas.wording import several, some_names


def read_gperceiver(
    chroms: str | Path,
    markers: str | Path,
    phenotypes: str | Path | None = None,
    ploidy: int = 2,
    n_alleles: int = 2,
    cv: str | int | None = None,
) -> Dataset:
    """Read gperceiver's tables.

    Parameters
    ----------
    chroms
        `chr marker pos`. Positions are bp where all are whole numbers, and cM otherwise.
    markers
        `name`, and a column of allele codes for every marker; 0 is a missing call (see `coding`).
    phenotypes
        `name response block cv`, see `with_gperceiver_phenotypes`; None for genotypes alone.
    ploidy, n_alleles
        What the codes mean. `n_alleles` does not count the missing allele: it is gperceiver's `nalleles` less one.
    cv
        The value of column cv that names the validation samples.

    Returns
    -------
    Dataset
        Dosage of the second allele; with more than two, dosage of all but the first, and allele codes.

    Raises
    ------
    DataError
        An unknown code, a marker that the map lacks or that stands twice, a sample that stands twice, a row without a
        block, or no name in both markers and phenotypes.
    StoreError
        A file cannot be read.
    """
    dataset = read_markers(markers, chroms, ploidy, n_alleles)
    return dataset if phenotypes is None else with_gperceiver_phenotypes(dataset, phenotypes, cv)


def read_markers(path: str | Path, chroms: str | Path, ploidy: int = 2, n_alleles: int = 2) -> Dataset:
    """Read gperceiver's markers with their places; parameters and errors are those of `read_gperceiver`."""
    if n_alleles < 2:
        raise DataError(f"{path}: n_alleles is {n_alleles}, but is 2 or more (a missing allele is not counted)")
    decoder(ploidy, n_alleles)  # whether codes of that many alleles can be kept
    samples, loci, numbers = _numbers(path, ploidy, n_alleles)
    codes, n_in_part = of_gperceiver(numbers, ploidy, n_alleles)
    known = int((codes > 0).sum())
    if n_in_part > known:
        raise DataError(
            f"{path}: {n_in_part:,} calls have some alleles missing and {known:,} have none, so these are hardly codes "
            f"of ploidy {ploidy} and {n_alleles} alleles, whose whole calls are "
            f"{' to '.join(map(str, _whole(ploidy, n_alleles)))}; say ploidy and n_alleles"
        )
    described, said = read_marker_map(chroms, loci, complete=True)
    account = [f"gperceiver's allele codes of {n_alleles} alleles, ploidy {ploidy}", *unfinished(path), *said]
    if n_in_part:
        account.append(f"{several(n_in_part, 'call')} with some alleles missing taken as missing")
    if n_alleles > 2:
        account.append("dosage counts all alleles but the first; allele codes are kept beside it")
    counted = ",".join(map(str, range(2, n_alleles + 1)))
    dataset = field_dataset(
        path,
        dosage_of(codes, ploidy, n_alleles),
        samples,
        loci,
        ploidy=ploidy,
        chromosome=described.chromosome,
        position=described.position,
        position_unit=described.position_unit,
        alleles=np.array([["1", counted]] * len(loci)),
        account=account,
    )
    return dataset if n_alleles == 2 else replace(dataset, codes=codes, n_alleles=n_alleles)


def _numbers(path: str | Path, ploidy: int, n_alleles: int) -> tuple[list[str], list[str], NDArray[np.int32]]:
    """Return samples, markers, and the codes as they stand in the file, `(n_samples, n_loci)`."""
    (corner, *loci), rows, _ = table_rows(path)
    if corner != "name":
        raise DataError(f"{path}, line 1: expected 'name' and then markers, found {shown(', '.join([corner, *loci]))}")
    twice = [name for name, times in Counter(loci).items() if times > 1]
    if twice:
        stands = several(len(twice), "marker", "stands")
        raise DataError(f"{path}, line 1: {stands} more than once ({some_names(twice)}); names must be unique")
    known = _Codes(ploidy, n_alleles)
    samples: list[str] = []
    numbers: list[NDArray[np.int32]] = []
    for number, (name, *texts) in rows:
        samples.append(name)
        numbers.append(_row(texts, known, loci, f"{path}, line {number}: sample '{name}'"))
    return samples, loci, np.array(numbers, dtype=np.int32).reshape(-1, len(loci))


def _row(texts: Sequence[str], known: "_Codes", loci: Sequence[str], where: str) -> NDArray[np.int32]:
    try:
        return np.array([known[text] for text in texts], dtype=np.int32)
    except ValueError:
        unknown = next(k for k, text in enumerate(texts) if not known.has(text))
        raise DataError(
            f"{where} has code {shown(texts[unknown])} at marker '{loci[unknown]}', which is {known.allowed}"
        ) from None


class _Codes(dict[str, int]):
    """Texts and the codes they are; a text is judged once. Raises ValueError for what is no code."""

    def __init__(self, ploidy: int, n_alleles: int):
        super().__init__()
        first, last = _whole(ploidy, n_alleles)
        in_part = f", 1 to {first - 1} where some alleles are missing" if first > 1 else ""
        self.allowed = (
            f"none of ploidy {ploidy} and {n_alleles} alleles: {first} to {last}{in_part}, 0 where all are missing"
        )
        self._last = last

    def __missing__(self, text: str) -> int:
        value = float(text)
        if not 0 <= value <= self._last or value != int(value):
            raise ValueError
        self[text] = int(value)
        return self[text]

    def has(self, text: str) -> bool:
        try:
            self[text]
        except ValueError:
            return False
        return True


def _whole(ploidy: int, n_alleles: int) -> tuple[int, int]:
    """Return the first and the last code of a call without missing alleles."""
    partial = n_partial(ploidy, n_alleles)
    return partial + 1, partial + n_codes(ploidy, n_alleles)
