"""Sparse, dense or neural: members weighed by how they predict samples that they were not fitted to."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from gpatlas.errors import ConfigError
from gpatlas.models.dosage_model import DosageModel
from gpatlas.models.inputs import validated_genotypes
from gpatlas.models.space import Choice, Range
from gpatlas.models.stacking import stack
from gpatlas.models.work import Work

# the default members, cheapest first, and the samples × loci (or, for the kernel, samples) they are fitted up to
SPARSE, LINEAR, DENSE, NEURAL = "interaction_screening", "rrblup", "egblup", "mlp"
DENSE_SAMPLES = 12_000
NEURAL_GENOTYPES = 20_000_000
ENOUGH_FOR_ONE_FOLD = 5000


class AutoEpistasis(DosageModel):
    """Stack of models for sparse interactions, dense interactions, none, and any, by inner cross-validation.

    Every member predicts samples held out from its fitting. The non-negative weights with which these predictions fit
    a trait best (stacked regression, Breiman 1996, with his non-negativity constraint) are its weights where they
    predict better than the best member alone by more than a standard error; else the best member stands alone, for
    weights are estimates, too. Members with a weight are then fitted to all samples.

    Parameters
    ----------
    members : dict, sequence of str, or None, default=None
        Models by name, or name → hyperparameters (`model` and `preset` among them). None takes "rrblup",
        "interaction_screening", "egblup" (up to 12 000 samples) and "mlp" (up to 2·10⁷ genotypes).
    combine : {"auto", "stack", "best"}, default="auto"
        Weigh members ("stack"), take the best one alone, or weigh them where that is clearly better ("auto").
    n_folds : int or None, default=None
        Folds of the inner cross-validation; None is 10, or one held-out fifth from 5 000 samples on. With few folds
        members that need many samples look worse than they are.
    enough : float, default=0.995
        Share of a trait's variance in held-out samples; when those fitted so far explain as much of every trait, the
        members after them, which cost more, are left out.
    n_jobs : int or None, default=None
        Given to members that take it.
    random_state : int, RandomState or None, default=0
        Of the folds and the members.

    Attributes
    ----------
    members_ : list of str
        Members that took part, in the order fitted.
    weights_ : ndarray of shape (n_members,) or (n_members, n_traits)
        What each member counts.
    inner_r_ : ndarray of shape (n_members,) or (n_members, n_traits)
        Correlation of each member's held-out predictions with the phenotypes.
    estimators_ : dict
        Name → member fitted to all samples, where it has a weight.

    References
    ----------
    Breiman (1996) Machine Learning 24:49.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 2, (300, 12))
    >>> y = X[:, 3] + 2.0 * X[:, 4] * X[:, 9] + np.random.default_rng(2).normal(size=300) / 2
    >>> model = make("auto_epistasis", members=["rrblup", "interaction_screening"]).fit(X, y)
    >>> model.members_
    ['rrblup', 'interaction_screening']
    """

    reports_stages: ClassVar[bool] = True
    presets: ClassVar[dict[str, dict[str, Any]]] = {"best": {"combine": "best"}}
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {"default": {"combine": Choice(("auto", "stack", "best"))}}
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "members": [dict, "array-like", None],
        "combine": [StrOptions({"auto", "stack", "best"})],
        "n_folds": [Interval(Integral, 2, None, closed="left"), None],
        "enough": [Interval(Real, 0, 1, closed="right")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        members: Mapping[str, Mapping[str, Any]] | Sequence[str] | None = None,
        combine: str = "auto",
        n_folds: int | None = None,
        enough: float = 0.995,
        n_jobs: int | None = None,
        random_state: Any = 0,
    ):
        self.members = members
        self.combine = combine
        self.n_folds = n_folds
        self.enough = enough
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _validate_params(self) -> None:
        super()._validate_params()
        if self.members is None:
            return
        if not len(self.members):
            raise ValueError("members is empty; name one model or more, or leave it out for the default ones")
        for name in self.members:
            settings = self.members[name] if isinstance(self.members, Mapping) else None
            if not isinstance(name, str) or not isinstance(settings, Mapping | None):
                shown = name if settings is None else {name: settings}
                raise ValueError(f"members: {shown!r} is neither a model's name nor a name and its hyperparameters")
            try:
                self._member(name, 0)
            except ConfigError as error:
                raise ConfigError(f"members: {error}") from None

    def fit(self, X: ArrayLike, y: ArrayLike, progress: Callable[[str], None] | None = None) -> "AutoEpistasis":
        """Cross-validate members, weigh them, and fit those that count.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage; NaN is missing.
        y : array-like of shape (n_samples,) or (n_samples, n_traits)
            Phenotypes; NaN is missing.
        progress : callable, default=None
            Called with a line about every fit of a member.

        Raises
        ------
        ValueError
            Fewer than ten phenotyped samples for a trait, values that are not finite numbers, or a member that cannot
            be fitted.
        """
        x, Y = self._validated(X, y, minimum=10, n_samples=10)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        folds = self._folds(len(x), seed)
        known = ~np.isnan(Y)
        held_out = np.concatenate(folds)
        predicted: dict[str, NDArray] = {}
        chosen = self._chosen(*x.shape)
        for name in chosen:
            values = np.full(Y.shape, np.nan)
            for number, fold in enumerate(folds, 1):
                if progress is not None:
                    progress(f"{name}, fold {number} of {len(folds)}")
                rest = np.ones(len(x), dtype=bool)
                rest[fold] = False
                member = self._member(name, seed).fit(x[rest], Y[rest])
                values[fold] = member.predict(x[fold]).reshape(len(fold), -1)
            predicted[name] = values
            if all(_explained(values, Y, known, held_out, t) >= self.enough for t in range(Y.shape[1])):
                break
        self.members_ = list(predicted)
        tables = np.stack([predicted[name][held_out] for name in self.members_])
        inner, weights = np.zeros((2, len(self.members_), Y.shape[1]))
        for trait in range(Y.shape[1]):
            rows = known[held_out, trait]
            observed = Y[held_out][rows, trait]
            inner[:, trait], weights[:, trait], _ = stack(tables[:, rows, trait], observed, self.combine)
            if not weights[:, trait].any() and observed.std() > 0:
                warnings.warn("no member predicts held-out samples; predictions are the trait's mean", stacklevel=2)
        self.estimators_ = {}
        for name, share in zip(self.members_, weights, strict=True):
            if share.any():
                if progress is not None:
                    progress(f"{name}, all samples")
                self.estimators_[name] = self._member(name, seed).fit(x, Y)
        self._weights = weights
        self._offset = np.zeros(Y.shape[1])
        self._y_shape = np.asarray(y).shape[1:]
        fitted = self._combined(x)
        self._offset = np.array([np.mean(Y[rows, t] - fitted[rows, t]) for t, rows in enumerate(known.T)])
        self.weights_, self.inner_r_ = (values if self._y_shape else values[:, 0] for values in (weights, inner))
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return predictions in trait units, `(n_samples,)` or `(n_samples, n_traits)`."""
        check_is_fitted(self)
        x = validated_genotypes(self, X, reset=False)
        return self._combined(x).reshape(len(x), *self._y_shape)

    def _combined(self, x: NDArray) -> NDArray[np.float64]:
        """Weighted sum of the members' predictions, `(n_samples, n_traits)`."""
        predicted = np.tile(self._offset, (len(x), 1))
        for name, share in zip(self.members_, self._weights, strict=True):
            if name in self.estimators_:
                predicted += share * self.estimators_[name].predict(x).reshape(len(x), -1)
        return predicted

    @property
    def device(self) -> str:
        """Where a neural member trains; like other models without a network, a stack of them has no such attribute."""
        for name in [NEURAL] if self.members is None else self.members:
            member = self._member(name, 0)
            if hasattr(member, "device"):
                return str(member.device)
        raise AttributeError("device: no member is a network")

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs: every member once for each fold, and once more."""
        times = 1 + sum(1 - len(fold) / n_samples for fold in self._folds(n_samples, 0))
        total = Work(flops=0.0, memory=0.0)
        for name in self._chosen(n_samples, n_loci):
            member = self._member(name, 0)
            work = member.work(n_samples, n_loci, n_traits) * times
            total += work if hasattr(member, "device") else work.on_core()
        return total

    def _chosen(self, n_samples: int, n_loci: int) -> list[str]:
        if self.members is not None:
            return list(self.members)
        chosen = [LINEAR, SPARSE]
        chosen += [DENSE] if n_samples <= DENSE_SAMPLES else []
        return chosen + ([NEURAL] if n_samples * n_loci <= NEURAL_GENOTYPES else [])

    def _member(self, name: str, seed: int) -> Any:
        hyperparameters = (self.members[name] or {}) if isinstance(self.members, Mapping) else {}
        member = _made(name, hyperparameters)
        for key, value in (("random_state", seed), ("n_jobs", self.n_jobs)):
            if key in member.get_params() and key not in hyperparameters:
                member.set_params(**{key: value})
        return member

    def _folds(self, n_samples: int, seed: int) -> list[NDArray[np.intp]]:
        order = np.random.default_rng(seed).permutation(n_samples)
        if self.n_folds is None and n_samples >= ENOUGH_FOR_ONE_FOLD:
            return np.array_split(order, 5)[:1]
        return np.array_split(order, self.n_folds or 10)


def _made(name: str, hyperparameters: Mapping[str, Any]) -> Any:
    from gpatlas.models import make

    settings = dict(hyperparameters)
    return make(settings.pop("model", name), preset=settings.pop("preset", None), **settings)


def _explained(values: NDArray, y: NDArray, known: NDArray, held_out: NDArray, trait: int) -> float:
    rows = held_out[known[held_out, trait]]
    spread = y[rows, trait].var()
    return 1 - float(np.mean((values[rows, trait] - y[rows, trait]) ** 2)) / spread if spread > 0 else 1.0
