"""The default perceiver: latents are windows of the genome, and every marker has allele vectors of its own.

A sum of vectors that all markers share forgets which marker carries which allele. Here a window's latent is made by
weights of its own from the copies of every allele at each of its markers, and of its neighbours' nearest; the hidden
units behind them come to know haplotypes. Windows of a chromosome then attend to each other, and to a few global
latents, which attend to all. A marker is read out of its window's latent, again by weights of its own.

A missing call has no copy of any allele, and so adds nothing. Time and memory grow linearly with markers.

Shapes: B batch, N markers, Q loci asked for, W windows, S markers that a window is shown, M markers of a window,
K alleles, P ploidy, H hidden units of a window, D width of a latent, G global latents.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gpatlas.alleles import decoder
from gpatlas.errors import ConfigError
from gpatlas.nn.perceiver.attention import AttentionLayer
from gpatlas.nn.perceiver.layout import Layout
from gpatlas.nn.perceiver.settings import check_choice, check_positive, check_share, check_whole
from gpatlas.nn.perceiver.windows import Windows


class WindowedPerceiver(nn.Module):
    """Latents are windows of neighbouring markers, of any ploidy and number of alleles.

    Parameters
    ----------
    layout : Layout
        The panel.
    window : int, default=20
        Markers of a window, at most.
    flank : int, default=20
        Markers beyond each end that a window is shown, too.
    hidden : int, default=192
        Hidden units of every window, which learn the haplotypes that segregate in it.
    width : int, default=96
        Width of a latent; a multiple of `n_heads`.
    n_layers : int, default=1
        Layers of attention among the windows of a chromosome.
    n_heads : int, default=4
        Heads of attention.
    feed_forward : float, default=2.0
        Hidden units behind attention, in multiples of `width`.
    n_global : int, default=4
        Global latents, which attend to all windows and to which all windows attend.
    block : int, default=32
        Windows of a chromosome that attend to each other directly, at most; every other layer has others.
    pair_width : int, default=24
        Channels in which two individuals' windows are compared (contrastive pretraining).
    dropout : float, default=0.0
        Share of a window's hidden units that is dropped in training.
    checkpoint_activations : bool, default=False
        Whether activations are computed again for the gradient instead of being kept: less memory, more time.

    Raises
    ------
    ConfigError
        A value that is not allowed.
    """

    shown: Tensor
    slot: Tensor
    copies_of: Tensor

    def __init__(
        self,
        layout: Layout,
        window: int = 20,
        flank: int = 20,
        hidden: int = 192,
        width: int = 96,
        n_layers: int = 1,
        n_heads: int = 4,
        feed_forward: float = 2.0,
        n_global: int = 4,
        block: int = 32,
        pair_width: int = 24,
        dropout: float = 0.0,
        checkpoint_activations: bool = False,
    ):
        super().__init__()
        self.layout, self.width = layout, width
        self.settings: dict[str, Any] = {
            "architecture": "windowed",
            "window": window,
            "flank": flank,
            "hidden": hidden,
            "width": width,
            "n_layers": n_layers,
            "n_heads": n_heads,
            "feed_forward": feed_forward,
            "n_global": n_global,
            "block": block,
            "pair_width": pair_width,
            "dropout": dropout,
            "checkpoint_activations": checkpoint_activations,
        }
        _check(self.settings)
        p, k = layout.ploidy, layout.n_alleles
        self.windows = windows = Windows(layout.number, window, flank)
        n_windows, n_features = len(windows), windows.shown.shape[1] * k
        self.register_buffer("shown", torch.from_numpy(windows.shown.ravel()), persistent=False)
        self.register_buffer("slot", torch.from_numpy(windows.slot), persistent=False)
        self.register_buffer("copies_of", torch.from_numpy(decoder(p, k) / np.float32(p)), persistent=False)

        def weights(rows: int, columns: int, scale: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(n_windows, rows, columns) * scale)

        allele_vectors = torch.randn(n_windows, n_features // k, k, hidden)
        allele_vectors = allele_vectors - allele_vectors.mean(2, keepdim=True)  # a marker's alleles differ, no more
        self.allele_vectors = nn.Parameter(allele_vectors.flatten(1, 2) * (windows.shown.shape[1] ** -0.5))
        self.hidden_bias = nn.Parameter(torch.zeros(n_windows, 1, hidden))
        self.to_latent = weights(hidden, width, hidden**-0.5)
        self.window_vectors = weights(1, width, 0.1)
        self.global_vectors = nn.Parameter(torch.randn(n_global, width) * 0.1)
        feed = max(1, round(feed_forward * width))
        self.attention = nn.ModuleList(AttentionLayer(width, feed, n_heads=n_heads) for _ in range(n_layers))
        self.to_global = nn.ModuleList(
            AttentionLayer(width, feed, key_width=width, n_heads=n_heads) for _ in range(n_layers if n_global else 0)
        )
        self.norm = nn.LayerNorm(width)
        self.read_copies, self.copies_bias = weights(width, window * k * p, 0.02), weights(1, window * k * p, 0.0)
        self.to_pair = weights(width, pair_width, width**-0.5)
        self.read_shared, self.shared_bias = weights(2 * pair_width, window * p, 0.02), weights(1, window * p, 0.0)
        for layer in range(n_layers):
            blocks = torch.from_numpy(windows.blocks(block, shifted=layer % 2 == 1))
            self.register_buffer(f"blocks_{layer}", blocks, persistent=False)

    def start_from(self, at_least_NKP: Tensor) -> None:
        """Let read-outs begin at the panel's frequencies.

        Parameters
        ----------
        at_least_NKP
            Share of the calls that have at least 1, …, P copies of each allele.
        """
        odds = torch.logit(at_least_NKP.clamp(0.01, 0.99).to(self.copies_bias))
        with torch.no_grad():
            bias = torch.zeros(len(self.windows) * self.settings["window"], odds[0].numel(), device=odds.device)
            bias[self.slot] = odds.flatten(1)
            self.copies_bias.copy_(bias.view_as(self.copies_bias))

    def encode(self, codes_BN: Tensor) -> Tensor:
        """Return latents `(B, W + G, D)`: those of the windows in their order, then the global ones."""
        return self._kept(self._encode, codes_BN)

    def copies(self, codes_BN: Tensor, loci_BQ: Tensor) -> Tensor:
        """Return logits `(B, Q, K, P)` that locus q carries at least 1, …, P copies of allele k."""
        z_WBD = self._windows_first(self.encode(codes_BN))
        logits_WBX = torch.baddbmm(self.copies_bias, z_WBD, self.read_copies)
        return self._asked(logits_WBX, loci_BQ).unflatten(-1, (self.layout.n_alleles, self.layout.ploidy))

    def shared(self, codes_BN: Tensor, other_BN: Tensor, loci_BQ: Tensor) -> Tensor:
        """Return logits `(B, Q, P)` that two individuals share at least 1, …, P alleles at locus q."""
        one_WBC, other_WBC = (
            torch.bmm(self._windows_first(self.encode(x)), self.to_pair) for x in (codes_BN, other_BN)
        )
        pair_WBC = torch.cat([one_WBC * other_WBC, (one_WBC - other_WBC).abs()], dim=-1)
        return self._asked(torch.baddbmm(self.shared_bias, pair_WBC, self.read_shared), loci_BQ)

    def _encode(self, codes_BN: Tensor) -> Tensor:
        copies_BNK = F.pad(self.copies_of[codes_BN.long()], (0, 0, 0, 1))  # after the last marker, one without copies
        shown_WBF = (
            copies_BNK.index_select(1, self.shown).unflatten(1, (len(self.windows), -1)).flatten(2).transpose(0, 1)
        )
        hidden_WBH = F.gelu(torch.baddbmm(self.hidden_bias, shown_WBF, self.allele_vectors))
        hidden_WBH = F.dropout(hidden_WBH, self.settings["dropout"], self.training)
        z_BWD = torch.baddbmm(self.window_vectors, hidden_WBH, self.to_latent).transpose(0, 1)
        g_BGD = self.global_vectors.expand(len(codes_BN), -1, -1)
        for layer, attention in enumerate(self.attention):
            if g_BGD.shape[1]:
                g_BGD = self.to_global[layer](g_BGD, self.to_global[layer].keys(z_BWD))
            z_BWD = self._attend(attention, z_BWD, g_BGD, getattr(self, f"blocks_{layer}"))
        return self.norm(torch.cat([z_BWD, g_BGD], dim=1))

    def _attend(self, layer: AttentionLayer, z_BWD: Tensor, g_BGD: Tensor, blocks_XY: Tensor) -> Tensor:
        """Let windows attend to those of their block, and to the global latents."""
        n_blocks, n_global, batch = len(blocks_XY), g_BGD.shape[1], len(z_BWD)
        member = blocks_XY >= 0
        x = z_BWD[:, blocks_XY.clamp(min=0)].flatten(0, 1)  # (B·X, Y, D)
        keys = torch.cat([x, g_BGD[:, None].expand(-1, n_blocks, -1, -1).flatten(0, 1)], dim=1)
        allowed = None
        if not member.all():
            allowed = F.pad(member, (0, n_global), value=True).repeat(batch, 1)[:, None, None, :]
        x = layer(x, layer.keys(keys), allowed).unflatten(0, (batch, n_blocks))
        return x[:, member]  # windows are in the order of blocks, and of places in them

    def _windows_first(self, latents_BLD: Tensor) -> Tensor:
        return latents_BLD[:, : len(self.windows)].transpose(0, 1)

    def _asked(self, values_WBX: Tensor, loci_BQ: Tensor) -> Tensor:
        """Return what was read out at the loci asked for: from `(W, B, M·C)` to `(B, Q, C)`."""
        at_BSC = values_WBX.transpose(0, 1).unflatten(-1, (self.settings["window"], -1)).flatten(1, 2)
        slot_BQ = self.slot[loci_BQ]
        return at_BSC.gather(1, slot_BQ[..., None].expand(-1, -1, at_BSC.shape[-1]))

    def _kept(self, function: Any, *inputs: Tensor) -> Tensor:
        if self.settings["checkpoint_activations"] and self.training and torch.is_grad_enabled():
            return checkpoint(function, *inputs, use_reentrant=False)
        return function(*inputs)


def _check(settings: dict[str, Any]) -> None:
    check_whole(settings, ("window", "hidden", "width", "n_heads", "block", "pair_width"))
    check_whole(settings, ("flank", "n_layers", "n_global"), least=0)
    check_positive(settings, "feed_forward")
    check_share(settings, "dropout")
    check_choice(settings, "checkpoint_activations", (False, True))
    if settings["width"] % settings["n_heads"]:
        raise ConfigError(
            f"architecture windowed: width is {settings['width']}; it must be a multiple of n_heads, "
            f"{settings['n_heads']}"
        )
