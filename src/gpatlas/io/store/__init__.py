"""The dataset file: HDF5, with genotypes that may be left on disk."""

from gpatlas.io.store.dataset_file import read_dataset, read_intact, stored_hash, write_beside_genotypes, write_dataset

__all__ = ["read_dataset", "read_intact", "stored_hash", "write_beside_genotypes", "write_dataset"]
