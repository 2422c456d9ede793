"""From predictions and datasets to the tables of an experiment: metrics, splits and variances."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, Truth, as_text
from gpatlas.errors import DataError
from gpatlas.evaluate.intervals import interval_coverage
from gpatlas.evaluate.metrics import METRICS, are_pairs, correlation, evaluate, pair_discoveries, precision_and_recall
from gpatlas.predictions import FitResult, Prediction

# the columns that follow the design columns; others build on them
METRIC_COLUMNS = ("model", "trait_id", "fold", "n_train", "n_test", *METRICS, "seconds")
SELECTED_COLUMNS = ("model", "trait_id", "locus_id", "effect", "is_qtl")
PAIR_COLUMNS = ("model", "trait_id", "locus_1", "locus_2", "effect", "z", "is_pair")
TRAIT_VARIANCES = ("var_a", "var_d", "var_aa", "var_g", "var_e")


def score_fit(
    dataset: Dataset,
    fit: FitResult,
    model: str,
    columns: Mapping[str, Any],
    trait_columns: Mapping[str, list],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Score one model on one dataset.

    Parameters
    ----------
    dataset
        The data that were fitted.
    fit
        Predictions.
    model
        Label of the model.
    columns
        Design columns of the row.
    trait_columns
        Design columns that differ among traits, each of length n_traits.

    Returns
    -------
    metrics, splits : lists of table rows
        One metrics row per trait (means over splits), and one splits row per trait × split, with what the fit
        settled on and, where the truth is known, the share of predicted intervals that hold it, the correlation of
        marker effects with the true additive ones, the precision and recall of selected loci, and the recall and
        false discoveries of found pairs.

    Raises
    ------
    DataError
        The predictions are of another dataset.
    """
    if fit.dataset_hash != dataset.content_hash:
        raise DataError(f"predictions of {model} for {dict(columns)} were made from other data; fit again")
    metrics, splits = [], []
    for trait, trait_id in enumerate(as_text(dataset.trait_id)):
        design = {**columns, **{name: values[trait] for name, values in trait_columns.items()}}
        head = {**design, "model": model, "trait_id": str(trait_id)}
        scored = [_score(dataset, p, trait) for p in fit.predictions if trait in p.traits]
        splits += [{**head, **score} for score in scored]
        means = {key: float(np.mean([score[key] for score in scored])) for key in METRICS}
        first = scored[0]
        fold = first["fold"] if len(scored) == 1 else f"{len(scored)} random splits"
        counts = {"fold": fold, "n_train": first["n_train"], "n_test": first["n_test"]}
        metrics.append({**head, **counts, **means, "seconds": fit.seconds})
    return metrics, splits


def variance_rows(
    dataset: Dataset, columns: Mapping[str, Any], trait_columns: Mapping[str, list]
) -> list[dict[str, Any]]:
    """Return the realised variances of every trait, or nothing where the truth is not known."""
    if dataset.truth is None:
        return []
    return [
        {
            **columns,
            **{name: values[trait] for name, values in trait_columns.items()},
            "trait_id": str(trait_id),
            **{name: float(dataset.truth.traits[name][trait]) for name in TRAIT_VARIANCES},
        }
        for trait, trait_id in enumerate(as_text(dataset.trait_id))
    ]


def _score(dataset: Dataset, prediction: Prediction, trait: int) -> dict[str, Any]:
    column = int(np.flatnonzero(prediction.traits == trait)[0])
    truth = dataset.truth
    score: dict[str, Any] = evaluate(
        prediction.predicted[:, column],
        dataset.phenotypes[prediction.rows, trait],
        None if truth is None else truth.genetic_values[prediction.rows, trait],
    )
    score |= {"fold": prediction.fold, "n_train": int(prediction.n_train[column])}
    score |= {name: float(values[column]) for name, values in prediction.parameters.items()}
    if truth is not None and prediction.std is not None:
        value = truth.genetic_values[prediction.rows, trait]
        score |= interval_coverage(prediction.predicted[:, column], prediction.std[:, column], value)
    if truth is not None:
        mine = truth.effects.trait == trait
        true_effects, causal = np.zeros(dataset.n_loci), np.zeros(dataset.n_loci, dtype=bool)
        true_effects[truth.effects.locus[mine]] = truth.effects.additive[mine]
        causal[truth.effects.locus[mine]] = True
        if prediction.marker_effects is not None:
            score["effect_correlation"] = correlation(prediction.marker_effects[:, column], true_effects)
    if prediction.selected is not None:
        selected = prediction.selected[:, column]
        score["n_selected"] = int(selected.sum())
        if truth is not None:
            score |= precision_and_recall(selected, causal)
    if prediction.pairs is not None:
        found = prediction.pairs[column].loci
        score["n_pairs"] = len(found)
        if truth is not None:
            score |= pair_discoveries(found, _true_pairs(truth, trait))
    return score


def _true_pairs(truth: Truth, trait: int) -> NDArray[np.int32]:
    """Return a trait's interacting pairs, `(n_pairs, 2)`."""
    mine = truth.pairs.trait == trait
    return np.column_stack([truth.pairs.locus_1[mine], truth.pairs.locus_2[mine]])


def selected_rows(
    dataset: Dataset, fit: FitResult, model: str, columns: Mapping[str, Any], trait_columns: Mapping[str, list]
) -> list[dict[str, Any]]:
    """List the loci that a model kept: one row per trait × locus, with its effect and whether it is a QTL."""
    rows = []
    locus_id, trait_id = as_text(dataset.locus_id), as_text(dataset.trait_id)
    for prediction in fit.predictions:
        if prediction.selected is None:
            continue
        for column, trait in enumerate(prediction.traits):
            design = {**columns, **{name: values[trait] for name, values in trait_columns.items()}}
            effects, truth = prediction.marker_effects, dataset.truth
            qtl = None if truth is None else set(truth.effects.locus[truth.effects.trait == trait])
            rows += [
                {
                    **design,
                    "model": model,
                    "trait_id": str(trait_id[trait]),
                    "locus_id": str(locus_id[locus]),
                    "effect": np.nan if effects is None else effects[locus, column],
                    "is_qtl": "" if qtl is None else locus in qtl,
                }
                for locus in np.flatnonzero(prediction.selected[:, column])
            ]
    return rows


def pair_rows(
    dataset: Dataset, fit: FitResult, model: str, columns: Mapping[str, Any], trait_columns: Mapping[str, list]
) -> list[dict[str, Any]]:
    """List the pairs that a model found: one row per trait × pair, with effect, z and whether it is a true one."""
    rows = []
    locus_id, trait_id = as_text(dataset.locus_id), as_text(dataset.trait_id)
    for prediction in fit.predictions:
        if prediction.pairs is None:
            continue
        for trait, found in zip(prediction.traits, prediction.pairs, strict=True):
            design = {**columns, **{name: values[trait] for name, values in trait_columns.items()}}
            truth = dataset.truth
            is_pair = [""] * len(found.loci) if truth is None else are_pairs(found.loci, _true_pairs(truth, trait))
            rows += [
                {
                    **design,
                    "model": model,
                    "trait_id": str(trait_id[trait]),
                    "locus_1": str(locus_id[first]),
                    "locus_2": str(locus_id[second]),
                    "effect": effect,
                    "z": z,
                    "is_pair": true,
                }
                for (first, second), effect, z, true in zip(found.loci, found.effect, found.z, is_pair, strict=True)
            ]
    return rows
