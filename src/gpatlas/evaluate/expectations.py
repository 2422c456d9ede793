"""Closed forms: what theory says a simulation and a linear model should give. Reference lines and test oracles."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def expected_variance_shares(rel_aa: ArrayLike, ploidy: int = 1) -> NDArray[np.float64]:
    """Return the expected V_A/V_G of an AE trait at allele frequency 1/2.

    AlphaSimR draws pair effects with variance 4·relAA times that of additive effects, so that V_AA/V_A = 2·relAA/P:
    relAA in a diploid and twice that in a haploid.

    Parameters
    ----------
    rel_aa
        AlphaSimR's relAA, any shape.
    ploidy
        Chromosome sets P.
    """
    return 1 / (1 + 2 * np.asarray(rel_aa, dtype=np.float64) / ploidy)


def expected_rrblup_accuracy(
    n_train: ArrayLike, n_effective: ArrayLike, additive_share: ArrayLike, heritability: ArrayLike
) -> NDArray[np.float64]:
    """Return the expected accuracy of rrBLUP for the genetic value, with independent loci.

    Daetwyler, Villanueva & Woolliams (2008, PLoS ONE 3:e3395), with the residual variance reduced by what the
    model itself explains (their appendix):

        r² = h² / [h² + (M/N)(1 - r² h²)],   h² = (V_A/V_G)·H²

    solved for r², the squared accuracy for the additive value; times V_A/V_G, because a linear model reaches the
    additive part only.

    Parameters
    ----------
    n_train
        Training samples N.
    n_effective
        Independent segments M: the number of loci when they are unlinked.
    additive_share
        V_A/V_G.
    heritability
        Broad-sense H².
    """
    h2 = np.asarray(additive_share, dtype=np.float64) * np.asarray(heritability, dtype=np.float64)
    ratio = np.asarray(n_effective, dtype=np.float64) / np.asarray(n_train, dtype=np.float64)
    # r² = h²/(h² + ratio (1 - r² h²))  ⇒  ratio h² r⁴ - (h² + ratio) r² + h² = 0
    b = h2 + ratio
    r2 = (b - np.sqrt(np.maximum(b**2 - 4 * ratio * h2**2, 0.0))) / (2 * ratio * h2)
    return np.sqrt(r2 * np.asarray(additive_share))
