"""The results folder of an AutoML run, read back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gpatlas.errors import StoreError
from gpatlas.evaluate.scores import SCORES, Score
from gpatlas.io.tables import read_json, read_table
from gpatlas.plotting.style import model_name

TABLES = ("leaderboard", "folds", "predictions")
FILES = ("task.json", "narrative.json", *(f"{name}.csv" for name in (*TABLES, "metrics", "trials", "null")))
EXPLANATION = ("permutation_importance", "shap", "marker_effects", "gebv", "structure")
_TEXT = {
    "model", "sample_id", "feature", "linked", "locus_id", "chromosome", "class", "family", "environment", "observed",
    "prediction",
}  # fmt: skip
SIGNIFICANT = 0.05
WHOLE = "automl"  # the model that stands for the whole procedure
STACK = "stack"  # the average of candidates


@dataclass(frozen=True)
class Results:
    """Everything that an AutoML run left.

    Parameters
    ----------
    folder
        Where it lies.
    task
        Content of task.json.
    narrative
        (step, text), in order.
    leaderboard, folds, predictions
        Tables.
    null
        Scores of permuted phenotypes; None where there were no permutations.
    explanation
        Name → table; empty where the model was not explained.
    shares
        Of the variance, of the principal components.
    methods
        Table of the explanation → how it was made.
    facts
        Numbers beside the explanation.
    """

    folder: Path
    task: dict[str, Any]
    narrative: list[tuple[str, str]]
    leaderboard: pd.DataFrame
    folds: pd.DataFrame
    predictions: pd.DataFrame
    null: pd.DataFrame | None
    explanation: dict[str, pd.DataFrame]
    shares: list[float]
    methods: dict[str, str]
    facts: dict[str, Any]

    @property
    def kind(self) -> str:
        """Kind of the trait: "continuous", "binary" or "multiclass"."""
        return str(self.task["kind"])

    @property
    def classes(self) -> list[str]:
        """Names of the classes; [] of a continuous trait."""
        return [str(name) for name in self.task.get("classes") or []]

    @property
    def score(self) -> Score:
        """What models were selected by."""
        return SCORES[self.task["metric"]]

    @property
    def honest(self) -> pd.Series:
        """The row of the whole procedure."""
        return self.leaderboard[self.leaderboard.model == WHOLE].iloc[0]

    @property
    def chosen(self) -> str:
        """The model that the final search chose."""
        return str(self.leaderboard.model[self.leaderboard.chosen.astype(bool)].iloc[0])

    @property
    def chosen_title(self) -> str:
        """Its name as it is printed; an average with its weights."""
        if self.chosen != STACK or "weight" not in self.leaderboard:
            return model_name(self.chosen)
        members = self.leaderboard[self.leaderboard.weight.fillna(0) > 0].sort_values("weight", ascending=False)
        parts = [f"{model_name(name)} ({w:.2f})" for name, w in zip(members.model, members.weight, strict=True)]
        return f"an average of {', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else model_name(self.chosen)

    @property
    def ceiling(self) -> float | None:
        """Score that the truth achieves, where it is known."""
        found = (self.task.get("ceiling") or {}).get(self.score.name)
        return None if found is None else float(found)

    @property
    def chance(self) -> float | None:
        """Score without any signal, where it does not depend on the data."""
        several = len(self.classes) > 2  # of two classes, sensitivity depends on how often a case is called
        if self.score.name == "balanced_accuracy" or (self.score.name == "sensitivity" and several):
            return 1 / len(self.classes)
        return {"auc": 0.5, "r": 0.0, "r2": 0.0, "spearman": 0.0}.get(self.score.name)

    @property
    def p_null(self) -> float:
        """Share of permutations that score as well as the phenotypes do, these among them; NaN without permutations."""
        return float(self.honest.get("p_null", np.nan))

    @property
    def n_permutations(self) -> int:
        """How many permutations were scored."""
        return 0 if self.null is None else int(self.null.score.notna().sum())

    @property
    def beats_null(self) -> bool:
        """Whether p is at most 5 %, or as small as so few permutations can make it."""
        return self.p_null <= max(SIGNIFICANT, 1.000001 / (1 + self.n_permutations))

    @property
    def grouping(self) -> str | None:
        """Column of the structure table that names each sample's group, where samples have groups."""
        structure = self.explanation.get("structure", pd.DataFrame())
        return next((name for name in ("family", "environment") if name in structure), None)

    def of(self, model: str) -> pd.DataFrame:
        """Out-of-fold predictions of one model."""
        return self.predictions[self.predictions.model == model]


def is_automl(folder: Path) -> bool:
    """Whether a folder holds the results of an AutoML run."""
    return (folder / "task.json").exists() and (folder / "leaderboard.csv").exists()


def read_results(folder: str | Path) -> Results:
    """Read a results folder.

    Raises
    ------
    StoreError
        A file that every run leaves is absent or is not what it should be.
    """
    folder = Path(folder)
    task = read_json(folder / "task.json")
    names = _TEXT - ({"observed", "prediction"} if task.get("kind") == "continuous" else set())
    tables = {name: read_table(folder / f"{name}.csv", names) for name in TABLES}
    leaderboard = tables["leaderboard"]
    for column in ("model", "score", "lower", "upper", "inner_score", "chosen"):
        if column not in leaderboard:
            raise StoreError(f"{folder / 'leaderboard.csv'} has no column '{column}'")
    if not leaderboard.chosen.any():
        raise StoreError(f"{folder / 'leaderboard.csv'} has no row that is chosen")
    if WHOLE not in set(leaderboard.model):
        raise StoreError(f"{folder / 'leaderboard.csv'} has no row of the whole procedure, '{WHOLE}'")
    inside = folder / "explanation"
    explained = {
        name: read_table(inside / f"{name}.csv", names) for name in EXPLANATION if (inside / f"{name}.csv").exists()
    }
    methods = read_json(inside / "methods.json") if explained else {"methods": {}, "facts": {}}
    return Results(
        folder,
        task,
        [(str(step["step"]), str(step["text"])) for step in read_json(folder / "narrative.json")],
        **tables,
        null=read_table(folder / "null.csv") if (folder / "null.csv").exists() else None,
        explanation=explained,
        shares=read_json(inside / "structure.json")["variance_shares"] if explained else [],
        methods=methods["methods"],
        facts=methods["facts"],
    )
