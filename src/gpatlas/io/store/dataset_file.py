"""The dataset file: HDF5, flat arrays, samples first.

    genotypes        int8 (n_samples, n_loci), -1 missing; or bit-packed uint8 (n_samples, ceil(n_loci/8)) with
                     attributes encoding = "packed_bits" and unpack = the rule; since 1.2 also two bits a dosage,
                     uint8 (n_samples, ceil(n_loci/4)), encoding = "packed_dosages"
    phenotypes       float64 (n_samples, n_traits), NaN missing
    fold             enum (n_samples): train, validation, test
    sample_id, locus_id, trait_id, chromosome, position
    genetic_values, breeding_values            (n_samples, n_traits), where the truth is known
    effects/{trait, locus, additive, dominance}, pairs/{trait, locus_1, locus_2, epistatic}, traits/{var_a, …}
    triples/{trait, locus_1, locus_2, locus_3, epistatic}      since 1.1, where there are any
    alleles (n_loci, 2) other and counted allele; covariates (n_samples, n_covariates), covariate_id; family (n_samples)
                                                               since 1.2, where there are any
    allele_codes     int16 (n_samples, n_loci), 0 missing, with attributes n_alleles and decode = the rule; since 1.3,
                     where loci have more than two alleles: genotypes then count all alleles but the first

Attributes of the file: format, format_version, ploidy, position_unit, content_hash, provenance (JSON); since 1.2, where
there are any, levels (JSON: trait or covariate → names of its codes), environments (JSON: trait → [trait, environment])
In R: `f <- rhdf5::h5read(file, "phenotypes")` gives traits × samples, as R reverses dimensions.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, Effects, Fold, Pairs, Triples, Truth, as_bytes
from gpatlas.errors import GpatlasError, StoreError
from gpatlas.io.atomic import atomic_hdf5
from gpatlas.io.store.stored_bits import StoredBits
from gpatlas.io.store.stored_dosages import ENCODING, StoredDosages, write_dosages
from gpatlas.packed import Bits, Dosages, PackedBits, PackedDosages, n_bytes

FORMAT = "gpatlas-dataset"
FORMAT_VERSION = (1, 3)  # a reader refuses a larger first number
UNPACK_RULE = "dosage[i, j] = (genotypes[i, j // 8] >> (j % 8)) & 1"
DECODE_RULE = (
    "allele_codes[i, j] - 1 is the place of the call (from 0) among the sorted combinations with replacement of "
    "the alleles 0, ..., n_alleles - 1, ploidy at a time; 0 is a missing call"
)
CHUNK_BYTES = 1 << 20
FOLD_TYPE = h5py.enum_dtype({fold.name: fold.value for fold in Fold}, basetype="u1")


def write_dataset(dataset: Dataset, path: str | Path) -> None:
    """Write a dataset; the file appears whole or not at all, and equal datasets give equal bytes.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    with atomic_hdf5(path) as file:
        if isinstance(dataset.genotypes, Bits):
            stored = _packed_by_samples(file, "genotypes", dataset.genotypes)
            stored.attrs["encoding"] = "packed_bits"
            stored.attrs["n_loci"] = dataset.n_loci
            stored.attrs["unpack"] = UNPACK_RULE
        elif isinstance(dataset.genotypes, Dosages):
            write_dosages(file, "genotypes", dataset.genotypes)
        else:
            _by_samples(file, "genotypes", dataset.genotypes).attrs["encoding"] = "dosage"
        write_beside_genotypes(dataset, file)


def write_beside_genotypes(dataset: Dataset, file: h5py.File) -> None:
    """Write all of a dataset but its genotypes, which the file holds already."""
    file.attrs["format"] = FORMAT
    file.attrs["format_version"] = FORMAT_VERSION
    file.attrs["ploidy"] = dataset.ploidy
    file.attrs["position_unit"] = dataset.position_unit
    file.attrs["content_hash"] = dataset.content_hash
    file.attrs["provenance"] = json.dumps(dataset.provenance, sort_keys=True)
    file.create_dataset("fold", data=dataset.fold, dtype=FOLD_TYPE)
    _by_samples(file, "phenotypes", dataset.phenotypes)
    for name in ("sample_id", "locus_id", "trait_id", "chromosome"):
        file.create_dataset(name, data=as_bytes(getattr(dataset, name)))
    file.create_dataset("position", data=dataset.position)
    _write_field_data(file, dataset)
    if dataset.truth is not None:
        _write_truth(file, dataset.truth)


def read_dataset(path: str | Path, lazy: bool = False) -> Dataset:
    """Read a dataset file.

    Parameters
    ----------
    path
        File to read.
    lazy
        Leave packed genotypes on disk, to be read some rows (or loci) at a time (`StoredBits`, `StoredDosages`), so
        that a dataset may be larger than memory; everything else is read: dosages in int8, and allele codes.

    Returns
    -------
    Dataset

    Raises
    ------
    StoreError
        The file is absent, truncated, not a gpatlas dataset, or of a newer format.
    """
    with _opened(path) as file:
        return _read(file, Path(path) if lazy else None)


def read_intact(path: str | Path, lazy: bool = False) -> Dataset:
    """Read a dataset as `read_dataset` does and, unless it is left on disk, check that it is what was written.

    Raises
    ------
    StoreError
        As `read_dataset`; the content is not what its hash was taken of.
    """
    dataset = read_dataset(path, lazy)
    if not lazy and dataset.content_hash != stored_hash(path):
        raise StoreError(f"{path}: the content has changed since it was written (its hash is another)")
    return dataset


def stored_hash(path: str | Path) -> str:
    """Return the content hash that a dataset file was written with; compare with `Dataset.content_hash`."""
    with _opened(path) as file:
        return str(file.attrs["content_hash"])


@contextmanager
def _opened(path: str | Path) -> Iterator[h5py.File]:
    try:
        with h5py.File(path, "r") as file:
            _check_format(file, path)
            yield file
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except GpatlasError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:  # an array is absent, or something else
        raise StoreError(f"{path}: not a complete gpatlas dataset: {' '.join(str(error.args[0]).split())}") from None
    except OSError as error:
        reason = " ".join(str(error).split())
        if "file signature not found" in reason:
            reason = "it is no such file; `gpatlas import` makes dataset files of other formats"
        raise StoreError(f"{path}: cannot be read as HDF5 ({reason})") from None


def _check_format(file: h5py.File, path: str | Path) -> None:
    if file.attrs.get("format") != FORMAT:
        raise StoreError(f"{path}: HDF5, but not a gpatlas dataset (attribute format is {file.attrs.get('format')!r})")
    major = int(file.attrs["format_version"][0])
    if major > FORMAT_VERSION[0]:
        wrote = json.loads(file.attrs.get("provenance", "{}")).get("gpatlas", "a newer version")
        raise StoreError(
            f"{path}: dataset format {major} is newer than this gpatlas reads ({FORMAT_VERSION[0]}); "
            f"it was written by gpatlas {wrote}, which can read it"
        )


def _read(file: h5py.File, leave_in: Path | None) -> Dataset:
    return Dataset(
        genotypes=_read_genotypes(file["genotypes"], leave_in),
        phenotypes=file["phenotypes"][()],
        sample_id=file["sample_id"][()],
        locus_id=file["locus_id"][()],
        trait_id=file["trait_id"][()],
        ploidy=int(file.attrs["ploidy"]),
        fold=file["fold"][()],
        chromosome=file["chromosome"][()],
        position=file["position"][()],
        position_unit=str(file.attrs["position_unit"]),
        truth=_read_truth(file) if "genetic_values" in file else None,
        provenance=json.loads(file.attrs["provenance"]),
        **_read_field_data(file),
    )


def _read_genotypes(stored: h5py.Dataset, leave_in: Path | None) -> NDArray[np.int8] | Bits | Dosages:
    encoding = stored.attrs["encoding"]
    if encoding == "dosage":
        return stored[()]
    if encoding not in ("packed_bits", ENCODING):
        raise StoreError(
            f"{stored.file.filename}: genotypes are stored as '{encoding}', which this gpatlas cannot read"
        )
    n_loci, bits = int(stored.attrs["n_loci"]), encoding == "packed_bits"
    if leave_in is None:
        return PackedBits(stored[()], n_loci) if bits else PackedDosages(stored[()], n_loci)
    return (StoredBits if bits else StoredDosages)(leave_in, stored.name, (len(stored), n_loci))


def _write_field_data(file: h5py.File, dataset: Dataset) -> None:
    """Write what data from the field have besides genotypes and phenotypes, where there is any."""
    if dataset.alleles is not None:
        file.create_dataset("alleles", data=as_bytes(dataset.alleles))
    if dataset.family is not None:
        file.create_dataset("family", data=as_bytes(dataset.family))
    if dataset.codes is not None:
        codes = _by_samples(file, "allele_codes", dataset.codes)
        codes.attrs["n_alleles"] = dataset.n_alleles
        codes.attrs["decode"] = DECODE_RULE
    if dataset.covariates.shape[1]:
        _by_samples(file, "covariates", dataset.covariates)
        file.create_dataset("covariate_id", data=as_bytes(dataset.covariate_id))
    for name in ("levels", "environments"):
        if getattr(dataset, name):
            file.attrs[name] = json.dumps(getattr(dataset, name), sort_keys=True)


def _read_field_data(file: h5py.File) -> dict[str, Any]:
    found = {name: file[name][()] for name in ("alleles", "family", "covariates", "covariate_id") if name in file}
    if "allele_codes" in file:
        stored = file["allele_codes"]
        found |= {"codes": stored[()], "n_alleles": int(stored.attrs["n_alleles"])}
    for name in ("levels", "environments"):
        meaning = json.loads(file.attrs.get(name, "{}"))
        found[name] = {key: tuple(value) for key, value in meaning.items()}
    return found


def _write_truth(file: h5py.File, truth: Truth) -> None:
    _by_samples(file, "genetic_values", truth.genetic_values)
    _by_samples(file, "breeding_values", truth.breeding_values)
    tables = {"effects": vars(truth.effects), "pairs": vars(truth.pairs), "traits": truth.traits}
    if len(truth.triples.trait):
        tables["triples"] = vars(truth.triples)
    for group, table in tables.items():
        for name, column in table.items():
            file.create_dataset(f"{group}/{name}", data=column)


def _read_truth(file: h5py.File) -> Truth:
    def table(group: str) -> dict[str, NDArray]:
        return {name: column[()] for name, column in file[group].items()}

    return Truth(
        genetic_values=file["genetic_values"][()],
        breeding_values=file["breeding_values"][()],
        effects=Effects(**table("effects")),
        pairs=Pairs(**table("pairs")),
        traits=table("traits"),
        triples=Triples(**table("triples")) if "triples" in file else Triples.none(),
    )


def _by_samples(file: h5py.File, name: str, values: NDArray) -> h5py.Dataset:
    """Write a matrix in chunks of whole rows, near `CHUNK_BYTES`; unlinked loci do not compress."""
    rows = _chunk_rows(len(values), values[:1].nbytes)
    chunks = (rows, *values.shape[1:]) if values.size else None  # data without phenotypes have no column
    return file.create_dataset(name, data=values, chunks=chunks)


def _packed_by_samples(file: h5py.File, name: str, bits: Bits) -> h5py.Dataset:
    """Write packed bytes a chunk at a time, as they need not lie in memory."""
    width = n_bytes(bits.shape[1])
    rows = _chunk_rows(len(bits), width)
    stored = file.create_dataset(name, shape=(len(bits), width), dtype=np.uint8, chunks=(rows, width))
    for block in bits.blocks(rows):
        stored[block] = bits.packed(block)
    return stored


def _chunk_rows(n_rows: int, row_bytes: int) -> int:
    return max(1, min(n_rows, CHUNK_BYTES // max(1, row_bytes)))
