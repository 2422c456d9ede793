"""Panels and recipes that train in a second."""

import numpy as np
import pytest
import torch

from gpatlas.alleles import codes_of
from gpatlas.config import PerceiverRecipe
from gpatlas.nn.perceiver import Layout, networks

SIZES = [(p, k) for p in (1, 2, 4, 6) for k in (2, 3, 4, 5)]


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(networks.ARCHITECTURES, "tiny", "tests.perceiver.networks:TinyPerceiver")


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def layout_of(n_loci, ploidy=2, n_alleles=2, n_chromosomes=2):
    chromosome = np.sort(np.arange(n_loci) % n_chromosomes).astype(str)
    names = np.array([f"m{i}" for i in range(n_loci)])
    return Layout(ploidy, n_alleles, names, chromosome, np.arange(n_loci, dtype=float), "cM")


def panel(n_samples=60, n_loci=24, ploidy=2, n_alleles=2, seed=1, missing=0.05):
    """Mosaics of four ancestors, a piece per chromosome: `(codes, layout)`."""
    rng = np.random.default_rng(seed)
    layout = layout_of(n_loci, ploidy, n_alleles)
    ancestors = rng.integers(0, n_alleles, (4, n_loci))
    copied = rng.integers(0, 4, (n_samples, ploidy, 2))[:, :, layout.number]
    alleles = ancestors[copied, np.arange(n_loci)]
    codes = codes_of((alleles[..., None] == np.arange(n_alleles)).sum(axis=1))
    codes[rng.random(codes.shape) < missing] = 0
    return codes, layout


@pytest.fixture(scope="session")
def recipe():
    return PerceiverRecipe(
        seed=3, n_steps=24, batch_size=8, learning_rate=0.02, validate_every=4, checkpoint_every=3, average=0.8,
        network={"architecture": "tiny"},
    )  # fmt: skip
