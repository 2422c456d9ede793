"""Losses of what a network says of hidden calls."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpatlas.config import PerceiverRecipe
from gpatlas.perceiver.targets import Targets


def indicator_loss(logits: Tensor, indicators: Tensor, gamma: float = 0.0) -> Tensor:
    """Return the cross-entropy of each indicator; with gamma, times (1 - p)^gamma, p the chance given to what is true.

    That is the focal loss (Lin et al. 2017, arXiv:1708.02002, equation 4).
    """
    logits = logits.float()
    loss = F.binary_cross_entropy_with_logits(logits, indicators, reduction="none")
    if not gamma:
        return loss
    wrong = -torch.expm1(-loss)  # 1 - p, as p = exp(-loss)
    return loss * wrong.clamp_min(torch.finfo(loss.dtype).tiny) ** gamma


def ploidy_penalty(logits_BQKP: Tensor, ploidy: int) -> Tensor:
    """Return `(B, Q)`: (ploidy - Σ σ)²; the indicators' chances sum to the copies expected of all alleles."""
    return (ploidy - torch.sigmoid(logits_BQKP.float()).sum(dim=(-2, -1))) ** 2


def copies_loss(logits_BQKP: Tensor, codes_BQ: Tensor, targets: Targets, recipe: PerceiverRecipe) -> Tensor:
    """Return the loss of each call's alleles, `(B, Q)`."""
    loss = indicator_loss(logits_BQKP, targets.copies(codes_BQ), _gamma(recipe)).mean(dim=(-2, -1))
    if recipe.ploidy_penalty:
        loss = loss + recipe.ploidy_penalty * ploidy_penalty(logits_BQKP, targets.ploidy)
    return loss


def batch_loss(network: nn.Module, batch: dict[str, Tensor], targets: Targets, recipe: PerceiverRecipe) -> Tensor:
    """Return the loss of a batch, summed over the calls that were asked for.

    Parameters
    ----------
    network
        Of `gpatlas.nn.perceiver`.
    batch
        The fields of a `Batch` as tensors.
    """
    loci, known = batch["loci"], batch["known"]
    if recipe.objective == "masked":
        loss = copies_loss(network.copies(batch["shown"], loci), batch["codes"], targets, recipe)
    else:
        logits = network.shared(batch["shown"], batch["other_shown"], loci)
        loss = indicator_loss(logits, targets.shared(batch["codes"], batch["other_codes"]), _gamma(recipe)).mean(dim=-1)
        if recipe.allele_weight:
            for shown, codes in (("shown", "codes"), ("other_shown", "other_codes")):
                of_one = copies_loss(network.copies(batch[shown], loci), batch[codes], targets, recipe)
                loss = loss + recipe.allele_weight / 2 * of_one
    return (loss * known).sum()


def _gamma(recipe: PerceiverRecipe) -> float:
    return recipe.gamma if recipe.loss == "focal" else 0.0
