"""What there is to pretrain on: known allele codes, and which samples are held out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from gpatlas.alleles import MISSING_CODE
from gpatlas.config import PerceiverRecipe
from gpatlas.errors import DataError
from gpatlas.memory import available_memory
from gpatlas.nn.perceiver import Layout, make_network
from gpatlas.seeding import stable_seed

_COPIES = 6  # of the weights that training keeps: themselves, gradients, two moments, average, best


def checked_codes(codes: NDArray[np.integer], layout: Layout) -> NDArray[np.int16]:
    """Return codes as int16.

    Raises
    ------
    DataError
        They do not fit the panel, are unknown, or none is of a call.
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.shape[1] != layout.n_loci:
        raise DataError(f"allele codes of shape {codes.shape} do not fit a panel of {layout.n_loci:,} markers")
    if not codes.size:
        raise DataError(f"there is nothing to pretrain on: {len(codes)} samples × {layout.n_loci} markers")
    wrong = np.argwhere((codes < 0) | (codes > layout.n_codes))
    if len(wrong):
        row, locus = wrong[0]
        raise DataError(
            f"unknown allele code {codes[row, locus]} of sample {row + 1} at marker {layout.locus_id[locus]}; calls of "
            f"ploidy {layout.ploidy} at loci of {layout.n_alleles} alleles have 1 to {layout.n_codes}, missing ones 0"
        )
    if not (codes != MISSING_CODE).any():
        raise DataError(f"there is nothing to pretrain on: all {codes.size:,} calls are missing")
    return np.ascontiguousarray(codes, dtype=np.int16)


def split_rows(
    n_samples: int, recipe: PerceiverRecipe, validation: ArrayLike | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to train on, and those held out, ascending.

    Raises
    ------
    DataError
        There are too few samples.
    """
    least = 2 if recipe.objective == "contrastive" else 1
    if validation is not None:
        held_out = np.unique(np.arange(n_samples)[np.asarray(validation)])
    else:
        n = max(round(recipe.validation * n_samples), least) if recipe.validation else 0
        rng = np.random.default_rng(stable_seed(recipe.seed, "perceiver", "held out"))
        held_out = np.sort(rng.permutation(n_samples)[:n])
    training = np.setdiff1d(np.arange(n_samples), held_out)
    if len(training) < least or 0 < len(held_out) < least:
        samples = "1 sample is" if n_samples == 1 else f"{n_samples} samples are"
        raise DataError(
            f"{samples} too few to pretrain on ({recipe.objective}): {least} or more are trained on, and "
            f"{least} or more held out (validation: 0 holds out none)"
        )
    return training, held_out


def check_memory(layout: Layout, settings: Mapping[str, Any], device: torch.device) -> None:
    """Refuse a panel whose network does not fit the memory of a CPU, before any of it is taken.

    Raises
    ------
    DataError
        It does not.
    """
    with torch.device("meta"):
        n_weights = sum(p.numel() for p in make_network(layout, **settings).parameters())
    needed, free = 4.0 * _COPIES * n_weights, available_memory()
    if device.type == "cpu" and needed > free:
        raise DataError(
            f"{layout.n_loci:,} markers are more than fit: their network has {n_weights:,} weights, which take "
            f"{needed / 1e9:.1f} GB in training, and {free / 1e9:.1f} GB are free; use fewer, or a narrower network"
        )
