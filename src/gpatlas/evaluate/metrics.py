"""How good a prediction of one trait is, in the field's terms.

    predictive_ability   correlation of prediction and observed phenotype
    accuracy             correlation of prediction and true genetic value
    dispersion           slope of truth on prediction; 1 is right, below 1 the predictions are too spread out
    bias                 mean of prediction minus truth
    rmse                 root mean squared difference of prediction and observed phenotype
    ceiling              correlation of true genetic value and observed phenotype: the best predictive ability

Truth is the true genetic value where it is known, else the observed phenotype. Samples without a phenotype do not
count. A correlation with a constant is NaN, not 0: nothing was predicted.
"""

import numpy as np
from numpy.typing import NDArray

METRICS = ("predictive_ability", "accuracy", "dispersion", "bias", "rmse", "ceiling")


def evaluate(
    predicted: NDArray[np.float64],
    phenotype: NDArray[np.float64],
    genetic_value: NDArray[np.float64] | None = None,
) -> dict[str, float]:
    """Compute all metrics of one trait.

    Parameters
    ----------
    predicted, phenotype
        `(n,)`, trait units; phenotypes may be NaN.
    genetic_value
        `(n,)`, or None where the truth is not known; accuracy and ceiling are NaN then.

    Returns
    -------
    dict
        `n_test` (samples that count) and `METRICS`.
    """
    known = ~np.isnan(phenotype)
    predicted, phenotype = predicted[known], phenotype[known]
    result = {
        "n_test": int(known.sum()),
        "predictive_ability": correlation(predicted, phenotype),
        "accuracy": np.nan,
        "ceiling": np.nan,
        "rmse": float(np.sqrt(np.mean((predicted - phenotype) ** 2))) if known.any() else np.nan,
    }
    truth = phenotype
    if genetic_value is not None:
        truth = genetic_value[known]
        result["accuracy"] = correlation(predicted, truth)
        result["ceiling"] = correlation(truth, phenotype)
    result["dispersion"] = _slope(truth, predicted)
    result["bias"] = float(np.mean(predicted - truth)) if known.any() else np.nan
    return result


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Pearson correlation; NaN when either does not vary."""
    a, b = _centred(a), _centred(b)
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm > 0 else np.nan


def precision_and_recall(selected: NDArray[np.bool_], causal: NDArray[np.bool_]) -> dict[str, float]:
    """Return `precision` (share of selected loci that are causal; NaN where none is) and `recall` (of causal found).

    Parameters
    ----------
    selected, causal
        bool `(n_loci,)`.
    """
    found = (selected & causal).sum()
    return {
        "precision": float(found / selected.sum()) if selected.any() else np.nan,
        "recall": float(found / causal.sum()) if causal.any() else np.nan,
    }


def pair_discoveries(found: NDArray, true: NDArray) -> dict[str, float]:
    """Hold found pairs against true ones; which locus of a pair comes first does not matter.

    Parameters
    ----------
    found, true
        int `(n_found, 2)` and `(n_true, 2)`, indices of loci; no pair twice.

    Returns
    -------
    dict
        `pair_recall` (share of true pairs that were found; NaN where there are none), `pair_false` (found pairs that
        are not true) and `pair_fdp`, the false discovery proportion: their share of the found ones, 0 where none was
        found (Benjamini & Hochberg 1995).
    """
    right = int(are_pairs(found, true).sum())
    return {
        "pair_recall": right / len(true) if len(true) else np.nan,
        "pair_false": len(found) - right,
        "pair_fdp": (len(found) - right) / max(len(found), 1),
    }


def are_pairs(found: NDArray, true: NDArray) -> NDArray[np.bool_]:
    """Say which of the found pairs `(n_found, 2)` are true ones `(n_true, 2)`, bool `(n_found,)`."""
    width = 1 + max(found.max(initial=0), true.max(initial=0))
    one, other = (np.sort(pairs.astype(np.int64), axis=1) @ [width, 1] for pairs in (found, true))
    return np.isin(one, other)


def _slope(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    predicted = _centred(predicted)
    norm = predicted @ predicted
    return float(predicted @ truth / norm) if norm > 0 else np.nan


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Subtract the mean; what is left of a constant by rounding counts as nothing."""
    if len(values) < 2:
        return np.zeros_like(values)
    centred = values - values.mean()
    return np.where(np.abs(centred).max() <= 1e-12 * np.abs(values).max(), 0.0, centred)
