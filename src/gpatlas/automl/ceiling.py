"""The ceiling: what the best possible predictor scores, where the truth is known."""

import numpy as np

from gpatlas.automl.task import Task
from gpatlas.dataset import Dataset
from gpatlas.evaluate.scores import SCORES, all_scores
from gpatlas.simulate.cohort import TRAIT

KNOWN = {*SCORES, "predictive_ability"}


def ceiling(dataset: Dataset, task: Task) -> dict[str, float] | None:
    """Return the scores of the truth, and its predictive ability: name → value; None where it is not known.

    Of a synthetic clinic, those of its recipe (`gpatlas.simulate.ceiling`). Of a simulated continuous trait, those of
    the true genetic values of its samples.
    """
    cohort = dataset.provenance.get("cohort")
    if task.trait == TRAIT and task.classes and isinstance(cohort, dict) and "ceiling" in cohort:
        return {name: float(value) for name, value in cohort["ceiling"]["values"].items() if name in KNOWN}
    if task.classes or task.genetic_value is None:
        return None
    scores = all_scores(task.kind, task.y, task.genetic_value)
    scores["predictive_ability"] = scores["r"]
    return {name: value for name, value in scores.items() if not np.isnan(value)}
