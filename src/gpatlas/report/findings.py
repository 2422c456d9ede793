"""What an experiment found, in a sentence or two that follow from its table, whichever way it went."""

from collections.abc import Callable

import pandas as pd

from gpatlas.plotting.fig7_perceiver import PRETRAINED, SCRATCH, UNTRAINED, mean_and_interval, pretraining_gains
from gpatlas.plotting.style import model_name, number

FEW = 100  # phenotyped lines, or fewer
IMPUTED = "rrblup_imputed"
_AGAINST = {
    SCRATCH: "the one from scratch",
    UNTRAINED: "the same head on weights that never learnt",
    IMPUTED: "rrBLUP on genotypes that nearest neighbours filled in first",
}


def finding(experiment: str, metrics: pd.DataFrame) -> str:
    """Say what an experiment found; "" where there is nothing to say of it."""
    return _FINDINGS[experiment](metrics) if experiment in _FINDINGS else ""


def pretraining_finding(metrics: pd.DataFrame) -> str:
    """Say by how much pretraining helps with few phenotyped lines, against no pretraining and against rrBLUP.

    Panels of different kinds are told one by one, too: a mean over them may hide that one has all the gain.
    """
    few = metrics[metrics.n_phenotyped <= FEW]
    if PRETRAINED not in set(few.model):
        return ""
    gains = pretraining_gains(few)
    sentences = []
    for model in (SCRATCH, UNTRAINED, "rrblup", IMPUTED):
        of_model = gains[gains.model == model]
        # a replicate is a trait on a panel: its numbers of lines are nested, and no replicates of each other
        mean, half = mean_and_interval(of_model.groupby(["data", "rep"]).gain.mean())
        if of_model.empty:
            continue
        if half == 0:
            verdict = "One replicate cannot say more."
        elif abs(mean) <= half:
            verdict = "The interval holds zero: no difference is shown."
        else:
            verdict = f"The pretrained one is {'ahead' if mean > 0 else 'behind'}."
        interval = f" (95 % interval {number(mean - half)} to {number(mean + half)})" if half else ""
        by_panel = of_model.groupby("data", sort=False).gain.mean()
        told = (
            "; " + ", ".join(f"{panel} {number(gain)}" for panel, gain in by_panel.items()) if len(by_panel) > 1 else ""
        )
        sentences.append(
            f"With {FEW} phenotyped lines or fewer, the predictive ability of the pretrained perceiver less that of "
            f"{_AGAINST.get(model, model_name(model))} is {number(mean)}{interval}, over "
            f"{len(of_model[['data', 'rep']].drop_duplicates())} replicates{told}. {verdict}"
        )
    return " ".join(sentences)


_FINDINGS: dict[str, Callable[[pd.DataFrame], str]] = {"perceiver": pretraining_finding}
