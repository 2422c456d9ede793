"""The bar distribution, against integration and against the mixture that it cuts."""

import numpy as np
import pytest
import torch

from gpatlas.nn.gpfn.prediction import BarDistribution, Prediction


@pytest.fixture
def bars():
    return BarDistribution(50).double()


def test_it_is_a_density(bars, rng):
    log_mass = torch.log_softmax(torch.from_numpy(rng.normal(size=50)), 0)
    at = torch.linspace(-15, 15, 300_001, dtype=torch.float64)
    density = bars.log_density(log_mass.expand(len(at), 50), at).exp()
    step = float(at[1] - at[0])
    assert float(density.sum() * step) == pytest.approx(1, abs=1e-3)
    mean, variance = bars.moments(log_mass)
    assert float((density * at).sum() * step) == pytest.approx(float(mean), abs=1e-3)
    assert float((density * (at - mean) ** 2).sum() * step) == pytest.approx(float(variance), abs=2e-3)


def test_a_mixture_of_normals_in_buckets(bars):
    """Narrow buckets in the middle: the density is the mixture's."""
    fine = BarDistribution(2000).double()
    of = {"mean": torch.zeros(1, 1), "variance": torch.ones(1, 1), "noise": torch.ones(1)}
    means, variances = torch.tensor([[[-0.5, 1.0]]]).double(), torch.tensor([[[0.09, 0.25]]]).double()
    weights = torch.tensor([[0.3, 0.7]]).double()
    predicted = Prediction(**of, means=means, variances=variances, weights=weights)
    at = torch.tensor([[-1.0, -0.3, 0.4, 1.2]]).double()
    found = fine.log_density(fine.of_mixture(predicted).expand(1, 4, -1), at)
    sd = (variances + 1e-4).sqrt()[0, 0]
    normal = torch.distributions.Normal(means[0, 0], sd)
    expected = torch.logsumexp(normal.log_prob(at[0, :, None]) + weights[0].log(), 1)
    np.testing.assert_allclose(found[0], expected, atol=0.01)
    mean, _ = fine.moments(fine.of_mixture(predicted))
    assert float(mean) == pytest.approx(0.55, abs=1e-3)
    assert float(bars.of_mixture(predicted).exp().sum()) == pytest.approx(1, abs=1e-6)
