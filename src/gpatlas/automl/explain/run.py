"""Explaining the winner: each part is a module of its own; this one puts them together and says what was done."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from gpatlas.automl.explain import tables
from gpatlas.automl.explain.association import Association, associate
from gpatlas.automl.explain.attribution import TOP_FEATURES, attribute
from gpatlas.automl.explain.blocks import LINKED, Block, covariate_blocks, linkage_blocks
from gpatlas.automl.explain.breeding_values import LARGEST, BreedingValues, breeding_values
from gpatlas.automl.explain.explanation import Explanation
from gpatlas.automl.explain.importance import SHUFFLES, Importance, permutation_importance
from gpatlas.automl.explain.margins import margins, slopes
from gpatlas.automl.explain.structure import filled, principal_components
from gpatlas.automl.resampling import resample
from gpatlas.automl.task import Task
from gpatlas.seeding import stable_seed

FOLDS = 5
COMPONENTS, FIXED_COMPONENTS = 10, 5
MOST_EXPLAINED = 300  # samples with SHAP values; of more, a random choice


def explain(
    estimator: Any, task: Task, seed: int, progress: Callable[[int, int, str], None] | None = None
) -> Explanation:
    """Explain a model: what it uses, how it uses it, and what the data show without it.

    It costs one fit for each of five folds for importance, predictions of a bounded size, one eigendecomposition each
    for components and breeding values, and one pass over the loci for association.

    Parameters
    ----------
    estimator
        Fitted to the whole task; it is cloned for the folds, with the same hyperparameters.
    task
        What it was fitted to.
    seed
        Of folds, shuffles, and the choice of samples to explain.
    progress
        Called with done, total and a note.
    """
    report = progress or (lambda done, total, note: None)

    def generator(part: str) -> np.random.Generator:
        return np.random.default_rng(stable_seed(seed, "explain", part))

    complete = filled(task.X).astype(np.float32)
    dosage, covariates = task.X[:, : task.n_loci], task.X[:, task.n_loci :]
    components = principal_components(dosage, COMPONENTS, stable_seed(seed, "components", bits=32))
    n_fixed = min(FIXED_COMPONENTS, task.n_samples // 20, components.n_loci // 20, components.scores.shape[1])
    fixed = np.hstack([covariates, components.scores[:, :n_fixed]])
    association = associate(dosage, task.y, fixed, len(task.classes) if task.kind == "multiclass" else 0)

    blocks = linkage_blocks(dosage, task.chromosome, task.position)
    blocks += covariate_blocks([str(name) for name in task.feature_id[task.n_loci :]], task.n_loci)
    splits = resample(task, FOLDS, 1, stable_seed(seed, "explain", "folds"))
    importance = permutation_importance(
        lambda: clone(estimator), task.X, task.y, task.kind, blocks, splits.splits, generator("shuffles"), report
    )
    leads = _leads(blocks, association)

    of_features = slopes(margins(estimator, task.kind, task.y), complete, generator("slopes"))
    rows = np.sort(generator("samples").permutation(task.n_samples)[:MOST_EXPLAINED])
    top = leads[np.argsort(-importance.mean, kind="stable")[:TOP_FEATURES]]
    attribution = attribute(
        estimator, complete, task.y, task.kind, of_features, rows, top, generator("switching"), report
    )
    values = _breeding_values(task, complete)
    methods = {
        "permutation_importance": _say_importance(task, importance, splits.text),
        "shap": f"SHAP values of {len(attribution.rows):,} samples in {attribution.unit}, found {attribution.method}.",
        "marker_effects": _say_association(task, n_fixed, of_features is not None),
        "gebv": _say_breeding_values(task, values),
        "structure": f"Principal components of {components.n_loci:,} loci that vary, each standardised.",
    }
    return Explanation(
        tables.importance_table(task, blocks, importance, leads),
        tables.shap_table(task, attribution),
        tables.effects_table(task, association, of_features),
        tables.gebv_table(task, values),
        tables.structure_table(task, components),
        tuple(components.shares.tolist()),
        methods,
        {
            "shap_unit": attribution.unit,
            "inflation": _number(association.inflation),
            "n_tested": int(np.isfinite(association.p).sum()),
            "n_fixed_components": int(n_fixed),
            "h2": [] if values is None else [float(h2) for h2 in values.h2],
            "other_loci": {"importance": _number(importance.rest), "se": _number(importance.rest_se)},
            "n_blocks": sum(not block.covariate for block in blocks),
        },
    )


def _leads(blocks: Sequence[Block], association: Association) -> NDArray[np.intp]:
    """Return the column that names each block: of loci the one with the smallest p value, of a covariate the first."""
    p = np.where(np.isnan(association.p), 1.0, association.p)
    return np.array([b.columns[0] if b.covariate else b.columns[p[b.columns].argmin()] for b in blocks], dtype=np.intp)


def _breeding_values(task: Task, complete: NDArray[np.float32]) -> BreedingValues | None:
    if min(task.n_samples, task.n_loci) > LARGEST or task.n_loci == 0:
        return None
    Y = np.eye(len(task.classes))[task.y.astype(int)] if task.kind == "multiclass" else task.y[:, None]
    return breeding_values(complete, Y, task.n_covariates)


def _say_importance(task: Task, importance: Importance, folds: str) -> str:
    score = "R²" if task.kind == "continuous" else "AUC"
    text = (
        f"Loss of {score} on samples that the model had not seen, when a feature is shuffled among them ({folds} "
        f"Mean of {SHUFFLES} shuffles; ± one standard error over folds). Loci with r² ≥ {LINKED:g} to a first one are "
        "shuffled together and named after the most associated of them."
    )
    if not np.isnan(importance.rest):
        text += (
            f" In each fold the loci most associated in its training samples were shuffled one by one; all others "
            f"together lose {round(importance.rest, 3) + 0.0:.3f} ± {importance.rest_se:.3f}."
        )
    return text


def _say_association(task: Task, n_fixed: int, linear: bool) -> str:
    beside = [f"{n_fixed} principal components"] if n_fixed else []
    beside += [f"{task.n_covariates} covariate{'s' * (task.n_covariates != 1)}"] if task.n_covariates else []
    text = f"Each locus alone, in a linear regression beside {' and '.join(beside) or 'the mean'} as fixed effects."
    if task.kind == "multiclass":
        text += " Effect: share of the locus' variance that lies between classes."
    elif task.kind == "binary":
        text += f" Effect: change in the risk of class “{task.classes[1]}” by one more copy of the counted allele."
    else:
        text += " Effect: change in trait units by one more copy of the counted allele."
    return text + (" model_effect: the model's own, all loci together." if linear else "")


def _say_breeding_values(task: Task, found: BreedingValues | None) -> str:
    if found is None:
        return f"Not computed: there are more than {LARGEST:,} samples and loci, or no loci."
    what = "its class as 0/1" if task.classes else "its phenotype"
    return (
        f"GBLUP of every sample from {what} and those of its relatives, all samples together, covariates as fixed "
        "effects. Reliability: the squared correlation of GEBV and true breeding value that the model expects."
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
