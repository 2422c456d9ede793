"""Everything that opens a file."""

from gpatlas.io.genotypes import read_genotypes
from gpatlas.io.phenotypes import read_covariates, read_phenotypes
from gpatlas.io.store import read_dataset, write_dataset

__all__ = ["read_covariates", "read_dataset", "read_genotypes", "read_phenotypes", "write_dataset"]
