"""The published form of the perceiver, after gperceiver (https://github.com/darcyabjones/gperceiver, 2022).

Every marker is a token: the sum of its alleles' vectors, and where it lies. Latents read all of them by
cross-attention, again and again (Jaegle et al. 2021, arXiv:2103.03206); a locus that is asked for is a query, its
position, which reads the latents (Jaegle et al. 2022, arXiv:2107.14795). Settings have the names of gperceiver's
params file and its defaults, so that its lines can be copied under `network`. Four cannot: nalleles and ploidy are the
panel's, contrastive and contrastive_weight the recipe's (objective, allele_weight).

What differs, on purpose: layers add to tokens as they are (pre-norm), not to normalised ones; a missing call has one
vector, not that of a missing allele as often as the ploidy; Fourier positions are counted in mean distances between
markers, not in the unit of the file; and counts are asked for at every ploidy and number of alleles: 1, …, P copies of
each of K alleles, and 1, …, P shared alleles.

Shapes: B batch, N markers, Q loci asked for, L latents, D their width, K alleles, P ploidy.
"""

from typing import Any

import torch
from torch import Tensor, nn

from gpatlas.errors import ConfigError
from gpatlas.nn.perceiver.attention import AttentionLayer
from gpatlas.nn.perceiver.embeddings import ALLELE_KINDS, POSITION_KINDS, AlleleEmbedding
from gpatlas.nn.perceiver.encoder import SHARING, Encoder
from gpatlas.nn.perceiver.layout import Layout
from gpatlas.nn.perceiver.settings import check_choice, check_share, check_whole

_SIZES = (
    "allele_embed_dim",
    "position_embed_dim",
    "projection_dim",
    "feedforward_dim",
    "latent_dim",
    "output_dim",
    "num_self_attention_heads",
    "num_encode_iters",
    "num_decode_iters",
)


class PublishedPerceiver(nn.Module):
    """The form that gperceiver published, by the names of its params file: markers as tokens, which latents read.

    Parameters
    ----------
    layout : Layout
        The panel.
    allele_embed_kind : {"1", "2", "3"}, default="1"
        Vectors of alleles. 1: the same at all markers; 2: the same, then mapped by a matrix of the marker's own;
        3: others at every marker.
    allele_embed_dim : int, default=256
        Width of alleles' vectors.
    allele_combiner : {"add", "concat"}, default="add"
        How alleles and position become a token; to be added they must have the same width.
    position_embed_kind : {"random", "fourier"}, default="random"
        Vectors of positions. random: one of every marker; fourier: cosines and sines of the position. That of the
        chromosome is added.
    position_embed_dim : int, default=256
        Width of positions' vectors, and of queries.
    position_embed_trainable : bool, default=True
        Whether positions are learned.
    share_weights : {True, "xa_only", "sa_only", "after_first", "after_first_xa", False}, default=True
        Which encode iterations have the same weights. True: all; xa_only: cross-attentions; sa_only: self-attentions;
        after_first: all but the first cross-attention; after_first_xa: all but the first iteration; False: none.
    projection_dim : int, default=256
        Channels of queries and keys in every head.
    feedforward_dim : int, default=512
        Width of the hidden layer behind each attention.
    latent_dim : int, default=256
        Number of latents.
    output_dim : int, default=512
        Width of a latent.
    num_self_attention_heads : int, default=4
        Heads of self-attentions; cross-attentions have one.
    num_self_attention : int, default=2
        Self-attentions in every encode iteration.
    num_encode_iters : int, default=4
        Times that latents read the markers.
    num_decode_iters : int, default=2
        Times that a query reads the latents, always with the same weights.
    dropout : float, default=0.1
        Share of attention that is dropped in training.
    checkpoint_activations : bool, default=False
        Whether activations inside layers are computed again for the gradient instead of being kept: less memory,
        about a third more time.

    Raises
    ------
    ConfigError
        A value that is not allowed.
    """

    def __init__(
        self,
        layout: Layout,
        allele_embed_kind: str = "1",
        allele_embed_dim: int = 256,
        allele_combiner: str = "add",
        position_embed_kind: str = "random",
        position_embed_dim: int = 256,
        position_embed_trainable: bool = True,
        share_weights: bool | str = True,
        projection_dim: int = 256,
        feedforward_dim: int = 512,
        latent_dim: int = 256,
        output_dim: int = 512,
        num_self_attention_heads: int = 4,
        num_self_attention: int = 2,
        num_encode_iters: int = 4,
        num_decode_iters: int = 2,
        dropout: float = 0.1,
        checkpoint_activations: bool = False,
    ):
        super().__init__()
        self.layout = layout
        self.settings: dict[str, Any] = {
            "architecture": "published",
            "allele_embed_kind": str(allele_embed_kind),
            "allele_embed_dim": allele_embed_dim,
            "allele_combiner": allele_combiner,
            "position_embed_kind": position_embed_kind,
            "position_embed_dim": position_embed_dim,
            "position_embed_trainable": position_embed_trainable,
            "share_weights": share_weights,
            "projection_dim": projection_dim,
            "feedforward_dim": feedforward_dim,
            "latent_dim": latent_dim,
            "output_dim": output_dim,
            "num_self_attention_heads": num_self_attention_heads,
            "num_self_attention": num_self_attention,
            "num_encode_iters": num_encode_iters,
            "num_decode_iters": num_decode_iters,
            "dropout": dropout,
            "checkpoint_activations": checkpoint_activations,
        }
        _check(self.settings)
        self.alleles = AlleleEmbedding(layout, allele_embed_dim, str(allele_embed_kind))
        self.positions = POSITION_KINDS[position_embed_kind](layout, position_embed_dim, position_embed_trainable)
        token_width = allele_embed_dim if allele_combiner == "add" else allele_embed_dim + position_embed_dim
        self.latents = nn.Parameter(torch.empty(latent_dim, output_dim))

        def cross(width: int, key_width: int) -> AttentionLayer:
            return AttentionLayer(
                width,
                feedforward_dim,
                key_width=key_width,
                head_width=projection_dim,
                value_width=width,
                dropout=dropout,
            )

        def among_latents() -> AttentionLayer:
            return AttentionLayer(
                output_dim,
                feedforward_dim,
                n_heads=num_self_attention_heads,
                head_width=projection_dim,
                value_width=output_dim,
                dropout=dropout,
            )

        self.encoder = Encoder(
            lambda: cross(output_dim, token_width),
            among_latents,
            num_encode_iters,
            num_self_attention,
            share_weights,
            checkpoint_activations,
        )
        self.decoder = cross(position_embed_dim, output_dim)
        n_copies = layout.n_alleles * layout.ploidy
        self.copies_head = nn.Linear(position_embed_dim, n_copies)
        self.shared_head = nn.Sequential(
            nn.Linear(2 * position_embed_dim, n_copies), nn.GELU(), nn.Linear(n_copies, layout.ploidy)
        )
        self._start()

    @property
    def width(self) -> int:
        """Width of a latent, D."""
        return self.latents.shape[1]

    def encode(self, codes_BN: Tensor) -> Tensor:
        """Return latents `(B, L, D)` of individuals with these allele codes (any integers, 0 missing)."""
        loci_N = torch.arange(codes_BN.shape[1], device=codes_BN.device)
        alleles_BNA, positions_NA = self.alleles(codes_BN.long()), self.positions(loci_N)
        if self.settings["allele_combiner"] == "add":
            tokens = alleles_BNA + positions_NA
        else:
            tokens = torch.cat([alleles_BNA, positions_NA.expand(len(codes_BN), -1, -1)], -1)
        return self.encoder(self.latents.expand(len(codes_BN), -1, -1), tokens)

    def decode(self, latents_BLD: Tensor, loci_BQ: Tensor) -> Tensor:
        """Return what latents say of loci, `(B, Q, position_embed_dim)`."""
        z_BQA, keys = self.positions(loci_BQ.long()), self.decoder.keys(latents_BLD)
        for _ in range(self.settings["num_decode_iters"]):
            z_BQA = self.decoder(z_BQA, keys)
        return z_BQA

    def copies(self, codes_BN: Tensor, loci_BQ: Tensor) -> Tensor:
        """Return logits `(B, Q, K, P)` that locus q carries at least 1, …, P copies of allele k."""
        decoded = self.decode(self.encode(codes_BN), loci_BQ)
        return self.copies_head(decoded).unflatten(-1, (self.layout.n_alleles, self.layout.ploidy))

    def shared(self, codes_BN: Tensor, other_BN: Tensor, loci_BQ: Tensor) -> Tensor:
        """Return logits `(B, Q, P)` that two individuals share at least 1, …, P alleles at locus q."""
        latents = self.encode(torch.cat([codes_BN, other_BN]))  # one pass of both through the same encoder
        one, other = self.decode(latents, torch.cat([loci_BQ, loci_BQ])).chunk(2)
        return self.shared_head(torch.cat([one, other], -1))

    def _start(self) -> None:
        """Give weights the published first values: Glorot & Bengio's (2010), and small latents."""
        nn.init.trunc_normal_(self.latents, std=0.05, a=-0.1, b=0.1)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)


def _check(settings: dict[str, Any]) -> None:
    check_choice(settings, "allele_embed_kind", ALLELE_KINDS)
    check_choice(settings, "allele_combiner", ("add", "concat"))
    check_choice(settings, "position_embed_kind", POSITION_KINDS)
    check_choice(settings, "share_weights", SHARING)
    for name in ("position_embed_trainable", "checkpoint_activations"):
        check_choice(settings, name, (True, False))
    check_whole(settings, _SIZES)
    check_whole(settings, ("num_self_attention",), least=0)
    check_share(settings, "dropout")
    alleles, positions = settings["allele_embed_dim"], settings["position_embed_dim"]
    if settings["allele_combiner"] == "add" and alleles != positions:
        raise ConfigError(
            f"architecture published: allele_embed_dim is {alleles} and position_embed_dim {positions}; to be added "
            "they must be equal (or set allele_combiner: concat)"
        )
