"""`gpatlas export`: the genotypes of a dataset file as VCF or PLINK files."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gpatlas.cli import app
from gpatlas.cli.progress import progress
from gpatlas.errors import ConfigError
from gpatlas.io import read_dataset


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Dataset file (HDF5).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: .vcf, .vcf.gz, .bed or .pgen.")],
) -> None:
    """Write genotypes as VCF or PLINK files.

    A VCF that ends in .gz is compressed as bgzip does; beside .bed or .pgen stand the files that belong to it. What
    the format cannot hold is printed.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas export population.h5 --out population.vcf.gz
    """
    from gpatlas.io.variants import exporting

    writers: dict[str, Callable[..., list[str]]] = {
        ".vcf": exporting.write_vcf,
        ".vcf.gz": exporting.write_vcf,
        ".bed": exporting.write_bed,
        ".pgen": exporting.write_pgen,
    }
    fitting = [ending for ending in writers if out.name.endswith(ending)]
    if not fitting:
        raise ConfigError(f"--out {out}: the name says the format; known are {', '.join(writers)}")
    dataset = read_dataset(file, lazy=True)
    with progress(f"export {out.name}") as report:
        account = writers[max(fitting, key=len)](dataset, out, report)
    for sentence in account:
        print(f"  {sentence}")
    print(f"{out}: {dataset.n_samples:,} samples × {dataset.n_loci:,} loci")
