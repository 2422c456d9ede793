"""`gpatlas harmonize`: new genotypes in the order and the counted alleles of a reference."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from gpatlas import __version__
from gpatlas.cli import app
from gpatlas.io import read_dataset, write_dataset


@app.command()
def harmonize(
    reference: Annotated[Path, typer.Argument(help="Dataset or model file whose loci and alleles are wanted.")],
    new: Annotated[Path, typer.Argument(help="Dataset file of new samples.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Dataset file to write (HDF5).")],
    ambiguous: Annotated[
        Literal["keep", "frequency", "drop"],
        typer.Option(help="A/T and C/G loci: as spelt, by allele frequency where that is clear, or missing."),
    ] = "keep",
    account: Annotated[
        Path | None, typer.Option(help="Write what was done to each locus, as CSV: status, id, what was taken.")
    ] = None,
) -> None:
    """Bring new genotypes to a reference's loci and alleles.

    Loci are found by position and alleles, then by id. Swapped alleles and other strands are turned, and everything
    that was turned, absent, ambiguous or contradictory is counted aloud.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas munge population.h5 --maf 0.05 --out clean.h5
      gpatlas harmonize clean.h5 population.h5 --out harmonized.h5 --account loci.csv
    """
    from gpatlas import harmonize as matching
    from gpatlas.io.tables import write_table
    from gpatlas.predictor import MODEL_SUFFIX, load_predictor

    if reference.suffix == MODEL_SUFFIX:
        wanted = load_predictor(reference).variants
    else:
        wanted = matching.Variants.of(read_dataset(reference, lazy=True))
    dataset = read_dataset(new, lazy=True)
    done = matching.harmonize(wanted, dataset, ambiguous)
    record = {"gpatlas": __version__, "from": dataset.content_hash, "counts": done.counts}
    result = matching.harmonized_dataset(wanted, done)
    write_dataset(replace(result, provenance={**dataset.provenance, "harmonize": record}), out)
    if account is not None:
        import pandas as pd

        write_table(pd.DataFrame(done.account), account)
    print(f"{new}: {dataset.n_samples:,} samples × {dataset.n_loci:,} loci")
    for sentence in done.sentences:
        print(f"  {sentence}")
    if dataset.truth is not None:
        print("  the known effects and genetic values are left out: they were of other loci")
    print(f"{out}: {dataset.n_samples:,} samples × {wanted.n_loci:,} loci, as in {reference}")
