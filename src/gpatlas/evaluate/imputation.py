"""What hidden calls are likely to be, without a network: honest baselines for one.

Calls are allele codes (`gpatlas.alleles`) of any ploidy and number of alleles, 0 where they are missing.
"""

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import MISSING_CODE, call_counts, decoder
from gpatlas.packed.kernels import compiled

NEIGHBOURS, WINDOWS = (3, 5, 10, 15, 30), (5, 10, 20, 40)  # that are tried
_TUNED_SAMPLES, _TUNED_SHARE, _TUNED_CALLS = 100, 0.1, 1_000


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


def choose_neighbours(
    training: NDArray[np.integer], chromosome: NDArray[np.integer], ploidy: int, n_alleles: int, seed: int = 0
) -> tuple[int, int]:
    """Choose `k` and `window` of `knn_window_impute` by hiding calls of some training samples from the others.

    Returns
    -------
    k, window
        Those that get most of a thousand hidden calls right.
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
    return max(right, key=right.__getitem__)


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
    distance = ploidy - np.minimum(table[:, None], table[None]).sum(axis=-1)
    calls = np.zeros((len(row), k), dtype=np.int64)
    _fill_nearest(
        np.ascontiguousarray(training, dtype=np.int16),
        np.ascontiguousarray(shown, dtype=np.int16),
        np.asarray(row, dtype=np.int64),
        np.asarray(locus, dtype=np.int64),
        np.asarray(chromosome, dtype=np.int64),
        distance,
        window,
        calls,
    )
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
    row: NDArray,
    locus: NDArray,
    chromosome: NDArray,
    distance: NDArray,
    window: int,
    calls: NDArray,
) -> None:
    k = calls.shape[1]
    around = np.empty(2 * window, dtype=np.int64)
    apart_of = np.empty(k)
    for number in range(len(row)):
        own, here, nearest = shown[row[number]], locus[number], calls[number]
        n_around = 0
        for step in (-1, 1):
            at, taken = here + step, 0
            while 0 <= at < len(own) and chromosome[at] == chromosome[here] and taken < window:
                if own[at] != 0:
                    around[n_around] = at
                    n_around += 1
                    taken += 1
                at += step
        n = 0
        for other in range(len(training)):
            call = training[other, here]
            if call == 0:
                continue
            differences = both = 0
            for i in range(n_around):
                its = training[other, around[i]]
                if its != 0:
                    both += 1
                    differences += distance[own[around[i]], its]
            apart = differences / both if both else np.inf
            if n < k or apart < apart_of[n - 1]:
                place = n if n < k else k - 1  # insert behind those that are as near
                while place > 0 and apart_of[place - 1] > apart:
                    apart_of[place], nearest[place] = apart_of[place - 1], nearest[place - 1]
                    place -= 1
                apart_of[place], nearest[place] = apart, call
                n = min(n + 1, k)
