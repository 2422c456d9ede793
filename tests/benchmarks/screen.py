"""A screen of all pairs: ours beside PLINK 1.9's `--epistasis` on the same bed file."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from gpatlas.models.epistasis.panel import make_panel
from gpatlas.models.epistasis.screen import screen
from gpatlas.models.pairs import n_pairs

REPORTED = 1e-3  # p value down from which PLINK writes pairs
FOR_PLINK = 1e8  # pairs, above which it is left out
KEPT = 10_000  # pairs that are expected from a screen too large for PLINK, if none interact


def cell(n_samples: int, n_markers: int, seed: int = 1) -> tuple:
    """Diploid dosages in linkage disequilibrium (blocks of 20 loci) and a trait with one interaction."""
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.1, 0.9, n_markers)
    haplotypes = np.empty((2, n_markers, n_samples), dtype=np.int8)
    for locus in range(n_markers):
        drawn = rng.random((2, n_samples)) < frequency[locus]
        copied = (rng.random((2, n_samples)) < 0.6) & (locus % 20 != 0)
        haplotypes[:, locus] = np.where(copied, haplotypes[:, locus - 1] if locus else drawn, drawn)
    x = haplotypes.sum(axis=0, dtype=np.int8).T
    a, b = (x[:, locus] - x[:, locus].mean() for locus in (3, n_markers // 2))
    return x, rng.normal(size=n_samples) + (20 / n_samples**0.5) * a * b


def compare(n_samples: int, n_markers: int) -> list[tuple]:
    """Rows of (name, CPU seconds, how many times as fast as PLINK)."""
    x, y = cell(n_samples, n_markers)
    theirs, table = None, None
    if plink := shutil.which("plink1.9") or shutil.which("plink"):
        theirs, table = _plink(plink, x, y)
    else:
        print("PLINK 1.9 is not on the path (Debian: plink1.9)", file=sys.stderr)
    rows = [] if theirs is None else [("PLINK 1.9 --epistasis, reading the file", theirs, None)]
    cut = float(stats.t.isf(REPORTED / 2, n_samples - 4))
    for engine in ("float32", "int8"):
        screen(make_panel(x[:, :64]), y, 0.0, engine=engine)  # type: ignore[arg-type]  # loads and compiles
        seconds = []
        for _ in range(3):
            start = time.process_time()
            hits = screen(make_panel(x), y, 0.97 * cut, engine=engine)  # type: ignore[arg-type]
            seconds.append(time.process_time() - start)
        ours = min(seconds)
        rows.append((f"ours, {engine}, from dosages in memory", ours, None if theirs is None else theirs / ours))
        if table is not None:
            found = dict(zip(map(tuple, hits.pairs.tolist()), hits.t, strict=True))
            t = np.array([found.get(pair, np.nan) for pair in table.index])
            p = stats.chi2.sf(t**2, 1)  # as PLINK takes it
            agree = np.abs(np.log10(p) - np.log10(table["P"].to_numpy()))
            statistic = np.abs(t**2 / table["STAT"].to_numpy() - 1)
            ranks = float(stats.spearmanr(t**2, table["STAT"]).statistic)
            print(
                f"{engine}: {len(table)} pairs with p < {REPORTED:g}, {np.isnan(t).sum()} of them missed; rank "
                f"correlation {ranks:.6f}, statistics within {statistic.max():.1e}, log10 p within {agree.max():.1e}"
            )
    return rows


def alone(n_samples: int, n_markers: int) -> tuple[str, float, float, float]:
    """Row of a screen in int8 on all threads: name, wall seconds, CPU seconds, peak memory in MB."""
    print(f"PLINK is left out: {n_pairs(n_markers):.2g} pairs are more than {FOR_PLINK:g}", file=sys.stderr)
    x, y = cell(n_samples, n_markers)
    screen(make_panel(x[:, :64]), y, 0.0, engine="int8")  # loads and compiles
    cut = float(stats.norm.isf(KEPT / n_pairs(n_markers) / 2))
    wall, cpu = time.perf_counter(), time.process_time()
    hits = screen(make_panel(x), y, cut, engine="int8", n_jobs=-1)
    row = (f"ours, int8, {os.cpu_count()} threads", time.perf_counter() - wall, time.process_time() - cpu)
    i, j = hits.pairs[0]
    print(f"{len(hits.t):,} pairs with |t| > {cut:.2f}; the strongest is {i}, {j} with t = {hits.t[0]:.1f}")
    return *row, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _plink(plink: str, x: np.ndarray, y: np.ndarray) -> tuple[float, pd.DataFrame]:
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "cell"
        write_bed(stem, x, y)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [plink, "--bfile", stem, "--epistasis", "--epi1", str(REPORTED), "--allow-no-sex", "--threads", "1",
             "--out", stem], check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        table = pd.read_csv(stem.with_suffix(".epi.qt"), sep=r"\s+")
    table.index = [(int(a[1:]), int(b[1:])) for a, b in zip(table["SNP1"], table["SNP2"], strict=True)]
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, table


def write_bed(stem: Path, x: np.ndarray, y: np.ndarray) -> None:
    """Write dosages as a PLINK 1 file set, SNP-major; locus j is named s<j>, 20 loci to a chromosome up to 22."""
    n, p = x.shape
    codes = np.zeros((p, -(-n // 4) * 4), dtype=np.uint8)
    codes[:, :n] = np.array([3, 2, 0], dtype=np.uint8)[x.T]
    four = codes.reshape(p, -1, 4)
    packed = four[..., 0] | four[..., 1] << 2 | four[..., 2] << 4 | four[..., 3] << 6
    stem.with_suffix(".bed").write_bytes(bytes([0x6C, 0x1B, 1]) + packed.tobytes())
    stem.with_suffix(".bim").write_text("".join(f"{min(j // 20 + 1, 22)}\ts{j}\t0\t{j + 1}\tA\tC\n" for j in range(p)))
    stem.with_suffix(".fam").write_text("".join(f"{i + 1} {i + 1} 0 0 0 {y[i]}\n" for i in range(n)))
