"""What every linear model of dosage shares: effects of alleles, and predictions from them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpatlas.models.dosage_model import DosageModel
from gpatlas.models.products import Genotypes, times
from gpatlas.packed import Bits


class LinearModel(DosageModel):
    """Base of linear models; `fit` of a subclass sets `marker_effects_`, `intercept_` and `_mean_x`.

    One with covariates sets `covariate_effects_`, too.

    Attributes
    ----------
    marker_effects_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Effect of one more copy of allele "1", in trait units.
    intercept_ : float or ndarray of shape (n_traits,)
        Prediction at dosage 0 (and covariates 0).
    covariate_effects_ : ndarray of shape (n_covariates,) or (n_covariates, n_traits)
        Effects of a unit of the covariates, of models that have them.
    """

    marker_effects_: NDArray
    covariate_effects_: NDArray
    intercept_: Any

    def predict(self, X: ArrayLike | Bits) -> NDArray[np.float64]:
        """Return predictions in trait units, `(n_samples,)` or `(n_samples, n_traits)`: mean plus breeding values."""
        return self._linear(self._new_dosage(X))

    def _linear(self, x: Genotypes) -> NDArray[np.float64]:
        """Return predictions from checked, complete features."""
        dosage, covariates = self._cut(x)
        effects = self.marker_effects_.reshape(dosage.shape[1], -1)
        value = times(dosage, effects).reshape(len(x), *self.marker_effects_.shape[1:]) + self.intercept_
        return value if covariates is None else value + covariates @ self.covariate_effects_
