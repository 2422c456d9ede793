"""LD pruning: ours, from a dataset file, beside PLINK 2's `--indep-pairwise` on the same genotypes as a bed file."""

import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from gpatlas.dataset import Dataset
from gpatlas.io import read_dataset, write_dataset
from gpatlas.munge.planes import Planes
from gpatlas.munge.pruning import Window, prune
from gpatlas.munge.quality import genotype_counts
from gpatlas.packed import PackedDosages
from tests.benchmarks.processes import cpu_seconds_of
from tests.plink import write_bed

WINDOWS = (("50", 5, 0.5), ("1000", 50, 0.2), ("250kb", 1, 0.2))
N_FOUNDERS, N_CHROMOSOMES, BLOCK = 200, 10, 500


def population(n_samples: int, n_loci: int, seed: int = 1) -> Dataset:
    """Diploids whose haplotypes are mosaics of founders; alleles of founders are clades of a slowly changing tree.

    Allele frequencies follow 1/f, positions are a kilobase apart on average, one call in a thousand is missing.
    """
    rng = np.random.default_rng(seed)
    packed = np.empty((n_samples, -(-n_loci // 4)), dtype=np.uint8)
    tree = rng.permutation(N_FOUNDERS)
    source = rng.integers(0, N_FOUNDERS, (2, n_samples))
    for start in range(0, n_loci, BLOCK):
        width = min(BLOCK, n_loci - start)
        moved = rng.choice(N_FOUNDERS, N_FOUNDERS // 4, replace=False)  # leaves
        tree[moved] = tree[rng.permutation(moved)]
        size = np.exp(rng.uniform(0, np.log(N_FOUNDERS * 0.6), width)).astype(int)
        first = rng.integers(0, N_FOUNDERS, width)
        leaf = np.argsort(tree)
        founders = ((leaf[:, None] - first) % N_FOUNDERS < size).astype(np.int8)
        x = np.zeros((n_samples, width), dtype=np.int8)
        for half in (0, 1):
            switch = rng.random(n_samples) < 0.5
            other = np.where(switch, rng.integers(0, N_FOUNDERS, n_samples), source[half])
            at = rng.integers(0, width, n_samples)
            before, after = founders[source[half]], founders[other]
            x += np.where(np.arange(width) < at[:, None], before, after)
            source[half] = other
        x[rng.random(x.shape) < 0.001] = -1
        packed[:, start // 4 : -(-(start + width) // 4)] = PackedDosages.pack(x).bits
    chromosome = np.arange(n_loci) * N_CHROMOSOMES // n_loci + 1
    return Dataset(
        genotypes=PackedDosages(packed, n_loci),
        phenotypes=np.zeros((n_samples, 0)),
        sample_id=np.array([f"s{i}" for i in range(n_samples)]),
        locus_id=np.array([f"m{j}" for j in range(n_loci)]),
        trait_id=np.empty(0, dtype="S1"),
        ploidy=2,
        fold=np.zeros(n_samples, dtype=np.uint8),
        chromosome=chromosome.astype(str),
        position=np.cumsum(rng.integers(1, 2000, n_loci)).astype(float),
        position_unit="bp",
    )


def compare(n_samples: int, n_loci: int) -> list[tuple]:
    """Rows of (name, CPU seconds, how many times as fast as PLINK 2)."""
    plink = shutil.which("plink2")
    if plink is None:
        print("plink2 is not on the path", file=sys.stderr)
    rows: list[tuple] = []
    ours_in_memory(population(100, 200), *WINDOWS[0])  # loads and compiles
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "data"
        data = population(n_samples, n_loci)
        write_dataset(data, stem.with_suffix(".h5"))
        write_bed(stem, data)
        for size, step, r2 in WINDOWS:
            name = f"--indep-pairwise {size} {step} {r2}"
            theirs = None
            if plink is not None:
                steps = [] if size.endswith("kb") else [str(step)]
                command = [plink, "--bfile", str(stem), "--indep-pairwise", size, *steps, str(r2), "--threads", "1"]
                theirs = min(cpu_seconds_of([*command, "--out", str(stem)]) for _ in range(3))
                rows.append((f"PLINK 2 {name}", theirs, None))
            seconds = []
            for _ in range(3):
                start = time.process_time()
                kept = ours_in_memory(read_dataset(stem.with_suffix(".h5"), lazy=True), size, step, r2)
                seconds.append(time.process_time() - start)
            ours = min(seconds)
            rows.append((f"ours, {kept.sum():,} loci stay", ours, None if theirs is None else theirs / ours))
            if plink is not None:
                stay = set(stem.with_suffix(".prune.in").read_text().split())
                print(f"{name}: the same loci" if stay == set(data.locus_id[kept]) else f"{name}: OTHER LOCI")
    return rows


def ours_in_memory(data: Dataset, size: str, step: int, r2: float) -> np.ndarray:
    planes = Planes.of(data)
    counts = genotype_counts(planes)
    return prune(planes, counts, data.chromosome, data.position, r2, Window.parse(size, step))
