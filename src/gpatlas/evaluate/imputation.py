"""What hidden calls are likely to be, without a network: honest baselines for one.

Calls are allele codes (`gpatlas.alleles`) of any ploidy and number of alleles, 0 where they are missing.
"""

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import MISSING_CODE, decoder
from gpatlas.packed.kernels import compiled


def most_frequent_call(training: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the most frequent known call of every locus, `(n_loci,)`; of equally frequent ones the lowest code.

    Parameters
    ----------
    training
        Allele codes `(n_samples, n_loci)`; 0 is returned where none is known.
    """
    counts = np.zeros((training.shape[1], int(training.max(initial=0)) + 1), dtype=np.int64)
    loci = np.arange(training.shape[1])
    for row in training:
        counts[loci, row] += 1
    counts[:, MISSING_CODE] = 0
    return counts.argmax(axis=1)


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
    table = decoder(ploidy, n_alleles).astype(np.int64)
    distance = ploidy - np.minimum(table[:, None], table[None]).sum(axis=-1)
    found = np.zeros(len(row), dtype=np.int64)
    _vote(
        np.ascontiguousarray(training, dtype=np.int16),
        np.ascontiguousarray(shown, dtype=np.int16),
        np.asarray(row, dtype=np.int64),
        np.asarray(locus, dtype=np.int64),
        np.asarray(chromosome, dtype=np.int64),
        distance,
        min(k, len(training)),
        window,
        found,
    )
    return found


@compiled
def _vote(
    training: NDArray,
    shown: NDArray,
    row: NDArray,
    locus: NDArray,
    chromosome: NDArray,
    distance: NDArray,
    k: int,
    window: int,
    found: NDArray,
) -> None:
    around = np.empty(2 * window, dtype=np.int64)
    nearest = np.empty(k)
    calls = np.empty(k, dtype=np.int64)
    votes = np.zeros(len(distance), dtype=np.int64)
    for number in range(len(row)):
        own, here = shown[row[number]], locus[number]
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
            if n < k or apart < nearest[n - 1]:
                place = n if n < k else k - 1  # insert behind those that are as near
                while place > 0 and nearest[place - 1] > apart:
                    nearest[place], calls[place] = nearest[place - 1], calls[place - 1]
                    place -= 1
                nearest[place], calls[place] = apart, call
                n = min(n + 1, k)
        votes[:] = 0
        for i in range(n):
            votes[calls[i]] += 1
        for i in range(n):
            if votes[calls[i]] > votes[found[number]] or found[number] == 0:
                found[number] = calls[i]
