"""Probabilities from genetic values: calibrated, also where nothing is to be learnt; scikit-learn's own checks."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.candidates.average import AverageClassifier, AverageRegressor
from gpatlas.automl.candidates.covariates_first import CovariatesFirst
from gpatlas.automl.candidates.discriminant import RegularisedDiscriminant
from gpatlas.automl.candidates.features import Components, Features
from gpatlas.automl.candidates.one_vs_rest import CalibratedOneVsRest
from gpatlas.automl.candidates.sparse_logistic import SparseLogistic
from gpatlas.models import make


@parametrize_with_checks(
    [
        Features(),
        Components(2),
        CalibratedOneVsRest(make("rrblup")),
        SparseLogistic(),
        RegularisedDiscriminant(),
        CovariatesFirst(make("rrblup")),
        AverageRegressor([make("rrblup"), make("rkhs")]),
        AverageClassifier([CalibratedOneVsRest(make("rrblup")), CalibratedOneVsRest(make("rkhs"))]),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def liability(rng, n, p, h2, cuts):
    """Dosages, and classes by thresholds of a polygenic liability; the true probabilities of the last class."""
    x = rng.integers(0, 3, (n, p)).astype(np.float32)
    value = (x - 1) @ rng.normal(size=p)
    value *= np.sqrt(h2) / max(value.std(), 1e-9)
    return x, np.searchsorted(cuts, value + np.sqrt(1 - h2) * rng.normal(size=n)).astype(float)


@pytest.mark.parametrize("name", ["rrblup", "rkhs", "egblup", "kernel_tree"])
@pytest.mark.parametrize("cuts", [[0.8], [-0.5, 0.5]], ids=["binary", "three classes"])
def test_probabilities_are_calibrated(name, cuts):
    """Among new samples, the share of a class is what was predicted, in each fifth of the predictions."""
    rng = np.random.default_rng(5)
    x, y = liability(rng, 1200, 40, 0.6, cuts)
    kind = "binary" if len(cuts) == 1 else "multiclass"
    probability = CANDIDATES[name].make(kind).fit(x[:400], y[:400]).predict_proba(x[400:])
    for code in np.unique(y):
        p, seen = probability[:, int(code)], y[400:] == code
        for part in np.array_split(np.argsort(p), 5):
            error = np.sqrt(p[part].mean() * (1 - p[part].mean()) / len(part))
            assert abs(seen[part].mean() - p[part].mean()) < 0.05 + 3 * error


@pytest.mark.parametrize("name", ["rrblup", "rkhs", "egblup", "svm"])
def test_where_nothing_is_known_probabilities_are_shares(name):
    """Leave-one-out means fall as the class rises: taken at face value, they would look like knowledge."""
    spread = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x, y = liability(rng, 160, 80, 0.0, [0.4])
        probability = CANDIDATES[name].make("binary").fit(x[:100], y[:100]).predict_proba(x[100:])[:, 1]
        assert probability.mean() == pytest.approx(y[:100].mean(), abs=0.1)
        spread.append(probability.std())
    assert np.median(spread) < 0.07


def test_left_out_values_keep_the_mean():
    """Of a model that is nothing but the mean, all values are alike, whatever the class."""
    rng = np.random.default_rng(1)
    x, y = np.ones((30, 4)), (rng.random(30) < 0.3).astype(float)
    model = CalibratedOneVsRest(make("rrblup")).fit(x, y)
    assert model.slope_[0] == 0
    np.testing.assert_allclose(model.predict_proba(x)[:, 1], (y.sum() + 1) / 32)


def test_discriminants_are_those_of_scikit_learn_at_both_ends(rng):
    """Own covariances, and one for all (maximum likelihood): QDA and LDA."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

    code = rng.integers(0, 3, 200)
    x = rng.normal(size=(200, 4)) * (1 + 0.3 * code[:, None]) + code[:, None]
    together = RegularisedDiscriminant(common=1.0, sphere=0.0).fit(x, code).predict_proba(x)
    linear = LinearDiscriminantAnalysis(solver="lsqr").fit(x, code)
    np.testing.assert_allclose(together, linear.predict_proba(x), atol=1e-6)
    apart = RegularisedDiscriminant(common=0.0, sphere=0.0).fit(x, code).predict_proba(x)
    np.testing.assert_allclose(apart, QuadraticDiscriminantAnalysis().fit(x, code).predict_proba(x), atol=0.02)
