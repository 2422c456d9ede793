"""The genomic relationship matrix, how alike samples are beyond what allele frequencies explain."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gpatlas.encoding import MISSING


def relationship_matrix(
    dosage: NDArray,
    ploidy: int = 2,
    method: Literal[1, 2] = 1,
    frequency: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return VanRaden's genomic relationship matrix `(n_samples, n_samples)`.

    With Z = X - Pf, f the frequency of the counted allele and P the ploidy:

        method 1    ZZ' / Σ_j P f_j (1 - f_j)                    (VanRaden 2008, first method)
        method 2    Σ_j z_j z_j' / [P f_j (1 - f_j)] / n_loci    (the same, second method)

    Parameters
    ----------
    dosage
        `(n_samples, n_loci)`; -1 or NaN is missing and counts as the mean.
    ploidy
        Chromosome sets.
    method
        1 or 2.
    frequency
        `(n_loci,)`, of a base population or a training fold; by default that of these samples.

    Notes
    -----
    Loci that do not vary in the base population say nothing, and are left out of both sums.

    References
    ----------
    VanRaden (2008) Efficient methods to compute genomic predictions. J. Dairy Sci. 91:4414.
    """
    missing = np.isnan(dosage) if dosage.dtype.kind == "f" else dosage == MISSING
    known = np.maximum((~missing).sum(axis=0), 1)
    if frequency is None:
        frequency = np.where(missing, 0, dosage).sum(axis=0, dtype=np.float64) / known / ploidy
    variance = ploidy * frequency * (1 - frequency)
    varies = variance > 0
    total, n = np.zeros((len(dosage), len(dosage))), len(dosage)
    for start in range(0, dosage.shape[1], step := max(1, (1 << 22) // max(1, n))):
        loci = np.arange(start, min(start + step, dosage.shape[1]))
        loci = loci[varies[loci]]
        z = np.where(missing[:, loci], 0, dosage[:, loci] - ploidy * frequency[loci])
        if method == 2:
            z = z / np.sqrt(variance[loci])
        total += z @ z.T
    return total / max(variance[varies].sum() if method == 1 else varies.sum(), np.finfo(float).tiny)
