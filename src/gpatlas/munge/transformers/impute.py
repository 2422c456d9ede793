"""Missing genotypes: by the training mean, median or mode, or by samples that look alike at linked loci."""

from numbers import Integral
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.impute import SimpleImputer
from sklearn.utils._param_validation import Interval, StrOptions

from gpatlas.munge.transformers.base import LocusTransformer, filled, known_means

SIMPLE = {"mean": "mean", "median": "median", "mode": "most_frequent"}


class ImputeGenotypes(OneToOneFeatureMixin, LocusTransformer):
    """Fill what is missing, from the training samples.

    Parameters
    ----------
    strategy : {"mean", "median", "mode", "neighbours"}, default="mean"
        "neighbours" is LD-kNN: the weighted mean dosage of the `n_neighbours` training samples that are nearest in
        the `n_linked` loci that are most correlated with the missing one (Money et al. 2015). Covariates then get
        the mean.
    n_neighbours, n_linked : int, default=10, 20
        Samples and loci that "neighbours" takes.
    window : int, default=500
        How many loci to either side are searched for linked ones.
    n_covariates : int, default=0
        Columns at the end that are covariates.

    Attributes
    ----------
    fill_ : ndarray of shape (n_features,)
        What stands for a missing value where no neighbour is known; 0 in a column of which nothing is known.

    References
    ----------
    Money et al. (2015) LinkImpute: fast and accurate genotype imputation for nonmodel organisms. G3 5:2383.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "strategy": [StrOptions({*SIMPLE, "neighbours"})],
        "n_neighbours": [Interval(Integral, 1, None, closed="left")],
        "n_linked": [Interval(Integral, 1, None, closed="left")],
        "window": [Interval(Integral, 1, None, closed="left")],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        strategy: Literal["mean", "median", "mode", "neighbours"] = "mean",
        n_neighbours: int = 10,
        n_linked: int = 20,
        window: int = 500,
        n_covariates: int = 0,
    ):
        self.strategy = strategy
        self.n_neighbours = n_neighbours
        self.n_linked = n_linked
        self.window = window
        self.n_covariates = n_covariates

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> "ImputeGenotypes":
        """Learn what to fill in; `y` is not looked at."""
        x = self._fitting(X)
        if self.strategy == "neighbours":
            self.fill_: NDArray = known_means(x)
            self._training = x[:, : self._n_loci].copy()
            self._complete = filled(self._training, self.fill_[: self._n_loci]).astype(np.float32)
            deviation = self._complete - self._complete.mean(axis=0)
            length = np.sqrt((deviation**2).sum(axis=0))
            self._standardised = np.divide(deviation, length, out=np.zeros_like(deviation), where=length > 0)
        else:
            imputer = SimpleImputer(strategy=SIMPLE[self.strategy], keep_empty_features=True).fit(x)
            self.fill_ = imputer.statistics_
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Return X, complete."""
        x = self._new(X)
        missing = np.isnan(x)
        complete = np.where(missing, self.fill_.astype(x.dtype), x)
        if self.strategy == "neighbours":
            for locus in np.flatnonzero(missing[:, : self._n_loci].any(axis=0)):
                rows = np.flatnonzero(missing[:, locus])
                complete[rows, locus] = self._from_neighbours(x[rows], int(locus))
        return complete

    def _from_neighbours(self, x: NDArray, locus: int) -> NDArray[np.float64]:
        """Return the dosage of `x`'s rows at a locus that they lack, as their nearest training samples have it."""
        donors = np.flatnonzero(~np.isnan(self._training[:, locus]))
        fallback = np.full(len(x), self.fill_[locus])
        linked = self._linked(locus)
        if not len(donors) or not len(linked):
            return fallback
        here = filled(x[:, linked], self.fill_[linked])
        distance = np.abs(here[:, None, :] - self._complete[np.ix_(donors, linked)][None]).sum(axis=2)
        k = min(self.n_neighbours, len(donors))
        nearest = np.argsort(distance, axis=1, kind="stable")[:, :k]
        weight = 1 / (1 + np.take_along_axis(distance, nearest, axis=1))
        return (weight * self._training[donors, locus][nearest]).sum(axis=1) / weight.sum(axis=1)

    def _linked(self, locus: int) -> NDArray[np.intp]:
        """Return the loci that are most correlated with one, within the window, in order of r²."""
        start, stop = max(0, locus - self.window), min(self._n_loci, locus + self.window + 1)
        r2 = (self._standardised[:, locus] @ self._standardised[:, start:stop]) ** 2
        r2[locus - start] = 0
        order = np.argsort(-r2, kind="stable")[: self.n_linked]
        return start + order[r2[order] > 0]
