"""Multi-trait rrBLUP against a dense restricted likelihood and dense BLUP, single-trait REML, and its invariances."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from gpatlas.models import make
from gpatlas.models.covariances import estimate_covariances, uncorrelated_traits
from gpatlas.models.rrblup import decompose


def simulated(rng, n, p, h2, genetic_correlation=0.5, residual_correlation=0.0):
    """Dosage, phenotypes and standardised genetic values of traits with the given heritabilities."""
    t = len(h2)
    x = rng.integers(0, 3, (n, p)).astype(np.int8)

    def draw(rows, correlation):
        shared = rng.normal(size=(rows, 1))
        return np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * rng.normal(size=(rows, t))

    g = x @ draw(p, genetic_correlation)
    g = (g - g.mean(axis=0)) / g.std(axis=0)
    return x, g + draw(n, residual_correlation) * np.sqrt(1 / np.array(h2) - 1), g


class Dense:
    """The model with all matrices written out: vec(Y) by samples, V = K⊗G + I⊗R, X = 1⊗I."""

    def __init__(self, x, y):
        self.n, self.t = y.shape
        z = x - x.mean(axis=0)
        self.kernel = z @ z.T
        self.kernel *= (self.n - 1) / np.trace(self.kernel)
        self.design = np.kron(np.ones((self.n, 1)), np.eye(self.t))
        self.y = y.ravel()

    def variance(self, genetic, residual):
        return np.kron(self.kernel, genetic) + np.kron(np.eye(self.n), residual)

    def deviance(self, genetic, residual):
        v = self.variance(genetic, residual)
        inverse = np.linalg.inv(v)
        information = self.design.T @ inverse @ self.design
        projection = inverse - inverse @ self.design @ np.linalg.solve(information, self.design.T @ inverse)
        return np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1] + self.y @ projection @ self.y

    def fitted(self, genetic, residual):
        """Generalised least squares means and BLUPs of genomic values, summed, `(n, t)`."""
        inverse = np.linalg.inv(self.variance(genetic, residual))
        mean = np.linalg.solve(self.design.T @ inverse @ self.design, self.design.T @ inverse @ self.y)
        error = self.y - self.design @ mean
        return (self.design @ mean + np.kron(self.kernel, genetic) @ inverse @ error).reshape(self.n, self.t)

    def from_factors(self, theta):
        """-2ℓ with Cholesky factors of both matrices as parameters."""
        factors = np.zeros((2, self.t, self.t))
        factors[:, *np.tril_indices(self.t)] = theta.reshape(2, -1)
        genetic, residual = factors @ factors.transpose(0, 2, 1) + 1e-9 * np.eye(self.t)
        return self.deviance(genetic, residual)


@pytest.fixture(params=[(40, 12, 2), (40, 60, 2), (36, 10, 3)], ids=["primal", "dual", "three traits"])
def problem(request, rng):
    n, p, t = request.param
    x, y, _ = simulated(rng, n, p, [0.6, 0.4, 0.5][:t], 0.6, 0.3)
    return x, y


def test_the_likelihood_is_the_dense_one(problem):
    x, y = problem
    c, loadings = uncorrelated_traits(y - y.mean(axis=0))
    found = estimate_covariances(decompose(x, c), 200, 1e-10)
    assert found.converged
    model, (n, t) = make("rrblup_multitrait", tol=1e-10).fit(x, y), y.shape
    dense = Dense(x, y).deviance(model.genetic_covariance_, model.residual_covariance_)
    change_of_units = 2 * (n - 1) * np.linalg.slogdet(loadings)[1]
    assert found.deviance + change_of_units + t * np.log(n) == pytest.approx(dense, abs=1e-6)


def test_no_covariances_are_likelier(problem):
    x, y = problem
    dense, model = Dense(x, y), make("rrblup_multitrait").fit(x, y)
    ours = dense.deviance(model.genetic_covariance_, model.residual_covariance_)
    rng, rows = np.random.default_rng(1), np.tril_indices(y.shape[1])
    for start in range(4):
        half = np.linalg.cholesky(np.cov(y.T) / 2)[rows]
        theta = np.tile(half, 2) * (1 if start == 0 else rng.uniform(0.2, 1.5, 2 * len(half)))
        assert ours <= minimize(dense.from_factors, theta, method="L-BFGS-B").fun + 1e-5
    for wiggle in rng.normal(scale=1e-2, size=(20, 2, *([y.shape[1]] * 2))):  # and none nearby
        genetic, residual = (
            matrix + root @ (w + w.T) @ root.T
            for matrix, w in zip((model.genetic_covariance_, model.residual_covariance_), wiggle, strict=True)
            for root in [np.linalg.cholesky(matrix + 1e-12 * np.eye(len(matrix)))]
        )
        assert dense.deviance(genetic, residual) >= ours - 1e-6


def test_predictions_are_dense_blups(problem):
    x, y = problem
    model = make("rrblup_multitrait").fit(x, y)
    expected = Dense(x, y).fitted(model.genetic_covariance_, model.residual_covariance_)
    np.testing.assert_allclose(model.predict(x), expected, atol=1e-7)


@pytest.mark.parametrize("shape", [(200, 30), (60, 150)], ids=["primal", "dual"])
def test_one_trait_is_single_trait_reml(rng, shape):
    x, y, _ = simulated(rng, *shape, [0.4])
    for phenotype in (y[:, 0], y):
        one, many = make("rrblup").fit(x, phenotype), make("rrblup_multitrait").fit(x, phenotype)
        np.testing.assert_allclose(many.predict(x), one.predict(x), atol=1e-5)
        np.testing.assert_allclose(many.h2_, one.h2_, atol=1e-5)
        np.testing.assert_allclose(many.genetic_covariance_[0, 0] + many.residual_covariance_[0, 0], 2.5, rtol=0.5)
        for name in ("marker_effects_", "intercept_", "h2_"):
            assert np.shape(getattr(many, name)) == np.shape(getattr(one, name))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([(60, 20), (120, 40), (50, 80)]))
def test_a_linear_map_of_the_traits_maps_the_predictions(seed, t, shape):
    """Any invertible one: other units, other order, sums and differences."""
    rng = np.random.default_rng(seed)
    x, y, _ = simulated(rng, *shape, rng.uniform(0.1, 0.9, t), rng.uniform(0, 1))
    left, _, right = np.linalg.svd(rng.normal(size=(t, t)))
    mixed = y @ (left * 10 ** rng.uniform(-2, 2, t)) @ right
    model, other = (make("rrblup_multitrait", max_iter=5000).fit(x, traits) for traits in (y, mixed))
    back = np.linalg.lstsq(mixed - mixed.mean(axis=0), y - y.mean(axis=0))[0]
    np.testing.assert_allclose(
        (other.predict(x) - mixed.mean(axis=0)) @ back + y.mean(axis=0), model.predict(x), atol=2e-3
    )
    np.testing.assert_allclose(back.T @ other.genetic_covariance_ @ back, model.genetic_covariance_, atol=2e-3)
    swapped = make("rrblup_multitrait", max_iter=5000).fit(x, y[:, ::-1] * 1e6)
    np.testing.assert_allclose(swapped.genetic_correlation_[::-1, ::-1], model.genetic_correlation_, atol=2e-3)


def test_a_correlated_trait_lends_its_heritability(rng):
    """Genetic correlation 0.9 with a trait of heritability 0.8 helps one of heritability 0.1."""
    gain = []
    for _ in range(8):
        x, y, g = simulated(rng, 500, 100, [0.8, 0.1], 0.9)
        accuracy = [
            np.corrcoef(make(name).fit(x[:300], y[:300]).predict(x[300:])[:, 1], g[300:, 1])[0, 1]
            for name in ("rrblup_multitrait", "rrblup")
        ]
        gain.append(accuracy[0] - accuracy[1])
    assert np.mean(gain) > 0.1
    assert np.mean(np.array(gain) > 0) > 0.7


def test_simulated_covariances_are_recovered(rng):
    x, y, _ = simulated(rng, 4000, 300, [0.5, 0.2, 0.8], 0.7, 0.4)
    model = make("rrblup_multitrait").fit(x, y)
    np.testing.assert_allclose(model.h2_, [0.5, 0.2, 0.8], atol=0.06)
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(model.genetic_correlation_[off], 0.7, atol=0.12)
    sd = np.sqrt(np.diag(model.residual_covariance_))
    np.testing.assert_allclose((model.residual_covariance_ / np.outer(sd, sd))[off], 0.4, atol=0.06)


HARD = {
    "nearly noiseless": (500, 60, [0.9999] * 4, 0.5),
    "noiseless": (500, 60, [1.0] * 3, 0.5),
    "genetic correlation 0.95": (600, 100, [0.9999, 0.9999, 0.3], 0.95),
    "genetic correlation 1": (600, 100, [0.9999, 0.5, 0.3], 1.0),
    "hardly heritable": (600, 100, [1e-4, 1e-4, 1e-4], 0.0),
    "many traits": (600, 100, [0.3] * 40, 0.9),
    "fewer loci than traits": (300, 3, [0.5] * 8, 0.2),
    "wide": (80, 300, [0.5] * 4, 0.9),
    "wide, many traits": (100, 300, [0.5] * 15, 0.5),
}


@pytest.mark.parametrize("case", HARD)
def test_singular_covariances_converge(rng, case):
    x, y, _ = simulated(rng, *HARD[case])
    c, _ = uncorrelated_traits(y - y.mean(axis=0))
    spectrum = decompose(x, c)
    path = [estimate_covariances(spectrum, k, 1e-6) for k in range(1, 200, 5)]
    assert path[-1].converged
    assert (np.diff([found.deviance for found in path]) <= 1e-6).all()  # and never uphill
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = make("rrblup_multitrait").fit(x, y)
    for matrix in (model.genetic_covariance_, model.residual_covariance_):
        assert np.linalg.eigvalsh(matrix).min() > -1e-9
    np.testing.assert_allclose(np.diag(model.genetic_correlation_), 1)


def test_the_likelihood_never_falls_where_it_hardly_has_a_maximum(rng):
    """Fewer samples outside the column space than traits: R goes to its bound, and full steps go too far."""
    x, y, _ = simulated(rng, 60, 50, [0.5] * 30)
    spectrum = decompose(x, uncorrelated_traits(y - y.mean(axis=0))[0])
    deviance = [estimate_covariances(spectrum, k, 1e-6).deviance for k in range(1, 40)]
    assert (np.diff(deviance) < 0).all()


@pytest.mark.parametrize("seed", range(4))
def test_no_direction_out_of_a_singular_maximum_rises(seed):
    """Karush-Kuhn-Tucker: with many traits G is singular; its gradient may only point out of the cone."""
    x, y, _ = simulated(np.random.default_rng(seed), 400, 60, [0.3] * 25, 0.9)
    c, _ = uncorrelated_traits(y - y.mean(axis=0))
    spectrum = decompose(x, c)
    found = estimate_covariances(spectrum, 500, 1e-8)
    assert found.converged
    assert (found.heritability < 2e-6).sum() > 2
    delta, z = spectrum.d * 399 / spectrum.d.sum(), spectrum.z @ found.weights
    genetic, residual = np.diag(found.heritability), np.diag(1 - found.heritability)
    gradient = np.zeros((25, 25))
    for d, row in zip(delta, z, strict=True):
        inverse = np.linalg.inv(d * genetic + residual)
        gradient += d * (inverse - inverse @ np.outer(row, row) @ inverse)
    assert np.linalg.eigvalsh(gradient)[0] > -0.1  # of a scale of 400
    assert abs(np.trace(gradient @ genetic)) < 0.1


def test_duplicate_constant_and_summed_traits(rng):
    x, y, _ = simulated(rng, 300, 40, [0.6, 0.3])
    more = np.column_stack([y, y[:, 0], np.full(300, 7.0), 3 * y[:, 0] - y[:, 1] + 5])
    model, reference = make("rrblup_multitrait").fit(x, more), make("rrblup_multitrait").fit(x, y)
    predicted, expected = model.predict(x), reference.predict(x)
    np.testing.assert_allclose(predicted[:, :2], expected, atol=1e-4)
    np.testing.assert_allclose(predicted[:, 2], predicted[:, 0], atol=1e-9)
    np.testing.assert_allclose(predicted[:, 3], 7.0)
    np.testing.assert_allclose(predicted[:, 4], 3 * predicted[:, 0] - predicted[:, 1] + 5, atol=1e-9)
    assert model.h2_[3] == 0
    assert np.isnan(model.genetic_correlation_[3]).all()
    assert model.genetic_correlation_[0, 2] == pytest.approx(1)
    constant = make("rrblup_multitrait").fit(x, np.full((300, 2), 3.5))
    np.testing.assert_allclose(constant.predict(x), 3.5)


def test_monomorphic_markers_have_no_effect(rng):
    y = rng.normal(size=(80, 2))
    for fixed in (np.zeros((80, 12), dtype=int), np.full((80, 100), 2)):
        model = make("rrblup_multitrait").fit(fixed, y)
        np.testing.assert_allclose(model.predict(fixed), np.tile(y.mean(axis=0), (80, 1)))
        np.testing.assert_array_equal(model.h2_, 0)
        np.testing.assert_allclose(model.residual_covariance_, np.cov(y.T))


def test_samples_lacking_a_phenotype_are_left_out_and_counted(rng):
    x, y, _ = simulated(rng, 120, 20, [0.6, 0.3])
    holes = y.copy()
    holes[:10, 1] = np.nan
    with pytest.warns(UserWarning, match="10 of 120 samples lack a phenotype of some trait and are left out"):
        model = make("rrblup_multitrait").fit(x, holes)
    assert model.n_complete_ == 110
    np.testing.assert_allclose(model.predict(x), make("rrblup_multitrait").fit(x[10:], y[10:]).predict(x))
    holes[2:, 0] = np.nan
    holes[:2, 1] = 0.0
    with pytest.raises(ValueError, match="2 of 120 samples have all 2 traits phenotyped, but at least 3 are needed"):
        make("rrblup_multitrait").fit(x, holes)


def test_a_missing_genotype_says_nothing(rng):
    x, y, _ = simulated(rng, 100, 12, [0.6, 0.3])
    holes, filled = x.astype(float), x.astype(float)
    holes[3, 5], filled[3, 5] = np.nan, np.delete(x[:, 5], 3).mean()
    a, b = make("rrblup_multitrait").fit(holes, y), make("rrblup_multitrait").fit(filled, y)
    np.testing.assert_allclose(a.marker_effects_, b.marker_effects_, rtol=1e-6)
    model = make("rrblup_multitrait").fit(x, y)
    np.testing.assert_allclose(model.predict(np.full((1, 12), np.nan))[0], y.mean(axis=0))


def test_it_says_when_it_did_not_converge(rng):
    x, y, _ = simulated(rng, 200, 50, [0.3, 0.3, 0.3], 0.9)
    with pytest.warns(ConvergenceWarning, match="REML of 3 traits did not converge in 1 iterations"):
        make("rrblup_multitrait", max_iter=1).fit(x, y)
