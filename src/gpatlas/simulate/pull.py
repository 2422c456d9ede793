"""Genotypes and haplotypes as tables, with AlphaSimR's names of rows and columns (R/pullGeno.R).

`loci` says which: those of a chip (`chip.loci`), the QTL of a trait (`group.loci`), or all segregating sites.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError
from gpatlas.simulate.population import Population

if TYPE_CHECKING:
    import pandas as pd


def pull_genotypes(
    population: Population, loci: NDArray | None = None, *, chromosomes: list[int] | None = None
) -> "pd.DataFrame":
    """Return dosage 0..ploidy, one row per individual (pullSegSiteGeno, pullSnpGeno, pullQtlGeno).

    Parameters
    ----------
    population
        Individuals; their ids name the rows.
    loci
        Indices of the loci wanted; all by default.
    chromosomes
        Only loci on these.
    """
    import pandas as pd

    columns = _columns(population, loci, chromosomes)
    dosage = population.dosage(slice(0, population.n_individuals), columns)
    return pd.DataFrame(dosage, population.id.astype(str), population.locus_id[columns].astype(str))


def pull_haplotypes(
    population: Population,
    loci: NDArray | None = None,
    *,
    haplotype: int | Literal["all"] = "all",
    chromosomes: list[int] | None = None,
) -> "pd.DataFrame":
    """Return alleles 0 and 1, one row per haplotype "id_1", "id_2", … (pullSegSiteHaplo, pullSnpHaplo, pullQtlHaplo).

    Parameters
    ----------
    population, loci, chromosomes
        As in `pull_genotypes`.
    haplotype
        1 … ploidy for one row per individual, or "all".

    Raises
    ------
    DataError
        There is no such haplotype.
    """
    import pandas as pd

    ploidy = population.ploidy
    if haplotype != "all" and not 1 <= haplotype <= ploidy:
        raise DataError(f"haplotype = {haplotype!r}: individuals have the haplotypes 1 to {ploidy}; or say 'all'")
    wanted = np.arange(ploidy) if haplotype == "all" else np.array([haplotype - 1])
    columns = _columns(population, loci, chromosomes)
    stored = np.zeros_like(wanted) if population.inbred else wanted  # inbreds hold one row for all copies
    rows = (np.arange(population.n_individuals)[:, None] * population.copies + stored).ravel()
    names = [f"{one}_{h + 1}" for one in population.id.tolist() for h in wanted]
    return pd.DataFrame(population.haplotypes.unpack(rows, columns), names, population.locus_id[columns].astype(str))


def _columns(population: Population, loci: NDArray | None, chromosomes: list[int] | None) -> NDArray[np.intp]:
    columns = np.arange(population.n_loci) if loci is None else np.asarray(loci, dtype=np.intp)
    return columns if chromosomes is None else columns[np.isin(population.chromosome[columns], chromosomes)]
