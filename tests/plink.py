"""PLINK as an oracle: datasets written as its files, its programs run where they are installed."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gpatlas.dataset import Dataset, as_text


def write_bed(stem: Path, data: Dataset) -> None:
    """Write a PLINK 1 file set, locus-major; dosage 2 of a diploid (1 of a haploid) is homozygous A."""
    n, p, scale = data.n_samples, data.n_loci, 3 - data.ploidy
    of_code = np.array([3, 2, 0, 1], dtype=np.uint8)  # dosage 0, 1, 2, missing
    with stem.with_suffix(".bed").open("wb") as bed:
        bed.write(bytes([0x6C, 0x1B, 1]))
        for start in range(0, p, 1000):
            x = data.dosage(None, slice(start, min(start + 1000, p))).T.astype(int)
            x = np.where(x < 0, 3, x * scale)
            codes = np.zeros((len(x), -(-n // 4) * 4), dtype=np.uint8)
            codes[:, :n] = of_code[x]
            four = codes.reshape(len(x), -1, 4)
            bed.write((four[..., 0] | four[..., 1] << 2 | four[..., 2] << 4 | four[..., 3] << 6).tobytes())
    rows = zip(as_text(data.chromosome), as_text(data.locus_id), data.position.astype(int), strict=True)
    stem.with_suffix(".bim").write_text("".join(f"{c}\t{i}\t0\t{b}\tA\tC\n" for c, i, b in rows))
    stem.with_suffix(".fam").write_text("".join(f"{s} {s} 0 0 0 -9\n" for s in as_text(data.sample_id)))


def run(program: str, stem: Path, *arguments: object) -> Path:
    """Run plink2 or plink1.9 on a file set, on one thread; return the stem of its output. Skips without it."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    out = stem.with_name(stem.name + ".out")
    command = [path, "--bfile", stem, *arguments, "--threads", 1, "--allow-extra-chr", "--out", out]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out
