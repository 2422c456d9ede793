"""Fitting from disk takes far less memory than the genotypes would."""

import subprocess
import sys
from dataclasses import replace

import numpy as np

from gpatlas.io import write_dataset
from gpatlas.packed import random_bits
from tests.conftest import REPOSITORY

PEAK = """
import sys
from gpatlas.config import EvaluationSpec
from gpatlas.fitting import fit_dataset
from gpatlas.io import read_dataset
from gpatlas.packed import products
from tests.benchmarks.scale import peak_memory
products.GRAM_WORTH_COMPILING = products.PRODUCT_WORTH_COMPILING = 0  # compilers take memory, but not the fit's
fit_dataset(read_dataset(sys.argv[1], lazy=True), "rrblup", {}, EvaluationSpec(), 1)
before = peak_memory()
fit_dataset(read_dataset(sys.argv[2], lazy=True), "rrblup", {}, EvaluationSpec(), 1)
print(peak_memory() - before)
"""


def test_memory_is_far_below_the_unpacked_genotypes(haploids, tmp_path, rng):
    """400 000 samples × 600 loci: 240 MB as bytes, of which the fit takes less than a quarter."""
    write_dataset(haploids, tmp_path / "small.h5")
    n, p = 400_000, 600
    large = replace(
        haploids,
        genotypes=random_bits(n, p, rng),
        phenotypes=rng.normal(size=(n, 1)),
        sample_id=np.zeros(n, dtype="S1"),
        locus_id=np.zeros(p, dtype="S1"),
        trait_id=np.array(["t"]),
        fold=np.resize(np.array([0, 0, 0, 2], dtype=np.uint8), n),
        chromosome=np.zeros(p, dtype="S1"),
        position=np.zeros(p),
        covariates=None,
        truth=None,
    )
    write_dataset(large, tmp_path / "large.h5")
    done = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "small.h5", tmp_path / "large.h5"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr
    assert 1e6 < float(done.stdout) < 60e6
