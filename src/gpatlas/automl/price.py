"""What a run will take, before it starts: from the candidates' own estimates of a fit."""

from collections.abc import Sequence

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.settings import LOOK_FOLDS, LOOK_SHARE, Settings

ESTIMATED = 0.35  # of what candidates say of their fits, to the order of magnitude: `gpatlas cost … --compare` shows it


def seconds_of_run(n_samples: int, n_features: int, kind: str, n_outer: int, settings: Settings) -> float:
    """Estimate the seconds of one core that a run takes.

    Parameters
    ----------
    n_samples, n_features, kind
        Of the task.
    n_outer
        Outer folds, all repeats together.
    settings
        With a budget in seconds, that is the answer.
    """
    if settings.budget_seconds is not None:
        return settings.budget_seconds
    held_out = 1 - 1 / settings.outer_folds
    outer = search_seconds(round(held_out * n_samples), n_features, kind, settings)
    judged = sum(_seconds(_looked(kind, settings), round(held_out * n_samples), n_features, kind))
    final = search_seconds(n_samples, n_features, kind, settings)
    null = settings.permutations * _mean(_seconds(_looked(kind, settings), n_samples, n_features, kind))
    return n_outer * (outer + judged + null) + final


def search_seconds(n_samples: int, n_features: int, kind: str, settings: Settings) -> float:
    """Estimate the seconds of one search on so many samples, were candidates equally likely to come far."""
    rows = round((1 - 1 / settings.inner_folds) * n_samples)
    each = _seconds(_looked(kind, settings), rows, n_features, kind)
    n_looks = min(LOOK_FOLDS, settings.inner_folds) * len(each)
    return n_looks * _mean(each) + max(0, settings.budget_fits - n_looks) * _mean(each)


def _looked(kind: str, settings: Settings) -> Sequence[str]:
    """Candidates that a budget in fits reaches."""
    most = max(1, int(LOOK_SHARE * settings.budget_fits) // min(LOOK_FOLDS, settings.inner_folds))
    return settings.competing(kind)[:most]


def _seconds(names: Sequence[str], n_samples: int, n_features: int, kind: str) -> list[float]:
    return [ESTIMATED * CANDIDATES[name].work(n_samples, n_features, kind) for name in names]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
