"""What models are held against: fresh populations of every prior, and real cohorts in random splits."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas import priors
from gpatlas.dataset import Dataset
from gpatlas.io import read_genotypes
from gpatlas.io.phenotypes import read_phenotypes
from gpatlas.joins import attach
from gpatlas.priors import Task
from gpatlas.seeding import stable_seed
from tests.conftest import REFERENCE

N_SAMPLES, N_MARKERS = (120, 400), (500, 2000)
# trait classes: the first that fits
CLASSES = ("3–15 QTL", "16–80 QTL", "81–500 QTL", "infinitesimal", "dominance", "epistasis")
# cohort → genotypes, phenotypes, of a folder of that name among the reference data
COHORTS = {
    "wheat": ("genotypes.csv.gz", "phenotypes.csv"),
    "maize_mdp": ("genotypes.hmp.txt.gz", "traits.txt"),
}
N_TRAITS = {"wheat": 4, "maize_mdp": 3}
N_SPLITS, TEST_SHARE = 20, 0.2


@dataclass(frozen=True)
class Case:
    """A population of which a model is told the phenotypes of some; `truth` is None where nobody knows it."""

    x: NDArray
    y: NDArray[np.float64]
    told: NDArray[np.bool_]
    truth: NDArray[np.float64] | None
    chromosome: NDArray | None
    about: dict[str, Any]


def make_case(group: str, number: int) -> Case:
    """Return the case of that number of a prior or of a cohort; the same in every process."""
    return _split(group, number) if group in COHORTS else _population(group, number)


def how_many(group: str, populations: int) -> int:
    """Cases of a group."""
    return N_TRAITS[group] * N_SPLITS if group in COHORTS else populations


def trait_class(task: Task) -> str:
    """Return which of `CLASSES` a task belongs to."""
    for name in ("infinitesimal", "epistasis", "dominance"):
        if name in task.law:
            return name
    return CLASSES[int(task.n_qtl > 15) + int(task.n_qtl > 80)]


def _population(prior: str, number: int) -> Case:
    """Draw by the prior's own trait law, from a stream of seeds that training has not."""
    task = priors.draw(prior, stable_seed(number, "evaluation", prior, bits=63), N_SAMPLES, N_MARKERS)
    about = {"class": trait_class(task), "n": int(task.context.sum()), "m": task.n_markers, "split": task.split}
    about |= {"h2": task.h2, "n_qtl": task.n_qtl, "hidden": task.hidden}
    return Case(task.genotypes, task.phenotype, task.context, task.genetic_value, task.chromosome, about)


def _split(name: str, number: int) -> Case:
    """Hold back a random fifth of the lines that have the trait; the traits of a split come one after another."""
    split, column = divmod(number, N_TRAITS[name])
    dataset = _cohort(name)
    phenotype = dataset.phenotypes[:, column]
    known = np.flatnonzero(~np.isnan(phenotype))
    rng = np.random.default_rng(stable_seed(split, "evaluation", name, len(known)))
    told = np.ones(len(known), dtype=bool)
    told[rng.permutation(len(known))[: round(TEST_SHARE * len(known))]] = False
    x = dataset.dosage()[known].astype(np.float32)
    x[x < 0] = np.nan
    about = {"trait": dataset.trait_id[column].decode(), "split": split, "n": int(told.sum()), "m": x.shape[1]}
    chromosome = dataset.chromosome
    placed = chromosome is not None and (chromosome != b"").any()
    return Case(x, phenotype[known], told, None, chromosome if placed else None, about)


@lru_cache
def _cohort(name: str) -> Dataset:
    genotypes, phenotypes = (REFERENCE / name / file for file in COHORTS[name])
    return attach(read_genotypes(genotypes), read_phenotypes(phenotypes))[0]
