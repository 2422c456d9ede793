"""Small panels of any ploidy and number of alleles."""

import numpy as np
import torch

from gpatlas.nn.perceiver import Layout


def panel(ploidy=2, n_alleles=2, n_loci=12, n_chromosomes=3, unit="cM"):
    chromosome = np.repeat([f"chr{c + 1}" for c in range(n_chromosomes)], n_loci // n_chromosomes)
    rng = np.random.default_rng(len(chromosome))
    position = np.sort(rng.uniform(0, 90, size=(n_chromosomes, n_loci // n_chromosomes)), axis=1).ravel()
    return Layout(ploidy, n_alleles, np.array([f"m{j}" for j in range(n_loci)]), chromosome, position, unit)


def calls(layout, n=4, seed=0, missing=0.1):
    """Random allele codes `(n, n_loci)`, some of them missing."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(1, layout.n_codes + 1, size=(n, layout.n_loci))
    codes[rng.random(codes.shape) < missing] = 0
    return torch.from_numpy(codes)


def loci(n=4, n_asked=5, n_loci=12):
    """Loci that are asked for, `(n, n_asked)`."""
    return torch.from_numpy(np.random.default_rng(2).integers(n_loci, size=(n, n_asked)))
