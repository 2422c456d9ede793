"""Small populations for tests of epistasis."""

import numpy as np


def population(n, p, ploidy=1, seed=0, linked=0.0, rare=0.1):
    """Dosages (n, p): haplotypes whose neighbouring loci are copied with probability `linked`."""
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(rare, 1 - rare, p)
    haplotypes = rng.random((ploidy, n, p)) < frequency
    for locus in range(1, p):
        copied = rng.random((ploidy, n)) < linked
        haplotypes[:, :, locus] = np.where(copied, haplotypes[:, :, locus - 1], haplotypes[:, :, locus])
    return haplotypes.sum(axis=0).astype(np.int8)


def sparse_pairs(n, q, h2, seed=0):
    """Haploids whose trait has q additive effects and q/2 disjoint pairs, half of the variance each.

    Returns X, y, genetic values, and the pairs (q/2, 2).
    """
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (n, q)).astype(np.int8)
    z = 2.0 * x - 1
    pairs = np.sort(rng.permutation(q)[: q - q % 2].reshape(-1, 2), axis=1)
    additive = z @ rng.normal(size=q)
    epistatic = (z[:, pairs[:, 0]] * z[:, pairs[:, 1]]) @ rng.normal(size=len(pairs))
    g = additive / additive.std() + epistatic / epistatic.std()
    g /= g.std()
    return x, g + rng.normal(size=n) * np.sqrt((1 - h2) / h2), g, pairs


def as_set(pairs):
    return set(map(tuple, np.asarray(pairs).tolist()))
