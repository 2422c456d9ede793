"""How a dosage becomes a number in a genetic model: AlphaSimR's additive and dominance codings.

x is the dosage (count of allele "1", 0..ploidy). The codings are fixed, centred on x = ploidy/2, and never centred
on the observed mean (AlphaSimR src/getGv.cpp, getGv and getGvE):

    xa(x) = (x - P/2) · 2/P          haploid -1, +1      diploid -1, 0, 1
    xd(x) = x · (P - x) · (2/P)²     haploid  0,  0      diploid  0, 1, 0
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = -1  # int8 code of a missing genotype call


def additive_coding(dosage: Any, ploidy: int) -> NDArray[np.float64]:
    """Return xa, the additive coding, same shape as `dosage` (AlphaSimR getGv)."""
    return (np.asarray(dosage, dtype=np.float64) - ploidy / 2) * (2 / ploidy)


def dominance_coding(dosage: Any, ploidy: int) -> NDArray[np.float64]:
    """Return xd, the dominance coding, same shape as `dosage` (AlphaSimR getGv); identically 0 in haploids."""
    x = np.asarray(dosage, dtype=np.float64)
    return x * (ploidy - x) * (2 / ploidy) ** 2


def as_features(dosage: NDArray) -> NDArray:
    """Turn stored dosage into the feature matrix that estimators take: int8, or float32 with NaN where missing."""
    missing = dosage == MISSING
    if not missing.any():
        return dosage
    features = dosage.astype(np.float32)
    features[missing] = np.nan
    return features
