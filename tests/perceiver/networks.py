"""A small network with the interface of perceivers: whatever it is given shows in what it says."""

import torch
from torch import nn

from gpatlas.alleles import decoder


class TinyPerceiver(nn.Module):
    def __init__(self, layout, width=8, dropout=0.1):
        super().__init__()
        self.layout, self.width = layout, width
        self.settings = {"architecture": "tiny", "width": width, "dropout": dropout}
        n, k, p = layout.n_loci, layout.n_alleles, layout.ploidy
        self.register_buffer("table", torch.tensor(decoder(p, k), dtype=torch.float32), persistent=False)
        self.alleles = nn.Parameter(torch.randn(n, k, width) / n**0.5)
        self.hidden = nn.Linear(width, 4 * width)
        self.dropout = nn.Dropout(dropout)
        self.of_copies = nn.Parameter(0.1 * torch.randn(n, 4 * width, k * p))
        self.base = nn.Parameter(torch.zeros(n, k * p))
        self.of_shared = nn.Parameter(0.1 * torch.randn(n, 4 * width, p))
        self.base_shared = nn.Parameter(torch.zeros(n, p))

    def encode(self, codes_BN):
        sums = torch.einsum("bnk,nkd->bd", self.table[codes_BN.long()], self.alleles)
        return self.dropout(torch.tanh(self.hidden(sums))).unsqueeze(1)

    def copies(self, codes_BN, loci_BQ):
        latent = self.encode(codes_BN)[:, 0]
        logits = torch.einsum("bd,bqdo->bqo", latent, self.of_copies[loci_BQ]) + self.base[loci_BQ]
        return logits.unflatten(-1, (self.layout.n_alleles, self.layout.ploidy))

    def shared(self, codes_BN, other_BN, loci_BQ):
        product = (self.encode(codes_BN) * self.encode(other_BN))[:, 0]
        return torch.einsum("bd,bqdo->bqo", product, self.of_shared[loci_BQ]) + self.base_shared[loci_BQ]
