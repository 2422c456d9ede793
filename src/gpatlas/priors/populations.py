"""A draw of a prior as a `Dataset`: what every model of an experiment is fitted to."""

from dataclasses import replace

import numpy as np

import gpatlas
from gpatlas.config.priors import PriorSpec
from gpatlas.dataset import Dataset, Effects, Fold, Pairs, Truth
from gpatlas.priors.laws import TraitLaw
from gpatlas.priors.mixture import make
from gpatlas.priors.task import Task
from gpatlas.seeding import stable_seed
from gpatlas.simulate.population import site_names

LAWS: dict[str, TraitLaw] = {
    "few": TraitLaw(infinitesimal=0.0, n_qtl=(3, 15), dominance=0.0, epistasis=0.0),
    "moderate": TraitLaw(infinitesimal=0.0, n_qtl=(16, 80), dominance=0.0, epistasis=0.0),
    "many": TraitLaw(infinitesimal=0.0, n_qtl=(81, 500), dominance=0.0, epistasis=0.0),
    "infinitesimal": TraitLaw(infinitesimal=1.0),
    "dominance": TraitLaw(infinitesimal=0.0, dominance=1.0, epistasis=0.0),
    "epistasis": TraitLaw(infinitesimal=0.0, dominance=0.0, epistasis=1.0),
}


def make_population(spec: PriorSpec, seed: int) -> Dataset:
    """Draw a population.

    Parameters
    ----------
    spec
        Scheme, trait law and size.
    seed
        Of the job.

    Raises
    ------
    ConfigError
        Unknown prior.
    EngineError
        The scheme leaves too few polymorphic loci.
    """
    prior = make(spec.prior) if spec.law == "mixture" else make(spec.prior, law=LAWS[spec.law])
    task = prior.draw(stable_seed(0, "population", str(seed), bits=63), spec.n_samples, spec.n_markers)
    dataset = to_dataset(task)
    return replace(dataset, fold=_hold_back(dataset.fold, spec.validation, task.seed))


def to_dataset(task: Task) -> Dataset:
    """Return a task as a dataset: its context is the training fold, its queries the test fold.

    The truth holds genetic values; QTL, and with them breeding values, are not part of a task.
    """
    nothing, index = np.empty(0), np.empty(0, dtype=np.int32)
    value = task.genetic_value
    unknown = dict.fromkeys(("var_a", "var_d", "var_aa"), np.array([np.nan]))
    truth = Truth(
        genetic_values=value[:, None],
        breeding_values=np.full((task.n_samples, 1), np.nan),
        effects=Effects(index, index, nothing, nothing),
        pairs=Pairs(index, index, index, nothing),
        traits={**unknown, "var_g": np.array([value.var()]), "var_e": np.array([1 - task.h2])},
    )
    described = {key: getattr(task, key) for key in ("scheme", "law", "h2", "n_qtl", "hidden", "split", "seed")}
    return Dataset(
        genotypes=task.genotypes,
        phenotypes=task.phenotype[:, None],
        sample_id=np.arange(1, task.n_samples + 1).astype("S"),
        locus_id=site_names(task.chromosome),
        trait_id=np.array([b"Trait1"]),
        ploidy=2,
        fold=np.where(task.context, Fold.train, Fold.test).astype(np.uint8),
        chromosome=task.chromosome.astype("S"),
        position=task.position,
        truth=truth,
        provenance={
            "gpatlas": gpatlas.__version__,
            "engine": {"name": "native", "version": gpatlas.__version__},
            "prior": described,
            "seed": str(task.seed),
        },
    )


def _hold_back(fold: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Move a share of the training fold to validation."""
    rows = np.flatnonzero(fold == Fold.train)
    chosen = np.random.default_rng([seed, 2]).permutation(rows)[: round(share * len(rows))]
    held = fold.copy()
    held[chosen] = Fold.validation
    return held
