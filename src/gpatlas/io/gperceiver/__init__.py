"""gperceiver's three tables: chromosomes and positions, allele codes of markers, and phenotypes in blocks."""

from gpatlas.io.gperceiver.phenotypes import are_gperceiver_columns, with_gperceiver_phenotypes
from gpatlas.io.gperceiver.reading import read_gperceiver, read_markers
from gpatlas.io.gperceiver.writing import write_gperceiver

__all__ = [
    "are_gperceiver_columns",
    "read_gperceiver",
    "read_markers",
    "with_gperceiver_phenotypes",
    "write_gperceiver",
]
