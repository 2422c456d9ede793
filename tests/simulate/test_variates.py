"""Random numbers of the compiled streams, against SciPy's distributions."""

import numpy as np
import pytest
from scipy import stats

from gpatlas.simulate import variates
from gpatlas.simulate.variates import GOLDEN, compiled

N = 100_000


@compiled
def draw(what: int, parameter: float, found: np.ndarray) -> None:
    state = variates.stream(np.uint64(5), 3)
    for i in range(len(found)):
        if what == 0:
            state, found[i] = variates.normal(state)
        elif what == 1:
            state, found[i] = variates.gamma(state, parameter)
        else:
            state += GOLDEN
            word = variates.mixed(state)
            found[i] = variates.uniform(word) if what == 2 else variates.geometric(word)


def drawn(what: int, parameter: float = 0.0) -> np.ndarray:
    found = np.empty(N)
    draw(what, parameter, found)
    return found


@pytest.mark.parametrize(
    ("found", "law"),
    [
        ((0,), stats.norm()),
        ((2,), stats.uniform()),
        *(((1, shape), stats.gamma(shape)) for shape in (0.3, 1.0, 2.6, 3.6, 40.0)),
    ],
    ids=lambda value: str(value) if isinstance(value, tuple) else value.dist.name,
)
def test_laws(found, law):
    values = drawn(*found)
    assert stats.kstest(values, law.cdf).pvalue > 1e-4
    assert stats.kstest(abs(values), lambda x: law.cdf(x) - law.cdf(-x)).pvalue > 1e-4
    far = law.isf(2e-4)  # the ziggurat's tail lies beyond 3.65
    assert abs((values > far).sum() - 20) < 4 * np.sqrt(20)


def test_geometric():
    counts = np.bincount(drawn(3).astype(int), minlength=8)[1:8] / N
    expected = 2.0 ** -np.arange(1, 8)
    assert (abs(counts - expected) < 4 * np.sqrt(expected / N)).all()


def test_splitmix64():
    """The first words of the stream that starts at 1234567 are those of the reference implementation."""
    state, words = np.uint64(1234567), []
    for _ in range(3):
        with np.errstate(over="ignore"):
            state = state + GOLDEN
        words.append(int(variates.mixed(state)))
    assert words == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@compiled
def shuffled(orders: np.ndarray) -> None:
    state = variates.stream(np.uint64(5), 3)
    for row in range(len(orders)):
        state = variates.shuffle(state, orders[row])


def test_shuffles_are_uniform():
    orders = np.tile(np.arange(3), (12_000, 1))
    shuffled(orders)
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert (abs(counts - 2_000) < 4 * np.sqrt(2_000)).all()
