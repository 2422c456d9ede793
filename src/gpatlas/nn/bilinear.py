"""Linear effects plus products of pairs of features: a factorization machine, or one weight for every pair.

Shapes: B batch, F features, T traits, K factors. Parameters whose name ends in `weight` make up the pairs: they are
what an L1 term of training shrinks; linear effects and constants are left alone.
"""

import torch
from torch import Tensor, nn


class Bilinear(nn.Module):
    """y_t = b_t + Σ_i a_ti x_i + Σ_{i<j} W_tij x_i x_j, without products of a feature with itself.

    Parameters
    ----------
    n_features, n_outputs
        Inputs F and traits T.
    rank
        None: every pair and trait has a weight of its own. An integer R: W_t is the off-diagonal part of
        Σ_k c_tk l_k r_kᵀ (Rendle 2010, with two vectors a factor and signed trait weights c) over K = R·T factors,
        which all traits share; each begins as one trait's own, and any trait may take it up.
    squares
        Whether squared features have linear effects, too (for dosage: dominance).
    """

    def __init__(self, n_features: int, n_outputs: int, rank: int | None = None, squares: bool = False):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(n_outputs))
        self.additive = nn.Parameter(torch.zeros(n_outputs, n_features))
        self.squares = nn.Parameter(torch.zeros(n_outputs, n_features)) if squares else None
        self.pairs = PairWeights(n_features, n_outputs) if rank is None else PairFactors(n_features, n_outputs, rank)

    def forward(self, x_BF: Tensor) -> Tensor:
        """Return predictions `(B, T)`."""
        y_BT = x_BF @ self.additive.T + self.bias + self.pairs(x_BF)
        return y_BT if self.squares is None else y_BT + x_BF.square() @ self.squares.T


class PairWeights(nn.Module):
    """A weight for every pair of features and every trait; it starts at zero."""

    above: Tensor

    def __init__(self, n_features: int, n_outputs: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_features, n_outputs, n_features))  # that order makes one product of it
        self.register_buffer("above", torch.ones(n_features, n_features).triu(1)[:, None], persistent=False)

    def forward(self, x_BF: Tensor) -> Tensor:
        """Return `(B, T)`: xᵀ W_t x over the pairs."""
        effects_FTF = self.weight * self.above
        return torch.einsum("btf,bf->bt", (x_BF @ effects_FTF.flatten(1)).unflatten(1, effects_FTF.shape[1:]), x_BF)

    def matrix(self, trait: int) -> Tensor:
        """Return the symmetric `(F, F)` weights of a trait's products, 0 on the diagonal."""
        upper_FF = (self.weight * self.above)[:, trait].detach()
        return upper_FF + upper_FF.T


class PairFactors(nn.Module):
    """Pairs of features through K = R·T products of two linear scores."""

    def __init__(self, n_features: int, n_outputs: int, rank: int):
        super().__init__()
        n_factors = rank * n_outputs
        # measured: larger ones drown what is to be learnt, smaller ones memorise samples before they select pairs
        size = min(0.1, 1.2 / n_features**0.5)
        self.left_weight = nn.Parameter(size * torch.randn(n_factors, n_features))
        self.right_weight = nn.Parameter(size * torch.randn(n_factors, n_features))
        sign_K = 1.0 - 2.0 * (torch.arange(n_factors) % 2)
        self.read = nn.Parameter(0.3 * torch.eye(n_outputs).repeat_interleave(rank, dim=1) * sign_K)

    def forward(self, x_BF: Tensor) -> Tensor:
        """Return `(B, T)`: products of scores, less what each holds of a feature with itself."""
        scores_BK = (x_BF @ self.left_weight.T) * (x_BF @ self.right_weight.T)
        own_FT = (self.left_weight * self.right_weight).T @ self.read.T
        return scores_BK @ self.read.T - x_BF.square() @ own_FT

    def matrix(self, trait: int) -> Tensor:
        """Return the symmetric `(F, F)` weights of a trait's products, 0 on the diagonal."""
        product_FF = ((self.left_weight.T * self.read[trait]) @ self.right_weight).detach()
        return (product_FF + product_FF.T).fill_diagonal_(0.0)
