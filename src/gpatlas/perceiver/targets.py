"""What is asked of a network: copies of alleles, and alleles that two individuals share, as cumulative indicators.

Shapes: B individuals (or pairs), Q loci asked for, K alleles, P ploidy, C allele codes with 0 for missing.
"""

import torch
from torch import Tensor

from gpatlas.alleles import decoder
from gpatlas.nn.perceiver import Layout


class Targets:
    """Cumulative indicators of a panel's calls: whether a call has at least 1, …, P copies.

    Parameters
    ----------
    layout
        Says what allele codes mean.
    device
        Where tables are kept.
    """

    def __init__(self, layout: Layout, device: torch.device):
        self.ploidy = layout.ploidy
        self.copies_CK = torch.tensor(decoder(layout.ploidy, layout.n_alleles), dtype=torch.int64, device=device)
        self.indicators_CKP = self._at_least(self.copies_CK)
        self.of_number_SP = self._at_least(torch.arange(layout.ploidy + 1, device=device))

    def copies(self, codes_BQ: Tensor) -> Tensor:
        """Return `(B, Q, K, P)`: whether calls have at least p copies of allele k."""
        return self.indicators_CKP[codes_BQ]

    def n_shared(self, codes_BQ: Tensor, other_BQ: Tensor) -> Tensor:
        """Return `(B, Q)`: how many alleles two calls share, Σ_k min of their copies."""
        return torch.minimum(self.copies_CK[codes_BQ], self.copies_CK[other_BQ]).sum(dim=-1)

    def shared(self, codes_BQ: Tensor, other_BQ: Tensor) -> Tensor:
        """Return `(B, Q, P)`: whether two calls share at least p alleles."""
        return self._at_least(self.n_shared(codes_BQ, other_BQ))

    def likeliest_code(self, logits_BQKP: Tensor) -> Tensor:
        """Return `(B, Q)`: the code of the call whose indicators are likeliest together.

        Of indicators t with logits z, the log-likelihood Σ t log σ(z) + (1 - t) log σ(-z) is Σ t z and a constant.
        """
        scores = logits_BQKP.flatten(-2).float() @ self.indicators_CKP[1:].flatten(1).T
        return scores.argmax(dim=-1) + 1

    def likeliest_number(self, logits_BQP: Tensor) -> Tensor:
        """Return `(B, Q)`: the number of shared alleles whose indicators are likeliest together."""
        return (logits_BQP.float() @ self.of_number_SP.T).argmax(dim=-1)

    def _at_least(self, number: Tensor) -> Tensor:
        return (number.unsqueeze(-1) > torch.arange(self.ploidy, device=number.device)).float()
