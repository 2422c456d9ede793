"""Results folders of AutoML, made by real fits of three candidates: what `gpatlas automl` writes, in a moment."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.explain import explain, write_explanation
from gpatlas.automl.explain.margins import predicted
from gpatlas.automl.resampling import resample
from gpatlas.automl.task import Task
from gpatlas.evaluate.scores import all_scores, score_for
from tests.automl import tasks

MODELS = ("rrblup", "lasso")


def write(folder: Path, kind: str = "binary", task: Task | None = None, models=MODELS, n_folds=4, repeats=2) -> Path:
    """Fit, predict out of fold, explain and write; the first model wins, and "automl" is what it says."""
    task = task or tasks.make(kind, n=120, p=40, families=kind == "continuous")
    score = score_for(task.kind)
    resampling = resample(task, n_folds, repeats, 1)
    folds, predictions = [], []
    for split in resampling:
        for name in models:
            model = CANDIDATES[name].make(task.kind, task.n_covariates, 1).fit(task.X[split.train], task.y[split.train])
            values = predicted(model, task.X[split.test], task.kind, task.y)
            y = task.y[split.test] if task.kind == "continuous" else task.y[split.test].astype(int)
            here = {"repeat": split.repeat, "fold": split.fold}
            rows = {"sample_id": task.sample_id[split.test], **here}
            if task.classes:
                names = np.array(task.classes)
                rows |= {"observed": names[y], "prediction": names[values.argmax(axis=1)]}
                rows |= {f"p_{one}": values[:, k] for k, one in enumerate(task.classes)}
            else:
                rows |= {"observed": y, "prediction": values}
            sizes = {"n_train": len(split.train), "n_test": len(split.test)}
            for shown in [name, "automl"] if name == models[0] else [name]:
                predictions.append(pd.DataFrame({"model": shown, **rows}))
                folds.append({"model": shown, **here, **sizes, **all_scores(task.kind, y, values)})
    table = pd.DataFrame(folds)
    means = (
        table.groupby("model", sort=False).mean(numeric_only=True).drop(columns=["repeat", "fold", "n_train", "n_test"])
    )
    spread = table.groupby("model", sort=False)[score.name].std()
    board = pd.DataFrame(
        {
            "model": means.index,
            "score": means[score.name].to_numpy(),
            "lower": (means[score.name] - spread / 2).to_numpy(),
            "upper": (means[score.name] + spread / 2).to_numpy(),
            "inner_score": (means[score.name] + 0.01).to_numpy(),
            "p_null": [0.05 if name == "automl" else np.nan for name in means.index],
            "weight": [np.nan if name == "automl" else 1.0 / len(models) for name in means.index],
            "n_fits": 8,
            "seconds": 1.5,
            "hyperparameters": "{}",
            "chosen": [name == models[0] for name in means.index],
        }
    )
    board = board.merge(means.drop(columns=score.name).reset_index(), on="model")
    folder.mkdir(parents=True, exist_ok=True)
    board.to_csv(folder / "leaderboard.csv", index=False)
    table.to_csv(folder / "folds.csv", index=False)
    pd.concat(predictions).to_csv(folder / "predictions.csv", index=False)
    trials = {"outer": -1, "model": models, "trial": range(len(models)), "state": "complete", "score": 0.5, "se": 0.01}
    trials |= {"seconds": 1, "hyperparameters": "{}"}
    pd.DataFrame(trials).to_csv(folder / "trials.csv", index=False)
    null = np.random.default_rng(1).normal(0.5 if task.classes else 0.0, 0.05, 19)
    pd.DataFrame({"permutation": range(19), "score": null}).to_csv(folder / "null.csv", index=False)
    content = {
        "trait": task.trait, "kind": task.kind, "classes": list(task.classes), "n_samples": task.n_samples,
        "n_loci": task.n_loci, "n_covariates": task.n_covariates,
        "covariates": [str(name) for name in task.feature_id[task.n_loci :]], "metric": score.name,
        "resampling": resampling.text, "budget": "60 fits", "seed": 1, "ceiling": None,
        "classes_counts": task.class_counts,
    }  # fmt: skip
    (folder / "task.json").write_text(json.dumps(content))
    steps = [("task", f"{task.n_samples} samples."), ("search", "2 candidates competed."), ("nest", resampling.text)]
    (folder / "narrative.json").write_text(json.dumps([{"step": step, "text": text} for step, text in steps]))
    winner = CANDIDATES[models[0]].make(task.kind, task.n_covariates, 1).fit(task.X, task.y)
    write_explanation(explain(winner, task, 1), folder / "explanation")
    return folder
