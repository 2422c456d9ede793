"""What every network estimator shares: scikit-learn's surface. torch is imported by the first fit, not before."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from gpatlas.models.inputs import validated_phenotypes
from gpatlas.models.work import TORCH_PROCESS, Work

if TYPE_CHECKING:
    from torch import nn

    from gpatlas.train import History, TrainSettings
    from gpatlas.train.precision import Arithmetic
    from gpatlas.train.regression import TrainedNetwork


# share of the epochs that run before patience ends: the mean over populations of the laptop experiments
EPOCHS_RUN = {"plateau": 0.42, "one_cycle": 0.8, "constant": 0.8}
Samples = tuple[NDArray, NDArray[np.float64]]
_SMALL = 1 << 22  # weights up to which a GPU computes a step in less time than it takes to launch it


@dataclass(frozen=True)
class Size:
    """What a network costs: FLOPs of training on one sample, parameters, activations held for one sample."""

    flops: float
    parameters: float
    activations: float
    depth: float = 1.0  # hidden layers, each of which is some calls more in every step


def perceptron_size(n_features: int, hidden: Sequence[int], n_traits: int) -> Size:
    """Size of a multilayer perceptron, whose inputs need no gradient."""
    weights = [a * b for a, b in pairwise([n_features, *hidden, n_traits])]
    return Size(6.0 * sum(weights) - 2.0 * weights[0], sum(weights), sum(hidden), len(hidden))


class NetworkRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Base of network estimators; a subclass has hyperparameters, `_build`, `_size` and `_settings`.

    Every subclass has as hyperparameters, or fixes, `input_coding`, `standardise_targets`, `schedule`, `batch_size`,
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
    ) -> Self:
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
        self._validate_params()
        training, stopping, seed = self._samples(X, y, validation)
        arithmetic = self._arithmetic(training)
        trained = self._train(training, stopping, self._settings(seed), arithmetic, progress)
        return self._keep(trained, arithmetic, np.asarray(y).shape[1:])

    def fits_together(self, n_loci: int, n_traits: int) -> bool:
        """Say whether several fits are faster at once (`fit_together`) than one by one.

        They are for small networks on CUDA: as many launches of kernels as for one. On a CPU, eight networks at once
        took .8 (64 hidden units) to 3.7 times (1024) the CPU seconds of one by one, so there they are not.
        """
        from gpatlas.train.precision import choose_arithmetic

        n_weights = self._size(self._n_features(n_loci), n_traits).parameters
        arithmetic, settings = choose_arithmetic(self.device, self.precision, n_weights), self._settings(0)
        simple = settings.optimizer == "adamw" and settings.l1 == 0 and not arithmetic.needs_loss_scaling
        simple = simple and type(self)._train is NetworkRegressor._train
        return simple and n_weights <= _SMALL and _launches_cost(arithmetic)

    def _samples(self, X: ArrayLike, y: ArrayLike, validation: Any) -> tuple[Samples, Samples, int]:
        """Return validated training and validation samples, and the seed."""
        x: NDArray = validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", ensure_min_samples=3)
        Y = validated_phenotypes(x, y, minimum=2)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if validation is None:
            held_out = hold_out(len(x), self.validation_fraction, seed)
            return (x[~held_out], Y[~held_out]), (x[held_out], Y[held_out]), seed
        x_stop: NDArray = validate_data(self, validation[0], ensure_all_finite="allow-nan", reset=False)
        return (x, Y), (x_stop, validated_phenotypes(x_stop, validation[1], minimum=1)), seed

    def _arithmetic(self, training: Samples) -> "Arithmetic":
        from gpatlas.train.precision import choose_arithmetic

        (x, y), size = training, self._size
        n_weights = size(self._n_features(x.shape[1]), y.shape[1]).parameters
        return choose_arithmetic(self.device, self.precision, n_weights)

    def _keep(self, trained: "TrainedNetwork", arithmetic: "Arithmetic", y_shape: tuple[int, ...]) -> Self:
        self.network_ = trained
        self.history_: History = trained.history
        self.n_epochs_ = len(self.history_.train_loss)
        self.device_ = arithmetic.describe()
        self._y_shape = y_shape
        return self

    def _train(
        self,
        training: Samples,
        stopping: Samples,
        settings: "TrainSettings",
        arithmetic: "Arithmetic",
        progress: Callable[[int, int, float], None] | None,
    ) -> "TrainedNetwork":
        from gpatlas.train.regression import train_regression

        return train_regression(
            training,
            stopping,
            self._build,
            settings,
            arithmetic,
            input_coding=self.input_coding,
            standardise_targets=self.standardise_targets,
            progress=progress,
        )

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
        epochs = self.max_epochs * EPOCHS_RUN[self.schedule]
        steps = epochs * -(-n_samples // self.batch_size)
        return Work(
            flops=size.flops * n_samples * epochs,
            memory=TORCH_PROCESS
            + n_samples * n_loci
            + 24.0 * size.parameters
            + 8.0 * size.activations * self.batch_size,
            steps=steps * (0.4 + 0.6 * size.depth),
            # AdamW reads four arrays of parameters and writes three; activations pass about ten times
            traffic=(28.0 * size.parameters + 40.0 * size.activations * self.batch_size) * steps,
        )

    def _n_features(self, n_loci: int) -> int:
        return 2 * n_loci if self.input_coding == "allele_counts" else n_loci

    def __getstate__(self) -> dict[str, Any]:
        """Return attributes with the network as plain arrays, so that a saved model holds no objects of torch."""
        state = dict(super().__getstate__())
        if "network_" in state:
            state["network_"] = self.network_.state()
            del state["history_"]  # it is the network's
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "network_" in state:
            from gpatlas.train.regression import TrainedNetwork

            self.network_ = TrainedNetwork.from_state(state["network_"], self._build)
            self.history_ = self.network_.history

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def fit_together(estimators: Sequence[NetworkRegressor], data: Sequence[tuple[Any, Any, Any]]) -> bool:
    """Fit estimators that differ in their seed at once, each to its own data.

    Parameters
    ----------
    estimators
        Of one class, with equal hyperparameters but for `random_state`.
    data
        X, y and validation of each, as for `fit`.

    Returns
    -------
    bool
        Whether they are fitted; they are not if shapes differ.
    """
    from gpatlas.train.regression import train_regressions

    first = estimators[0]
    for estimator in estimators:
        estimator._validate_params()
    samples = [estimator._samples(*of_one) for estimator, of_one in zip(estimators, data, strict=True)]
    if len({(t[0].shape, t[0].dtype.kind, t[1].shape, v[0].shape, v[0].dtype.kind) for t, v, _ in samples}) > 1:
        return False
    arithmetic = first._arithmetic(samples[0][0])
    trained = train_regressions(
        [(training, stopping) for training, stopping, _ in samples],
        [seed for _, _, seed in samples],
        first._build,
        first._settings(0),
        arithmetic,
        input_coding=first.input_coding,
        standardise_targets=first.standardise_targets,
    )
    for estimator, network, of_one in zip(estimators, trained, data, strict=True):
        estimator._keep(network, arithmetic, np.asarray(of_one[1]).shape[1:])
    return True


def _launches_cost(arithmetic: "Arithmetic") -> bool:
    """Whether steps of small networks take the time of their launches, and one process trains alone."""
    return arithmetic.device.type == "cuda" and os.environ.get("WORLD_SIZE", "1") == "1"


def hold_out(n_samples: int, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Say which samples decide when to stop, `(n_samples,)`: a share, but one at least, and all but two at most."""
    held_out = np.zeros(n_samples, dtype=bool)
    size = min(max(1, round(fraction * n_samples)), n_samples - 2)
    held_out[np.random.default_rng(seed).permutation(n_samples)[:size]] = True
    return held_out
