"""Population structure: principal components of the genotypes as further covariates."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.utils._param_validation import Interval

from gpatlas.munge.transformers.base import LocusTransformer
from gpatlas.munge.transformers.scale import ScaleGenotypes


class AddPrincipalComponents(LocusTransformer):
    """Append scores on the training genotypes' principal components; downstream they are covariates, the last ones.

    Genotypes are coded as VanRaden does, a missing one as the mean; the decomposition is a randomised singular value
    decomposition (Halko et al. 2011). New samples are projected.

    Parameters
    ----------
    n_components : int, default=10
        Columns to append, fewer where the training data have a lower rank.
    ploidy : int, default=2
        Chromosome sets.
    seed : int, default=0
        Of the randomised decomposition.
    n_covariates : int, default=0
        Columns at the end that are covariates; what follows has `n_covariates + n_components_`.

    Attributes
    ----------
    n_components_ : int
        How many there are.
    variance_shares_ : ndarray of shape (n_components_,)
        Of the genotypes' variance, what each component explains.

    References
    ----------
    Halko, Martinsson & Tropp (2011) SIAM Review 53:217; Price et al. (2006) Nature Genetics 38:904.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "ploidy": [Interval(Integral, 1, None, closed="left")],
        "seed": [Interval(Integral, 0, None, closed="left")],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, n_components: int = 10, ploidy: int = 2, seed: int = 0, n_covariates: int = 0):
        self.n_components = n_components
        self.ploidy = ploidy
        self.seed = seed
        self.n_covariates = n_covariates

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> "AddPrincipalComponents":
        """Decompose the training genotypes; `y` is not looked at."""
        x = self._fitting(X, minimum=2)
        dosage = x[:, : self._n_loci]
        self._scale = ScaleGenotypes("vanraden", self.ploidy).fit(dosage)
        self.n_components_ = min(self.n_components, len(x) - 1, self._n_loci)
        self._pca = PCA(self.n_components_, svd_solver="randomized", random_state=self.seed)
        with np.errstate(invalid="ignore"):  # shares of no variance at all
            self._pca.fit(self._coded(dosage))
        self.variance_shares_: NDArray = np.nan_to_num(self._pca.explained_variance_ratio_)
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Return X with the scores as last columns."""
        x = self._new(X)
        scores = self._pca.transform(self._coded(x[:, : self._n_loci]))
        return np.hstack([x, scores]).astype(x.dtype, copy=False)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray:
        """Return the columns' names: those of X, then pc1, pc2, …"""
        from sklearn.utils.validation import _check_feature_names_in

        names = _check_feature_names_in(self, input_features)
        return np.concatenate([names, [f"pc{k + 1}" for k in range(self.n_components_)]]).astype(object)

    def _coded(self, dosage: NDArray) -> NDArray:
        return np.nan_to_num(self._scale.transform(dosage))
