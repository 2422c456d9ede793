"""What models that predict genetic values from kernels share: predictions with their reliabilities."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpatlas.models.dosage_model import DosageModel

Array = NDArray[np.float64]


class KernelModel(DosageModel):
    """Base of kernel models; a subclass has `_values` and `_reliability`, and `fit` sets what is declared here."""

    mean_: Any
    covariate_effects_: Array
    _mean_x: Array

    def predict(self, X: ArrayLike, return_reliability: bool = False) -> Any:
        """Predict genetic values in trait units: mean, covariates and all components.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage; NaN is missing.
        return_reliability : bool, default=False
            Whether to return the reliabilities too.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_traits)
        reliabilities : ndarray of the same shape
            Only if asked for: 1 - PEV / prior variance of a sample's deviation from the training samples' mean, at
            the variances estimated; the expected squared correlation of prediction and genetic value. 0 where there
            is no genetic variance.
        """
        x, w = self._cut(self._new_dosage(X))
        values = self._values(x)
        if w is not None:
            values += (w - self._mean_x[-self.n_covariates :]) @ self.covariate_effects_.reshape(self.n_covariates, -1)
        values = self._shaped(values)
        return (values, self._shaped(self._reliability(x))) if return_reliability else values

    def _values(self, x: NDArray) -> Array:
        """Return mean and genetic values `(n_new, n_traits)` of complete dosages."""
        raise NotImplementedError

    def _reliability(self, x: NDArray) -> Array:
        """Return reliabilities `(n_new, n_traits)`."""
        raise NotImplementedError

    def _shaped(self, values: Array) -> Array:
        """Give one trait the shape it was fitted with; traits are the last axis."""
        return values[..., 0] if np.ndim(self.mean_) == 0 else values


def reliability(explained: Array, prior: Array) -> Array:
    """Return explained over prior variance, 0 where there is none; rounding may leave [0, 1]."""
    share = np.divide(explained, prior, out=np.zeros_like(explained), where=prior > 0)
    return np.clip(share, 0.0, 1.0)
