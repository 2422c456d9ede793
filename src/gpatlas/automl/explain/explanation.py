"""What was found out about a model and its data: tables, and a sentence on how each came about."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpatlas.io.atomic import atomic_path
from gpatlas.io.tables import write_table


@dataclass(frozen=True)
class Explanation:
    """Tables (pandas) as they are written; see `gpatlas.automl.explain.explain`.

    Parameters
    ----------
    permutation_importance
        feature, importance, se, kind ("locus" or "covariate"), n_loci, linked, n_folds: largest first.
    shap
        sample_id, feature, value, shap, and class where there are more than two.
    marker_effects
        locus_id, chromosome, position, effect, se, p (of association), and model_effect where the model is linear.
    gebv
        sample_id, gebv, reliability, se, and class where there are more than two.
    structure
        sample_id, pc1 … pc10, observed, and family or environment where the task has such groups.
    variance_shares
        Of the components.
    methods
        Table's name → how it was made, what its columns are measured in, what it cannot show.
    facts
        Numbers that the report draws conclusions from: inflation, h2, baseline score.
    """

    permutation_importance: Any
    shap: Any
    marker_effects: Any
    gebv: Any
    structure: Any
    variance_shares: tuple[float, ...]
    methods: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)


TABLES = ("permutation_importance", "shap", "marker_effects", "gebv", "structure")


def write_explanation(explanation: Explanation, folder: Path) -> None:
    """Write an explanation: a CSV of each table, structure.json and methods.json.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    for name in TABLES:
        write_table(getattr(explanation, name), folder / f"{name}.csv")
    shares = [float(share) for share in explanation.variance_shares]
    for name, content in (
        ("structure", {"variance_shares": shares}),
        ("methods", {"methods": explanation.methods, "facts": explanation.facts}),
    ):
        with atomic_path(folder / f"{name}.json") as temporary:
            temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
