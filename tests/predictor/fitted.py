"""Small predictors to save, load and ask."""

from dataclasses import replace

import numpy as np

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.task import make_task
from gpatlas.config.cohort import CohortSpec
from gpatlas.dataset import Dataset
from gpatlas.predictor import Predictor, make_predictor
from gpatlas.simulate.cohort import simulate_cohort

KINDS = ("continuous", "binary", "multiclass")


def clinic(kind: str, n_samples: int = 120, number: int = 1) -> Dataset:
    """A cohort with a covariate of three levels and one of numbers, and a missing call; continuous: a made-up yield."""
    spec = CohortSpec(
        n_samples=n_samples,
        n_cases=n_samples // 2,
        n_sites=40,
        n_causal=2,
        n_subtypes=2 if kind == "multiclass" else 1,
        allele_frequency=(0.3, 0.5),
    )
    dataset = simulate_cohort(spec, 1, number)
    rng = np.random.default_rng(number)
    dosage = dataset.dosage().copy()
    dosage[3, 5] = -1
    age = rng.normal(50, 10, n_samples)
    dataset = replace(
        dataset,
        genotypes=dosage,
        covariates=np.column_stack([dataset.covariates, age]),
        covariate_id=np.array(["Gender", "age"]),
    )
    if kind != "continuous":
        return dataset
    value = dosage[:, :4].sum(axis=1) + 0.05 * age + rng.normal(0, 0.5, n_samples)
    levels = {"Gender": dataset.levels["Gender"]}
    return replace(dataset, phenotypes=value[:, None], trait_id=np.array(["yield"]), levels=levels, truth=None)


def fitted(candidate: str, kind: str, dataset: Dataset, **hyperparameters: object) -> Predictor:
    task = make_task(dataset, str(dataset.trait_id[0]), kind=kind)
    estimator = CANDIDATES[candidate].make(kind, task.n_covariates, seed=1, **hyperparameters).fit(task.X, task.y)
    residuals = np.linspace(-2, 2, task.n_samples) if kind == "continuous" else None
    return make_predictor(
        estimator, dataset, task.trait, kind=task.kind, classes=task.classes, residuals=residuals, summary={"auc": 0.9}
    )
