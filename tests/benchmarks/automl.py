"""AutoML on real cohorts: ours beside FLAML on the same splits, and on wheat beside the models it chooses from."""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit

from gpatlas.automl.board import run_flows
from gpatlas.automl.nested import AUTOML, Judged, judge
from gpatlas.automl.resampling import Split, resample
from gpatlas.automl.settings import Settings
from gpatlas.automl.task import Task, make_task
from gpatlas.io import read_genotypes
from gpatlas.io.phenotypes import read_covariates, read_phenotypes
from gpatlas.joins import attach
from tests.conftest import REFERENCE

HERE = Path(__file__).parent
N_SPLITS, TEST_SHARE = 20, 0.3
WHEAT_BUDGET, WHEAT_CANDIDATES = 30, ("rrblup", "svm", "rkhs", "egblup", "kernel_tree", "lightgbm")


def clinic() -> Task:
    """GenoML's discrete example: 500 samples × 500 variants, four covariates."""
    folder = REFERENCE / "genoml" / "discrete"
    phenotypes = read_phenotypes(folder / "training_pheno.csv", traits=["PHENO"])
    covariates = read_covariates(folder / "training_addit.csv")
    dataset, _ = attach(read_genotypes(folder / "training.bed"), phenotypes, covariates)
    return make_task(dataset, "PHENO")


def wheat() -> list[Task]:
    """CIMMYT wheat: 599 lines × 1 279 markers, yield in four environments, a task each."""
    folder = REFERENCE / "wheat"
    dataset, _ = attach(read_genotypes(folder / "genotypes.csv.gz"), read_phenotypes(folder / "phenotypes.csv"))
    return [make_task(dataset, str(trait)) for trait in dataset.trait_id.astype(str)]


def compare(pythons: list[str], budget: int, seconds: float) -> None:
    """Print what the search finds on both data sets, row by row as it comes."""
    print(f"GenoML's discrete example, {N_SPLITS} stratified 70:30 splits: AUC and CPU seconds", flush=True)
    rows = []
    for row in on_clinic(pythons[0] if pythons else None, seconds, budget):
        rows.append(row)
        print("  ".join(f"{key} {_shown(value)}" for key, value in row.items()), flush=True)
    for name in [key for key in rows[0] if key.endswith("_auc")]:
        values = np.array([row[name] for row in rows])
        print(f"mean {name} {values.mean():.3f}, standard error {values.std(ddof=1) / len(values) ** 0.5:.3f}")
    print("\nwheat, 10 folds × 2: mean r of what the search chose, its average, and each candidate")
    found = []
    for row in on_wheat(WHEAT_BUDGET, WHEAT_CANDIDATES):
        found.append(row)
        print("  ".join(f"{key} {_shown(value)}" for key, value in row.items()), flush=True)
    for name in (AUTOML, *WHEAT_CANDIDATES):
        if all(name in row for row in found):
            print(f"mean of the traits, {name}: {np.mean([row[name] for row in found]):.3f}")


def on_clinic(python: str | None, seconds: float, budget: int) -> Iterator[dict]:
    """Yield AUC and seconds, split by split; FLAML runs at the same time as ours, on a core of its own."""
    task = clinic()
    splitter = StratifiedShuffleSplit(N_SPLITS, test_size=TEST_SHARE, random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        for number, (train, test) in enumerate(splitter.split(task.X, task.y)):
            train, test = np.sort(train), np.sort(test)
            peer = None if python is None else _start_flaml(python, seconds, task, train, test, Path(folder))
            start = time.process_time()
            judged = _judge(task, Split(0, number, train, test), Settings(budget_fits=budget), Path(folder))
            row = {
                "split": number,
                "chosen": "+".join(judged.found.weights),
                "our_auc": roc_auc_score(task.y[test], judged.predictions[AUTOML][:, 1]),
                "seconds": time.process_time() - start,
            }
            if peer is not None:
                theirs = json.loads(peer.communicate()[0].splitlines()[-1])
                row |= {
                    "flaml": theirs["best"],
                    "flaml_auc": roc_auc_score(task.y[test], theirs["probability"]),
                    "flaml_seconds": theirs["seconds"],
                }
            yield row


def _start_flaml(
    python: str, seconds: float, task: Task, train: NDArray, test: NDArray, folder: Path
) -> subprocess.Popen[str]:
    path = folder / "split.npz"
    np.savez(path, x_train=task.X[train], y_train=task.y[train], x_test=task.X[test])
    command = [python, str(HERE / "automl_flaml.py"), str(path), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def on_wheat(budget: int, candidates: tuple[str, ...], repeats: int = 2) -> Iterator[dict]:
    """Yield, trait by trait, the mean r over ten folds × repeats of the procedure, its stack and its candidates."""
    settings = Settings(budget_fits=budget, candidates=candidates)
    for task in wheat():
        start, found = time.process_time(), {}
        with tempfile.TemporaryDirectory() as folder:
            for split in resample(task, 10, repeats, seed=0):
                judged = _judge(task, split, settings, Path(folder))
                for name, predicted in judged.predictions.items():
                    r = np.corrcoef(task.y[split.test], predicted.reshape(len(split.test), -1)[:, 0])[0, 1]
                    found.setdefault(name, []).append(r)
        n_folds = len(found[AUTOML])
        means = {name: float(np.mean(rs)) for name, rs in found.items() if len(rs) == n_folds}
        yield {"trait": task.trait, **{k: means[k] for k in sorted(means, key=lambda k: -means[k])},
               "seconds": time.process_time() - start}  # fmt: skip


def _judge(task: Task, split: Split, settings: Settings, folder: Path) -> Judged:
    name = f"{task.trait} {split.repeat}.{split.fold}"
    return run_flows({name: judge(task, split, settings)}, folder / f"{name}.journal", {"what": name})[name]


def _shown(value: str | float) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
