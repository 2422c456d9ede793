"""SHAP values: how much each feature moved the prediction of each sample (Lundberg & Lee 2017).

Linear models have them in closed form, φ_ij = β_j (x_ij - mean_j) where features are taken as independent; trees by
TreeSHAP (Lundberg et al. 2020), exact for the tree's own conditional expectations. Any other model is asked: features
are switched one after the other from those of a background sample to the sample's own, in random orders and their
reverse (Štrumbelj & Kononenko 2014); only the top features are switched, the others stay the sample's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.automl.explain.margins import predicted

Array = NDArray[np.float64]

TOP_FEATURES = 20
MOST_SWITCHED = 100  # samples of a model that has to be asked
_ORDERS = 5  # random orders of switching, each with its reverse, a background sample for each
_VALUES_AT_ONCE = 2**24
_TREES = {
    "DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor",
    "GradientBoostingRegressor", "HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "LGBMClassifier",
    "LGBMRegressor", "RandomForestClassifier", "RandomForestRegressor",
}  # fmt: skip
_LOG_ODDS = {"HistGradientBoostingClassifier", "LGBMClassifier"}


@dataclass(frozen=True)
class Attribution:
    """SHAP values.

    Parameters
    ----------
    values
        `(n_outputs, n_samples, n_features)`; one output for values and two classes, else one for each class.
    rows
        `(n_samples,)` of X, the samples that they are of.
    features
        `(n_features,)` columns of X that they are of.
    method, unit
        How they were found, and what they are measured in, as words for a reader.
    """

    values: Array
    rows: NDArray[np.intp]
    features: NDArray[np.intp]
    method: str
    unit: str


def attribute(
    model: Any,
    X: NDArray,
    y: Array,
    kind: str,
    slopes: Array | None,
    rows: NDArray[np.intp],
    top: NDArray[np.intp],
    rng: np.random.Generator,
    report: Callable[[int, int, str], None],
) -> Attribution:
    """Attribute the predictions of some samples to features.

    Parameters
    ----------
    model
        Fitted estimator.
    X, y
        What it was fitted to; X is complete.
    kind
        "continuous", "binary" or "multiclass".
    slopes
        Of its margin `(n_outputs, n_features)` if that is linear, else None.
    rows
        Samples to explain.
    top
        Columns that are switched if the model is neither linear nor of trees.
    rng
        Of orders and background samples.
    report
        Progress: done, total, note.
    """
    units, probability = ("trait units", "trait units") if kind == "continuous" else ("log odds", "probability")
    if slopes is not None:
        return Attribution(
            linear_values(slopes, X, rows), rows, np.arange(X.shape[1]), "exactly, as the model is linear", units
        )
    found = _tree_values(model, X, rows)
    if found is not None:
        values, log_odds = found
        return Attribution(values, rows, np.arange(X.shape[1]), "by TreeSHAP", units if log_odds else probability)

    def outputs(x: NDArray) -> Array:
        values = predicted(model, x, kind, y)
        return values[:, None] if kind == "continuous" else values[:, 1:] if kind == "binary" else values

    rows = np.sort(rng.permutation(rows)[:MOST_SWITCHED])
    values = switched(outputs, X, rows, top, rng, report)
    return Attribution(
        values, rows, top, f"by switching the top {len(top)} features in {2 * _ORDERS} orders", probability
    )


def linear_values(slopes: Array, X: NDArray, rows: NDArray[np.intp]) -> Array:
    """Return SHAP values of linear outputs `(n_outputs, n_rows, n_features)`: slope times deviation from the mean."""
    return slopes[:, None, :] * (X[rows] - X.mean(axis=0, dtype=np.float64))


def switched(
    outputs: Callable[[NDArray], Array],
    X: NDArray,
    rows: NDArray[np.intp],
    top: NDArray[np.intp],
    rng: np.random.Generator,
    report: Callable[[int, int, str], None],
) -> Array:
    """Estimate SHAP values by switching features `(n_outputs, n_rows, n_top)`; `outputs(X)` is `(n, n_outputs)`.

    For each sample they add up to its prediction minus the mean of those with the background samples' features.
    """
    n_top, n_orders = len(top), 2 * _ORDERS
    states = n_orders * (n_top + 1)  # of a sample: before the first switch, and after each
    at_once = max(_VALUES_AT_ONCE // (states * X.shape[1]), 1)
    found = []
    for start in range(0, len(rows), at_once):
        report(start, len(rows), "SHAP")
        samples = rows[start : start + at_once]
        x = np.repeat(X[samples], states, axis=0).reshape(len(samples), n_orders, n_top + 1, -1)
        forth = np.array([[rng.permutation(n_top) for _ in range(_ORDERS)] for _ in samples])
        orders = np.concatenate([forth, forth[..., ::-1]], axis=1)
        drawn = rng.integers(len(X), size=(len(samples), _ORDERS))
        background = X[np.concatenate([drawn, drawn], axis=1)][..., top]
        turn = np.argsort(orders, axis=2)  # at which switch each feature becomes the sample's own
        waiting = turn[:, :, None, :] >= np.arange(n_top + 1)[:, None]
        x[..., top] = np.where(waiting, background[:, :, None, :], x[..., top])
        values = outputs(x.reshape(-1, X.shape[1])).reshape(len(samples), n_orders, n_top + 1, -1)
        gains = np.take_along_axis(np.diff(values, axis=2), turn[..., None], axis=2)
        found.append(gains.mean(axis=1).transpose(2, 0, 1))
    return np.concatenate(found, axis=1)


def _tree_values(model: Any, X: NDArray, rows: NDArray[np.intp]) -> tuple[Array, bool] | None:
    """Return TreeSHAP values `(n_outputs, n_rows, n_features)` and whether they are log odds; None if not of trees."""
    from sklearn.pipeline import Pipeline

    x, learner = X[rows], model
    if isinstance(model, Pipeline):
        for _, step in model.steps[:-1]:
            x = step.transform(x)
        learner = model.steps[-1][1]
    if type(learner).__name__ not in _TREES or x.shape[1] != X.shape[1]:
        return None
    import shap

    values = np.asarray(shap.TreeExplainer(learner).shap_values(x, check_additivity=False))
    if values.ndim == 2:
        values = values[:, :, None]
    if values.shape[2] == 2:  # probabilities of two classes: the second is minus the first
        values = values[:, :, 1:]
    return values.transpose(2, 0, 1), type(learner).__name__ in _LOG_ODDS
