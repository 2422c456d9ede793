"""Loci of several ALT alleles that stay one locus: from the copies of each ALT to allele codes, and to VCF's calls."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import alleles_seen, codes_of, n_codes
from gpatlas.dataset import Dataset
from gpatlas.encoding import MISSING
from gpatlas.wording import several as number_of


def with_codes(dataset: Dataset, several: Mapping[int, NDArray[np.int8]]) -> Dataset:
    """Return the dataset with allele codes.

    Parameters
    ----------
    dataset
        Dosage of all ALT.
    several
        Of every locus with several ALT, the copies of each, int8 `(n_alternatives, n_samples)`, -1 missing. The other
        loci have one ALT.

    Raises
    ------
    DataError
        There are more codes than a file holds.
    """
    ploidy, n_alleles = dataset.ploidy, 1 + max(map(len, several.values()))
    of_two = np.zeros((ploidy + 2, n_alleles), dtype=np.int64)  # copies of the first two alleles, by dosage from -1
    of_two[1:, 0], of_two[1:, 1] = np.arange(ploidy, -1, -1), np.arange(ploidy + 1)
    codes = codes_of(of_two)[dataset.dosage() - np.int8(MISSING)]
    for locus, alternatives in several.items():
        copies = np.zeros((dataset.n_samples, n_alleles), dtype=np.int64)
        known = alternatives[0] != MISSING
        copies[known, 1 : 1 + len(alternatives)] = alternatives.T[known]
        copies[known, 0] = ploidy - copies[known].sum(axis=1)
        codes[:, locus] = codes_of(copies)
    said = f"allele codes of up to {n_alleles} alleles are kept beside dosage, which counts all ALT"
    account = [*dataset.provenance.get("account", []), said]
    provenance = dataset.provenance | {"account": account}
    return replace(dataset, codes=codes, n_alleles=n_alleles, provenance=provenance)


def call_texts(ploidy: int, n_alleles: int) -> list[bytes]:
    """Return the text of every allele code, a missing call first: ./., 0/0, 0/1, …"""
    calls = combinations_with_replacement(map(str, range(n_alleles)), ploidy)
    texts = ["/".join("." * ploidy), *("/".join(call) for call in calls)]
    assert len(texts) == n_codes(ploidy, n_alleles) + 1
    return [text.encode() for text in texts]


def alternatives_of(dataset: Dataset, names: list[list[str]]) -> tuple[list[list[str]], list[str]]:
    """Return the ALT of every locus, with names for those that calls have beyond the ones that are named.

    Parameters
    ----------
    dataset
        With allele codes.
    names
        The names that are known, by locus.

    Returns
    -------
    alternatives
        At least as many at every locus as calls have.
    account
        How many had to be named.
    """
    assert dataset.codes is not None
    seen = alleles_seen(dataset.codes, dataset.ploidy, dataset.n_alleles)
    highest = seen.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    highest[~seen.any(axis=1)] = 0
    found = [
        [*known, *(f"<allele{k}>" for k in range(len(known) + 1, most + 1))]
        for known, most in zip(names, highest.tolist(), strict=True)
    ]
    added = sum(len(all_of) - len(known) for all_of, known in zip(found, names, strict=True))
    return found, [number_of(added, "allele", "without a name", "is", "written as <allele1>, …")] if added else []
