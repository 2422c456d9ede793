"""The posterior on the grid, against dense inverses of every heritability."""

import numpy as np
import pytest
import torch

from gpatlas.nn.gpfn.fixed import intercept, project, project_cross, project_kernel
from gpatlas.nn.gpfn.posterior import LOGIT_H2, UNIFORM_H2, Posterior

N, Q, M = 25, 6, 40


@pytest.fixture
def data():
    rng = np.random.default_rng(5)
    x = rng.integers(0, 3, (N + Q, M)).astype(float)
    y = x[:N, :4] @ rng.normal(size=4) + rng.normal(size=N)
    return x - x[:N].mean(axis=0), (y - y.mean()) / y.std()


def dense(z, y, fixed):
    """Evidence, mean and variance by the inverse of the covariance of contrasts at each heritability."""
    basis = np.linalg.svd(np.eye(N) - fixed @ fixed.T)[0][:, : N - fixed.shape[1]]  # orthonormal contrasts
    kernel, cross, own = z[:N] @ z[:N].T / M, z[N:] @ z[:N].T / M, (z[N:] ** 2).sum(axis=1) / M
    c = basis.shape[1]
    evidence, means, variances = [], [], []
    for h2 in torch.sigmoid(LOGIT_H2).numpy():
        ratio = (1 - h2) / h2
        v = basis.T @ kernel @ basis + ratio * np.eye(c)
        inverse, b = np.linalg.inv(v), basis.T @ y
        q = b @ inverse @ b
        evidence.append(-0.5 * (c * np.log(q) + np.linalg.slogdet(v)[1]) + np.log(h2 * (1 - h2)))
        means.append(cross @ basis @ inverse @ b)
        left = own - np.einsum("qi,ij,qj->q", cross @ basis, inverse, cross @ basis)
        variances.append(q / c * (left + ratio / N))
    evidence, means, variances = map(np.array, (evidence, means, variances))
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    mean = share @ means
    return share, mean, share @ variances + share @ (means - mean) ** 2


def of(z, y, fixed):
    kernel = torch.from_numpy(z[:N] @ z[:N].T / M)[None]
    basis, mask = torch.from_numpy(fixed)[None], torch.ones(1, N, dtype=torch.float64)
    y = project(torch.from_numpy(y)[None, :, None], basis)[..., 0]
    contrasts = torch.tensor([float(N - fixed.shape[1])], dtype=torch.float64)
    found = Posterior.of(project_kernel(kernel, basis, mask), y, contrasts, UNIFORM_H2)
    cross = project_cross(torch.from_numpy(z[N:] @ z[:N].T / M)[None], basis, mask)
    own = torch.from_numpy((z[N:] ** 2).sum(axis=1) / M)[None]
    return found, found.predict(cross, own, torch.tensor([float(N)], dtype=torch.float64)), y, basis, mask


@pytest.mark.parametrize("n_covariates", [0, 2])
def test_against_dense_inverses(data, n_covariates):
    z, y = data
    columns = np.column_stack([np.ones(N), np.random.default_rng(1).normal(size=(N, n_covariates))])
    fixed = np.linalg.qr(columns)[0]
    posterior, (mean, variance), *_ = of(z, y, fixed)
    share, dense_mean, dense_variance = dense(z, y, fixed)
    np.testing.assert_allclose(posterior.share[0], share, rtol=1e-6)
    np.testing.assert_allclose(mean[0], dense_mean, rtol=1e-8)
    np.testing.assert_allclose(variance[0], dense_variance, rtol=1e-8)


def test_rows_left_out_are_predicted_from_the_others(data):
    """At one heritability: the density of row i under the model fitted to all others, its mean refitted too."""
    z, y = data
    posterior, _, projected, basis, mask = of(z, y, np.full((N, 1), N**-0.5))
    kernel = z[:N] @ z[:N].T / M
    at = 9
    ratio = float(posterior.lambdas[at])
    scores = []
    for i in range(N):
        rest = np.delete(np.arange(N), i)
        v = kernel + ratio * np.eye(N)
        inverse, one = np.linalg.inv(v[np.ix_(rest, rest)]), np.ones(N - 1)
        b = one @ inverse @ y[rest] / (one @ inverse @ one)
        error = y[i] - b - v[i, rest] @ inverse @ (y[rest] - b)
        u = 1 - v[i, rest] @ inverse @ one
        variance = v[i, i] - v[i, rest] @ inverse @ v[rest, i] + u**2 / (one @ inverse @ one)
        variance *= float(posterior.var_g[0, at])
        scores.append(-0.5 * np.log(variance) - 0.5 * error**2 / variance)
    share = torch.zeros_like(posterior.share)
    share[:, at] = 1.0
    single = Posterior(**{**vars(posterior), "share": share})
    found = single.left_out_score(projected, basis, mask)
    assert float(found[0]) == pytest.approx(np.mean(scores), rel=1e-6)


def test_gradients_by_the_kernel(data):
    """The expression that stands for an inverse has its derivative."""
    z, y = data
    z, y = torch.from_numpy(z[:N]), torch.from_numpy(y)[None]
    basis, mask = intercept(torch.ones(1, N, dtype=torch.float64)), torch.ones(1, N, dtype=torch.float64)
    contrasts = torch.tensor([N - 1.0], dtype=torch.float64)
    share = torch.softmax(torch.randn(17, dtype=torch.float64, generator=torch.manual_seed(1)), 0)[None]

    def weights(log_d):
        kernel = project_kernel(((z * log_d.exp()) @ z.T / M)[None], basis, mask)
        found = Posterior.of(kernel, y, contrasts, UNIFORM_H2)
        return Posterior(**{**vars(found), "share": share}).weights()

    log_d = torch.randn(M, dtype=torch.float64, generator=torch.manual_seed(2)).requires_grad_()
    assert torch.autograd.gradcheck(weights, (log_d,))
