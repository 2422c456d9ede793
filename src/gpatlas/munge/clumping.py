"""Clumping: of loci that a GWAS found, the best of each neighbourhood that is in linkage disequilibrium with it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import ConfigError, DataError
from gpatlas.munge.planes import Planes


@dataclass(frozen=True)
class ClumpRule:
    """What makes a clump; the defaults are PLINK's.

    Parameters
    ----------
    p
        Largest p of a locus that may found one.
    r2
        Loci whose r² with the founder exceeds this belong to it.
    kilobases
        And lie nearer than this.
    """

    p: float = 1e-4
    r2: float = 0.5
    kilobases: float = 250.0

    def __post_init__(self) -> None:
        for name, most in (("p", 1), ("r2", 1), ("kilobases", np.inf)):
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise ConfigError(f"clumping: {name} is {value}, but must be from 0 to {most:g}")


def clump(
    planes: Planes, chromosome: NDArray, position: NDArray[np.float64], p: NDArray[np.float64], rule: ClumpRule
) -> NDArray[np.intp]:
    """Return which clump each locus belongs to, by its founder's index; -1 for none.

    The locus of smallest p founds the first clump and takes all loci with a p that are near it and correlated with
    it; the best of those left founds the next, and so on. Equal p go in the order of the file. The rule, with r² of
    haplotypes by maximum likelihood, is that of PLINK 1.9's `--clump`.

    Parameters
    ----------
    planes
        Genotypes.
    chromosome, position
        Where the loci lie, `(n_loci,)`, in base pairs.
    p
        `(n_loci,)`; NaN for loci that no GWAS tested, which belong to no clump.
    rule
        Thresholds.

    Raises
    ------
    DataError
        No p value at all belongs to a locus.
    """
    from gpatlas.munge.kernels import clump_around

    if np.isnan(p).all():
        raise DataError("no locus has a p value to clump by")
    _, code = np.unique(chromosome, return_inverse=True)
    order = np.lexsort((position, code))
    order = order[~np.isnan(p[order])]
    reach = np.floor(rule.kilobases * 1000 * (1 + 2.0**-44))
    start = np.searchsorted(code[order], np.arange(code.max() + 2))
    clump_of = np.full(planes.n_loci, -1, dtype=np.intp)
    by_p = np.argsort(p, kind="stable")
    for index in by_p[p[by_p] <= rule.p]:
        if clump_of[index] >= 0:
            continue
        here = order[start[code[index]] : start[code[index] + 1]]
        first = np.searchsorted(position[here], position[index] - reach, side="right")
        last = np.searchsorted(position[here], position[index] + reach, side="left")
        clump_of[index] = index
        clump_around(planes.words, index, here[first:last], rule.r2, clump_of)
    return clump_of
