"""Lines with linkage disequilibrium, as two panels with a trait."""

import numpy as np

from gpatlas.dataset import Dataset

N_LOCI, PER_CHROMOSOME = 120, 40


def panel(rng: np.random.Generator, n: int, founders: np.ndarray, prefix: str, effects: np.ndarray, h2: float = 0.8):
    """Diploids that are mosaics of the founders' haplotypes `(n_founders, N_LOCI)`; trait yield, its truth as `g`."""
    rows = np.arange(2 * n)
    haplotypes, source = np.empty((2 * n, N_LOCI), np.int8), rng.integers(0, len(founders), 2 * n)
    for locus in range(N_LOCI):
        jump = rng.random(2 * n) < (0.5 if locus % PER_CHROMOSOME == 0 else 0.05)
        source = np.where(jump, rng.integers(0, len(founders), 2 * n), source)
        haplotypes[rows, locus] = founders[source, locus]
    genotypes = (haplotypes[::2] + haplotypes[1::2]).astype(np.int8)
    g = genotypes @ effects
    y = 20 + g + rng.normal(size=n) * g.std() * np.sqrt(1 / h2 - 1)
    return Dataset(
        genotypes=genotypes,
        phenotypes=y[:, None],
        sample_id=np.array([f"{prefix}{k}" for k in range(n)]),
        locus_id=np.array([f"snp{k}" for k in range(N_LOCI)]),
        trait_id=np.array(["yield"]),
        ploidy=2,
        fold=np.zeros(n, np.uint8),
        chromosome=np.array([str(1 + k // PER_CHROMOSOME) for k in range(N_LOCI)]),
        position=np.array([1000.0 * (1 + k % PER_CHROMOSOME) for k in range(N_LOCI)]),
        position_unit="bp",
        alleles=np.array([["A", "C"], ["G", "T"], ["C", "T"], ["A", "G"]] * (N_LOCI // 4)),
    ), g  # fmt: skip


def two_panels(seed: int, n: int = 80, n_target: int = 40, n_qtl: int = N_LOCI):
    """Return training and target, and the target's true values (less the mean of 20)."""
    rng = np.random.default_rng(seed)
    founders = (rng.random((8, N_LOCI)) < rng.uniform(0.2, 0.8, N_LOCI)).astype(np.int8)
    founders[:2] = [[0], [1]]  # every locus varies
    effects = np.zeros(N_LOCI)
    effects[rng.choice(N_LOCI, n_qtl, replace=False)] = rng.normal(size=n_qtl)
    training, _ = panel(rng, n, founders, "old", effects)
    target, g = panel(rng, n_target, founders, "new", effects)
    return training, target, g
