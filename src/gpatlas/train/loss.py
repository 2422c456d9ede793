"""What training descends: the mean loss over the phenotypes that are there."""

import torch
import torch.nn.functional as F
from torch import Tensor


def masked_loss(
    output: Tensor, target: Tensor, kind: str, complete: bool = False, count: Tensor | float | None = None
) -> Tensor:
    """Mean loss over the phenotypes that are there (NaN is missing); 0 where none is.

    `complete` says that nothing is missing, which the caller knows and a GPU would have to stop to find out.
    `count` is what the sum is divided by, if not the phenotypes of this target (those of the batch, of which it is
    one process' share).
    """
    if complete and count is None:
        return F.l1_loss(output, target) if kind == "l1" else F.mse_loss(output, target)
    known = ~torch.isnan(target)
    difference = torch.where(known, output - target, 0.0)
    total = difference.abs().sum() if kind == "l1" else difference.square().sum()
    return total / (known.sum().clamp(min=1) if count is None else count)
