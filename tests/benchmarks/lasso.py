"""LASSO over five folds: ours beside the libraries that are at hand."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from gpatlas.config import DilutionConfig
from gpatlas.models import make
from gpatlas.simulate import simulate

HERE = Path(__file__).parent
LIBRARIES = ("scikit_learn", "celer", "skglm", "adelie", "glmnet")


def cell(n_samples: int, n_markers: int, seed: int = 1) -> tuple:
    """Genotypes, trait and QTL of a dilution cell: 100 additive QTL, H² = 0.5."""
    config = DilutionConfig(
        n_samples=(n_samples,), n_qtl=(100,), n_markers=(n_markers,), heritability=(0.5,), rel_aa=(0,), replicates=1,
        models={"lasso": {}},
    )  # fmt: skip
    data = simulate(config.simulation(config.rows()[0]), seed)
    return data.dosage(), data.phenotypes[:, 0], np.unique(data.truth.effects.locus)


def compare(n_samples: int, n_markers: int, pythons: list[str], libraries: list[str]) -> list[tuple]:
    """Rows of (name, CPU seconds, how many times as much as ours)."""
    x, y, qtl = cell(n_samples, n_markers)
    start = time.process_time()
    model = make("lasso").fit(x, y)
    ours = time.process_time() - start
    kept = np.flatnonzero(model.selected_)
    rows = [(f"ours: kept {len(kept)}, {np.isin(qtl, kept).sum()} of 100 QTL", ours, None)]
    start = time.process_time()
    stable = make("lasso_pruned", preset="stability").fit(x, y)
    kept = np.flatnonzero(stable.selected_)
    found = np.isin(qtl, kept).sum()
    seconds = time.process_time() - start
    rows.append((f"ours, stability selection: kept {len(kept)}, {found} of 100 QTL", seconds, seconds / ours))
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "cell.npz", x=x, y=y, qtl=qtl)
        x.tofile(Path(folder) / "x.bin")
        np.savetxt(Path(folder) / "y.txt", y)
        np.savetxt(Path(folder) / "qtl.txt", qtl)
        for library in libraries:
            commands = [[python, str(HERE / "lasso_peers.py"), f"{folder}/cell.npz", library] for python in pythons]
            if library == "glmnet":
                commands = [["Rscript", str(HERE / "lasso_glmnet.R"), folder]] if shutil.which("Rscript") else []
            rows += _first(library, commands, ours)
    return rows


def _first(library: str, commands: list[list[str]], ours: float) -> list[tuple]:
    """The row of the first command that works."""
    message = "no command to run it"
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            found = json.loads(done.stdout.splitlines()[-1])
            name = f"{library}: kept {found['kept']}, {found['causal']} of 100 QTL"
            return [(name, found["seconds"], found["seconds"] / ours)]
        message = (done.stderr.strip().splitlines() or ["no message"])[-1]
    print(f"{library}: not at hand ({message})", file=sys.stderr)
    return []
