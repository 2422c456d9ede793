"""REML of several kernels against matrices written out: likelihood, gradient, maximum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from gpatlas.models.average_information import _maximise, _starts, estimate_variances
from gpatlas.models.kernels import pair_products
from gpatlas.models.loci_and_pairs import LociAndPairs
from gpatlas.models.mixed import Solved


@st.composite
def problems(draw, smallest=6, ploidies=(1, 2, 4)):
    n, p = draw(st.integers(smallest, 40)), draw(st.integers(2, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(0, draw(st.sampled_from(ploidies)) + 1, (n, p))
    x[:2] = [[0] * p, [1] * p]  # every locus varies
    pairs = pair_products(x - x.mean(axis=0))
    additive, epistatic, noise = draw(st.tuples(*[st.sampled_from([0.0, 1.0])] * 2, st.sampled_from([0.1, 2.0])))
    y = additive * x @ rng.normal(size=(p, 2)) + epistatic * pairs @ rng.normal(size=(pairs.shape[1], 2))
    y += noise * rng.normal(size=(n, 2))
    return x, y - y.mean(axis=0)


def written_out(x, dominance=False):
    """Kernels of mean diagonal 1 from explicit features, and the identity."""
    n, z = len(x), x - x.mean(axis=0)
    features = [z]
    if dominance:
        squares = [np.polynomial.Polynomial.fit(z[:, j], -(z[:, j] ** 2), 1) for j in range(z.shape[1])]
        features.append(np.column_stack([-(z[:, j] ** 2) - line(z[:, j]) for j, line in enumerate(squares)]))
    products = np.column_stack([z[:, i] * z[:, j] for i in range(z.shape[1]) for j in range(i + 1, z.shape[1])])
    features.append(products - products.mean(axis=0))
    kernels = [f @ f.T for f in features]
    return [*(k * (n - 1) / np.trace(k) for k in kernels), np.eye(n)]


def dense_deviance(kernels, variances, y):
    """log|V| + log|1'V⁻¹1| + y'Py, which is ours but for log n."""
    v = sum(variance * kernel for variance, kernel in zip(variances, kernels, strict=True))
    ones = np.ones((len(v), 1))
    inverse = np.linalg.inv(v)
    information = (ones.T @ inverse @ ones).item()
    projection = inverse - inverse @ ones @ ones.T @ inverse / information
    return np.linalg.slogdet(v)[1] + np.log(information) + y @ projection @ y - np.log(len(v))


def equations(x, y, epistasis=True, dominance=False):
    return LociAndPairs.of(x, y, epistasis, dominance, standardise=False).model


@settings(max_examples=60)
@given(problems(), st.lists(st.floats(0.01, 3.0), min_size=3, max_size=3))
def test_the_likelihood_is_that_of_dense_matrices(problem, variances):
    x, y = problem
    expected = [dense_deviance(written_out(x), variances, trait) for trait in y.T]
    found = Solved(equations(x, y), np.array(variances)).deviance
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-7)


@settings(max_examples=40)
@given(problems(smallest=15, ploidies=(2, 4)), st.lists(st.floats(0.05, 3.0), min_size=4, max_size=4))
def test_gradient_and_information_are_derivatives(problem, variances):
    """The gradient by differences; the information by its definition, y'P K_i P K_j P y."""
    x, y = problem
    x = np.vstack([x, np.full(x.shape[1], 2)])  # three genotypes
    y = np.vstack([y, -y[:1]])
    y, theta = y - y.mean(axis=0), np.array(variances)
    model, kernels = equations(x, y, dominance=True), written_out(x, dominance=True)
    solved = Solved(model, theta, slice(1, 2))
    np.testing.assert_allclose(solved.deviance[0], dense_deviance(kernels, theta, y[:, 1]), rtol=1e-8, atol=1e-7)
    gradient, information = solved.gradient_and_information()
    for k in range(4):
        step = 1e-5 * np.eye(4)[k]
        up, down = (Solved(model, theta + s, slice(1, 2)).deviance[0] for s in (step, -step))
        assert gradient[k] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-4)
    inverse = np.linalg.inv(sum(v * k for v, k in zip(theta, kernels, strict=True)))
    total = inverse.sum()
    p = inverse - np.outer(inverse.sum(axis=1), inverse.sum(axis=0)) / total
    images = [k @ p @ y[:, 1] for k in kernels]
    expected = [[a @ p @ b for b in images] for a in images]
    np.testing.assert_allclose(information, expected, rtol=1e-6, atol=1e-7)


@settings(max_examples=25)
@given(problems(smallest=25))
def test_nothing_is_more_likely_than_the_estimate(problem):
    """Bounded maximisation from several starts, with dense matrices, components at zero allowed.

    Of fewer samples the likelihood may have so many maxima that one in a thousand is missed.
    """
    x, y = problem
    model, kernels = equations(x, y), written_out(x)
    for trait, found in enumerate(estimate_variances(model, 100, 1e-9)):
        variance = y[:, trait].var(ddof=1)
        assert found.converged
        at_found = dense_deviance(kernels, found.variances, y[:, trait])
        assert found.deviance == pytest.approx(at_found, abs=1e-6)
        rivals = [
            minimize(
                lambda theta, trait=trait, variance=variance: dense_deviance(kernels, theta * variance, y[:, trait]),
                start,
                method="L-BFGS-B",
                bounds=[(0, 100), (0, 100), (1e-6, 100)],
            ).fun
            for start in ([0.4, 0.1, 0.5], [0.1, 0.4, 0.5], [0.0, 0.3, 0.7], [0.3, 0.0, 0.7], [0.02, 0.02, 0.96])
        ]
        assert at_found <= min(rivals) + 1e-6


def test_a_component_at_zero_is_put_there_by_the_likelihood(rng):
    """Additive data: in some replicates no pairs are best, and there the likelihood falls on the way in."""
    zeros = 0
    for _ in range(12):
        x = rng.integers(0, 3, (120, 15))
        y = x @ rng.normal(size=(15, 1)) + 3 * rng.normal(size=(120, 1))
        y -= y.mean(axis=0)
        model = equations(x, y)
        (found,) = estimate_variances(model, 100, 1e-9)
        gradient, _ = Solved(model, found.variances, slice(0, 1)).gradient_and_information()
        if found.variances[1] == 0:
            zeros += 1
            assert gradient[1] > 0
        np.testing.assert_allclose(gradient[found.variances > 0], 0, atol=1e-3)
    assert 2 <= zeros <= 10


def test_without_pairs_it_is_the_likelihood_of_rrblup(rng):
    from gpatlas.models import make

    x = rng.integers(0, 3, (90, 20))
    y = x @ rng.normal(size=(20, 2)) + rng.normal(size=(90, 2)) * [1, 6]
    ours, rrblup = make("egblup", epistasis=False).fit(x, y), make("rrblup").fit(x, y)
    np.testing.assert_allclose(ours.h2_, rrblup.h2_, rtol=1e-4)
    np.testing.assert_allclose(ours.var_e_, rrblup.var_e_, rtol=1e-4)
    np.testing.assert_allclose(ours.marker_effects_, rrblup.marker_effects_, rtol=1e-3, atol=1e-4)


def test_a_component_leaves_zero_where_the_likelihood_rises(rng):
    x = rng.integers(0, 3, (100, 8))
    y = pair_products(x - x.mean(axis=0)) @ rng.normal(size=(28, 1)) + rng.normal(size=(100, 1))
    model = equations(x, y - y.mean(axis=0))
    (best,) = estimate_variances(model, 100, 1e-9)
    assert best.variances[1] > 0
    for start in ([0.5, 0.0, 0.5], [0.0, 0.0, 1.0]):
        end = _maximise(model, 0, np.array(start) * y.var(), [], 100, 1e-9)
        assert end.deviance == pytest.approx(best.deviance, abs=1e-6)


def test_the_highest_of_several_maxima_is_taken():
    """Few samples: from some starts the likelihood rises to a maximum that is lower than another by 17 in -2ℓ."""
    model = of_few_samples(853)
    (best,) = estimate_variances(model, 100, 1e-9)
    variance = model.yy[0] / model.n
    ends = [
        _maximise(model, 0, np.array(start) * variance, [], 100, 1e-9).deviance
        for start in ([0.0, 0.5, 0.5], [0.02, 0.9, 0.08], [0.98, 0.001, 0.019], [0.4, 0.4, 0.2])
    ]
    assert max(ends) > min(ends) + 10
    assert best.deviance <= min(ends) + 1e-6


@pytest.mark.parametrize(("seed", "higher"), [(551, 0.178), (754, 0.206)])
def test_the_grids_best_point_may_be_on_the_slope_of_a_lower_maximum(seed, higher):
    model = of_few_samples(seed)
    ((first, *rivals),) = _starts(model)
    assert rivals
    (best,) = estimate_variances(model, 100, 1e-9)
    assert _maximise(model, 0, first, [], 100, 1e-9).deviance - best.deviance == pytest.approx(higher, abs=0.01)


def of_few_samples(seed):
    rng = np.random.default_rng(seed)
    n, p = rng.integers(8, 45), rng.integers(2, 13)
    x = rng.integers(0, rng.choice([2, 3, 5]), (n, p))
    x[:2] = [[0] * p, [1] * p]
    pairs = pair_products(x - x.mean(axis=0))
    y = rng.integers(0, 2) * x @ rng.normal(size=(p, 1))
    y = y + rng.integers(0, 2) * pairs @ rng.normal(size=(pairs.shape[1], 1))
    y = y + rng.choice([0.1, 2]) * rng.normal(size=(n, 1))
    return equations(x, y - y.mean(axis=0))
