"""The smallest network with a perceiver's interface: quick to train, and with parts to free."""

from typing import Any

import torch
from torch import Tensor, nn

from gpatlas.alleles import decoder
from gpatlas.nn.perceiver.layout import Layout


class TinyPerceiver(nn.Module):
    """Each of a few windows of loci is a latent, a nonlinear sum of its alleles."""

    def __init__(self, layout: Layout, width: int = 8, n_latents: int = 4):
        super().__init__()
        self.layout, self.width = layout, width
        self.settings: dict[str, Any] = {"architecture": "tiny", "width": width, "n_latents": n_latents}
        self.register_buffer("decoder", torch.from_numpy(decoder(layout.ploidy, layout.n_alleles).copy()).float())
        window = torch.arange(layout.n_loci) * n_latents // layout.n_loci
        self.register_buffer("window_NL", nn.functional.one_hot(window, n_latents).float())
        self.alleles = nn.Parameter(torch.randn(layout.n_loci, layout.n_alleles, width) / layout.n_loci**0.5)
        self.latents = nn.Parameter(torch.randn(n_latents, width))
        self.block = nn.Linear(width, width)
        self.unused = nn.Linear(width, 1)

    def encode(self, codes_BN: Tensor) -> Tensor:
        copies_BNK = self.decoder[codes_BN.long()]
        window_BLD = torch.einsum("bnk,nkd,nl->bld", copies_BNK, self.alleles, self.window_NL)
        return torch.tanh(window_BLD + self.latents) + self.block(torch.tanh(window_BLD))
