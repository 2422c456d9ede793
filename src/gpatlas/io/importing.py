"""`import_genotypes`: any genotype format to a dataset file; those that stream never lie in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, as_text
from gpatlas.encoding import MISSING
from gpatlas.errors import DataError
from gpatlas.io.atomic import atomic_hdf5
from gpatlas.io.genotypes import check_options, read_genotypes, reader_of
from gpatlas.io.store import write_beside_genotypes, write_dataset
from gpatlas.io.store.stored_dosages import StoredDosages, create_dosages
from gpatlas.io.variants.streams import GenotypeStream, LociSeen, Regions, collect
from gpatlas.packed import Bits, Dosages, PackedDosages
from gpatlas.packed.dosages import TILE_ROWS
from gpatlas.wording import several, some_names

STREAMS = {
    "read_vcf": "variants.vcf:VcfStream",
    "read_bed": "variants.plink:BedStream",
    "read_pgen": "variants.pgen:PgenStream",
}

Finish = Callable[[Dataset], Dataset]
Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Selection:
    """Which samples (by name; None: all) and which parts of the genome are wanted."""

    samples: Sequence[str] | None = None
    regions: Regions = field(default_factory=Regions)


def import_genotypes(
    path: str | Path,
    out: str | Path,
    selection: Selection | None = None,
    finish: Finish = lambda dataset: dataset,
    report: Report = lambda done, total, note: None,
    **options: Any,
) -> Dataset:
    """Read genotypes into a dataset file.

    VCF, BCF, PLINK 1 and PLINK 2 are read and written a block of loci at a time, so that a file may be larger than
    memory; other formats, polyploids, and loci that keep several alleles are read whole. Genotypes of a ploidy of one
    or two are stored in two bits.

    Parameters
    ----------
    path
        A file that `read_genotypes` knows, or for PLINK what the names of a set have in common.
    out
        Dataset file to write.
    selection
        Samples and regions to keep.
    finish
        Adds to the dataset before it is written, such as phenotypes; genotypes and samples stay as they are.
    report
        Called after every block with loci read, loci expected and a note.
    options
        What the format's reader takes besides, by name.

    Returns
    -------
    Dataset
        As written, but for its genotypes: nothing may be read of them. `provenance["account"]` says what was noticed.

    Raises
    ------
    DataError, ConfigError
        As `read_genotypes`; also samples that are not in the file.
    StoreError
        A file cannot be read or written.
    """
    path, selection = Path(path), selection or Selection()
    reader = reader_of(path, options)
    if reader.__name__ not in STREAMS:
        dataset = finish(_packed(_selected(read_genotypes(path, **options), selection, path)))
        write_dataset(dataset, out)
        return dataset
    check_options(path, reader, options)
    module, _, name = STREAMS[reader.__name__].partition(":")
    stream: GenotypeStream = getattr(import_module(f"gpatlas.io.{module}"), name)(path, selection.regions, **options)
    keep = rows_of(selection.samples, stream.samples.sample_id, path)
    if stream.ploidy > 2 or stream.in_memory:
        dataset = finish(collect(stream, keep))
        write_dataset(dataset, out)
        return dataset
    with atomic_hdf5(out) as file:
        dataset = finish(_import_stream(stream, file, keep, report))
        write_beside_genotypes(dataset, file)
    return dataset


def _import_stream(stream: GenotypeStream, file: h5py.File, keep: NDArray[np.intp] | None, report: Report) -> Dataset:
    """Write packed dosages as they come; return the dataset, whose genotypes lie in the open file."""
    seen = LociSeen(stream, keep)
    stored = create_dosages(file, "genotypes", seen.n_samples, None)
    for columns in seen.columns(4):
        first = stored.shape[1]
        stored.resize(first + len(columns), axis=1)
        for start in range(0, seen.n_samples, TILE_ROWS):
            rows = slice(start, start + TILE_ROWS)
            stored[rows, first:] = np.ascontiguousarray(columns[:, rows].T)
        report(seen.n_loci, max(seen.n_loci, stream.expected_loci(seen.n_loci)), "loci")
    stored.attrs["n_loci"] = seen.n_loci
    return seen.dataset(StoredDosages.within(stored))


def rows_of(wanted: Sequence[str] | None, sample_id: Sequence[str], path: Path) -> NDArray[np.intp] | None:
    """Return the rows of the samples asked for, in the file's order, or None for all.

    Raises
    ------
    DataError
        One of them is not in the file.
    """
    if wanted is None:
        return None
    if not wanted:
        raise DataError(f"{path}: the list of samples to keep is empty")
    asked, there = set(wanted), set(sample_id)
    absent = [name for name in wanted if name not in there]
    if absent:
        raise DataError(
            f"{path}: {several(len(absent), 'sample', 'asked for', 'is')} not in it ({some_names(absent)}); it has "
            f"{some_names(list(sample_id))}"
        )
    return np.array([row for row, name in enumerate(sample_id) if name in asked], dtype=np.intp)


def _selected(dataset: Dataset, selection: Selection, path: Path) -> Dataset:
    rows = rows_of(selection.samples, as_text(dataset.sample_id).tolist(), path)
    dataset = dataset if rows is None else dataset.samples(rows)
    if not selection.regions.parts:
        return dataset
    chromosome, position = as_text(dataset.chromosome).tolist(), dataset.position.tolist()
    inside = [selection.regions.contain(c, x) for c, x in zip(chromosome, position, strict=True)]
    if not any(inside):
        raise DataError(f"{path}: no locus in these regions")
    return dataset.loci(np.flatnonzero(inside))


def _packed(dataset: Dataset) -> Dataset:
    """Return the dataset with its int8 dosage in two bits, where the ploidy allows."""
    genotypes = dataset.genotypes
    if isinstance(genotypes, Bits | Dosages) or dataset.ploidy > 2:
        return dataset
    assert genotypes.min(initial=0) >= MISSING
    return replace(dataset, genotypes=PackedDosages.pack(genotypes))
