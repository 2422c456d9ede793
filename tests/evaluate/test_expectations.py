"""Closed forms against simulation."""

import numpy as np
import pytest

from gpatlas.config.scaling import ScalingConfig
from gpatlas.evaluate import expected_rrblup_accuracy, expected_variance_shares
from gpatlas.models import make
from gpatlas.simulate import simulate


def test_variance_shares_are_the_published_panels():
    np.testing.assert_allclose(expected_variance_shares([0, 0.1, 0.5, 1, 3]), [1, 0.83, 0.5, 0.33, 0.14], atol=0.005)
    np.testing.assert_allclose(expected_variance_shares(1, ploidy=2), 0.5)


@pytest.mark.parametrize(("n", "q", "heritability"), [(600, 100, 0.999), (600, 300, 0.5), (1200, 50, 0.3)])
def test_rrblup_is_as_accurate_as_theory_says(n, q, heritability):
    """Mean over replicates of an additive and an epistatic trait, rrBLUP fitted to all, tested on fresh samples."""
    config = ScalingConfig(n_samples=(n + 400,), qtl_scaling=(1,), replicates=1, rel_aa=(0, 1), models={"rrblup": {}})
    spec = config.simulation({"n_samples": n + 400, "n_qtl": q, "heritability": heritability})
    found, share = [], []
    for seed in range(12):
        data = simulate(spec, seed)
        x, g = data.dosage(), data.truth.genetic_values
        predicted = make("rrblup").fit(x[:n], data.phenotypes[:n]).predict(x[n:])
        found.append([np.corrcoef(predicted[:, t], g[n:, t])[0, 1] for t in range(2)])
        share.append(data.truth.traits["var_a"])
    expected = expected_rrblup_accuracy(n, q, np.mean(share, axis=0), heritability)
    np.testing.assert_allclose(np.mean(found, axis=0), expected, atol=0.035)


def test_limits():
    assert expected_rrblup_accuracy(1e9, 10, 1.0, 0.5) == pytest.approx(1, abs=1e-6)
    assert expected_rrblup_accuracy(10, 1e9, 1.0, 0.5) == pytest.approx(0, abs=1e-3)
    assert expected_rrblup_accuracy(1e9, 10, 0.25, 0.9) == pytest.approx(0.5, abs=1e-6)
