"""Compiled random numbers from streams of their own: splitmix64 (Steele, Lea & Flood 2014, OOPSLA).

A stream's state is 64 bits, which go up by `GOLDEN` before each use and are scrambled by `mixed`. Functions that need
several words take the state and return it with what they drew. So any number of streams can be drawn from at once, and
what one gives depends on its start alone.
"""

import math
from typing import Any

import numpy as np
from numba import njit, types, uint64
from numba.extending import intrinsic
from numpy.typing import NDArray

compiled = njit(nogil=True, cache=True, error_model="numpy")

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _ziggurat(n_layers: int = 256) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cut the normal density into layers of one area; return their widths and the density there."""
    tail, area = 3.6541528853610088, 0.00492867323399
    x = np.zeros(n_layers + 1)
    x[0], x[1] = area * math.exp(tail**2 / 2), tail
    for i in range(2, n_layers):
        x[i] = math.sqrt(-2 * math.log(area / x[i - 1] + math.exp(-(x[i - 1] ** 2) / 2)))
    return x, np.exp(-(x**2) / 2)


_WIDTH, _DENSITY = _ziggurat()


@intrinsic
def _trailing_zeros(typing_context: Any, word: Any) -> Any:
    """Zeros below the lowest set bit of a 64-bit word, an instruction of LLVM."""

    def build(context: Any, builder: Any, signature: Any, words: Any) -> Any:
        return builder.cttz(words[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), build


@compiled
def mixed(word: Any) -> Any:
    """Scramble 64 bits; a bijection."""
    word = (word ^ (word >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> uint64(27))) * uint64(0x94D049BB133111EB)
    return word ^ (word >> uint64(31))


@compiled
def stream(seed: Any, number: int) -> Any:
    """Return the state in which the stream of that number starts."""
    return mixed(seed ^ mixed(uint64(number) + GOLDEN))


@compiled
def uniform(word: Any) -> float:
    """Turn 64 random bits into a number of (0, 1)."""
    return ((word >> uint64(12)) + 0.5) * 2.0**-52


@compiled
def geometric(word: Any) -> Any:
    """Turn 64 random bits into k = 1, 2, … with probability 2^-k."""
    return np.int64(_trailing_zeros(word)) + 1


@compiled
def normal(state: Any) -> tuple[Any, float]:
    """Draw a standard normal by the ziggurat method (Marsaglia & Tsang 2000, J. Stat. Softw. 5:8)."""
    while True:
        state += GOLDEN
        word = mixed(state)
        layer = np.int64(word & uint64(255))
        x = np.float64(np.int64(word) >> 11) * 2.0**-52 * _WIDTH[layer]
        if abs(x) < _WIDTH[layer + 1]:
            return state, x
        state += GOLDEN
        u = uniform(mixed(state))
        if layer > 0:
            if _DENSITY[layer] + u * (_DENSITY[layer + 1] - _DENSITY[layer]) < math.exp(-x * x / 2):
                return state, x
            continue
        beyond = -math.log(u) / _WIDTH[1]  # in the tail, by Marsaglia (1964)
        state += GOLDEN
        if -2 * math.log(uniform(mixed(state))) > beyond * beyond:
            return state, math.copysign(_WIDTH[1] + beyond, x)


@compiled
def gamma(state: Any, shape: float) -> tuple[Any, float]:
    """Draw Gamma(shape, rate 1) by Marsaglia & Tsang (2000, ACM TOMS 26:363)."""
    boost = 1.0
    if shape < 1:
        state += GOLDEN
        boost = uniform(mixed(state)) ** (1 / shape)
        shape += 1
    d = shape - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        state, x = normal(state)
        t = 1 + c * x
        if t > 0:
            t = t * t * t
            state += GOLDEN
            u = uniform(mixed(state))
            if u < 1 - 0.0331 * x**4 or math.log(u) < 0.5 * x * x + d * (1 - t + math.log(t)):
                return state, d * t * boost


@compiled
def shuffle(state: Any, order: NDArray) -> Any:
    """Shuffle in place (Fisher & Yates); returns the state alone."""
    for i in range(len(order) - 1, 0, -1):
        state += GOLDEN
        j = np.int64(((mixed(state) >> uint64(32)) * uint64(i + 1)) >> uint64(32))
        order[i], order[j] = order[j], order[i]
    return state
