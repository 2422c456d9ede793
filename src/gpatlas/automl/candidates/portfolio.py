"""The portfolio: which candidates there are, what of them may be tuned, and about what a fit costs.

Costs are CPU seconds of one core, of the order of magnitude; they grow as the algorithms' operations do.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from gpatlas.automl.candidates.candidate import BINARY, CONTINUOUS, KINDS, MULTICLASS, Candidate, Request
from gpatlas.io.checkpoints import is_shipped
from gpatlas.models.space import Choice, Float, Integer, Range

_CLASSES = frozenset({BINARY, MULTICLASS})
_WEIGHT = Choice((1.0, 5.0, 20.0))
_SHARE = Float(0.01, 1.0, log=True)
_FOREST: dict[str, Range] = {"max_features": _SHARE, "min_samples_leaf": Integer(1, 20, log=True)}
_BOOSTING: dict[str, Range] = {
    "learning_rate": Float(0.01, 0.2, log=True),
    "num_leaves": Integer(2, 31, log=True),
    "min_child_samples": Integer(3, 50, log=True),
    "colsample_bytree": Float(0.03, 1.0, log=True),
}
_SCREENING: dict[str, Range] = {"alpha": Choice((0.01, 0.05, 0.2))}
_NEIGHBOURS: dict[str, Range] = {"n_neighbors": Integer(3, 100, log=True), "covariate_weight": _WEIGHT}
_SVM: dict[str, Range] = {"C": Float(0.1, 30.0, log=True), "covariate_weight": _WEIGHT}
_SGD: dict[str, Range] = {"alpha": Float(0.003, 1.0, log=True), "l1_ratio": Choice((0.0, 0.5, 1.0))}
_MLP: dict[str, Range] = {"hidden": Choice((16, 64, 256)), "penalty": Float(0.01, 3.0, log=True)}
_MIXTURE: dict[str, Range] = {"l1_ratio": Choice((0.05, 0.3, 0.7))}


def _module(module: str, name: str) -> Callable[..., Any]:
    """Return a builder whose module is imported when it is first called."""

    def build(request: Request, **hyperparameters: Any) -> Any:
        return getattr(import_module(f"gpatlas.automl.candidates.{module}"), name)(request, **hyperparameters)

    return build


def _candidate(
    module: str,
    name: str,
    title: str,
    seconds: Callable[[int, int, bool], float],
    space: dict[str, Range] | None = None,
    **options: Any,
) -> Candidate:
    """One whose builder has its name; what may be tuned is the same for all kinds unless `spaces` says otherwise."""
    return Candidate(
        name,
        title,
        _module(module, name),
        seconds,
        **{"spaces": dict.fromkeys(KINDS, space or {})} | options,
    )


def _gram(n: int, p: int, decompositions: float = 1.0) -> float:
    """Seconds for cross products and decompositions of the smaller side."""
    few, many = sorted((n, p))
    return 1e-10 * float(few) ** 2 * (2 * many + 10 * decompositions * few)


_PORTFOLIO = (
    _candidate("genetic", "rrblup", "rrBLUP", lambda n, p, _: 0.01 + _gram(n, p)),
    _candidate("library", "knn", "nearest neighbours", lambda n, p, _: 0.02 + 1e-8 * n * p, _NEIGHBOURS),
    _candidate("library", "lasso", "LASSO", lambda n, p, classes: 0.1 + (2e-6 if classes else 1e-6) * n * p),
    _candidate(
        "library",
        "elastic_net",
        "elastic net",
        lambda n, p, _: 0.1 + 2e-6 * n * p,
        spaces={CONTINUOUS: _MIXTURE, **dict.fromkeys(_CLASSES, _MIXTURE | {"C": Float(0.002, 0.5, log=True)})},
    ),
    _candidate("library", "sgd", "linear SGD", lambda n, p, _: 0.05 + 1e-7 * n * p, _SGD),
    _candidate(
        "library",
        "lda",
        "LDA of components",
        lambda n, p, _: 0.05 + _gram(n, p),
        {"n_components": Integer(2, 100, log=True)},
        kinds=_CLASSES,
    ),
    _candidate(
        "library",
        "qda",
        "QDA of components",
        lambda n, p, _: 0.05 + _gram(n, p),
        {"n_components": Integer(2, 40, log=True), "common": Choice((0.1, 0.3, 0.7))},
        kinds=_CLASSES,
    ),
    _candidate("library", "svm", "SVM", lambda n, p, classes: 0.02 + (5e-9 if classes else 1e-9) * n**2 * p, _SVM),
    _candidate("genetic", "rkhs", "RKHS", lambda n, p, _: 0.05 + 6 * _gram(n, max(n, p))),
    _candidate("genetic", "egblup", "EGBLUP", lambda n, p, _: 0.1 + 10 * _gram(n, max(n, p))),
    _candidate("library", "lightgbm", "LightGBM", lambda n, p, _: 0.2 + 2e-6 * n * p, _BOOSTING),
    _candidate("genetic", "bayes_cpi", "BayesCπ", lambda n, p, classes: 0.1 + (4e-6 if classes else 2e-6) * n * p),
    _candidate(
        "genetic", "kernel_tree", "kernels and trees", lambda n, p, _: 0.3 + 2e-6 * n * p + 7 * _gram(n, max(n, p))
    ),
    _candidate(  # of numbers alone: classes would take six fits, and it was trained on numbers
        "genetic",
        "gpfn",
        "GPFN",
        lambda n, p, _: 0.2 + 12 * _gram(n, max(n, p)),
        kinds=frozenset({CONTINUOUS}),
        checkpoint="default",
    ),
    _candidate(  # of numbers alone: classes would take six fits
        "genetic",
        "perceiver",
        "perceiver",
        lambda n, p, _: 2.0 + 6e-3 * p + 1e-6 * n * p,
        kinds=frozenset({CONTINUOUS}),
        on_request=True,
    ),
    _candidate("library", "extra_trees", "ExtraTrees", lambda n, p, _: 0.3 + 2e-6 * n * p, _FOREST),
    _candidate("library", "random_forest", "random forest", lambda n, p, _: 0.4 + 4e-6 * n * p, _FOREST),
    _candidate(
        "library",
        "adaboost",
        "AdaBoost",
        lambda n, p, _: 0.3 + 5e-6 * n * p,
        {"learning_rate": Float(0.03, 1.0, log=True), "n_estimators": Choice((50, 100, 300))},
    ),
    _candidate("library", "bagging", "bagging", lambda n, p, _: 0.3 + 2e-5 * n * p, {"max_features": _SHARE}),
    _candidate("library", "mlp", "MLP", lambda n, p, _: 1.0 + 1e-5 * n * p, _MLP),
    _candidate(
        "genetic",
        "interaction_screening",
        "interaction screening",
        lambda n, p, classes: (6 if classes else 1) * (0.5 + 3e-8 * n * float(p) ** 2 / (1 + p / 2000)),
        _SCREENING,
    ),
)


def offered() -> dict[str, Candidate]:
    """Return candidates by name, cheapest first, without those whose checkpoint does not come with this gpatlas."""
    ready = [one for one in _PORTFOLIO if not one.checkpoint or is_shipped(one.checkpoint)]
    return {one.name: one for one in sorted(ready, key=lambda one: one.work(500, 1000, BINARY))}


CANDIDATES: dict[str, Candidate] = offered()
