"""Which hyperparameters mattered: the share of variance among trials that each explains (functional ANOVA)."""

from collections.abc import Sequence
from typing import Any

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from gpatlas.models.space import Space
from gpatlas.tuning.distributions import distribution, label

MINIMUM = 3  # complete trials below which nothing can be said


def importances(trials: Sequence[dict[str, Any]], space: Space, seed: int = 0) -> dict[str, float]:
    """Compute importances from trials that ran to the end.

    Parameters
    ----------
    trials
        Rows of `TuneResult.trials`.
    space
        The space that they were drawn from.
    seed
        Of the random forest that stands in for the objective.

    Returns
    -------
    dict
        Key → share, summing to 1, largest first; empty where there is nothing to compare: fewer than three complete
        trials, a single key, or trials that all came out the same.

    References
    ----------
    Hutter, Hoos & Leyton-Brown (2014) ICML 32:754.
    """
    complete = [row for row in trials if row["state"] == "complete"]
    if len(complete) < MINIMUM or len(space) < 2 or len({row["value"] for row in complete}) < 2:
        return {}
    study = optuna.create_study(direction="maximize")
    distributions = {key: distribution(range_) for key, range_ in space.items()}
    for row in complete:
        params = {key: label(range_, row[key]) for key, range_ in space.items()}
        trial = optuna.trial.create_trial(params=params, distributions=distributions, value=row["value"])
        study.add_trial(trial)
    found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=seed))
    return {key: float(share) for key, share in found.items()}
