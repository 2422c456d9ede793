"""What every estimator on dosages shares: checks of its inputs, tags, shapes."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from gpatlas.models.inputs import fill_missing, validated_genotypes, validated_phenotypes
from gpatlas.packed import Bits


class DosageModel(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Base of models of dosage; `fit` of a subclass sets `_mean_x`.

    A model with the hyperparameter `n_covariates` takes the last columns of X for covariates, which are fixed effects.
    """

    uses_validation: ClassVar[bool] = False
    streams: ClassVar[bool] = False  # whether X may be `gpatlas.packed.Bits`, which are never unpacked as a whole
    reports_stages: ClassVar[bool] = False  # whether `fit` takes `progress`, called with a line about every stage
    n_covariates: int = 0
    _mean_x: NDArray  # training means of loci (and covariates), which stand for missing ones

    def _validated(
        self, X: ArrayLike | Bits, y: ArrayLike, minimum: int, n_samples: int = 2
    ) -> tuple[Any, NDArray[np.float64]]:
        """Check hyperparameters and data; return dosage (or bits) and phenotypes `(n_samples, n_traits)`."""
        self._validate_params()
        x = validated_genotypes(self, X, reset=True, minimum=n_samples)
        if self.n_covariates >= x.shape[1] or (self.n_covariates and isinstance(x, Bits)):
            has = "packed genotypes" if isinstance(x, Bits) else f"{x.shape[1]} features in all"
            raise ValueError(f"n_covariates is {self.n_covariates}, but X has {has}: the last columns are covariates")
        return x, validated_phenotypes(x, y, minimum)

    def _new_dosage(self, X: ArrayLike | Bits) -> Any:
        """Check new samples' dosage, and fill what is missing."""
        check_is_fitted(self)
        x = validated_genotypes(self, X, reset=False)
        return x if isinstance(x, Bits) else fill_missing(x, self._mean_x)[0]

    def _cut(self, x: Any) -> tuple[Any, NDArray | None]:
        """Cut checked features into genotypes and covariates (None where there are none)."""
        q = self.n_covariates
        return (x[:, :-q], x[:, -q:]) if q else (x, None)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
