"""Heads: from an encoder's latents to the outputs of every environment.

B samples, L latents, D width, E environments, O outputs of an environment, H hidden units. A head centres latents and
divides them by one number; both are learnt once, from the latents that training starts with, and then stay.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpatlas.errors import did_you_mean

_HEADS = 4  # of attention, if the width can be shared by as many


class Head(nn.Module):
    """Base of heads, `latents (B, L, D)` to `(B, E, O)`. An untrained head's output is 0 everywhere."""

    centre_LD: Tensor
    scale: Tensor

    def __init__(self, n_latents: int, width: int, n_environments: int, n_outputs: int, dropout: float = 0.0):
        super().__init__()
        self.n_environments, self.n_outputs = n_environments, n_outputs
        self.register_buffer("centre_LD", torch.zeros(n_latents, width))
        self.register_buffer("scale", torch.ones(()))
        self.dropout = nn.Dropout(dropout)

    def learn_scale(self, latents_BLD: Tensor) -> None:
        """Take the mean of each latent, and the root mean square of what is left over all of them."""
        self.centre_LD = latents_BLD.mean(dim=0)
        spread = (latents_BLD - self.centre_LD).square().mean().sqrt()
        self.scale = torch.where(spread > 0, spread, torch.ones_like(spread))

    def forward(self, latents_BLD: Tensor) -> Tensor:
        """Return outputs of every environment."""
        return self.read((latents_BLD - self.centre_LD) / self.scale)

    def read(self, latents_BLD: Tensor) -> Tensor:
        """Return outputs from latents that are centred and scaled."""
        raise NotImplementedError


class Pool(Head):
    """The mean over latents, beside an embedding of the environment, through a hidden layer."""

    def __init__(self, n_latents: int, width: int, n_environments: int, n_outputs: int, dropout: float = 0.0):
        super().__init__(n_latents, width, n_environments, n_outputs, dropout)
        self.environment_ED = nn.Parameter(torch.randn(n_environments, width))
        self.hidden = nn.Linear(2 * width, 2 * width)
        self.output = _silent(nn.Linear(2 * width, n_outputs))

    def read(self, latents_BLD: Tensor) -> Tensor:
        """Return outputs from latents that are centred and scaled."""
        mean_BD = latents_BLD.mean(dim=1) * math.sqrt(latents_BLD.shape[1])  # of unit size, if latents differ
        mean_BED = mean_BD[:, None].expand(-1, self.n_environments, -1)
        both_BED = torch.cat([mean_BED, self.environment_ED.expand(len(mean_BED), -1, -1)], dim=-1)
        return self.output(self.dropout(F.gelu(self.hidden(both_BED))))


class Query(Head):
    """A query of every environment, which is learnt, attends to the latents."""

    def __init__(self, n_latents: int, width: int, n_environments: int, n_outputs: int, dropout: float = 0.0):
        super().__init__(n_latents, width, n_environments, n_outputs, dropout)
        self.n_heads = math.gcd(_HEADS, width)
        self.query_ED = nn.Parameter(torch.randn(n_environments, width))
        self.place_LD = nn.Parameter(torch.randn(n_latents, width))  # what a key is found by beside what it says
        self.keys, self.contents = nn.Linear(width, width), nn.Linear(width, width)
        self.hidden = nn.Linear(width, 2 * width)
        self.output = _silent(nn.Linear(2 * width, n_outputs))

    def read(self, latents_BLD: Tensor) -> Tensor:
        """Return outputs from latents that are centred and scaled."""
        query_BED = self.query_ED.expand(len(latents_BLD), -1, -1)
        queries, keys, contents = (
            part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for part in (query_BED, self.keys(latents_BLD + self.place_LD), self.contents(latents_BLD))
        )
        found_BED = F.scaled_dot_product_attention(queries, keys, contents).transpose(1, 2).flatten(2)
        return self.output(self.dropout(F.gelu(self.hidden(query_BED + found_BED))))


class Windows(Head):
    """A linear readout of every latent, of its own in every environment: ridge regression on latents."""

    def __init__(self, n_latents: int, width: int, n_environments: int, n_outputs: int, dropout: float = 0.0):
        super().__init__(n_latents, width, n_environments, n_outputs, dropout)
        self.weight_EOF = nn.Parameter(torch.zeros(n_environments, n_outputs, n_latents * width))
        self.bias_EO = nn.Parameter(torch.zeros(n_environments, n_outputs))

    def features(self, latents_BLD: Tensor) -> Tensor:
        """Return what is read out, `(B, L·D)`, of a mean square that sums to 1 over a sample's features."""
        return self._flat((latents_BLD - self.centre_LD) / self.scale)

    def _flat(self, latents_BLD: Tensor) -> Tensor:
        return latents_BLD.flatten(1) / math.sqrt(latents_BLD[0].numel())

    def read(self, latents_BLD: Tensor) -> Tensor:
        """Return outputs from latents that are centred and scaled."""
        features_BF = self.dropout(self._flat(latents_BLD))
        return torch.einsum("bf,eof->beo", features_BF, self.weight_EOF) + self.bias_EO


HEADS: dict[str, type[Head]] = {"pool": Pool, "latent": Query, "windows": Windows}


def make_head(name: str, n_latents: int, width: int, n_environments: int, n_outputs: int, dropout: float = 0.0) -> Head:
    """Make a head: "pool", "latent" or "windows"."""
    if name not in HEADS:
        raise ValueError(f"unknown head '{name}'{did_you_mean(name, HEADS)}")
    return HEADS[name](n_latents, width, n_environments, n_outputs, dropout)


def _silent(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
