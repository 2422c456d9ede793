"""Random crossing plans (AlphaSimR src/misc.cpp: sampHalfDialComb, sampAllComb; R/crossing.R: randCross)."""

import numpy as np
from numpy.typing import NDArray

Plan = NDArray[np.int64]


def half_diallel(n: int, n_crosses: int, rng: np.random.Generator) -> Plan:
    """Draw distinct unordered pairs of n parents, `(n_crosses, 2)`, mother before father, in ascending order.

    Where there are more crosses than the N = n(n - 1)/2 pairs, a random part comes first and complete sets follow.
    """
    before = np.arange(n) * (2 * n - np.arange(n) - 1) // 2  # pairs whose mother comes before
    pair = _without_replacement(n * (n - 1) // 2, n_crosses, rng)
    mother = np.searchsorted(before[: n - 1], pair, side="right") - 1
    return np.stack([mother, pair - before[mother] + mother + 1], axis=1)


def factorial(n_females: int, n_males: int, n_crosses: int, rng: np.random.Generator) -> Plan:
    """Draw distinct pairs of a female and a male, `(n_crosses, 2)`, by the rule of `half_diallel`."""
    return np.stack(np.divmod(_without_replacement(n_females * n_males, n_crosses, rng), n_males), axis=1)


def balanced(n_females: int, n_males: int, n_crosses: int, rng: np.random.Generator) -> Plan:
    """Draw a plan in which females are used equally often, and males too: at most one use apart, `(n_crosses, 2)`.

    Shuffled females take turns; males do so in a shuffled order that moves on by one from turn to turn.
    """
    females, males = rng.permutation(n_females), rng.permutation(n_males)
    k = np.arange(n_crosses)
    turn, place = k // n_males + 1, k % n_males + 1
    return np.stack([females[k % n_females], males[n_males - 1 - (turn - 1 + place) % n_males]], axis=1)


def _without_replacement(n_pairs: int, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    complete = max(0, -(-n // n_pairs) - 1)  # an exact multiple k·N is one random set, which is all, and k - 1 more
    drawn = np.sort(rng.choice(n_pairs, n - complete * n_pairs, replace=False, shuffle=False))
    return np.concatenate([drawn, np.tile(np.arange(n_pairs), complete)])
