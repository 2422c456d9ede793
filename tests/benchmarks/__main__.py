"""Ours beside the published pipeline, in one run: CPU seconds and their ratio.

python -m tests.benchmarks simulate     simulate and store, against AlphaSimR + text tables + HDF5 (needs R)
python -m tests.benchmarks ridge        ridge over ten splits, against scikit-learn's RidgeCV
python -m tests.benchmarks mlp          an epoch of the published network, against its loop and against its FLOPs
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # CPU seconds of several threads would count their waiting

import numpy as np
from rich.console import Console
from rich.table import Table

from gpatlas.config import ScalingConfig
from gpatlas.config.scaling import n_qtl_at
from gpatlas.io import write_dataset
from gpatlas.models import make
from gpatlas.models.ridge_splits import fit_splits, random_splits
from gpatlas.simulate import simulate
from tests.benchmarks import peers

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["simulate", "ridge", "mlp"])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--scaling", type=float, default=1.0, help="QTL pairs per sample, sets the number of QTL")
    arguments = parser.parse_args()
    n_qtl = n_qtl_at(arguments.samples, arguments.scaling)
    rows = {"simulate": _simulate, "ridge": _ridge, "mlp": _mlp}[arguments.what](arguments.samples, n_qtl)
    table = Table(title=f"{arguments.what}: {arguments.samples:,} samples × {n_qtl} QTL, five traits", box=None)
    for column in ("", "CPU s", "times faster"):
        table.add_column(column, justify="left" if not column else "right")
    for name, seconds, ratio in rows:
        table.add_row(name, f"{seconds:.3g}", "" if ratio is None else f"{ratio:.3g}")
    Console().print(table)


def _config(n_samples: int, n_qtl: int):
    config = ScalingConfig(n_samples=(n_samples,), qtl_scaling=(1.0,), replicates=1, models={"rrblup": {}})
    return config.simulation({"n_samples": n_samples, "n_qtl": n_qtl, "heritability": 0.999})


def _simulate(n_samples: int, n_qtl: int) -> list[tuple]:
    if shutil.which("Rscript") is None:
        sys.exit("simulate needs Rscript with AlphaSimR on the path (set R_LIBS to where it is installed)")
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "sim"
        script = [str(HERE / "published_simulation.R"), str(n_samples), str(n_qtl), "1", str(stem)]
        theirs_r = _cpu_of(["Rscript", *script])
        prepare = (
            f"from pathlib import Path; from tests.benchmarks.peers import prepare_hdf5 as p; p(Path({str(stem)!r}))"
        )
        # start-up and imports of the preparation are taken off, so that only its work counts
        theirs_h5 = _cpu_of([sys.executable, "-c", prepare]) - _cpu_of(
            [sys.executable, "-c", "import tests.benchmarks.peers"]
        )
        spec, out = Path(folder) / "spec.yaml", Path(folder) / "ours.h5"
        spec.write_text(_config(n_samples, n_qtl).model_dump_json())
        ours = min(
            _cpu_of([sys.executable, "-m", "gpatlas", "simulate", str(spec), "--out", str(out)]) for _ in range(3)
        )
        inside = min(_inside(n_samples, n_qtl, out) for _ in range(3))
    theirs = theirs_r + theirs_h5
    return [
        ("published: AlphaSimR and text tables", theirs_r, None),
        ("published: text to HDF5", theirs_h5, None),
        ("published, together", theirs, None),
        ("ours, whole process", ours, theirs / ours),
        ("ours, in a process that is up", inside, theirs / inside),
    ]


def _inside(n_samples: int, n_qtl: int, out: Path) -> float:
    start = time.process_time()
    write_dataset(simulate(_config(n_samples, n_qtl), 1), out)
    return time.process_time() - start


def _cpu_of(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=HERE.parents[1])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _ridge(n_samples: int, n_qtl: int) -> list[tuple]:
    data = simulate(_config(n_samples, n_qtl), 1)
    x, y = data.dosage(), data.phenotypes
    splits = random_splits(*y.shape, n_splits=10, test=0.15, seed=1)
    start = time.process_time()
    penalty, r = peers.ridge_protocol(x, y, splits)
    theirs = time.process_time() - start
    rows = [("scikit-learn RidgeCV, each trait and split", theirs, None)]
    for criterion in ("loo", "gcv", "reml"):
        start = time.process_time()
        fits = fit_splits(x, y, splits, criterion)
        ours = time.process_time() - start
        rows.append((f"ours, {criterion}", ours, theirs / ours))
        if criterion == "loo":
            found = np.array(
                [[np.corrcoef(y[f.split.test, t], f.predicted[:, t])[0, 1] for t in range(5)] for f in fits]
            )
            same = np.isclose([fit.penalty for fit in fits], penalty, rtol=1e-9).mean()
            print(f"loo: {same:.0%} of penalties equal, largest difference in r {np.abs(found - r).max():.1e}")
    return rows


def _mlp(n_samples: int, n_qtl: int) -> list[tuple]:
    import torch

    data = simulate(_config(n_samples, n_qtl), 1)
    n_train, n_epochs, ticks = round(0.85 * n_samples), 3, []
    x, y = data.dosage(), data.phenotypes
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "sim"
        _write_tables(stem, x, y)
        peers.prepare_hdf5(stem)
        theirs = min(peers.mlp_epochs(stem, 2))
    model = make("mlp", preset="published", max_epochs=n_epochs, device="cpu")
    model.fit(
        x[:n_train],
        y[:n_train],
        validation=(x[n_train:], y[n_train:]),
        progress=lambda *_: ticks.append(time.process_time()),
    )
    ours = float(np.diff(ticks).min())
    a = torch.ones(2048, 2048)
    rate = 2 * 2048**3 / min(_seconds(lambda: a @ a) for _ in range(6))
    sizes = [(2 * n_qtl, 4096), (4096, 4096), (4096, y.shape[1])]
    training = sum(6 * i * o for i, o in sizes) - 2 * sizes[0][0] * 4096  # the input needs no gradient
    floor = training * n_train / rate
    return [
        ("published loop, an epoch", theirs, None),
        ("ours, an epoch (float32)", ours, theirs / ours),
        (f"FLOP floor of training at {rate / 1e9:.0f} GFLOP/s; we take {ours / floor:.2f} of it", floor, None),
    ]


def _write_tables(stem: Path, x, y) -> None:
    names = [str(i + 1) for i in range(len(x))]
    lines = [f"{name} {' '.join(map(repr, map(float, row)))}" for name, row in zip(names, y, strict=True)]
    stem.with_name(stem.name + "_p.txt").write_text(
        "\n".join(["ind Trait1 Trait2 Trait3 Trait4 Trait5", *lines]) + "\n"
    )
    lines = [f"1_{k + 1} {' '.join(map(str, column))}" for k, column in enumerate(x.T)]
    stem.with_name(stem.name + "_g.txt").write_text("\n".join([f"qtl {' '.join(names)}", *lines]) + "\n")


def _seconds(call) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


if __name__ == "__main__":
    main()
