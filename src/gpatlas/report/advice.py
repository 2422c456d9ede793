"""What to do next: rules that read the results, each of which says why."""

from collections.abc import Iterator

import numpy as np

from gpatlas.plotting.style import model_name, number
from gpatlas.report.automl_results import SIGNIFICANT, WHOLE, Results

FEW_SAMPLES, RARE_CLASS, IMBALANCE = 200, 30, 5.0
FEW_FOLDS = 8  # of fewer, the interval is wide by Student's t alone
STRUCTURE_SHARE, INFLATED = 0.1, 1.2
SMALL_PART = 0.05  # of the leading covariate's importance
OPTIMISM, WIDE = 0.05, 0.15  # of utility: inner minus outer score, and width of the interval


def advice(results: Results) -> list[tuple[str, str]]:
    """Return what follows from the results, as (what to do, why)."""
    found = [item for rule in _RULES for item in rule(results)]
    if not predicting(results):
        return found
    weakness = "" if found else "None of the rules that look for a weakness found one. "
    how = "The command says what was missing, flipped or ambiguous in their genotypes."
    return [*found, ("Predict new samples with the saved model.", weakness + how)]


def predicting(results: Results) -> str:
    """Return the command that predicts new samples; "" where predictions are not to be used."""
    if _in_doubt(results) or not (np.isnan(results.p_null) or results.beats_null):
        return ""
    table = " --table covariates.csv" if results.task.get("n_covariates") else ""
    return f"gpatlas predict {results.folder.name}/model.gpatlas new.vcf.gz{table} --out predictions.csv"


def _no_signal(results: Results) -> Iterator[tuple[str, str]]:
    p = results.p_null
    if not np.isnan(p) and not results.beats_null:
        yield (
            "Do not use these predictions yet.",
            f"Permuted phenotypes are predicted as well with probability {p:.2g}: what is seen may be chance. "
            "More samples, a better measured trait or another set of markers would be needed.",
        )
    elif _in_doubt(results):
        more = "Run with permutations" if np.isnan(p) else "Run with more permutations (--permutations 100)"
        yield (
            "Do not rely on these predictions yet.",
            f"The interval of the score reaches down to chance. {more} to test it.",
        )


def _in_doubt(results: Results) -> bool:
    """Whether the interval of the score holds chance, and there were too few permutations to say otherwise."""
    return _covers_chance(results) and not results.p_null <= SIGNIFICANT


def _covers_chance(results: Results) -> bool:
    chance = results.chance
    if chance is None:
        return False
    row, score = results.honest, results.score
    worst = row.lower if score.larger_is_better else row.upper
    return bool(score.utility(worst) <= score.utility(chance))


def _ceiling(results: Results) -> Iterator[tuple[str, str]]:
    if results.ceiling is None:
        return
    gap = results.score.utility(results.ceiling) - results.score.utility(results.honest.score)
    row, more = results.honest, "more" if results.score.larger_is_better else "less"
    if row.lower <= results.ceiling <= row.upper:
        yield (
            "Leave the model as it is.",
            f"The ceiling, {number(results.ceiling)}, lies within the interval of the score: the truth itself would "
            "hardly predict better.",
        )
    elif gap > 0:
        yield (
            "Collect more samples, or give the search a larger budget.",
            f"The truth would reach {number(results.ceiling)}, {number(gap)} {more} than this model.",
        )


def _few_samples(results: Results) -> Iterator[tuple[str, str]]:
    n, row = int(results.task["n_samples"]), results.honest
    known = f"With {n:,} samples the score is known to within {number(row.lower)} to {number(row.upper)} only"
    wide = results.score.highest <= 1 and row.upper - row.lower > WIDE
    n_folds = len(results.folds[results.folds.model == WHOLE])
    if n >= FEW_SAMPLES and wide and n_folds < FEW_FOLDS:
        yield ("Judge by more folds.", f"{known}, and {n_folds} folds make an interval wide: --outer 5x2 narrows it.")
    elif n < FEW_SAMPLES or wide:
        yield ("Add samples.", f"{known}, and a model learns more from more.")


def _imbalance(results: Results) -> Iterator[tuple[str, str]]:
    counts = {str(k): int(v) for k, v in (results.task.get("classes_counts") or {}).items()}
    if not counts:
        return
    rare = min(counts, key=lambda name: counts[name])
    if max(counts.values()) > IMBALANCE * counts[rare] or counts[rare] < RARE_CLASS:
        yield (
            f"Collect more samples of class {rare}.",
            f"There are {counts[rare]:,}, of the largest class {max(counts.values()):,}. Judge by AUC or balanced "
            "accuracy: accuracy is high by calling everyone the largest class.",
        )


def _stack(results: Results) -> Iterator[tuple[str, str]]:
    board = results.leaderboard.set_index("model")
    members = board.drop(index=[m for m in ("stack", WHOLE) if m in board.index])
    if results.chosen != "stack" or not len(members):
        return
    utility = results.score.utility
    best = members.index[np.argmax(utility(members.score).fillna(-np.inf))]
    gain = float(utility(board.score["stack"]) - utility(members.score[best]))
    if gain <= 0:
        yield (
            f"Take {model_name(best)} alone if a simple model matters.",
            f"The stack scores {number(board.score['stack'])}, {model_name(best)} {number(board.score[best])}: "
            "combining models adds nothing here.",
        )


def _covariates(results: Results) -> Iterator[tuple[str, str]]:
    if not results.task.get("n_covariates"):
        yield (
            "Give covariates if there are any.",
            "None were used. Age, sex, site, year or batch often explain as much as markers do, and a marker that only "
            "tells sites apart looks useful without them.",
        )
        return
    importance = results.explanation.get("permutation_importance")
    if importance is None or not len(importance):
        return
    loci, others = importance[importance.kind == "locus"], importance[importance.kind == "covariate"]
    if len(loci) and len(others) and loci.importance.max() < SMALL_PART * others.importance.max():
        first = others.iloc[others.importance.argmax()]
        of_loci = number(max(0.0, loci.importance.max()))
        yield (
            "Compare with a model of covariates alone.",
            f"Shuffling {first.feature} costs {number(first.importance)}, shuffling any locus {of_loci} at most: "
            "the prediction rests on covariates, or on very many small effects.",
        )


def _structure(results: Results) -> Iterator[tuple[str, str]]:
    inflation = results.facts.get("inflation")
    if inflation is not None and inflation > INFLATED:
        yield (
            "Do not read single associations as causes.",
            f"Test statistics are inflated (λ {inflation:.2f}) even beside components: many small effects, or "
            "relatedness that components do not take up.",
        )
    if results.shares and results.shares[0] > STRUCTURE_SHARE and results.grouping is None:
        yield (
            "Name families or populations, and predict across them.",
            f"The first component holds {results.shares[0]:.0%} of the genotypes' variance: samples are structured, "
            "and a score within the same groups may not hold in others.",
        )


def _optimism(results: Results) -> Iterator[tuple[str, str]]:
    row = results.leaderboard[results.leaderboard.model == results.chosen].iloc[0]
    if not np.isfinite(row.inner_score):
        return
    optimism = results.score.utility(row.inner_score) - results.score.utility(results.honest.score)
    if results.score.highest <= 1 and optimism > OPTIMISM:
        yield (
            "Report the honest score, not that of the search.",
            f"The search saw {number(row.inner_score)} of {model_name(results.chosen)}; on samples it never saw the "
            f"procedure reached {number(results.honest.score)}.",
        )


_RULES = (_no_signal, _ceiling, _few_samples, _imbalance, _stack, _covariates, _structure, _optimism)
