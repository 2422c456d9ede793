"""What every linear model of dosage shares: effects of alleles, and predictions from them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpatlas.models.dosage_model import DosageModel
from gpatlas.models.products import times
from gpatlas.packed import Bits


class LinearModel(DosageModel):
    """Base of linear models; `fit` of a subclass sets `marker_effects_`, `intercept_` and `_mean_x`.

    Attributes
    ----------
    marker_effects_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Effect of one more copy of allele "1", in trait units.
    intercept_ : float or ndarray of shape (n_traits,)
        Prediction at dosage 0.
    """

    marker_effects_: NDArray
    intercept_: Any

    def predict(self, X: ArrayLike | Bits) -> NDArray[np.float64]:
        """Return predictions in trait units, `(n_samples,)` or `(n_samples, n_traits)`: mean plus breeding values."""
        x = self._new_dosage(X)
        effects = self.marker_effects_.reshape(x.shape[1], -1)
        return times(x, effects).reshape(len(x), *self.marker_effects_.shape[1:]) + self.intercept_
