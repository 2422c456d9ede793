"""The Bayes ceiling of a cohort: how well one who knows the recipe would tell the classes apart, on average.

It is exact where all genotypes of the causal sites can be listed, and a mean over a million draws otherwise. Measures
that need a rule take the best one: the most probable class, or for balanced accuracy the class under which the
genotypes are most probable.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gpatlas.simulate.illness import SEXES, Illness

MOST_STATES = 600_000  # 3^11 genotypes in each sex
N_DRAWS = 1_000_000
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ceiling:
    """What the best possible classifier reaches on new samples of a cohort.

    Parameters
    ----------
    values
        Expected measure by name: "auc" (of several classes: mean of one against the rest), "accuracy_class",
        "balanced_accuracy", "log_loss" and "brier" (squared error of the probabilities, of all classes together where
        there are more than two); the last two are the lowest possible. Of two classes also "predictive_ability", the
        correlation of the case's probability p with being one (0 or 1), whose square is Var(p)/Var(case).
    errors
        Standard errors of them, where they come from draws; all 0 where they are exact.
    exact
        Whether all states were listed.
    """

    values: dict[str, float]
    errors: dict[str, float]
    exact: bool


def bayes_ceiling(illness: Illness, rng: np.random.Generator) -> Ceiling:
    """Return the ceiling of an illness; `rng` is used only where there are too many states to list."""
    if 3**illness.n_causal * len(SEXES) <= MOST_STATES:
        values = _measures(illness, *_all_states(illness))
        return Ceiling(values, dict.fromkeys(values, 0.0), exact=True)
    batches = [_measures(illness, *_drawn_states(illness, N_DRAWS // 20, rng)) for _ in range(20)]
    table = {name: [batch[name] for batch in batches] for name in batches[0]}
    return Ceiling(
        values={name: float(np.mean(column)) for name, column in table.items()},
        errors={name: float(np.std(column, ddof=1) / np.sqrt(len(column))) for name, column in table.items()},
        exact=False,
    )


def _all_states(illness: Illness) -> tuple[Floats, Floats]:
    """Return P(class | state) and P(state | class), each `(n_states, n_classes)`, of all states."""
    dosage = np.array(list(product(range(3), repeat=illness.n_causal)), dtype=np.int8)
    sex = np.repeat(np.arange(len(SEXES)), len(dosage))
    likelihood = illness.likelihood(np.tile(dosage, (len(SEXES), 1)), sex)
    joint = likelihood * illness.class_shares
    seen = joint.sum(axis=1) > 0
    return joint[seen] / joint[seen].sum(axis=1, keepdims=True), likelihood[seen]


def _drawn_states(illness: Illness, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the same of drawn states, weighted by the posterior: P(state | class) ∝ P(class | state) P(state)."""
    classes = rng.choice(len(illness.class_shares), n, p=illness.class_shares)
    posterior = illness.posterior(*illness.draw(classes, rng))
    return posterior, posterior / posterior.sum(axis=0)


def _measures(illness: Illness, posterior: Floats, likelihood: Floats) -> dict[str, float]:
    share, n_classes = likelihood @ illness.class_shares, posterior.shape[1]
    against_rest = [_auc(column, share * column, share * (1 - column)) for column in posterior.T]
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = -np.where(posterior > 0, posterior * np.log(posterior), 0).sum(axis=1)
    squares = (posterior * (1 - posterior)).sum(axis=1)
    measures = {
        "auc": float(np.mean(against_rest)),
        "accuracy_class": float(share @ posterior.max(axis=1)),
        "balanced_accuracy": float(likelihood.max(axis=1).sum() / n_classes),
        "log_loss": float(share @ surprise),
        "brier": float(share @ squares) / (2 if n_classes == 2 else 1),  # of two classes, that of one
    }
    if n_classes == 2:  # Var(p) = Var(case) - E[p (1 - p)]
        explained = 1 - measures["brier"] / np.prod(illness.class_shares)
        measures["predictive_ability"] = float(np.sqrt(np.maximum(explained, 0.0)))
    return measures


def _auc(score: Floats, in_class: Floats, in_rest: Floats) -> float:
    """Chance that a state drawn from the class scores above one drawn from the rest.

    States of equal score have equal likelihood ratios; among them every order gives what ties give.
    """
    order = np.argsort(score)
    a, b = in_class[order] / in_class.sum(), in_rest[order] / in_rest.sum()
    return float(a @ (np.cumsum(b) - b / 2))
