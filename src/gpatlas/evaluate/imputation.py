"""What hidden calls are likely to be, without a network: honest baselines for one.

Calls are allele codes (`gpatlas.alleles`) of any ploidy and number of alleles, 0 where they are missing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import MISSING_CODE, call_counts, decoder
from gpatlas.packed.kernels import compiled

NEIGHBOURS, WINDOWS = (3, 5, 10, 15, 30), (5, 10, 20, 40)  # that are tried
_SECONDS_OF_PAIR, _SECONDS_OF_NEIGHBOUR = 2e-9, 6e-9  # of two samples at a locus, and of one more for a call
_BOTH = 1 << 32  # counts loci that are known in two samples, above the sum of their differences
_TUNED_SAMPLES, _TUNED_SHARE, _TUNED_CALLS = 100, 0.1, 1_000


@dataclass(frozen=True)
class Neighbours:
    """How many samples vote, known loci on either side that they are compared at, and the share of calls told right."""

    k: int
    window: int
    accuracy: float


def most_frequent_call(training: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the most frequent known call of every locus, `(n_loci,)`; of equally frequent ones the lowest code.

    Parameters
    ----------
    training
        Allele codes `(n_samples, n_loci)`; 0 is returned where none is known.
    """
    return call_counts(training, int(training.max(initial=MISSING_CODE))).argmax(axis=1)


def knn_window_impute(
    training: NDArray[np.integer],
    shown: NDArray[np.integer],
    row: NDArray[np.integer],
    locus: NDArray[np.integer],
    chromosome: NDArray[np.integer],
    ploidy: int,
    n_alleles: int,
    *,
    k: int = 15,
    window: int = 20,
) -> NDArray[np.int64]:
    """Fill in calls by the training samples that are most alike around them.

    Two samples differ at a locus by the alleles that they do not share, p - Σ min(copies); the k training samples that
    differ least, per locus known in both, among the `window` known loci on either side (of the same chromosome) vote
    with their calls. A tie goes to the call of the nearest.

    Parameters
    ----------
    training
        Allele codes `(n_training, n_loci)`, in map order.
    shown
        Allele codes `(n_samples, n_loci)` of those to fill in, 0 where a call is hidden or missing.
    row, locus
        `(n_calls,)`: which calls of `shown`.
    chromosome
        `(n_loci,)`: its number.
    ploidy, n_alleles
        What the codes mean.
    k, window
        Neighbours, and loci on either side.

    Returns
    -------
    int64 `(n_calls,)`
        Codes; 0 where no training sample has a known call.
    """
    return _votes(_nearest_calls(training, shown, row, locus, chromosome, (ploidy, n_alleles), k, window), k)


def seconds_of_imputing(n_samples: float, n_training: int, n_loci: int, missing: float) -> float:
    """Estimate the seconds of one core in which samples that lack a share of their calls are filled in by others."""
    return n_samples * n_training * n_loci * (_SECONDS_OF_PAIR + missing * _SECONDS_OF_NEIGHBOUR) * (missing > 0)


def choose_neighbours(
    training: NDArray[np.integer], chromosome: NDArray[np.integer], ploidy: int, n_alleles: int, seed: int = 0
) -> Neighbours:
    """Choose `k` and `window` of `knn_window_impute` by hiding calls of some training samples from the others.

    Returns
    -------
    Neighbours
        Those that get most of a thousand hidden calls right; their accuracy is NaN where no call could be hidden.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(training))
    some, others = np.split(order, [min(_TUNED_SAMPLES, len(order) // 2)])
    shown = np.array(training[some])
    hidden = (rng.random(shown.shape) < _TUNED_SHARE) & (shown != MISSING_CODE)
    row, locus = np.nonzero(hidden)
    truth = shown[hidden]
    shown[hidden] = MISSING_CODE
    chosen = rng.permutation(len(row))[:_TUNED_CALLS]
    row, locus, truth = row[chosen], locus[chosen], truth[chosen]
    right: dict[tuple[int, int], int] = {}
    for window in WINDOWS:
        of_panel = chromosome, (ploidy, n_alleles)
        calls = _nearest_calls(training[others], shown, row, locus, *of_panel, max(NEIGHBOURS), window)
        right |= {(k, window): int(np.count_nonzero(_votes(calls, k) == truth)) for k in NEIGHBOURS}
    k, window = max(right, key=right.__getitem__)
    return Neighbours(k, window, right[k, window] / len(truth) if len(truth) else float("nan"))


def _nearest_calls(
    training: NDArray[np.integer],
    shown: NDArray[np.integer],
    row: NDArray[np.integer],
    locus: NDArray[np.integer],
    chromosome: NDArray[np.integer],
    of_calls: tuple[int, int],
    k: int,
    window: int,
) -> NDArray[np.int64]:
    """Return the calls of the nearest neighbours, the nearest first, `(n_calls, k)`; 0 where there are no more."""
    ploidy, n_alleles = of_calls
    table = decoder(ploidy, n_alleles).astype(np.int64)
    counted = _BOTH + ploidy - np.minimum(table[:, None], table[None]).sum(axis=-1)
    counted[MISSING_CODE] = counted[:, MISSING_CODE] = 0
    order = np.argsort(row, kind="stable")
    sorted_calls = np.zeros((len(row), k), dtype=np.int64)
    _fill_nearest(
        np.ascontiguousarray(training, dtype=np.int16),
        np.ascontiguousarray(shown, dtype=np.int16),
        np.searchsorted(np.asarray(row)[order], np.arange(len(shown) + 1)),
        np.asarray(locus, dtype=np.int64)[order],
        np.asarray(chromosome, dtype=np.int64),
        counted,
        window,
        sorted_calls,
    )
    calls = np.empty_like(sorted_calls)
    calls[order] = sorted_calls
    return calls


def _votes(calls: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return the most frequent of the first k calls of each row; of equally frequent ones that which comes first."""
    calls = calls[:, :k]
    votes = (calls[:, :, None] == calls[:, None, :]).sum(axis=2)
    votes[calls == MISSING_CODE] = 0
    return calls[np.arange(len(calls)), votes.argmax(axis=1)]


@compiled
def _fill_nearest(
    training: NDArray,
    shown: NDArray,
    start: NDArray,
    locus: NDArray,
    chromosome: NDArray,
    counted: NDArray,
    window: int,
    calls: NDArray,
) -> None:
    """Fill in calls, those of row i being start[i]:start[i + 1].

    What two samples have in a window is a difference of cumulative sums along the genome, one pass for each pair.
    `counted` is `_BOTH` and the alleles that are not shared of two calls, 0 where one is missing.
    """
    n_loci, k = shown.shape[1], calls.shape[1]
    sums = np.zeros(n_loci + 1, dtype=np.int64)
    for i in range(len(shown)):
        own, first, n_calls = shown[i], start[i], start[i + 1] - start[i]
        if n_calls == 0:
            continue
        low, high = np.empty(n_calls, dtype=np.int64), np.empty(n_calls, dtype=np.int64)
        for c in range(n_calls):
            here = locus[first + c]
            low[c] = _reach(own, chromosome, here, -1, window)
            high[c] = _reach(own, chromosome, here, 1, window) + 1
        apart_of, n_of = np.empty((n_calls, k)), np.zeros(n_calls, dtype=np.int64)
        for other in range(len(training)):
            its = training[other]
            for j in range(n_loci):
                sums[j + 1] = sums[j] + counted[own[j], its[j]]
            for c in range(n_calls):
                call = its[locus[first + c]]
                if call == 0:
                    continue
                between = sums[high[c]] - sums[low[c]]
                apart = (between % _BOTH) / (between // _BOTH) if between else np.inf
                n, nearest, how_near = n_of[c], calls[first + c], apart_of[c]
                if n < k or apart < how_near[n - 1]:
                    place = n if n < k else k - 1  # insert behind those that are as near
                    while place > 0 and how_near[place - 1] > apart:
                        how_near[place], nearest[place] = how_near[place - 1], nearest[place - 1]
                        place -= 1
                    how_near[place], nearest[place] = apart, call
                    n_of[c] = min(n + 1, k)


@compiled
def _reach(own: NDArray, chromosome: NDArray, here: int, step: int, window: int) -> int:
    """Return the locus of the last of so many known calls to one side of a locus on its chromosome; itself if none."""
    at, found, last = here + step, 0, here
    while 0 <= at < len(own) and chromosome[at] == chromosome[here] and found < window:
        if own[at] != 0:
            found, last = found + 1, at
        at += step
    return last
