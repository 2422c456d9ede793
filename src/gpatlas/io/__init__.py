"""Everything that opens a file."""

from gpatlas.io.genotypes import read_genotypes
from gpatlas.io.store import read_dataset, write_dataset

__all__ = ["read_dataset", "read_genotypes", "write_dataset"]
