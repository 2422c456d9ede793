"""What the network sees of a marker, against brute force."""

import numpy as np
import torch

from gpatlas.nn.gpfn.markers import (
    N_QUANTILES,
    N_STATISTICS,
    OFFSETS,
    linkage,
    marker_statistics,
    neighbours_sum,
)
from gpatlas.nn.gpfn.posterior import UNIFORM_H2, Posterior

N, M = 30, 50


def test_neighbours_count_by_their_linkage(rng):
    z = torch.from_numpy(rng.integers(0, 3, (2, N, M)) - 1.0)
    chromosome = torch.from_numpy(np.repeat([1, 2], M // 2))[None].repeat(2, 1)
    values = torch.from_numpy(rng.normal(size=(2, M, 3)))
    r2 = linkage(z, chromosome)
    found = neighbours_sum(values, r2)
    assert torch.autograd.gradcheck(lambda few: neighbours_sum(few, r2[:, :9]), values[:, :9].requires_grad_())
    values = values.detach()
    for b in range(2):
        norm = z[b].square().sum(0)
        r2 = (z[b].T @ z[b]) ** 2 / torch.outer(norm, norm)
        apart = np.abs(np.subtract.outer(np.arange(M), np.arange(M)))
        near = np.isin(apart, [0, *OFFSETS]) & (chromosome[b][:, None] == chromosome[b]).numpy()
        torch.testing.assert_close(found[b], (r2 * torch.from_numpy(near)) @ values[b])


def test_statistics_of_a_marker_without_its_own_share(rng):
    """The second pair of statistics is the score test after the marker has been taken out of the covariance."""
    x = rng.integers(0, 3, (N, M)).astype(float)
    z = torch.from_numpy(x - x.mean(axis=0))[None]
    y = torch.from_numpy(rng.normal(size=N))[None]
    y = y - y.mean()
    d = torch.from_numpy(rng.random(M) / M)[None]
    contrasts, variance = torch.tensor([N - 1.0]).double(), z.square().sum(1) / N
    posterior = Posterior.of((z * d) @ z.mT, y, contrasts, UNIFORM_H2)
    statistics, quantiles = marker_statistics(z, y, variance, torch.ones(1, M).double(), d, posterior, contrasts)
    assert statistics.shape == (1, M, N_STATISTICS)
    assert quantiles.shape == (1, 2 * N_QUANTILES)
    ratio = float(torch.exp(posterior.log_lambda))
    v = ((z * d) @ z.mT)[0].numpy() + ratio * np.eye(N)
    y, z, d = y[0].numpy(), z[0].numpy(), d[0].numpy()
    var_g = y @ np.linalg.solve(v, y) / (N - 1)
    whole, without = [], []
    for j in range(M):
        for covariance, into in ((v, whole), (v - d[j] * np.outer(z[:, j], z[:, j]), without)):
            solved = np.linalg.solve(covariance, z[:, j])
            into.append((solved @ y) ** 2 / (var_g * (solved @ z[:, j])))
    np.testing.assert_allclose(statistics[0, :, 1], np.log1p(whole), rtol=1e-6)
    np.testing.assert_allclose(statistics[0, :, 3], np.log1p(without), rtol=1e-6)
    marginal = (z.T @ y) ** 2 / ((z**2).sum(axis=0) * (y @ y)) * (N - 1)
    np.testing.assert_allclose(statistics[0, :, 5], np.log1p(marginal), rtol=1e-6)
    np.testing.assert_allclose(quantiles[0, 4], statistics[0, :, 3].max())
