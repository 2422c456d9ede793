"""Attention across loci: every locus is a token, and tokens exchange what they carry.

Shapes: B batch, N loci (the features), D width of a token, H heads, E = D / H, T traits.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

AttentionKind = Literal["locus", "genotype"]


class LocusTransformer(nn.Module):
    """Pre-norm transformer over loci, with a read-out of every locus and a linear path for additive effects.

    The token of locus i is e_i + x_i u_i, both vectors learnt: a missing call, x_i = 0, leaves the locus' own.

    Parameters
    ----------
    n_features, n_outputs
        Loci N and traits T.
    width
        D; a multiple of `n_heads`.
    n_layers, n_heads
        Layers, and heads in each.
    feed_forward
        Width of the hidden layer behind attention, in multiples of D.
    attention
        What decides which locus attends to which. "locus": the embeddings e alone, so that all samples share one
        map N × N a head, which costs one matrix product; "genotype": the tokens, for every sample anew
        (Vaswani et al. 2017).
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        width: int = 32,
        n_layers: int = 1,
        n_heads: int = 4,
        feed_forward: float = 2.0,
        attention: AttentionKind = "locus",
    ):
        super().__init__()
        self.locus = nn.Parameter(0.1 * torch.randn(n_features, width))
        self.allele = nn.Parameter(0.1 * torch.randn(n_features, width))
        self.identity = nn.LayerNorm(width)
        hidden = max(1, round(feed_forward * width))
        self.layers = nn.ModuleList(Layer(width, n_heads, hidden, attention) for _ in range(n_layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(n_features * width, n_outputs)
        self.skip = nn.Linear(n_features, n_outputs, bias=False)
        for start_at_nothing in (self.head, self.skip):
            nn.init.zeros_(start_at_nothing.weight)

    def forward(self, x_BN: Tensor) -> Tensor:
        """Return predictions `(B, T)`."""
        z_BND = self.locus + x_BN[..., None] * self.allele
        identity_ND = self.identity(self.locus)
        for layer in self.layers:
            z_BND = layer(z_BND, identity_ND)
        return self.head(self.norm(z_BND).flatten(1)) + self.skip(x_BN)


class Layer(nn.Module):
    """Attention, then a hidden layer; both see normalised tokens and add to them (Xiong et al. 2020)."""

    def __init__(self, width: int, n_heads: int, hidden: int, attention: AttentionKind):
        super().__init__()
        self.before_attention, self.before_hidden = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, n_heads, attention)
        self.hidden = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, z_BND: Tensor, identity_ND: Tensor) -> Tensor:
        """Return tokens `(B, N, D)`."""
        z_BND = z_BND + self.attention(self.before_attention(z_BND), identity_ND)
        return z_BND + self.hidden(self.before_hidden(z_BND))


class Attention(nn.Module):
    """Attention in H heads, with queries and keys from loci or from tokens."""

    def __init__(self, width: int, n_heads: int, kind: AttentionKind):
        super().__init__()
        self.n_heads, self.kind = n_heads, kind
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.out = nn.Linear(width, width)
        nn.init.normal_(self.out.weight, std=0.02)  # tokens start as their own
        nn.init.zeros_(self.out.bias)

    def forward(self, z_BND: Tensor, identity_ND: Tensor) -> Tensor:
        """Return what each token takes from the others, `(B, N, D)`."""
        if self.kind == "genotype":
            q, k, v = (self._heads(part(z_BND)) for part in (self.query, self.key, self.value))  # (B, H, N, E)
            mixed_BHNE = F.scaled_dot_product_attention(q, k, v)
            return self.out(mixed_BHNE.transpose(1, 2).flatten(2))
        value_BHME = self._heads(self.value(z_BND))
        mixed_BNHE = torch.einsum("hnm,bhme->bnhe", self.map(identity_ND), value_BHME)
        return self.out(mixed_BNHE.flatten(2))

    def map(self, identity_ND: Tensor) -> Tensor:
        """Return the share of attention that each locus pays to each, `(H, N, N)`; rows sum to 1."""
        query_HNE, key_HNE = self._heads(self.query(identity_ND)), self._heads(self.key(identity_ND))
        return torch.softmax(query_HNE @ key_HNE.mT * query_HNE.shape[-1] ** -0.5, dim=-1)

    def _heads(self, z: Tensor) -> Tensor:
        return z.unflatten(-1, (self.n_heads, -1)).transpose(-2, -3)


class StackedAttention(nn.Module):
    """Attention layers and nothing else, after Rijal et al. (2025, arXiv:2504.10388).

    The token of locus i is (x_i r_i, 1) with r_i learnt. Each layer is softmax(Z Q Kᵀ Zᵀ) Z V: one head, no scale, no
    residual, no norm, no hidden layer. Every number of every token has a coefficient in the read-out.

    Parameters
    ----------
    n_features, n_outputs
        Loci N and traits T.
    width
        D, with the constant.
    n_layers
        Layers of attention.
    """

    def __init__(self, n_features: int, n_outputs: int, width: int = 13, n_layers: int = 3):
        super().__init__()

        def small(*shape: int) -> nn.Parameter:
            return nn.Parameter(0.03 * torch.randn(*shape))

        self.projection = small(n_features, width - 1)
        self.query, self.key, self.value = (
            nn.ParameterList(small(width, width) for _ in range(n_layers)) for _ in range(3)
        )
        self.coefficients, self.offset = small(n_outputs, n_features * width), small(n_outputs)

    def forward(self, x_BN: Tensor) -> Tensor:
        """Return predictions `(B, T)`."""
        z_BND = torch.cat([x_BN[..., None] * self.projection, torch.ones_like(x_BN)[..., None]], dim=2)
        for query, key, value in zip(self.query, self.key, self.value, strict=True):
            z_BND = F.scaled_dot_product_attention(z_BND @ query, z_BND @ key, z_BND @ value, scale=1.0)
        return z_BND.flatten(1) @ self.coefficients.T + self.offset
