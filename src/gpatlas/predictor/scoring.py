"""How good predictions of new samples were, where their phenotypes have become known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, as_text
from gpatlas.evaluate.scores import all_scores
from gpatlas.predictor.predictor import Prediction, Predictor

LEAST = 5  # samples below which scores say nothing


@dataclass(frozen=True)
class NewScores:
    """Scores of predictions against phenotypes of new samples.

    Parameters
    ----------
    observed
        `(n_samples,)`: trait units, or names of classes; NaN or "" where not known.
    scores
        By name, as AutoML's; empty where nothing can be scored.
    sentences
        On how many samples, and why not on others.
    """

    observed: NDArray
    scores: dict[str, float]
    sentences: tuple[str, ...]


def score_prediction(predictor: Predictor, prediction: Prediction, dataset: Dataset) -> NewScores:
    """Score predictions against the dataset's phenotypes; copies of training samples are not counted."""
    said: list[str] = []
    column = as_text(dataset.trait_id).tolist().index(predictor.trait)
    values = dataset.phenotypes[:, column]
    if predictor.kind != "continuous":
        values = _codes(values, dataset.levels.get(predictor.trait), predictor, said)
    known = ~np.isnan(values)
    rows = np.flatnonzero(known & ~prediction.table["in_training"])
    if n_twins := int((known & prediction.table["in_training"]).sum()):
        said.append(f"{n_twins:,} samples with a phenotype are copies of training samples and are not scored.")
    scores = {}
    if len(rows) >= LEAST:
        said.append(f"Scored on {len(rows):,} of {dataset.n_samples:,} samples.")
        scores = all_scores(predictor.kind, *_pair(predictor, prediction, values, rows))
        if "lower" in prediction.table:
            inside = (values >= prediction.table["lower"]) & (values <= prediction.table["upper"])
            said.append(f"{inside[rows].mean():.1%} of their phenotypes are within the intervals.")
    elif not len(rows) and n_twins:
        said.append("No other sample has a phenotype to score by.")
    else:
        said.append(f"Not scored: only {len(rows)} new samples have a phenotype, and at least {LEAST} are needed.")
    return NewScores(_shown(values, predictor), scores, tuple(said))


def _pair(
    predictor: Predictor, prediction: Prediction, values: NDArray, rows: NDArray[np.intp]
) -> tuple[NDArray, NDArray]:
    """Return observed and predicted as the scores take them."""
    if predictor.kind == "continuous":
        return values[rows], prediction.table["prediction"][rows]
    probability = np.column_stack([prediction.table[f"p_{name}"] for name in predictor.classes])
    return values[rows].astype(np.intp), probability[rows]


def _codes(
    values: NDArray, names: tuple[str, ...] | None, predictor: Predictor, said: list[str]
) -> NDArray[np.float64]:
    """Return codes of the model's classes, NaN where there is none of that name."""
    code_of = {name: float(code) for code, name in enumerate(predictor.classes)}
    present = np.unique(values[~np.isnan(values)])
    spelt = {value: f"{value:g}" if names is None else names[int(value)] for value in present}
    if len(predictor.classes) == 2 and not set(spelt.values()) & set(code_of) and names in (("0", "1"), ("1", "2")):
        said.append(f"{names[0]} is taken as {predictor.classes[0]}, {names[1]} as {predictor.classes[1]}.")
        code_of = {name: float(code) for code, name in enumerate(names)}
    codes = np.full(len(values), np.nan)
    for value, name in spelt.items():
        here = values == value
        if name in code_of:
            codes[here] = code_of[name]
        else:
            said.append(f"{int(here.sum()):,} samples are '{name}', which the model does not know: not scored.")
    return codes


def _shown(values: NDArray, predictor: Predictor) -> NDArray:
    if predictor.kind == "continuous":
        return values
    names = np.array([*predictor.classes, ""])
    return names[np.where(np.isnan(values), len(names) - 1, values).astype(int)]
