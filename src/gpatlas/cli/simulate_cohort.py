"""`gpatlas simulate-cohort`: a synthetic clinic with known causal sites."""

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from gpatlas.cli import app
from gpatlas.cli.measure import cpu_seconds, write_runtime
from gpatlas.config import CohortSpec, parse_mapping, read_yaml
from gpatlas.dataset import Dataset
from gpatlas.errors import ConfigError


@app.command(name="simulate-cohort")
def simulate_cohort(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write, or a dataset file (.h5).")],
    config: Annotated[Path | None, typer.Argument(help="YAML of a recipe; none: the defaults.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the recipe; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed; the same one gives the same files.")] = 1,
    clinic: Annotated[
        int, typer.Option(min=1, help="2, 3, …: other samples at the same sites, with the same illness.")
    ] = 1,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Simulate a clinic: cases, controls and their sex.

    A folder gets genotypes.vcf.gz, phenotypes.csv and truth.json; a dataset file holds all three. The truth says which
    sites are causal, and the Bayes ceiling: what the best possible classifier reaches. Keys are in config/README.md.

    \b
    Example:
      gpatlas simulate-cohort --out clinic
      gpatlas simulate-cohort --clinic 2 --out other_clinic
      gpatlas simulate-cohort --set encoding=additive --set n_samples=2000 --set n_cases=800 --out clinic.h5
    """
    from gpatlas.io import write_dataset
    from gpatlas.io.cohort_files import GENOTYPES, PHENOTYPES, TRUTH, write_cohort
    from gpatlas.simulate.cohort import simulate_cohort

    start, cpu_start = time.perf_counter(), cpu_seconds()
    dataset = simulate_cohort(CohortSpec.parse(_recipe(config, set_ or []), str(config or "--set")), seed, clinic)
    if out.suffix in (".h5", ".hdf5"):
        write_dataset(dataset, out)
        files = [out, out, out]
    else:
        write_cohort(dataset, out)
        files = [out / name for name in (GENOTYPES, PHENOTYPES, TRUTH)]
    seconds = {"seconds": time.perf_counter() - start, "cpu_seconds": cpu_seconds() - cpu_start}
    write_runtime(runtime, stage="simulate", n_rows=1, **seconds)
    for file, line in zip(files, _lines(dataset), strict=True):
        print(f"{file}: {line}")
    for line in _ceiling(dataset):
        print(line)


def _recipe(config: Path | None, changes: list[str]) -> dict[str, Any]:
    recipe = {} if config is None else read_yaml(config)
    for change in changes:
        key, equals, value = change.partition("=")
        if not (key and equals):
            raise ConfigError(f"--set '{change}': expected KEY=VALUE, e.g. --set encoding=dominant")
        recipe |= parse_mapping(f"{key}: {value}", f"--set {change}")
    return recipe


def _lines(dataset: Dataset) -> list[str]:
    """Say what is in the genotypes, the phenotypes and the truth."""
    from gpatlas.simulate.cohort import SEX, TRAIT

    chromosomes = len(np.unique(dataset.chromosome))
    counts = zip(dataset.levels[TRAIT], np.bincount(dataset.phenotypes[:, 0].astype(int)), strict=True)
    sites = ", ".join(site["locus_id"] for site in dataset.provenance["cohort"]["causal_sites"])
    return [
        f"{dataset.n_samples} samples × {dataset.n_loci} sites on {chromosomes} chromosome{'s' * (chromosomes != 1)}",
        f"{TRAIT} ({', '.join(f'{count} {name}' for name, count in counts)}) and {SEX}",
        f"the causal sites are {sites}",
    ]


def _ceiling(dataset: Dataset) -> list[str]:
    """Say what cannot be beaten."""
    cohort = dataset.provenance["cohort"]
    values, errors = cohort["ceiling"]["values"], cohort["ceiling"]["errors"]
    names = {"accuracy_class": "accuracy", "balanced_accuracy": "balanced accuracy", "auc": "AUC"}
    said = [
        f"{name} {values[key]:.4f}" + (f" ± {errors[key]:.4f}" if errors[key] else "") for key, name in names.items()
    ]
    return [
        f"ceiling, of one who knows the recipe: {', '.join(said)}",
        f"on these {dataset.n_samples} samples that one is right for {cohort['ceiling_here']:.4f}",
    ]
