"""Ours beside the published pipeline, in one run: CPU seconds and their ratio.

python -m tests.benchmarks simulate     simulate and store, against AlphaSimR + text tables + HDF5 (needs R)
python -m tests.benchmarks ridge        ridge over ten splits, against scikit-learn's RidgeCV
python -m tests.benchmarks mlp          an epoch of the published network, against its loop and against its FLOPs
python -m tests.benchmarks lasso        a five-fold LASSO path, against scikit-learn, celer, skglm, adelie and glmnet
python -m tests.benchmarks screen       all pairs of loci tested for interaction, against PLINK 1.9's --epistasis;
                                        from 10⁸ pairs on without it: time and peak memory
python -m tests.benchmarks prune        LD pruning of --samples × --markers, against PLINK 2 on one thread
python -m tests.benchmarks priors       draws of GPFN's prior tasks per second, scheme by scheme
python -m tests.benchmarks gpfn         how well a --checkpoint predicts fresh populations and real cohorts, beside
                                        GBLUP-REML, BayesCπ and RKHS, and whether it may be shipped; --out keeps scores
python -m tests.benchmarks gpfn-speed   conditioning and predicting by gpfn, beside GBLUP, kernels and BayesCπ
python -m tests.benchmarks perceiver    hidden calls that are right after --minutes of pretraining, windowed and
                                        published, beside nearest neighbours and the most frequent call, on a --panel
python -m tests.benchmarks automl       GenoML's example cohort, against FLAML in --python; wheat, beside its candidates
python -m tests.benchmarks breed        random crosses, against AlphaSimR (needs R) and ChromaX in --python
python -m tests.benchmarks import       bed of 2 504 × 10⁶ and VCF of 2 504 × 10⁵ to a dataset file, against readers
python -m tests.benchmarks tune         a search of hyperparameters, against the model fits in it (wall seconds)
python -m tests.benchmarks scale        simulate, fit, predict from disk: time and peak memory (RidgeCV at small sizes)
python -m tests.benchmarks study        the whole published study on this GPU, from measured epochs (wall seconds)
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # CPU seconds of several threads would count their waiting

import numpy as np
from rich.console import Console
from rich.table import Table

from gpatlas.config.scaling import n_qtl_at
from gpatlas.io import write_dataset
from gpatlas.models.pairs import n_pairs
from gpatlas.models.ridge_splits import fit_splits, random_splits
from gpatlas.simulate import simulate
from tests.benchmarks import (
    automl,
    breed,
    epochs,
    gpfn_gates,
    gpfn_speed,
    importing,
    lasso,
    peers,
    perceiver,
    priors,
    prune,
    scale,
    screen,
    study,
    tune,
)
from tests.benchmarks.cells import spec
from tests.benchmarks.processes import cpu_seconds_of

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what",
        choices=[
            "automl",
            "breed",
            "gpfn",
            "gpfn-speed",
            "import",
            "simulate",
            "ridge",
            "mlp",
            "lasso",
            "perceiver",
            "priors",
            "prune",
            "scale",
            "screen",
            "study",
            "tune",
        ],
    )
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--scaling", type=float, default=1.0, help="QTL pairs per sample, sets the number of QTL")
    parser.add_argument(
        "--markers", type=int, default=1_000, help="lasso, tune: loci, 100 QTL among them; screen: loci"
    )
    parser.add_argument("--loci", type=int, default=1_416, help="scale: loci, all of them QTL")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        help="lasso, automl, breed: an interpreter with a library that ours has not",
    )
    parser.add_argument(
        "--library",
        action="append",
        choices=lasso.LIBRARIES,
        help="lasso: compare with these (scikit_learn is slow at 10,000)",
    )
    parser.add_argument("--budget-fits", type=int, default=60, help="automl: of one search of ours")
    parser.add_argument("--seconds", type=float, default=60.0, help="automl: of one search of FLAML")
    parser.add_argument("--checkpoint", default="default", help="gpfn: a name, a file, `untrained` or `none`")
    parser.add_argument("--populations", type=int, default=400, help="gpfn: of each prior")
    parser.add_argument("--only", action="append", choices=gpfn_gates.GROUPS, help="gpfn: these alone")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/gpfn"), help="gpfn: a folder of scores")
    parser.add_argument("--processes", type=int, choices=(1, 2), default=1, help="gpfn: that judge")
    parser.add_argument("--panel", choices=perceiver.PANELS, default="inbred", help="perceiver: which lines")
    parser.add_argument("--minutes", type=float, default=10.0, help="perceiver: of each pretraining")
    parser.add_argument("--recipe-text", default="{}", help="perceiver: keys of the recipe other than the defaults")
    arguments = parser.parse_args()
    if arguments.what == "scale":
        title = f"scale: {arguments.samples:,} samples × {arguments.loci:,} loci, five traits"
        _print_measured(title, scale.compare(arguments.samples, arguments.loci))
        return
    if arguments.what == "import":
        _print_measured("import", importing.compare(2_504, 1_000_000, 100_000))
        return
    if arguments.what == "automl":
        automl.compare(arguments.python, arguments.budget_fits, arguments.seconds)
        return
    if arguments.what == "perceiver":
        perceiver.compare(arguments.panel, arguments.minutes, arguments.recipe_text)
        return
    if arguments.what == "priors":
        priors.compare()
        return
    if arguments.what == "gpfn":
        of_work = arguments.populations, arguments.out, arguments.processes
        gpfn_gates.compare(arguments.checkpoint, arguments.only or (), *of_work)
        return
    if arguments.what == "gpfn-speed":
        gpfn_speed.compare()
        return
    if arguments.what == "study":
        _print_study()
        return
    if arguments.what == "lasso":
        pythons, libraries = [sys.executable, *arguments.python], arguments.library or lasso.LIBRARIES
        rows = lasso.compare(arguments.samples, arguments.markers, pythons, libraries)
        title, ratio = f"lasso: {arguments.samples:,} samples × {arguments.markers:,} loci, H² = 0.5", "times ours"
    elif arguments.what == "breed":
        rows = breed.compare(arguments.python)
        title, ratio = f"breed: {breed.N_PROGENY:,} progeny of {breed.N_PARENTS} diploid parents", "times ours"
        title += f", {breed.N_CHROMOSOMES} × {breed.N_SITES:,} loci"
    elif arguments.what == "screen":
        if n_pairs(arguments.markers) > screen.FOR_PLINK:
            _print_measured(
                f"screen: {arguments.samples:,} samples × {arguments.markers:,} loci, all pairs",
                [screen.alone(arguments.samples, arguments.markers)],
            )
            return
        rows = screen.compare(arguments.samples, arguments.markers)
        title, ratio = f"screen: {arguments.samples:,} samples × {arguments.markers:,} loci, all pairs", "times faster"
    elif arguments.what == "prune":
        rows = prune.compare(arguments.samples, arguments.markers)
        title, ratio = f"prune: {arguments.samples:,} samples × {arguments.markers:,} loci, one thread", "times faster"
    elif arguments.what == "tune":
        rows = tune.compare(arguments.samples, arguments.markers)
        title, ratio = f"tune: {arguments.samples:,} samples × {arguments.markers:,} loci", "times its fits"
    else:
        n_qtl = n_qtl_at(arguments.samples, arguments.scaling)
        rows = {"simulate": _simulate, "ridge": _ridge, "mlp": _mlp}[arguments.what](arguments.samples, n_qtl)
        title, ratio = f"{arguments.what}: {arguments.samples:,} samples × {n_qtl} QTL, five traits", "times faster"
    table = Table(title=title, box=None)
    for column in ("", "seconds" if arguments.what == "tune" else "CPU s", ratio):
        table.add_column(column, justify="left" if not column else "right")
    for name, seconds, ratio in rows:
        table.add_row(name, f"{seconds:.3g}", "" if ratio is None else f"{ratio:.3g}")
    Console().print(table)


def _print_measured(title: str, rows: list[tuple]) -> None:
    table = Table(title=title, box=None)
    for column in ("", "seconds", "CPU s", "peak MB"):
        table.add_column(column, justify="left" if not column else "right")
    for name, *measured in rows:
        table.add_row(name, *(f"{value:.3g}" for value in measured[:2]), f"{measured[2]:.0f}")
    Console().print(table)


def _print_study() -> None:
    table = Table(title="the published study, extrapolated", box=None, show_header=False)
    for name, value in study.measure():
        table.add_row(name, value)
    Console().print(table)


def _simulate(n_samples: int, n_qtl: int) -> list[tuple]:
    if shutil.which("Rscript") is None:
        sys.exit("simulate needs Rscript with AlphaSimR on the path (set R_LIBS to where it is installed)")
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "sim"
        script = [str(HERE / "published_simulation.R"), str(n_samples), str(n_qtl), "1", str(stem)]
        theirs_r = cpu_seconds_of(["Rscript", *script])
        prepare = (
            f"from pathlib import Path; from tests.benchmarks.peers import prepare_hdf5 as p; p(Path({str(stem)!r}))"
        )
        # start-up and imports of the preparation are taken off, so that only its work counts
        theirs_h5 = cpu_seconds_of([sys.executable, "-c", prepare]) - cpu_seconds_of(
            [sys.executable, "-c", "import tests.benchmarks.peers"]
        )
        settings, out = Path(folder) / "spec.yaml", Path(folder) / "ours.h5"
        settings.write_text(spec(n_samples, n_qtl).model_dump_json())
        ours = min(
            cpu_seconds_of([sys.executable, "-m", "gpatlas", "simulate", str(settings), "--out", str(out)])
            for _ in range(3)
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
    write_dataset(simulate(spec(n_samples, n_qtl), 1), out)
    return time.process_time() - start


def _ridge(n_samples: int, n_qtl: int) -> list[tuple]:
    data = simulate(spec(n_samples, n_qtl), 1)
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
    """Each side in a fresh process, since torch settles at its first allocation how it takes memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        theirs = fresh.submit(epochs.theirs, n_samples, n_qtl).result()
        rows: list[tuple] = [("published loop, an epoch", theirs, None)]
        for precision, batch in (("f32", 128), ("bf16", 128), ("bf16", 512), ("bf16", 2048)):
            ours, floor = fresh.submit(epochs.ours, n_samples, n_qtl, precision, batch).result()
            rows += [
                (f"ours, an epoch in {precision}, batches of {batch}", ours, theirs / ours),
                (f"  its matrix products alone; the epoch takes {ours / floor:.2f} of them", floor, None),
            ]
    return rows


if __name__ == "__main__":
    main()
