"""A synthetic clinic as its users get it: a VCF, a phenotype table, and the truth in a file of its own."""

from pathlib import Path
from typing import Any

import numpy as np

from gpatlas.dataset import Dataset, as_text
from gpatlas.io.tables import write_json, write_table
from gpatlas.io.variants.exporting import write_vcf

GENOTYPES, PHENOTYPES, TRUTH = "genotypes.vcf.gz", "phenotypes.csv", "truth.json"


def write_cohort(dataset: Dataset, folder: str | Path) -> None:
    """Write a cohort of `gpatlas.simulate.cohort` as `genotypes.vcf.gz`, `phenotypes.csv` and `truth.json`.

    The table has a column ID, one for each covariate, and the trait, last; classes are named.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    folder = Path(folder)
    write_vcf(dataset, folder / GENOTYPES)
    write_table(_phenotype_table(dataset), folder / PHENOTYPES)
    write_json(cohort_truth(dataset), folder / TRUTH)


def cohort_truth(dataset: Dataset) -> dict[str, Any]:
    """Return what the generator knows: recipe, seed, causal sites with their effects, and the ceiling."""
    truth, cohort = dataset.truth, dataset.provenance["cohort"]
    if truth is None:
        raise ValueError("a cohort without its truth")
    effects = zip(cohort["causal_sites"], truth.effects.additive, truth.effects.dominance, strict=True)
    return {
        "seed": dataset.provenance["seed"],
        "clinic": dataset.provenance["clinic"],
        "causal_sites": [site | {"additive": float(a), "dominance": float(d)} for site, a, d in effects],
        "ceiling": cohort["ceiling"],
        "ceiling_here": cohort["ceiling_here"],
        "recipe": cohort["recipe"],
    }


def _phenotype_table(dataset: Dataset) -> Any:
    import pandas as pd

    columns = {"ID": as_text(dataset.sample_id)}
    for name, codes in zip(as_text(dataset.covariate_id), dataset.covariates.T, strict=True):
        columns[str(name)] = np.array(dataset.levels[str(name)])[codes.astype(int)]
    trait = str(as_text(dataset.trait_id)[0])
    columns[trait] = np.array(dataset.levels[trait])[dataset.phenotypes[:, 0].astype(int)]
    return pd.DataFrame(columns)
