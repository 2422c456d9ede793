"""Small datasets of any ploidy and number of alleles, with missing calls."""

from itertools import combinations_with_replacement

import numpy as np

from gpatlas.dataset import Dataset, as_bytes


def calls_of(ploidy: int, n_alleles: int) -> list[tuple[int, ...]]:
    """The alleles of codes 0, 1, …, counted out: none for a missing call."""
    return [(), *combinations_with_replacement(range(n_alleles), ploidy)]


def panel_of(ploidy: int = 4, n_alleles: int = 3, n_samples: int = 8, n_loci: int = 10, seed: int = 0) -> Dataset:
    """Draw codes; locus 0 has two alleles, and the others what they happen to have."""
    rng = np.random.default_rng(seed)
    calls = calls_of(ploidy, n_alleles)
    codes = rng.integers(0, len(calls), size=(n_samples, n_loci)).astype(np.int16)
    of_two = [code for code, call in enumerate(calls) if set(call) <= {0, 1}]
    codes[:, 0] = rng.choice(of_two, size=n_samples)
    dosage = np.array([[len(calls[c]) - calls[c].count(0) if c else -1 for c in row] for row in codes], dtype=np.int8)
    alleles = np.array([["A", ",".join(["C", "G", "T", "AC"][: n_alleles - 1])]] * n_loci)
    alleles[0, 1] = "C"
    return Dataset(
        genotypes=dosage,
        phenotypes=rng.normal(size=(n_samples, 2)),
        sample_id=as_bytes(np.array([f"s{i}" for i in range(n_samples)])),
        locus_id=as_bytes(np.array([f"m{j}" for j in range(n_loci)])),
        trait_id=as_bytes(np.array(["response@0", "response@1"])),
        ploidy=ploidy,
        fold=np.zeros(n_samples, dtype=np.uint8),
        chromosome=as_bytes(np.array(["1"] * (n_loci // 2) + ["2"] * (n_loci - n_loci // 2))),
        position=np.arange(1.0, n_loci + 1),
        position_unit="bp",
        provenance={"source": "drawn"},
        alleles=as_bytes(alleles),
        environments={"response@0": ("response", "0"), "response@1": ("response", "1")},
        codes=codes,
        n_alleles=n_alleles,
    )
