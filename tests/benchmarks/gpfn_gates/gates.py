"""What a checkpoint must hold before it is shipped, and by how much it does."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

GAIN_OVERALL = 0.05  # in mean accuracy, over GBLUP by REML
LOSS_INFINITESIMAL = 0.005
COVERAGE = (0.88, 0.92)
WHEAT, WITHIN = 0.490, 0.005  # evidence-averaged kernels


@dataclass(frozen=True)
class Gate:
    """One condition: the value found must lie in [low, high]."""

    name: str
    value: float
    low: float = float("-inf")
    high: float = float("inf")

    @property
    def margin(self) -> float:
        """How far inside the value is; negative, how far outside."""
        return min(self.value - self.low, self.high - self.value)

    @property
    def passed(self) -> bool:
        return self.margin >= 0

    def __str__(self) -> str:
        verdict, how = ("holds", "by") if self.passed else ("FAILS", "short by")
        return f"{verdict}  {self.name}: {self.value:+.4f}, {how} {abs(self.margin):.4f}"


def simulated(by_scheme: pd.DataFrame, by_class: pd.DataFrame) -> Iterator[Gate]:
    """Gates on fresh populations, from summaries of accuracy."""
    overall = by_scheme.loc["all"]
    yield Gate("accuracy over GBLUP-REML", overall.gain_rrblup, low=GAIN_OVERALL)
    yield Gate("accuracy over BayesCπ", overall.gain_bayes_cpi, low=0.0)
    if "infinitesimal" in by_class.index:
        gain = by_class.loc["infinitesimal"].gain_rrblup
        yield Gate("accuracy over GBLUP-REML on infinitesimal traits", gain, low=-LOSS_INFINITESIMAL)
    for scheme, row in by_scheme.drop("all").iterrows():
        yield Gate(f"90 % intervals of genetic values, {scheme}", row.cover_g, *COVERAGE)


def wheat(by_trait: pd.DataFrame) -> Iterator[Gate]:
    """Gates on the wheat lines, from a summary of predictive ability."""
    mean = by_trait.loc["all"]
    yield Gate(f"wheat, predictive ability (at least {WHEAT} - {WITHIN})", mean.gpfn, low=WHEAT - WITHIN)
    yield Gate("wheat, over evidence-averaged kernels on the same splits", mean.gain_evidence_kernels, low=-WITHIN)


def maize(by_trait: pd.DataFrame) -> Iterator[Gate]:
    """The gate on the maize panel, from a summary of predictive ability."""
    yield Gate("maize, predictive ability over GBLUP-REML", by_trait.loc["all"].gain_rrblup, low=0.0)


OF_COHORT = {"wheat": wheat, "maize_mdp": maize}
