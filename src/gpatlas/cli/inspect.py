"""`gpatlas inspect`: what is in a dataset file."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from gpatlas.alleles import MISSING_CODE, alleles_seen
from gpatlas.cli import app
from gpatlas.dataset import Dataset, Fold, as_text
from gpatlas.encoding import MISSING
from gpatlas.io import read_dataset
from gpatlas.io.store import stored_hash
from gpatlas.packed import Dosages
from gpatlas.wording import rounded_mean


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="Dataset file (HDF5).")],
    traits: Annotated[int, typer.Option(min=1, help="How many traits to list.")] = 10,
) -> None:
    """Summarise a dataset file.

    Also checks that the content is what was written.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas inspect population.h5
    """
    from rich.console import Console
    from rich.table import Table

    dataset = read_dataset(file, lazy=True)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{file}[/bold]")
    summary = Table.grid(padding=(0, 2))
    for name, value in _summary(dataset, stored_hash(file) == dataset.content_hash):
        summary.add_row(name, value)
    console.print(summary)
    console.print(_trait_table(dataset, traits))
    if dataset.n_traits > traits:
        console.print(f"… and {dataset.n_traits - traits} more traits (--traits {dataset.n_traits})")


def _summary(dataset: Dataset, intact: bool) -> list[tuple[str, str]]:
    sizes = [f"{fold.name} {len(dataset.rows(fold))}" for fold in Fold]
    chromosomes = len(np.unique(dataset.chromosome))
    return [
        ("samples", f"{dataset.n_samples:,}  ({', '.join(sizes)})"),
        ("loci", f"{dataset.n_loci:,} on {chromosomes} chromosome{'s' * (chromosomes != 1)}"),
        ("ploidy", str(dataset.ploidy)),
        ("alleles", _alleles(dataset)),
        ("genotypes", _genotypes(dataset)),
        *_beside(dataset),
        *_origin(dataset),
        ("content", f"{dataset.content_hash} ({'as written' if intact else 'CHANGED since it was written'})"),
    ]


def _alleles(dataset: Dataset) -> str:
    """Say how many alleles loci have, and which share of allele codes is missing."""
    if dataset.codes is None:
        return "2 at every locus"
    n_seen = alleles_seen(dataset.codes, dataset.ploidy, dataset.n_alleles).sum(axis=1)
    loci = ", ".join(f"{(n_seen == n).sum():,} with {n}" for n in np.unique(n_seen).tolist())
    missing = (dataset.codes == MISSING_CODE).mean()
    return f"up to {dataset.n_alleles} at a locus (seen: {loci}), {missing:.2%} of allele codes missing"


def _beside(dataset: Dataset) -> list[tuple[str, str]]:
    """Name covariates, classes, environments and families where there are any, and what munging dropped."""
    names = as_text(dataset.covariate_id).tolist()
    found = []
    if names:
        said = [f"{name} ({', '.join(dataset.levels[name])})" if name in dataset.levels else name for name in names]
        found.append(("covariates", ", ".join(said)))
    traits = (name for name in as_text(dataset.trait_id).tolist() if name in dataset.levels)
    classes = [f"{name} ({', '.join(dataset.levels[name])})" for name in traits]
    if classes:
        found.append(("classes", ", ".join(classes)))
    if dataset.environments:
        shared: dict[str, list[str]] = {}
        for name in as_text(dataset.trait_id).tolist():
            if name in dataset.environments:
                base, place = dataset.environments[name]
                shared.setdefault(base, []).append(place)
        found += [("measured in", f"{base}: {', '.join(places)}") for base, places in shared.items()]
    if dataset.family is not None:
        found.append(("families", f"{len(set(as_text(dataset.family).tolist()) - {''}):,}"))
    munged = dataset.provenance.get("munge", {}).get("steps", [])
    if munged:
        dropped = {of: sum(step["dropped"] for step in munged if step["of"] == of) for of in ("samples", "loci")}
        found.append(("munged", f"{dropped['samples']:,} samples and {dropped['loci']:,} loci dropped"))
    return found


def _origin(dataset: Dataset) -> list[tuple[str, str]]:
    """Say where the data come from: a file, or a simulation."""
    provenance = dataset.provenance
    version = f"gpatlas {provenance.get('gpatlas', '?')}"
    if "source" in provenance:
        return [("read from", f"{provenance['source']} by {version}")]
    engine = provenance.get("engine", {}).get("name", "unknown")
    return [("made by", f"{version}, engine {engine}"), ("seed", str(provenance.get("seed", "unknown")))]


def _genotypes(dataset: Dataset) -> str:
    missing, ones = _missing_and_ones(dataset)
    total, known = dataset.n_samples * dataset.n_loci, np.maximum(dataset.n_samples - missing, 1) * dataset.ploidy
    minor = np.minimum(ones / known, 1 - ones / known)
    return (
        f"{missing.sum() / max(total, 1):.2%} missing, {(minor == 0).sum()} monomorphic loci, "
        f"minor allele frequency {minor.min():.3f} to {minor.max():.3f} (mean {minor.mean():.3f})"
    )


def _missing_and_ones(dataset: Dataset) -> tuple[NDArray, NDArray]:
    """Return missing calls and counted alleles of every locus, read as they lie on disk."""
    if isinstance(dataset.genotypes, Dosages):
        _, one, two, missing = dataset.genotypes.counts().T
        return missing, one + 2 * two
    missing, ones = np.zeros(dataset.n_loci), np.zeros(dataset.n_loci)
    step = max(1, (1 << 24) // max(1, dataset.n_loci))
    for start in range(0, dataset.n_samples, step):
        dosage = dataset.dosage(slice(start, start + step))
        missing += (dosage == MISSING).sum(axis=0)
        ones += np.where(dosage == MISSING, 0, dosage).sum(axis=0)
    return missing, ones


def _moments(known: NDArray, levels: tuple[str, ...] | None) -> tuple[str, str]:
    """Mean and variance, or how many samples each class has."""
    if levels is None:
        return (f"{rounded_mean(known):.3g}", f"{known.var():.3g}") if len(known) else ("", "")
    return ", ".join(f"{name}: {int((known == code).sum()):,}" for code, name in enumerate(levels)), ""


def _trait_table(dataset: Dataset, limit: int):  # type: ignore[no-untyped-def]
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("trait", "missing", "mean", "variance"):
        table.add_column(name, justify="left" if name == "trait" else "right", no_wrap=True)
    truth = dataset.truth
    if truth is not None:
        of_trait = {"QTL": truth.effects.trait, "pairs": truth.pairs.trait}
        if len(truth.triples.trait):
            of_trait["triples"] = truth.triples.trait
        for name in (*of_trait, "V_A/V_G", "V_D/V_G", "V_AA/V_G", "H²"):
            table.add_column(name, justify="right", no_wrap=True)
    for k, name in enumerate(as_text(dataset.trait_id)[:limit]):
        values = dataset.phenotypes[:, k]
        known = values[~np.isnan(values)]
        cells = [str(name), str(len(values) - len(known)), *_moments(known, dataset.levels.get(str(name)))]
        if truth is not None:
            var = {key: column[k] for key, column in truth.traits.items()}
            cells += [str((traits == k).sum()) for traits in of_trait.values()]
            cells += [f"{var[key] / var['var_g']:.3f}" for key in ("var_a", "var_d", "var_aa")]
            cells.append(f"{var['var_g'] / (var['var_g'] + var['var_e']):.4g}")
        table.add_row(*cells)
    return table
