"""The posterior of genetic values under one kernel, its heritability integrated out on a grid.

    y = A b + g + e,    g ~ N(0, σ²_g K),    e ~ N(0, λ σ²_g I),    λ = (1 - h²)/h²

with A orthonormal (the mean, covariates), y and K projected by I - AA', and p(σ²_g) ∝ 1/σ²_g. With K = U diag(e) U',
z = U'y and c contrasts, at each λ of the grid

    q(λ) = Σ z²/(e + λ)        σ²_g(λ) = q/c        -2 log p(y | λ) = c log q + Σ log(e + λ) - (N - c) log λ

which is the restricted likelihood with the scale integrated out. Rows that only fill up a batch are rows of zeros: they
are among the N - c directions that do not count, so that padding changes no number.

Gradients reach the kernel through the means alone. An eigendecomposition has no stable gradient, and needs none: with
W = (diag(e) + λ)⁻¹ and A = U'KU, the expression W - W (A - diag(e)) W has the value and the derivative of (A + λ)⁻¹.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

LOGIT_H2 = torch.linspace(-4.0, 4.0, 17, dtype=torch.float64)
UNIFORM_H2 = torch.log(torch.sigmoid(LOGIT_H2) * torch.sigmoid(-LOGIT_H2))  # log density of a uniform h² by its logit

Spectrum = tuple[Tensor, Tensor]  # eigenvalues (B, N) and eigenvectors (B, N, N)


@dataclass(frozen=True)
class Posterior:
    """A kernel's eigendecomposition, and what the phenotypes say at every heritability of the grid.

    Parameters
    ----------
    basis, eigenvalues, z
        U `(B, N, N)`, e `(B, N)` and U'y `(B, N)`.
    drift
        U'KU less its value, `(B, N, N)`: zeros that carry the gradient by the kernel; None where there is none.
    share
        Posterior probability of each heritability, `(B, G)`.
    log_evidence
        log p(y) up to a constant that all kernels share, `(B,)`.
    var_g
        σ²_g at each heritability, `(B, G)`.
    """

    basis: Tensor
    eigenvalues: Tensor
    z: Tensor
    drift: Tensor | None
    share: Tensor
    log_evidence: Tensor
    var_g: Tensor

    @classmethod
    def of(
        cls,
        kernel_BNN: Tensor,
        y_BN: Tensor,
        contrasts_B: Tensor,
        log_prior_G: Tensor,
        spectrum: Spectrum | None = None,
    ) -> "Posterior":
        """Decompose a projected kernel; a `spectrum` (e, U) that is there already is taken as it is."""
        with torch.no_grad():
            e_BN, u_BNN = torch.linalg.eigh(kernel_BNN) if spectrum is None else spectrum
            e_BN = e_BN.clamp(min=0.0)
            z_BN = torch.einsum("bni,bn->bi", u_BNN, y_BN)
            lambda_G = torch.exp(-LOGIT_H2).to(y_BN)
            v_BGN = e_BN[:, None] + lambda_G[:, None]
            q_BG = (z_BN[:, None] ** 2 / v_BGN).sum(-1).clamp(min=1e-30)  # 0 where phenotypes do not vary
            c_B1, outside = contrasts_B[:, None], y_BN.shape[1] - contrasts_B[:, None]
            determinant_BG = torch.log(v_BGN).sum(-1) - outside * torch.log(lambda_G)
            log_likelihood_BG = -0.5 * (c_B1 * torch.log(q_BG) + determinant_BG)
            var_g_BG = q_BG / c_B1
        joint_BG = log_likelihood_BG + torch.log_softmax(log_prior_G.to(y_BN), 0)
        drift = None
        if kernel_BNN.requires_grad:
            a_BNN = u_BNN.mT @ kernel_BNN @ u_BNN
            drift = a_BNN - a_BNN.detach()
        share = torch.softmax(joint_BG, 1)
        return cls(u_BNN, e_BN, z_BN, drift, share, torch.logsumexp(joint_BG, 1).detach(), var_g_BG)

    @property
    def lambdas(self) -> Tensor:
        """λ of the grid, `(G,)`."""
        return torch.exp(-LOGIT_H2).to(self.z)

    @property
    def log_lambda(self) -> Tensor:
        """Posterior mean of log λ, `(B,)`."""
        return -(self.share @ LOGIT_H2.to(self.z))

    @property
    def h2(self) -> Tensor:
        """Posterior mean of the heritability, `(B,)`."""
        return self.share @ torch.sigmoid(LOGIT_H2.to(self.z))

    @property
    def var_e(self) -> Tensor:
        """Posterior mean of the error variance, `(B,)`."""
        return (self.share * self.var_g * self.lambdas).sum(1)

    def weights(self) -> Tensor:
        """Posterior mean of (K + λ)⁻¹y, `(B, N)`: what the rows of context weigh in a prediction."""
        w_BGN = 1 / (self.eigenvalues[:, None] + self.lambdas[:, None])
        solved_BGN = w_BGN * self.z[:, None]
        if self.drift is not None:
            solved_BGN = solved_BGN - w_BGN * (solved_BGN @ self.drift.mT)
        return torch.einsum("bni,bgi,bg->bn", self.basis, solved_BGN, self.share)

    def predict(self, cross_BQN: Tensor, own_BQ: Tensor, n_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the variance of the genetic value less the context's mean phenotype, `(B, Q)` each.

        Parameters
        ----------
        cross_BQN, own_BQ
            Kernel between queries and context, projected on the context's side, and of queries with themselves.
        n_B
            Rows of context, for the error of their mean.
        """
        mean_BQ = torch.einsum("bqn,bn->bq", cross_BQN, self.weights())
        with torch.no_grad():
            inside_BQN = cross_BQN @ self.basis
            w_BGN = 1 / (self.eigenvalues[:, None] + self.lambdas[:, None])
            means_BQG = inside_BQN @ (w_BGN * self.z[:, None]).mT
            left_BQG = (own_BQ[..., None] - inside_BQN**2 @ w_BGN.mT).clamp(min=0.0)
            left_BQG += self.lambdas / n_B[:, None, None]
            spread_BQG = (means_BQG - means_BQG @ self.share[..., None]) ** 2
            variance_BQ = ((left_BQG * self.var_g[:, None] + spread_BQG) @ self.share[..., None])[..., 0]
        return mean_BQ, variance_BQ

    def left_out_score(self, y_BN: Tensor, fixed_BNR: Tensor, mask_BN: Tensor) -> Tensor:
        """Return the mean log density of each context row given the others, `(B,)`, up to a constant.

        The errors of rows left out are (Py)_i / P_ii with P the inverse on contrasts; their variances σ²_g / P_ii.
        """
        w_BGN = 1 / (self.eigenvalues[:, None] + self.lambdas[:, None])
        py_BNG = self.basis @ (w_BGN * self.z[:, None]).mT
        p_BNG = self.basis**2 @ w_BGN.mT - (fixed_BNR**2).sum(2, keepdim=True) / self.lambdas
        p_BNG = torch.where(mask_BN[..., None] > 0, p_BNG.clamp(min=1e-8), 1.0)
        score_BNG = 0.5 * torch.log(p_BNG / self.var_g[:, None]) - 0.5 * py_BNG**2 / (p_BNG * self.var_g[:, None])
        score_BN = torch.logsumexp(score_BNG + torch.log(self.share[:, None] + 1e-12), 2)
        return (score_BN * mask_BN).sum(1) / mask_BN.sum(1)
