"""What every network estimator shares: scikit-learn's surface. torch is imported by the first fit, not before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from gpatlas.models.inputs import validated_phenotypes
from gpatlas.models.work import Work

if TYPE_CHECKING:
    from torch import nn

    from gpatlas.train import History, TrainSettings


@dataclass(frozen=True)
class Size:
    """What a network costs: FLOPs of training on one sample, parameters, activations held for one sample."""

    flops: float
    parameters: float
    activations: float


def perceptron_size(n_features: int, hidden: Sequence[int], n_traits: int) -> Size:
    """Size of a multilayer perceptron."""
    weights = [a * b for a, b in pairwise([n_features, *hidden, n_traits])]
    return Size(6.0 * sum(weights) - 2.0 * weights[0], sum(weights), sum(hidden))  # inputs need no gradient


class NetworkRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Base of network estimators; a subclass has hyperparameters, `_build`, `_size` and `_settings`.

    Every subclass has the hyperparameters `input_coding`, `standardise_targets`, `schedule`, `batch_size`,
    `max_epochs`, `validation_fraction`, `precision`, `device` and `random_state`.
    """

    uses_validation: ClassVar[bool] = True

    def _build(self, n_features: int, n_traits: int) -> "nn.Module":
        """Make the network, features `(B, F)` to traits `(B, T)`."""
        raise NotImplementedError

    def _size(self, n_features: int, n_traits: int) -> Size:
        """Say how large the network is."""
        raise NotImplementedError

    def _settings(self, seed: int) -> "TrainSettings":
        raise NotImplementedError

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        progress: Callable[[int, int, float], None] | None = None,
    ) -> "NetworkRegressor":
        """Train, keeping the weights of the epoch with the lowest validation loss.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage; NaN is missing.
        y : array-like of shape (n_samples,) or (n_samples, n_traits)
            Phenotypes; NaN is missing.
        validation : (X, y), default=None
            Samples that decide when to stop; None takes `validation_fraction` of the training samples away.
        progress : callable, default=None
            Called after every epoch with (epoch, max_epochs, validation loss).

        Raises
        ------
        ValueError
            Fewer than three samples, or values that are not finite numbers.
        FloatingPointError
            Training diverged.
        """
        from gpatlas.train.precision import choose_arithmetic
        from gpatlas.train.regression import train_regression

        self._validate_params()
        x: NDArray = validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", ensure_min_samples=3)
        Y = validated_phenotypes(x, y, minimum=2)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if validation is None:
            held_out = _hold_out(len(x), self.validation_fraction, seed)
            training, stopping = (x[~held_out], Y[~held_out]), (x[held_out], Y[held_out])
        else:
            x_stop: NDArray = validate_data(self, validation[0], ensure_all_finite="allow-nan", reset=False)
            training, stopping = (x, Y), (x_stop, validated_phenotypes(x_stop, validation[1], minimum=1))
        n_weights = self._size(self._n_features(x.shape[1]), Y.shape[1]).parameters
        arithmetic = choose_arithmetic(self.device, self.precision, n_weights)
        self.network_ = train_regression(
            training,
            stopping,
            self._build,
            self._settings(seed),
            arithmetic,
            input_coding=self.input_coding,
            standardise_targets=self.standardise_targets,
            progress=progress,
        )
        self.history_: History = self.network_.history
        self.n_epochs_ = len(self.history_.train_loss)
        self.device_ = arithmetic.describe()
        self._y_shape = np.asarray(y).shape[1:]
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return predictions in trait units, `(n_samples,)` or `(n_samples, n_traits)`."""
        from gpatlas.train.precision import choose_arithmetic

        check_is_fitted(self)
        x: NDArray = validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", reset=False)
        predicted = self.network_.predict(x, choose_arithmetic(self.device, self.precision))
        return predicted.reshape(len(x), *self._y_shape)

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs; how early a plateau schedule stops is a guess."""
        size = self._size(self._n_features(n_loci), n_traits)
        epochs = self.max_epochs * (0.4 if self.schedule == "plateau" else 1.0)
        steps = epochs * -(-n_samples // self.batch_size)
        return Work(
            flops=size.flops * n_samples * epochs,
            memory=6e8 + n_samples * n_loci + 24.0 * size.parameters + 8.0 * size.activations * self.batch_size,
            steps=steps,
            # AdamW reads four arrays of parameters and writes three; activations pass about ten times
            traffic=(28.0 * size.parameters + 40.0 * size.activations * self.batch_size) * steps,
        )

    def _n_features(self, n_loci: int) -> int:
        return 2 * n_loci if self.input_coding == "allele_counts" else n_loci

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _hold_out(n_samples: int, fraction: float, seed: int) -> NDArray[np.bool_]:
    held_out = np.zeros(n_samples, dtype=bool)
    size = min(max(1, round(fraction * n_samples)), n_samples - 2)
    held_out[np.random.default_rng(seed).permutation(n_samples)[:size]] = True
    return held_out
