"""Two-stage models: loci are selected by LASSO within the training samples, then a model is fitted to what is left."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from gpatlas.models.inputs import complete_parts, fill_missing, validated_phenotypes
from gpatlas.models.lasso import lasso_work
from gpatlas.models.selection import cross_validated_lasso, least_threshold, stability_selection, strongest
from gpatlas.models.work import CLASSICAL_PROCESS, Work

Samples = tuple[ArrayLike, ArrayLike]
Progress = Callable[[int, int, float], None]


class SelectedRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Base of two-stage models; a subclass has the hyperparameters of the selection and says what it refits."""

    # the selection depends on these alone: a tuner that leaves them be selects once (see `prepare`)
    preparation_keys: ClassVar[tuple[str, ...]] = (
        "selection",
        "n_folds",
        "rule",
        "max_false",
        "threshold",
        "n_pairs",
        "min_weight",
        "random_state",
    )
    _selection_constraints: ClassVar[dict[str, list]] = {
        "selection": [StrOptions({"cv", "stability", "sgd"})],
        "max_loci": [Interval(Integral, 1, None, closed="left"), None],
        "joint": ["boolean"],
        "n_folds": [Interval(Integral, 2, None, closed="left")],
        "rule": [StrOptions({"min", "1se"})],
        "max_false": [Interval(Real, 0, None, closed="neither")],
        "threshold": [Interval(Real, 0.5, 1, closed="right")],
        "n_pairs": [Interval(Integral, 5, None, closed="left")],
        "min_weight": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def _refitted(self, seed: int) -> Any:
        """Return the unfitted model of the second stage."""
        raise NotImplementedError

    def _validate_params(self) -> None:
        super()._validate_params()
        self._refitted(0)
        least = least_threshold(self.n_pairs)
        if self.selection == "stability" and self.threshold < least:
            raise ValueError(
                f"threshold {self.threshold:g} is too low to bound false loci with {self.n_pairs} pairs; "
                f"at least {least:g} is needed"
            )

    def prepare(self, X: ArrayLike, y: ArrayLike, validation: Samples | None = None) -> NDArray[np.float64]:
        """Select loci: the first stage, which `fit` can be given as `prepared`.

        Returns
        -------
        ndarray of shape (n_loci, n_traits)
            Strength of each locus; 0 where it is not kept.
        """
        x, Y, stop = self._validated(X, y, validation)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        strength = np.zeros((x.shape[1], Y.shape[1]))
        if self.selection == "sgd":
            from gpatlas.models import make

            sgd = make("linear_sgd", preset="lasso", random_state=seed).fit(x, Y, validation=stop)
            return np.where(sgd.locus_weights_ > self.min_weight, sgd.locus_weights_, 0.0)
        filled, _ = fill_missing(x)
        for x_here, y_here, traits in complete_parts(filled, Y):
            if self.selection == "cv":
                fit = cross_validated_lasso(x_here, y_here, self.n_folds, rule=self.rule, seed=seed)
                strength[:, traits] = fit.strength
            else:
                strength[:, traits] = stability_selection(
                    x_here, y_here, self.max_false, self.threshold, self.n_pairs, seed
                )
        return strength

    def one_course(self, n_traits: int) -> bool:
        """Whether the second stage is one model, whose epochs mean the same in every fit."""
        return self.joint or n_traits == 1

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        validation: Samples | None = None,
        progress: Progress | None = None,
        prepared: NDArray[np.float64] | None = None,
    ) -> "SelectedRegressor":
        """Select loci and fit the second stage to them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage; NaN is missing.
        y : array-like of shape (n_samples,) or (n_samples, n_traits)
            Phenotypes; NaN is missing.
        validation : (X, y), default=None
            Samples that decide when networks stop; models that do not stop early leave them alone.
        progress : callable, default=None
            Given to the second stage if it is a network.
        prepared : ndarray of shape (n_loci, n_traits), default=None
            What `prepare` returned for these samples; None selects now.

        Raises
        ------
        ValueError
            Too few samples, or values that are not finite numbers.
        """
        x, Y, stop = self._validated(X, y, validation)
        strength = self.prepare(X, y, validation) if prepared is None else prepared
        kept = strongest(strength, self.max_loci, self.joint)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        mean = np.nanmean(Y, axis=0)
        self.parts_: list[tuple[NDArray[np.intp], NDArray[np.intp], Any]] = []
        effects, linear = np.zeros(kept.shape), True
        groups = [np.arange(Y.shape[1])] if self.joint else [np.array([t]) for t in range(Y.shape[1])]
        n_epochs = 0
        for number, traits in enumerate(groups):
            loci = np.flatnonzero(kept[:, traits[0]])
            if not len(loci):
                continue  # nothing to predict with: the trait's mean
            model = self._refitted(seed)
            chosen = np.ascontiguousarray(x[:, loci])
            if model.uses_validation:
                held_out = None if stop is None else (np.ascontiguousarray(stop[0][:, loci]), stop[1][:, traits])
                model.fit(chosen, Y[:, traits], held_out, _onward(progress, number, len(groups)))
                self.n_epochs_ = n_epochs = n_epochs + model.n_epochs_
                self.device_ = model.device_
            else:
                model.fit(chosen, Y[:, traits])
            self.parts_.append((loci, traits, model))
            if hasattr(model, "marker_effects_"):
                effects[np.ix_(loci, traits)] = model.marker_effects_
            else:
                linear = False
        self._mean_y = mean
        self._y_shape = np.asarray(y).shape[1:]
        shape = (kept.shape[0], *self._y_shape)
        self.selected_ = kept.reshape(shape)
        if linear:
            self.marker_effects_: NDArray = effects.reshape(shape)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return predictions in trait units, `(n_samples,)` or `(n_samples, n_traits)`."""
        check_is_fitted(self)
        x: NDArray = validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", reset=False)
        predicted = np.tile(self._mean_y, (len(x), 1))
        for loci, traits, model in self.parts_:
            predicted[:, traits] = model.predict(np.ascontiguousarray(x[:, loci])).reshape(len(x), len(traits))
        return predicted.reshape(len(x), *self._y_shape)

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs; how many loci are kept is a guess."""
        kept = min(n_loci, self.max_loci or 60)
        times = 1 if self.joint else n_traits
        refit = self._refitted(0).work(n_samples, kept, n_traits if self.joint else 1)
        return self._selection_work(n_samples, n_loci, n_traits).on_core() + refit * times

    def _selection_work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        if self.selection == "sgd":
            from gpatlas.models import make

            return make("linear_sgd", preset="lasso").work(n_samples, n_loci, n_traits)
        if self.selection == "cv":
            return lasso_work(n_samples, n_loci, n_traits, self.n_folds)
        return Work(
            flops=2.0 * self.n_pairs * n_samples * n_loci * 256,
            memory=CLASSICAL_PROCESS + 9.0 * n_samples * n_loci,
            traffic=self.n_pairs * n_loci * (240.0 * n_samples + 4.5e5 * n_traits),
        )

    def _validated(
        self, X: ArrayLike, y: ArrayLike, validation: Samples | None
    ) -> tuple[NDArray, NDArray[np.float64], tuple[NDArray, NDArray[np.float64]] | None]:
        self._validate_params()
        x: NDArray = validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", ensure_min_samples=3)
        Y = validated_phenotypes(x, y, minimum=self.n_folds if self.selection == "cv" else 2)
        if validation is None:
            return x, Y, None
        x_stop: NDArray = validate_data(self, validation[0], ensure_all_finite="allow-nan", reset=False)
        return x, Y, (x_stop, validated_phenotypes(x_stop, validation[1], minimum=1))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _onward(progress: Progress | None, number: int, count: int) -> Progress | None:
    """Count the epochs of several networks as one course."""
    if progress is None:
        return None
    return lambda epoch, epochs, loss: progress(number * epochs + epoch, count * epochs, loss)
