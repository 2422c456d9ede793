"""Covariates as fixed effects: against dense mixed models, with variances found by brute force."""

import numpy as np
import pytest
from scipy.optimize import minimize

from gpatlas.models import make
from gpatlas.models.fixed_effects import FixedEffects
from gpatlas.packed import PackedBits

MODELS = {
    "rrblup": {},
    "rkhs": {"bandwidths": [2.0]},
    "egblup": {},
    "additive egblup": {"epistasis": False},
}
SHAPES = {"more samples": (70, 9), "more pairs": (40, 14), "more loci": (30, 45)}


def data(n, p, q=3, seed=1):
    """Dosage, and covariates far from 0 that go with the first loci."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (n, p)).astype(float)
    w = 40 + 9 * rng.normal(size=(n, q)) + 5 * x[:, :q]
    z = x - x.mean(axis=0)
    y = z @ rng.normal(size=p) / 2 + z[:, 0] * z[:, 1] + w @ np.linspace(-0.3, 0.4, q) + 2.0 * rng.normal(size=n)
    return x, w, y


def kernels(name, x, everyone, model):
    """Kernels among everyone of the model's features, centred on the training samples x, by their definition."""
    z, own = everyone - x.mean(axis=0), x - x.mean(axis=0)
    n = len(x)

    def linear(features, training):
        centred, those = features - training.mean(axis=0), training - training.mean(axis=0)
        return centred @ centred.T * (n - 1) / (those**2).sum()

    def pairs(of):
        return np.column_stack([of[:, i] * of[:, j] for i in range(x.shape[1]) for j in range(i)])

    if name == "rkhs":
        distance = ((z[:, None] - z) ** 2).sum(axis=2)
        kernel = np.exp(-distance / model.bandwidths_[0])
        centre = np.eye(len(z)) - np.concatenate([np.full(n, 1 / n), np.zeros(len(z) - n)])
        return [centre @ kernel @ centre.T]
    found = [linear(z, own)]
    return [*found, linear(pairs(z), pairs(own))] if name == "egblup" else found


def components(model, genetic, x):
    """Variances of the kernels as they are above, and of the error."""
    if hasattr(model, "var_u_"):
        return [model.var_u_ * ((x - x.mean(axis=0)) ** 2).sum() / (len(x) - 1), model.var_e_]
    if hasattr(model, "bandwidths_"):
        return [model._parts[0].var_k[0, 0], model.var_e_]
    return [*[model.var_a_, model.var_aa_][: len(genetic)], model.var_e_]


def restricted_deviance(variances, genetic, design, y):
    """-2ℓ of y ~ N(design b, Σ σ²_k K_k + σ²_e I) up to a constant, by orthonormal contrasts."""
    contrasts = np.linalg.svd(design.T)[2][np.linalg.matrix_rank(design) :]
    v = sum(s * k for s, k in zip(variances, genetic, strict=False)) + variances[-1] * np.eye(len(y))
    inner, rest = contrasts @ v @ contrasts.T, contrasts @ y
    return np.linalg.slogdet(inner)[1] + rest @ np.linalg.solve(inner, rest)


def solved(variances, genetic, design, y, n):
    """Generalised least squares, BLUP of everyone and reliabilities, and leave-one-out predictions, densely."""
    total = sum(s * k for s, k in zip(variances, genetic, strict=False))
    v = total[:n, :n] + variances[-1] * np.eye(n)
    inverse = np.linalg.inv(v)
    b = np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ y)
    values = total[:, :n] @ inverse @ (y - design @ b)
    p = inverse - inverse @ design @ np.linalg.solve(design.T @ inverse @ design, design.T @ inverse)
    known = np.einsum("ij,jk,ik->i", total[:, :n], p, total[:, :n]) / np.diag(total)
    left_out = np.empty(n)
    for i in range(n):
        rest = np.delete(np.arange(n), i)
        within = np.linalg.inv(v[np.ix_(rest, rest)])
        part = design[rest]
        there = np.linalg.solve(part.T @ within @ part, part.T @ within @ y[rest])
        left_out[i] = design[i] @ there + total[i, rest] @ within @ (y[rest] - part @ there)
    return b, values, known, left_out


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", MODELS)
def test_everything_is_that_of_dense_matrices(name, shape):
    n, p = SHAPES[shape]
    x, w, y = data(n + 10, p)
    together, train = np.hstack([x, w]), slice(0, n)
    options = (
        MODELS[name] | {"n_covariates": 3, "left_out": True} | dict.fromkeys(["reliability"] * (name == "rrblup"), True)
    )
    model = make(name.split()[-1], **options).fit(together[train], y[train])
    genetic = kernels(name, x[train], x, model)
    design = np.hstack([np.ones((n, 1)), w[train]])
    inside = [k[train, train] for k in genetic]

    def deviance(logs):
        return restricted_deviance(np.exp(logs), inside, design, y[train])

    starts = [np.log(np.full(len(genetic) + 1, share * y[train].var())) for share in (0.1, 0.5)]
    options = {"maxiter": 4000, "fatol": 1e-10}
    lowest = min(minimize(deviance, start, method="Nelder-Mead", options=options).fun for start in starts)
    variances = components(model, genetic, x[train])
    assert deviance(np.log(np.maximum(variances, 1e-300))) <= lowest + 1e-6
    b, values, known, left_out = solved(variances, genetic, design, y[train], n)
    np.testing.assert_allclose(model.covariate_effects_, b[1:], rtol=1e-6, atol=1e-6)
    found, reliabilities = model.predict(together, return_reliability=True)
    np.testing.assert_allclose(found, b[0] + w @ b[1:] + values, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(reliabilities, known, atol=1e-6)
    np.testing.assert_allclose(model.left_out_, left_out, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_without_covariates_left_out_predictions_are_those_of_dense_matrices(name):
    x, _, y = data(40, 12)
    model = make(name.split()[-1], **MODELS[name], left_out=True).fit(x, y)
    everyone = kernels(name, x, x, model)
    variances = components(model, everyone, x)
    *_, left_out = solved(variances, everyone, np.ones((40, 1)), y, 40)
    np.testing.assert_allclose(model.left_out_, left_out, atol=1e-6)


@pytest.mark.parametrize("penalty", ["loo", "gcv"])
@pytest.mark.parametrize("p", [9, 90])
def test_cross_validated_penalties_know_of_covariates(penalty, p):
    """The grid's score by its definition: from every sample left out, or from the trace of the hat matrix."""
    x, w, y = data(40, p)
    grid = np.logspace(-1, 4, 12)
    design, z, scores = np.hstack([np.ones((40, 1)), w]), x - x.mean(axis=0), []
    for one in grid:
        *_, left_out = solved([1 / one, 1.0], [z @ z.T], design, y, 40)
        inverse = np.linalg.inv(z @ z.T / one + np.eye(40))
        rest = inverse - inverse @ design @ np.linalg.solve(design.T @ inverse @ design, design.T @ inverse)
        gcv = ((rest @ y) ** 2).sum() / np.trace(rest) ** 2
        scores.append(gcv if penalty == "gcv" else ((y - left_out) ** 2).sum())
    model = make("rrblup", penalty=penalty, penalties=grid, n_covariates=3).fit(np.hstack([x, w]), y)
    assert model.penalty_ == grid[np.argmin(scores)]


@pytest.mark.parametrize(
    ("name", "penalty"), [*((name, "reml") for name in MODELS), ("rrblup", "loo"), ("rrblup", "gcv")]
)
def test_scale_and_origin_of_covariates_do_not_matter(name, penalty):
    x, w, y = data(50, 12)
    options = MODELS[name] | {"n_covariates": 3} | ({"penalty": penalty} if name == "rrblup" else {})
    reference = make(name.split()[-1], **options).fit(np.hstack([x, w]), y)
    moved = (w - [1e3, 0, -5]) * [1e-3, 1e4, 1.0]
    doubled = np.hstack([x, moved, moved[:, :1], np.full((50, 1), 7.0)])  # one of them twice, and one that is constant
    model = make(name.split()[-1], **options | {"n_covariates": 5}).fit(doubled, y)
    np.testing.assert_allclose(model.predict(doubled), reference.predict(np.hstack([x, w])), rtol=1e-6, atol=1e-6)
    assert model.covariate_effects_[4] == 0


@pytest.mark.parametrize("name", MODELS)
def test_missing_phenotypes_and_covariates(name):
    """Traits that are missing in different samples are each as fitted alone; a missing covariate takes its mean."""
    x, w, y = data(50, 12)
    both, traits = np.hstack([x, w]), np.column_stack([y, y[::-1]])
    both[4, -1], traits[:9, 1] = np.nan, np.nan
    options = MODELS[name] | {"n_covariates": 3, "left_out": True}
    model = make(name.split()[-1], **options).fit(both, traits)
    alone = make(name.split()[-1], **options).fit(both, traits[:, 0])
    np.testing.assert_allclose(model.covariate_effects_[:, 0], alone.covariate_effects_, rtol=1e-5)
    np.testing.assert_allclose(model.predict(both)[:, 0], alone.predict(both), rtol=1e-5)
    np.testing.assert_allclose(model.left_out_[:, 0], alone.left_out_, rtol=1e-5)
    assert (np.isnan(model.left_out_[:, 1]) == np.isnan(traits[:, 1])).all()
    if name != "rrblup":
        return
    filled = both.copy()
    filled[4, -1] = np.nanmean(both[:, -1])
    again = make("rrblup", n_covariates=3).fit(filled, y)
    np.testing.assert_allclose(again.covariate_effects_, alone.covariate_effects_)


def test_more_covariates_than_samples_can_bear_are_refused(rng):
    x = rng.normal(size=(6, 12))
    with pytest.raises(ValueError, match="intercept and 5 covariates explain 6 samples completely"):
        FixedEffects.of(x[:, :5])
    with pytest.raises(ValueError, match="n_covariates is 12, but X has 12 features in all"):
        make("rrblup", n_covariates=12).fit(x, x[:, 0])
    with pytest.raises(ValueError, match="X has packed genotypes"):
        make("rrblup", n_covariates=1).fit(PackedBits.pack(x > 0), x[:, 0])


def test_reliabilities_have_to_be_asked_for_before(rng):
    x = rng.normal(size=(20, 30))
    with pytest.raises(ValueError, match="fit it with reliability=True"):
        make("rrblup").fit(x, x[:, 0]).predict(x, return_reliability=True)


def test_reliability_of_bits_is_that_of_dosages(rng):
    for n, p in ((60, 20), (30, 80)):
        x, y = rng.integers(0, 2, (n, p)), rng.normal(size=(n, 2))
        x[:, 0], y[:, 0] = y[:, 0] > 0, x[:, :9].sum(axis=1) + rng.normal(size=n)
        dense = make("rrblup", reliability=True).fit(x, y)
        bits = make("rrblup", reliability=True).fit(PackedBits.pack(x), y)
        packed = bits.predict(PackedBits.pack(x), return_reliability=True)
        for found, expected in zip(packed, dense.predict(x, return_reliability=True), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-9)
