"""Scaling: every column in training standard deviations, or dosages as VanRaden codes them."""

from numbers import Integral
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import Interval, StrOptions

from gpatlas.munge.transformers.base import LocusTransformer, known_means


class ScaleGenotypes(OneToOneFeatureMixin, LocusTransformer):
    """Centre and scale columns by the training samples' statistics; missing stays missing.

    Parameters
    ----------
    method : {"z", "vanraden"}, default="z"
        Dosages minus mean over standard deviation; or (x - Pf) / √(Pf(1-f)) with f the allele frequency and P the
        ploidy, which is what Hardy-Weinberg proportions expect. Covariates are always z. Constant columns become 0.
    ploidy : int, default=2
        Chromosome sets, for "vanraden".
    n_covariates : int, default=0
        Columns at the end that are covariates.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        What is taken off, and what divides.

    References
    ----------
    VanRaden (2008) Efficient methods to compute genomic predictions. J. Dairy Sci. 91:4414.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "method": [StrOptions({"z", "vanraden"})],
        "ploidy": [Interval(Integral, 1, None, closed="left")],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, method: Literal["z", "vanraden"] = "z", ploidy: int = 2, n_covariates: int = 0):
        self.method = method
        self.ploidy = ploidy
        self.n_covariates = n_covariates

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> "ScaleGenotypes":
        """Learn means and scales; `y` is not looked at."""
        x = self._fitting(X)
        empty = np.isnan(x).all(axis=0)
        scaler = StandardScaler().fit(np.where(empty, 0, x))
        self.mean_: NDArray = scaler.mean_
        self.scale_: NDArray = np.where(scaler.var_ > 0, scaler.scale_, np.inf)
        if self.method == "vanraden":
            loci = slice(0, self._n_loci)
            frequency = np.clip(known_means(x[:, loci]) / self.ploidy, 0, 1)
            variance = self.ploidy * frequency * (1 - frequency)
            self.scale_[loci] = np.where(variance > 0, np.sqrt(variance), np.inf)
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Return X, centred and scaled."""
        x = self._new(X)
        return ((x - self.mean_) / self.scale_).astype(x.dtype, copy=False)
