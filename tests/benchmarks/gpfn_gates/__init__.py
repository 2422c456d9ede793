"""How well a GPFN checkpoint predicts, beside GBLUP by REML, BayesCπ and RKHS, and whether it may be shipped."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gpatlas import priors
from tests.benchmarks.gpfn_gates import gates, tables
from tests.benchmarks.gpfn_gates.cases import CLASSES, COHORTS, N_SPLITS
from tests.benchmarks.gpfn_gates.judge import LONGER, R_HAT
from tests.benchmarks.gpfn_gates.ledger import fill, label_of, load

NONE = "none"
GROUPS = (*priors.REGISTRY, *COHORTS)
NAMES = {
    "rrblup": "GBLUP-REML",
    "bayes_cpi": "BayesCπ",
    "rkhs": "RKHS",
    "evidence_kernels": "evidence kernels",
    "gpfn": "gpfn",
}


def compare(checkpoint: str, only: Sequence[str], populations: int, folder: Path, processes: int) -> None:
    """Judge what has not been judged, and print tables and gates; with checkpoint `none`, the other models alone."""
    found, groups = None if checkpoint == NONE else checkpoint, only or GROUPS
    fill(folder, groups, populations, found, processes)
    if found is not None:
        print(f"{checkpoint}: {label_of(found)}\n")
    scores = load(folder, groups, populations, found)
    held = [*_simulated(scores[~scores.group.isin(COHORTS)]), *_cohorts(scores)]
    if held:
        print("\n".join(map(str, held)))
        print(f"{sum(gate.passed for gate in held)} of {len(held)} gates hold")


def _simulated(scores: pd.DataFrame) -> list[gates.Gate]:
    if scores.empty:
        return []
    kept = tables.usable(scores)
    n_models = scores.model.nunique()
    print(
        f"{(len(scores) - len(kept)) // n_models} of {len(scores) // n_models} populations are left out: "
        "their queries all have the same genetic value. Constant predictions, whose accuracy counts as 0: "
        + ", ".join(f"{NAMES[name]} {n}" for name, n in kept.groupby("model", sort=False).constant.sum().items())
        + f". BayesCπ's chains disagreed after {int(kept.sweeps.min()):,} sweeps in "
        f"{(kept.sweeps > kept.sweeps.min()).sum() * n_models / len(kept):.0%}, which were fitted anew with "
        f"{LONGER['n_iter']:,}; R̂ of a variance is still above {R_HAT} in "
        f"{(kept.r_hat > R_HAT).sum() * n_models / len(kept):.1%}.\n"
    )
    by_scheme, by_class, by_split = (tables.summary(kept, by, "r_g") for by in ("group", "class", "split"))
    by_class = by_class.reindex([name for name in (*CLASSES, "all") if name in by_class.index])
    for table, first in ((by_scheme, "scheme"), (by_class, "trait"), (by_split, "split")):
        tables.show(table, f"accuracy r(g), by {first}", first, NAMES)
    return list(gates.simulated(by_scheme, by_class)) if "gpfn" in by_scheme else []


def _cohorts(scores: pd.DataFrame) -> list[gates.Gate]:
    held = []
    for name, of_cohort in ((name, gates.OF_COHORT[name]) for name in COHORTS):
        found = scores[scores.group == name]
        if found.empty:
            continue
        by_trait = tables.summary(found, "trait", "r_y").drop(columns="cover_g", errors="ignore")
        tables.show(by_trait, f"{name}, {N_SPLITS} splits: predictive ability r(y), by trait", "trait", NAMES)
        held += of_cohort(by_trait) if "gpfn" in by_trait else []
    return held
