"""Which samples are fitted and which judge: the folds that suit the data, chosen and said.

Environments: each is left out once. Families: kept together, whole families to a fold, and each left out once where
there are few. Classes: every fold has its share of each. Otherwise folds are random. All but the first are drawn
anew in each repeat.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.automl.task import Task
from gpatlas.seeding import stable_seed

LEAST_OF_A_FOLD = 3  # samples of a continuous trait: of fewer there is no correlation to speak of


@dataclass(frozen=True)
class Split:
    """One fold: `train` is fitted, `test` is predicted; sorted indices of samples."""

    repeat: int
    fold: int
    train: NDArray[np.intp]
    test: NDArray[np.intp]


@dataclass(frozen=True)
class Resampling:
    """Folds, and the sentence that says what they are.

    Parameters
    ----------
    splits
        Repeat by repeat, fold by fold; each repeat's test parts are all samples, once.
    text
        What was done and why.
    """

    splits: tuple[Split, ...]
    text: str

    def __iter__(self) -> Iterator[Split]:
        return iter(self.splits)

    def __len__(self) -> int:
        return len(self.splits)

    @property
    def n_repeats(self) -> int:
        """How many times the samples were cut into folds."""
        return 1 + self.splits[-1].repeat


def resample(task: Task, n_folds: int, n_repeats: int, seed: int) -> Resampling:
    """Cut samples into folds.

    Parameters
    ----------
    task
        Its groups and classes say how.
    n_folds
        Wanted; fewer where a class or the number of families allows no more.
    n_repeats
        Times that this is done; once where nothing random is in it.
    seed
        Of the folds.

    Returns
    -------
    Resampling
        The same for the same samples in the same order.
    """
    if task.groups is None:
        return _of_samples(task, n_folds, n_repeats, seed)
    _, codes = np.unique(task.groups, return_inverse=True)
    n_groups = int(codes.max()) + 1
    if n_groups < 2:  # a part of the data that holds one environment only
        return _of_samples(task, n_folds, n_repeats, seed)
    if task.grouping == "environment" or n_groups <= n_folds:
        splits = tuple(_splits(codes, 0))
        if _all_classes_left(task, splits):
            text = f"Each of {n_groups} {_plural(task.grouping)} is left out once"
            text += _known_elsewhere(task)
            return Resampling(splits, text + ("; there is nothing to repeat." if n_repeats > 1 else "."))
    n_folds = min(n_folds, n_groups)
    repeats = [
        _assign_groups(task, codes, n_folds, np.random.default_rng(stable_seed(seed, "folds", repeat)))
        for repeat in range(n_repeats)
    ]
    splits = tuple(split for repeat, fold in enumerate(repeats) for split in _splits(fold, repeat))
    if _all_classes_left(task, splits):
        what = f"{n_groups} {_plural(task.grouping)} are kept together: {n_folds} folds of whole ones"
        return Resampling(splits, f"{what}{_repeated(n_repeats)}.")
    free = _of_samples(task, n_folds, n_repeats, seed)
    what = f"A few {_plural(task.grouping)} hold a whole class, so that they cannot be kept together"
    return Resampling(free.splits, f"{what}. {free.text}")


def _of_samples(task: Task, n_folds: int, n_repeats: int, seed: int) -> Resampling:
    wanted = n_folds
    most = min(task.class_counts.values()) if task.classes else task.n_samples // LEAST_OF_A_FOLD
    n_folds = max(2, min(n_folds, most))
    repeats = []
    for repeat in range(n_repeats):
        rng = np.random.default_rng(stable_seed(seed, "folds", repeat))
        repeats.append(_stratified(task.y, n_folds, rng) if task.classes else _random(task.n_samples, n_folds, rng))
    splits = [split for repeat, fold in enumerate(repeats) for split in _splits(fold, repeat)]
    why = ""
    if n_folds < wanted:
        fewest = (
            f"the rarest class has {n_folds} samples" if task.classes else f"a fold needs {LEAST_OF_A_FOLD} samples"
        )
        why = f" ({wanted} were asked for, {fewest})"
    what = f"{n_folds} folds{why}, each with its share of every class"
    what = what if task.classes else f"{n_folds} random folds{why}"
    return Resampling(tuple(splits), f"{what[0].upper()}{what[1:]}{_repeated(n_repeats)}.")


def _random(n_samples: int, n_folds: int, rng: np.random.Generator) -> NDArray[np.intp]:
    fold = np.empty(n_samples, dtype=np.intp)
    fold[rng.permutation(n_samples)] = np.arange(n_samples) % n_folds
    return fold


def _stratified(y: NDArray[np.float64], n_folds: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Deal the samples of one class after the other to the folds in turn, so that folds are equally large, too."""
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    fold = np.empty(len(y), dtype=np.intp)
    fold[order] = np.arange(len(y)) % n_folds
    return fold


def _assign_groups(task: Task, codes: NDArray[np.intp], n_folds: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Deal groups, large ones first, each to the fold that it leaves most even in size and in classes."""
    y = task.y if task.classes else np.zeros(len(codes))
    content = np.zeros((codes.max() + 1, int(y.max()) + 1))  # samples of each class in each group
    np.add.at(content, (codes, y.astype(np.intp)), 1)
    order = rng.permutation(len(content))
    order = order[np.argsort(-content[order].sum(axis=1), kind="stable")]
    held, fold_of = np.zeros((n_folds, content.shape[1])), np.empty(len(content), dtype=np.intp)
    share = content.sum(axis=0) / n_folds
    for group in order:
        uneven = (((held + content[group] - share) ** 2 - (held - share) ** 2) / share).sum(axis=1)
        fold_of[group] = uneven.argmin()
        held[fold_of[group]] += content[group]
    return fold_of[codes]


def _all_classes_left(task: Task, splits: tuple[Split, ...]) -> bool:
    """Whether there are samples of every class to fit, whichever fold is left out."""
    return not task.classes or all(len(np.unique(task.y[split.train])) == len(task.classes) for split in splits)


def _known_elsewhere(task: Task) -> str:
    """Say what leaving an environment out judges where samples were tried in several."""
    if task.grouping != "environment" or task.row is None or len(np.unique(task.row)) == len(task.row):
        return ""
    return ", while samples may be known from the others: the score is of known samples in a new environment"


def _splits(fold: NDArray[np.intp], repeat: int) -> Iterator[Split]:
    for number in range(fold.max() + 1):
        yield Split(repeat, number, np.flatnonzero(fold != number), np.flatnonzero(fold == number))


def _repeated(n_repeats: int) -> str:
    return f", drawn {n_repeats} times" if n_repeats > 1 else ""


def _plural(grouping: str) -> str:
    return {"family": "families"}.get(grouping, f"{grouping}s")
