"""Genotypes for the tests of cleaning: simulated ones with linkage and gaps, and the reference data."""

import numpy as np
import pytest

from gpatlas.dataset import Dataset
from tests.conftest import REFERENCE


def dataset(genotypes, chromosome=None, position=None, ploidy=2, **other) -> Dataset:
    """A dataset of genotypes alone, positions in bp."""
    n, p = genotypes.shape
    fields = {
        "phenotypes": np.zeros((n, 0)),
        "sample_id": np.array([f"s{i}" for i in range(n)]),
        "locus_id": np.array([f"m{j}" for j in range(p)]),
        "trait_id": np.empty(0, dtype="S1"),
        "ploidy": ploidy,
        "fold": np.zeros(n, dtype=np.uint8),
        "chromosome": np.full(p, "1") if chromosome is None else np.asarray(chromosome).astype(str),
        "position": np.arange(1.0, p + 1) if position is None else np.asarray(position, dtype=float),
        "position_unit": "bp",
    }
    return Dataset(genotypes=genotypes, **(fields | other))


def linked(seed: int, n_samples: int, n_loci: int, missing: float = 0.0, ploidy: int = 2) -> Dataset:
    """Loci that copy their neighbour now and then, some constant, some heterozygous in all samples."""
    rng = np.random.default_rng(seed)
    haplotypes = np.empty((ploidy, n_samples, n_loci), dtype=np.int8)
    for j in range(n_loci):
        drawn = rng.random((ploidy, n_samples)) < rng.uniform(0, 0.6)
        copied = rng.random((ploidy, n_samples)) < rng.choice([0.3, 0.9, 1.0])
        haplotypes[:, :, j] = np.where(copied, haplotypes[:, :, j - 1], drawn) if j else drawn
    x = haplotypes.sum(axis=0).astype(np.int8)
    x[:, rng.random(n_loci) < 0.1] = 1
    x[rng.random(x.shape) < missing] = -1
    chromosome = np.sort(rng.integers(1, 4, n_loci))
    position = np.empty(n_loci)
    for name in set(chromosome):
        here = chromosome == name
        position[here] = np.sort(rng.integers(1, 10 * n_loci, here.sum()))
    return dataset(x, chromosome, position, ploidy)


def genoml(cohort: str = "discrete", part: str = "training") -> Dataset:
    """GenoML's 500 samples × 500 SNPs, or the 100 of its validation file."""
    folder = REFERENCE / "genoml" / cohort
    if not folder.exists():
        pytest.skip("the reference data are not here")
    from bed_reader import open_bed

    with open_bed(folder / f"{part}.bed", count_A1=True) as bed:
        x = bed.read(dtype="int8")
        x[x == -127] = -1
        alleles = np.column_stack([bed.allele_2, bed.allele_1])
        return dataset(x, bed.chromosome, bed.bp_position, locus_id=bed.sid, sample_id=bed.iid, alleles=alleles)


def wheat() -> Dataset:
    """599 inbred lines × 1 279 DArT markers, present or absent, in the order of the file, which has no map."""
    import pandas as pd

    path = REFERENCE / "wheat" / "genotypes.csv.gz"
    if not path.exists():
        pytest.skip("the reference data are not here")
    table = pd.read_csv(path, index_col=0)
    return dataset(table.to_numpy(np.int8), ploidy=1, locus_id=table.columns.to_numpy(str))


def maize() -> Dataset:
    """281 maize lines × 3 093 SNPs on ten chromosomes, with missing and heterozygous calls."""
    import gzip

    path = REFERENCE / "maize_mdp" / "genotypes.hmp.txt.gz"
    if not path.exists():
        pytest.skip("the reference data are not here")
    with gzip.open(path, "rt") as file:
        rows = [line.split("\t") for line in file.read().splitlines()[1:]]
    counted = [row[1].split("/")[1] for row in rows]
    calls = zip((row[11:] for row in rows), counted, strict=True)
    x = np.array([[-1 if "N" in call else call.count(allele) for call in of_locus] for of_locus, allele in calls])
    names, position = np.array([row[0] for row in rows]), [float(row[3]) for row in rows]
    return dataset(x.T.astype(np.int8), [row[2] for row in rows], position, locus_id=names)
