"""What AutoML knows of a candidate: how to make it, what there is to tune, what a fit costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gpatlas.errors import ConfigError, did_you_mean
from gpatlas.models.space import Range

Kind = Literal["continuous", "binary", "multiclass"]
CONTINUOUS, BINARY, MULTICLASS = "continuous", "binary", "multiclass"
KINDS = frozenset({CONTINUOUS, BINARY, MULTICLASS})


@dataclass(frozen=True)
class Request:
    """What an estimator is asked for.

    Parameters
    ----------
    kind
        "continuous", "binary" or "multiclass".
    n_covariates
        How many of the last columns of X are covariates.
    seed
        Of everything random in the estimator.
    """

    kind: str
    n_covariates: int
    seed: int

    @property
    def classes(self) -> bool:
        """Whether classes are predicted."""
        return self.kind != CONTINUOUS


@dataclass(frozen=True)
class Candidate:
    """One of the learners that compete.

    Parameters
    ----------
    name
        By which configurations and results call it.
    title
        By which figures and reports call it.
    build
        `(request, **hyperparameters)` → unfitted estimator.
    seconds
        `(n_samples, n_features, classes)` → about how many CPU seconds one fit takes; orders candidates and prices a
        budget.
    spaces
        Kind → key → range; hyperparameters of the defaults are in the ranges.
    kinds
        What it can predict.
    checkpoint
        Name of the pretrained network that has to come with gpatlas, or "".
    on_request
        Whether it competes only where it is named, because a fit takes so long.
    """

    name: str
    title: str
    build: Callable[..., Any]
    seconds: Callable[[int, int, bool], float]
    spaces: Mapping[str, Mapping[str, Range]] = field(default_factory=dict)
    kinds: frozenset[str] = KINDS
    checkpoint: str = ""
    on_request: bool = False

    def make(self, kind: str, n_covariates: int = 0, seed: int = 0, **hyperparameters: Any) -> Any:
        """Make an unfitted estimator: everything it learns from data it learns in `fit`.

        Parameters
        ----------
        kind
            "continuous", "binary" or "multiclass".
        n_covariates
            How many of the last columns of X are covariates; the columns before them are dosages.
        seed
            Of everything random in it.
        **hyperparameters
            Keys of `space(kind)`.

        Returns
        -------
        sklearn.base.BaseEstimator
            With `fit(X, y)` and `predict(X)`, for classes also `predict_proba(X)` `(n_samples, n_classes)` and
            `classes_`; X `(n_samples, n_features)` with NaN for missing.

        Raises
        ------
        ConfigError
            A kind that it does not predict, or an unknown hyperparameter.
        """
        if kind not in self.kinds:
            raise ConfigError(f"candidate {self.name} predicts {', '.join(sorted(self.kinds))}, not '{kind}'")
        known = self.space(kind)
        for key in hyperparameters:
            if key not in known:
                allowed = did_you_mean(key, sorted(known)) if known else "; it has nothing to tune"
                raise ConfigError(f"candidate {self.name}: unknown hyperparameter '{key}'{allowed}")
        return self.build(Request(kind, n_covariates, seed), **hyperparameters)

    def space(self, kind: str) -> dict[str, Range]:
        """Return what may be tuned: key → range; {} where the estimator chooses everything by itself."""
        return dict(self.spaces.get(kind, {}))

    def work(self, n_samples: int, n_features: int, kind: str) -> float:
        """Estimate the CPU seconds of one fit, to the order of magnitude."""
        return self.seconds(n_samples, n_features, kind != CONTINUOUS)
