"""Latents that read markers again and again: the encoder of a perceiver, with the published ways to share weights.

Shapes: B batch, L latents, D their width, N markers, C width of a marker's token.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gpatlas.nn.perceiver.attention import AttentionLayer, Keys

# by iteration i = 0, 1, …: which cross-attention reads the markers, and which block of self-attentions follows
SHARING: dict[bool | str, Callable[[int], tuple[int, int]]] = {
    True: lambda i: (0, 0),
    "xa_only": lambda i: (0, i),
    "sa_only": lambda i: (i, 0),
    "after_first": lambda i: (min(i, 1), 0),
    "after_first_xa": lambda i: (min(i, 1), min(i, 1)),
    False: lambda i: (i, i),
}


class Encoder(nn.Module):
    """Iterations of a cross-attention, latents ← markers, and self-attentions among latents (Jaegle et al. 2021).

    Attention to markers costs L × N an iteration, attention among latents L²: linear in the number of markers.

    Parameters
    ----------
    cross, latent
        Make a cross-attention, and a self-attention.
    n_iterations, n_latent
        Iterations, and self-attentions in each.
    sharing
        Which iterations have the same weights: a key of `SHARING`.
    checkpointed
        Whether activations inside layers are computed again for the gradient instead of being kept.
    """

    def __init__(
        self,
        cross: Callable[[], AttentionLayer],
        latent: Callable[[], AttentionLayer],
        n_iterations: int,
        n_latent: int,
        sharing: bool | str,
        checkpointed: bool,
    ):
        super().__init__()
        self.schedule = [SHARING[sharing](i) for i in range(n_iterations)]
        last_cross, last_block = self.schedule[-1]
        self.cross = nn.ModuleList(cross() for _ in range(last_cross + 1))
        self.blocks = nn.ModuleList(nn.ModuleList(latent() for _ in range(n_latent)) for _ in range(last_block + 1))
        self.checkpointed = checkpointed

    def forward(self, latents_BLD: Tensor, tokens_BNC: Tensor) -> Tensor:
        """Return latents `(B, L, D)` that have read the markers."""
        keys: Keys | None = None
        before = None
        for cross, block in self.schedule:
            layer = self.cross[cross]
            if cross != before:  # weights that are shared make the same keys again
                keys, before = self._run(layer.keys, tokens_BNC), cross
            latents_BLD = self._run(layer, latents_BLD, keys)
            for among_latents in self.blocks[block]:
                latents_BLD = self._run(among_latents, latents_BLD)
        return latents_BLD

    def _run(self, layer: Callable[..., Any], *tensors: Any) -> Any:
        if self.checkpointed and torch.is_grad_enabled():
            return checkpoint(layer, *tensors, use_reentrant=False)
        return layer(*tensors)
