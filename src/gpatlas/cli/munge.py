"""`gpatlas munge`: quality control and pruning of a dataset file, by what needs no phenotype."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gpatlas import __version__
from gpatlas.cli import app
from gpatlas.cli.progress import progress
from gpatlas.errors import ConfigError
from gpatlas.io import read_dataset, write_dataset


@app.command()
def munge(
    file: Annotated[Path, typer.Argument(help="Dataset file (HDF5).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Dataset file to write (HDF5).")],
    sample_call_rate: Annotated[float, typer.Option(help="Smallest share of known genotypes of a sample.")] = 0.85,
    locus_call_rate: Annotated[float, typer.Option(help="Smallest share of known genotypes of a locus.")] = 0.85,
    maf: Annotated[float, typer.Option(help="Smallest minor allele frequency.")] = 0.01,
    hwe: Annotated[
        float | None, typer.Option(help="Smallest p of the exact Hardy-Weinberg test; not for inbred lines.")
    ] = None,
    keep_duplicate_loci: Annotated[
        bool, typer.Option("--keep-duplicate-loci", help="Keep copies and complements of earlier loci.")
    ] = False,
    drop_twins: Annotated[
        bool, typer.Option("--drop-twins", help="Drop samples with the genotypes of an earlier one (99 % equal).")
    ] = False,
    r2: Annotated[
        float | None, typer.Option(help="Prune: the largest r² that two loci in a window may have, such as 0.5.")
    ] = None,
    window: Annotated[
        str, typer.Option(help="Window of pruning: a number of loci, or kilobases such as 250kb.")
    ] = "1000",
    step: Annotated[int, typer.Option(min=1, help="Loci that a window of loci moves on by.")] = 50,
    gwas: Annotated[
        list[Path] | None, typer.Option(help="Summary statistics of a GWAS on other data (columns SNP, P); repeatable.")
    ] = None,
    gwas_p: Annotated[float, typer.Option(help="With --gwas: largest p, in any of the files.")] = 0.001,
    clump: Annotated[
        bool, typer.Option("--clump", help="With --gwas: keep the best locus of each clump only.")
    ] = False,
    clump_r2: Annotated[float, typer.Option(help="With --clump: r² above which loci are of one clump.")] = 0.5,
    clump_kb: Annotated[float, typer.Option(help="With --clump: nearer than this.")] = 250.0,
) -> None:
    """Clean genotypes: call rates, frequencies, copies, LD.

    No phenotype is looked at, so that nothing leaks into a test. Pruning keeps the loci that PLINK 2's
    --indep-pairwise keeps, clumping those that PLINK 1.9's --clump does. What was dropped for what is printed, and
    kept in the file.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas munge population.h5 --maf 0.05 --r2 0.02 --window 50 --step 5 --out clean.h5
    """
    from gpatlas.io.phenotypes.gwas import read_gwas
    from gpatlas.munge.clean import Rules, clean
    from gpatlas.munge.clumping import ClumpRule
    from gpatlas.munge.pruning import Window

    rules = Rules(
        sample_call_rate=sample_call_rate,
        locus_call_rate=locus_call_rate,
        maf=maf,
        hwe=hwe,
        duplicate_loci=not keep_duplicate_loci,
        duplicate_samples=drop_twins,
        r2=r2,
        window=Window.parse(window, step),
        gwas_p=gwas_p if gwas else None,
        clump=ClumpRule(gwas_p, clump_r2, clump_kb) if clump else None,
    )
    if clump and not gwas:
        raise ConfigError("--clump goes by p values: give them with --gwas")
    p_values = read_gwas(gwas) if gwas else None
    dataset = read_dataset(file, lazy=True)
    with progress("munge") as report:
        cleaned = clean(dataset, rules, p_values, _stages(report))
    result = cleaned.take(dataset)
    steps = [*dataset.provenance.get("munge", {}).get("steps", []), *(vars(step) for step in cleaned.steps)]
    record = {"gpatlas": __version__, "from": dataset.content_hash, "steps": steps}
    write_dataset(replace(result, provenance={**dataset.provenance, "munge": record}), out)
    print(f"{file}: {dataset.n_samples:,} samples × {dataset.n_loci:,} loci")
    width = max(len(step.what) for step in cleaned.steps)
    for done in cleaned.steps:
        print(f"  {done.of:<7}  {done.what:<{width}}  {done.dropped:>9,} dropped  {done.left:>9,} left")
    for remark in cleaned.remarks:
        print(f"  {remark}")
    if dataset.truth is not None and result.truth is None:
        print("  the known effects and genetic values are left out: they were of all samples and loci")
    print(f"{out}: {result.n_samples:,} samples × {result.n_loci:,} loci")


def _stages(report: Callable[[int, int, str], None]) -> Callable[[str], None]:
    """Show which stage is running; how long one takes is not known beforehand."""
    done = 0

    def say(stage: str) -> None:
        nonlocal done
        report(done, 8, stage)
        done += 1

    return say
