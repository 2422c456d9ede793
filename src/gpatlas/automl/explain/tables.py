"""An explanation's numbers with the names of what they belong to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gpatlas.automl.explain.association import Association
from gpatlas.automl.explain.attribution import TOP_FEATURES, Attribution
from gpatlas.automl.explain.blocks import Block
from gpatlas.automl.explain.breeding_values import BreedingValues
from gpatlas.automl.explain.importance import Importance
from gpatlas.automl.explain.structure import Components
from gpatlas.automl.task import Task

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def importance_table(task: Task, blocks: Sequence[Block], importance: Importance, leads: NDArray) -> "pd.DataFrame":
    """Tabulate importance: a row for each block that was shuffled by itself in any fold, largest first.

    Parameters
    ----------
    task
        Names features.
    blocks, importance
        As computed.
    leads
        `(n_blocks,)` the column by which each block is named.
    """
    import pandas as pd

    rows = []
    for block, lead, mean, se, n_folds in zip(
        blocks, leads.tolist(), importance.mean, importance.se, importance.n_tested, strict=True
    ):
        if n_folds:
            others = [str(task.feature_id[column]) for column in block.columns if column != lead]
            rows.append(
                {
                    "feature": block.covariate or str(task.feature_id[lead]),
                    "importance": mean,
                    "se": se,
                    "kind": "covariate" if block.covariate else "locus",
                    "n_loci": 0 if block.covariate else len(block.columns),
                    "linked": "" if block.covariate else ";".join(others),
                    "n_folds": n_folds,
                }
            )
    columns = ["feature", "importance", "se", "kind", "n_loci", "linked", "n_folds"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def shap_table(task: Task, attribution: Attribution) -> "pd.DataFrame":
    """Tabulate the SHAP values of the features whose mean magnitude (over all outputs) is largest, feature by feature.

    Parameters
    ----------
    task
        Names samples, features and classes.
    attribution
        As computed.
    """
    import pandas as pd

    strength = np.abs(attribution.values).mean(axis=1).sum(axis=0)
    order = np.argsort(-strength, kind="stable")[:TOP_FEATURES]
    tables = []
    for k in order[strength[order] > 0]:
        column = attribution.features[k]
        for output, values in enumerate(attribution.values[:, :, k]):
            tables.append(
                pd.DataFrame(
                    {
                        "sample_id": task.sample_id[attribution.rows],
                        "feature": str(task.feature_id[column]),
                        "value": task.X[attribution.rows, column].astype(np.float64),
                        "shap": values,
                        **({"class": task.classes[output]} if len(attribution.values) > 1 else {}),
                    }
                )
            )
    return (
        pd.concat(tables, ignore_index=True)
        if tables
        else pd.DataFrame(columns=["sample_id", "feature", "value", "shap"])
    )


def effects_table(task: Task, association: Association, slopes: Array | None) -> "pd.DataFrame":
    """Tabulate association, and beside it the model's own effects where it is linear: a row for each locus."""
    import pandas as pd

    table = pd.DataFrame(
        {
            "locus_id": task.locus_id,
            "chromosome": task.chromosome,
            "position": task.position,
            "effect": association.effect,
            "se": association.se,
            "p": association.p,
        }
    )
    if slopes is not None and len(slopes) == 1:
        table["model_effect"] = slopes[0, : task.n_loci]
    elif slopes is not None:
        for name, of_class in zip(task.classes, slopes, strict=True):
            table[f"model_effect_{name}"] = of_class[: task.n_loci]
    return table


def gebv_table(task: Task, found: BreedingValues | None) -> "pd.DataFrame":
    """Tabulate breeding values: a row for each sample, and class where there are more than two."""
    import pandas as pd

    if found is None:
        return pd.DataFrame(columns=["sample_id", "gebv", "reliability", "se"])
    tables = [
        pd.DataFrame(
            {
                "sample_id": task.sample_id,
                "gebv": found.gebv[:, k],
                "reliability": found.reliability[:, k],
                "se": found.se[:, k],
                **({"class": task.classes[k]} if found.gebv.shape[1] > 1 else {}),
            }
        )
        for k in range(found.gebv.shape[1])
    ]
    return pd.concat(tables, ignore_index=True)


def structure_table(task: Task, components: Components) -> "pd.DataFrame":
    """Tabulate components: a row for each sample, with its phenotype and group to colour by."""
    import pandas as pd

    scores = {f"pc{k + 1}": column for k, column in enumerate(components.scores.T)}
    observed = [task.classes[int(code)] for code in task.y] if task.classes else task.y
    table = pd.DataFrame({"sample_id": task.sample_id, **scores, "observed": observed})
    if task.groups is not None:
        table[task.grouping] = task.groups
    return table
