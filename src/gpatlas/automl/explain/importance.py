"""Permutation importance on samples that the model has not seen (Breiman 2001; Fisher, Rudin & Dominici 2019).

The model is fitted again in every fold of a cross-validation, and the score of the samples left out is compared with
that after a block of columns was shuffled among them. What a block loses is what the model had from it and could not
have from the others; columns of a block (loci in linkage disequilibrium, levels of a categorical covariate) are
shuffled together, or each would hide behind the other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.automl.explain.association import associate
from gpatlas.automl.explain.blocks import Block
from gpatlas.automl.explain.margins import predicted
from gpatlas.automl.resampling import Split
from gpatlas.evaluate.classification import auc
from gpatlas.evaluate.scores import r2

Array = NDArray[np.float64]

SHUFFLES = 5
MOST_BLOCKS = 60  # shuffled one by one in a fold; the others are shuffled all at once
LEAST_BLOCKS = 20
_VALUES_PREDICTED = 1.5e9  # values of X that all predictions of a run may take together: bounds its cost
_ROWS_AT_ONCE = 2**24  # values of X that one call of `predict` takes


@dataclass(frozen=True)
class Importance:
    """Loss of score by shuffling.

    Parameters
    ----------
    mean, se
        `(n_blocks,)` over folds; a block that a fold did not shuffle by itself counts as 0 there.
    rest, rest_se
        Of the loci that no fold's model was asked about one by one, shuffled all at once; NaN where there are none.
    n_tested
        `(n_blocks,)` folds in which the block was shuffled by itself.
    """

    mean: Array
    se: Array
    rest: float
    rest_se: float
    n_tested: NDArray[np.intp]


def permutation_importance(
    make: Callable[[], Any],
    X: NDArray,
    y: Array,
    kind: str,
    blocks: Sequence[Block],
    splits: Sequence[Split],
    rng: np.random.Generator,
    report: Callable[[int, int, str], None],
) -> Importance:
    """Shuffle blocks of the samples left out.

    Parameters
    ----------
    make
        Returns an unfitted estimator.
    X
        `(n_samples, n_features)`.
    y
        `(n_samples,)`: trait units, or codes of classes.
    kind
        "continuous" (score: R²), "binary" or "multiclass" (area under the ROC curve, one class against the rest).
    blocks
        Of columns. Where there are more than can be shuffled one by one, each fold takes those with the smallest p
        value of association among its training samples, and all covariates.
    splits
        Folds: which samples are fitted, and which are left out.
    rng
        Of the shuffles.
    report
        Progress: done, total, note.
    """
    score = r2 if kind == "continuous" else _auc
    n_each = _blocks_within_budget(X.shape, len(blocks))
    losses, tested, rests = np.zeros((len(splits), len(blocks))), np.zeros(len(blocks), dtype=np.intp), []
    for fold, split in enumerate(splits):
        report(fold, len(splits), "importance")
        train, test = split.train, split.test
        chosen = _likely(X[train], y[train], kind, blocks, n_each)
        columns = [blocks[k].columns for k in chosen]
        others = np.setdiff1d(np.arange(len(blocks)), chosen)
        if len(others):
            columns.append(np.concatenate([blocks[k].columns for k in others]))
        model = make().fit(X[train], y[train])
        orders = [rng.permutation(len(test)) for _ in range(SHUFFLES)]
        observed, base = (y[test], predicted(model, X[test], kind, y))
        shuffled = _shuffled(model, X[test], kind, y, columns, orders)
        found = np.array([score(observed, base) - score(observed, values) for values in shuffled])
        found = found.reshape(len(columns), SHUFFLES).mean(axis=1)
        losses[fold, chosen] = found[: len(chosen)]
        tested[chosen] += not np.isnan(found[0])
        if len(others):
            rests.append(found[-1])
    report(len(splits), len(splits), "importance")
    judged = ~np.isnan(losses).any(axis=1)  # a fold without one of the classes has no score to lose
    losses, root = losses[judged], np.sqrt(judged.sum())
    rests = [rest for rest in rests if not np.isnan(rest)]
    rest = (float(np.mean(rests)), float(np.std(rests, ddof=1) / root)) if len(rests) > 1 else (np.nan, np.nan)
    return Importance(losses.mean(axis=0), losses.std(axis=0, ddof=1) / root, *rest, tested)


def _auc(observed: Array, probability: Array) -> float:
    return auc(observed.astype(np.intp), probability)


def _shuffled(
    model: Any, X: NDArray, kind: str, y: Array, columns: list[NDArray[np.intp]], orders: list[NDArray[np.intp]]
) -> Iterator[Array]:
    """Yield predictions for every block and order; many shuffles go into one call, which is much faster."""
    jobs = [(block, order) for block in columns for order in orders]
    at_once = max(_ROWS_AT_ONCE // X.size, 1)
    for start in range(0, len(jobs), at_once):
        part = jobs[start : start + at_once]
        stacked = np.tile(X, (len(part), 1, 1)).reshape(len(part), *X.shape)
        for one, (block, order) in zip(stacked, part, strict=True):
            one[:, block] = X[np.ix_(order, block)]
        values = predicted(model, stacked.reshape(-1, X.shape[1]), kind, y)
        yield from values.reshape(len(part), len(X), *values.shape[1:])


def _likely(X: NDArray, y: Array, kind: str, blocks: Sequence[Block], most: int) -> NDArray[np.intp]:
    """Return the blocks that are shuffled one by one: all covariates, and loci by their p value of association."""
    if len(blocks) <= most:
        return np.arange(len(blocks))
    loci = [k for k, block in enumerate(blocks) if not block.covariate]
    covariates = [k for k, block in enumerate(blocks) if block.covariate]
    fixed = np.hstack([np.empty((len(X), 0)), *(X[:, blocks[k].columns] for k in covariates)])
    columns = np.concatenate([blocks[k].columns for k in loci])
    p = associate(X[:, columns], y, fixed, int(y.max()) + 1 if kind == "multiclass" else 0).p
    best = np.ones(X.shape[1])
    best[columns] = np.where(np.isnan(p), 1.0, p)
    order = np.argsort([best[blocks[k].columns].min() for k in loci], kind="stable")
    return np.sort([*covariates, *(loci[k] for k in order[: max(most - len(covariates), 1)])])


def _blocks_within_budget(shape: tuple[int, ...], n_blocks: int) -> int:
    affordable = int(_VALUES_PREDICTED / (shape[0] * shape[1] * SHUFFLES))
    return min(n_blocks, max(LEAST_BLOCKS, min(affordable, MOST_BLOCKS)))
