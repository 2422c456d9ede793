"""What an experiment found, in a sentence or two that follow from its table, whichever way it went."""

from collections.abc import Callable

import pandas as pd

from gpatlas.plotting.fig7_perceiver import PRETRAINED, SCRATCH, UNTRAINED, mean_and_interval, pretraining_gains
from gpatlas.plotting.style import number

FEW = 100  # phenotyped lines, or fewer
IMPUTED = "rrblup_imputed"
_AGAINST = {
    SCRATCH: "the one from scratch",
    UNTRAINED: "the same head on weights that never learnt",
    "rrblup": "rrBLUP",
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
    told = [_gain(gains[gains.model == model]) for model in _AGAINST if (gains.model == model).any()]
    if not told:
        return ""
    n = len(gains[["data", "rep"]].drop_duplicates())
    over = f"over {n} replicates" if n > 1 else "in one replicate, which cannot say more"
    return (
        f"With {FEW} phenotyped lines or fewer, the predictive ability of the pretrained perceiver, {over}, is "
        f"{'; '.join(told)}."
    )


def _gain(gains: pd.DataFrame) -> str:
    """Say by how much the pretrained perceiver is ahead of one model."""
    # a replicate is a trait on a panel: its numbers of lines are nested, and no replicates of each other
    mean, half = mean_and_interval(gains.groupby(["data", "rep"]).gain.mean())
    details = [f"95 % interval {number(mean - half)} to {number(mean + half)}"] if half else []
    by_panel = gains.groupby("data", sort=False).gain.mean()
    if len(by_panel) > 1:
        details.append(", ".join(f"{panel} {number(gain)}" for panel, gain in by_panel.items()))
    verdict = f"{number(abs(mean))} {'above' if mean > 0 else 'below'}"
    if half and abs(mean) <= half:
        verdict = f"not shown to differ ({number(mean)}) from"
    return f"{verdict} that of {_AGAINST[gains.model.iloc[0]]}" + (f" ({'; '.join(details)})" if details else "")


_FINDINGS: dict[str, Callable[[pd.DataFrame], str]] = {"perceiver": pretraining_finding}
