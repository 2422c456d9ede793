"""The candidates of AutoML by name, cheapest first; each is loaded when it is made."""

from typing import Any

from gpatlas.automl.candidates.candidate import Candidate, Request
from gpatlas.models.space import Choice, Float, Range

__all__ = ["CANDIDATES", "Candidate"]


def _rrblup(request: Request, **hyperparameters: Any) -> Any:
    from sklearn.pipeline import make_pipeline

    from gpatlas.automl.candidates.features import Features
    from gpatlas.automl.candidates.genetic_classifier import GeneticClassifier
    from gpatlas.models import make

    model = make_pipeline(Features(request.n_covariates), make("rrblup", **hyperparameters))
    return GeneticClassifier(model, request.seed) if request.classes else model


def _lasso(request: Request, C: float = 0.05) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline

    from gpatlas.automl.candidates.features import Features
    from gpatlas.models import make

    features = Features(request.n_covariates)
    if not request.classes:
        return make_pipeline(features, make("lasso", random_state=request.seed))
    learner = LogisticRegression(C=C, l1_ratio=1.0, solver="liblinear", random_state=request.seed)
    return make_pipeline(features, OneVsRestClassifier(learner) if request.kind == "multiclass" else learner)


def _random_forest(request: Request, min_samples_leaf: int = 3, max_features: float | str = "sqrt") -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.pipeline import make_pipeline

    from gpatlas.automl.candidates.features import Features

    forest = RandomForestClassifier if request.classes else RandomForestRegressor
    learner = forest(
        300, min_samples_leaf=min_samples_leaf, max_features=max_features, random_state=request.seed, n_jobs=1
    )
    return make_pipeline(Features(request.n_covariates), learner)


_PENALTY: dict[str, Range] = {"C": Float(0.005, 1.0, log=True)}
_FOREST: dict[str, Range] = {
    "min_samples_leaf": Choice((1, 3, 10)),
    "max_features": Choice(("sqrt", 0.1, 0.33)),
}

CANDIDATES: dict[str, Candidate] = {
    candidate.name: candidate
    for candidate in (
        Candidate("rrblup", "rrBLUP", _rrblup, lambda n, p, _: 1e-10 * min(n, p) ** 2 * max(n, p)),
        Candidate("lasso", "LASSO", _lasso, lambda n, p, _: 1e-7 * n * p, {"binary": _PENALTY, "multiclass": _PENALTY}),
        Candidate(
            "random_forest",
            "random forest",
            _random_forest,
            lambda n, p, _: 1e-5 * n * p**0.5,
            dict.fromkeys(("continuous", "binary", "multiclass"), _FOREST),
        ),
    )
}
