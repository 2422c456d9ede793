"""`read_genotypes`: any supported genotype format to a `Dataset`."""

from pathlib import Path

import numpy as np

from gpatlas.dataset import Dataset
from gpatlas.errors import DataError
from gpatlas.io.published_tables import read_genotype_table
from gpatlas.io.store import read_dataset


def read_genotypes(path: str | Path) -> Dataset:
    """Read genotypes; the format follows from the file's name.

    Parameters
    ----------
    path
        `.h5`/`.hdf5`: our dataset file; `_g.txt`: the published pipeline's genotype table (haploid, 0/1).

    Returns
    -------
    Dataset
        Without traits when the format has none.

    Raises
    ------
    DataError
        The name has no known ending, or the content breaks the format.
    StoreError
        The file cannot be read.
    """
    path = Path(path)
    if path.suffix in (".h5", ".hdf5"):
        return read_dataset(path)
    if path.name.endswith("_g.txt"):
        locus_id, samples, genotypes = read_genotype_table(path)
        return Dataset(
            genotypes=genotypes,
            phenotypes=np.empty((len(samples), 0)),
            sample_id=np.array(samples).astype("S"),
            locus_id=np.array(locus_id).astype("S"),
            trait_id=np.empty(0, dtype="S1"),
            ploidy=1,
            fold=np.zeros(len(samples), dtype=np.uint8),
            chromosome=np.array([name.split("_")[0] for name in locus_id]).astype("S"),
            position=np.full(len(locus_id), np.nan),
            position_unit="",
        )
    raise DataError(f"{path}: unknown genotype format '{path.suffix}'; known are .h5, .hdf5 and _g.txt")
