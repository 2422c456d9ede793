"""How well a network says what was hidden."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gpatlas.config import PerceiverRecipe
from gpatlas.perceiver.batches import Batch, Batches
from gpatlas.perceiver.losses import batch_loss
from gpatlas.perceiver.state import PerceiverState
from gpatlas.perceiver.targets import Targets
from gpatlas.train.precision import Arithmetic


def validate(state: PerceiverState, batches: Batches, targets: Targets, arithmetic: Arithmetic) -> dict[str, float]:
    """Measure the averaged weights on held-out individuals."""
    network, recipe = state.network, batches.recipe
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(state.average)
    network.eval()
    loss = right = n_asked = 0.0
    for batch in batches.held_out():
        with torch.inference_mode(), arithmetic.autocast():
            loss += batch_loss(network, as_tensors(batch, arithmetic.device), targets, recipe).item()
            found = predict(network, batch, targets, recipe)
        right += np.count_nonzero((found == asked_for(batch, targets)) & batch.known)
        n_asked += np.count_nonzero(batch.known)
    network.load_state_dict(kept)
    n_asked = max(1.0, n_asked)
    return {"step": state.batch, "loss": float(loss / n_asked), "accuracy": float(right / n_asked)}


def asked_for(batch: Batch, targets: Targets) -> NDArray[np.int64]:
    """Return what is to be predicted, `(B, Q)`: codes, or (contrastive) numbers of shared alleles."""
    if batch.other_codes is None:
        return batch.codes
    device = targets.copies_CK.device
    pair = (torch.from_numpy(codes).to(device) for codes in (batch.codes, batch.other_codes))
    return targets.n_shared(*pair).cpu().numpy()


def predict(network: nn.Module, batch: Batch, targets: Targets, recipe: PerceiverRecipe) -> NDArray[np.int64]:
    """Return what the network says was asked for, `(B, Q)`: codes, or (contrastive) numbers of shared alleles."""
    with torch.inference_mode():
        tensors = as_tensors(batch, device_of(network))
        if recipe.objective == "masked":
            found = targets.likeliest_code(network.copies(tensors["shown"], tensors["loci"]))
        else:
            logits = network.shared(tensors["shown"], tensors["other_shown"], tensors["loci"])
            found = targets.likeliest_number(logits)
    return found.cpu().numpy()


def as_tensors(batch: Batch, device: torch.device) -> dict[str, Tensor]:
    """Return the fields of a batch as tensors."""
    return {name: torch.from_numpy(value).to(device) for name, value in batch.arrays().items()}


def device_of(network: nn.Module) -> torch.device:
    """Return where a network's weights are."""
    return next(network.parameters()).device
