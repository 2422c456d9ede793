"""PLINK 1 binary genotypes: .bed with its .bim and .fam, read by bed-reader."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, as_bytes, as_text
from gpatlas.encoding import MISSING
from gpatlas.errors import DataError, StoreError
from gpatlas.io.text import ragged, shown, text_lines
from gpatlas.io.variants.plink_samples import read_plink_samples
from gpatlas.io.variants.streams import GenotypeStream, LociBlock, Regions, collect

_MAGIC = b"\x6c\x1b"
_BIM_FIELDS = (6, 5)  # 5: without centimorgans
_LINES_AT_ONCE = 1 << 16
_UNKNOWN = ("0", ".")  # alleles


class BedStream(GenotypeStream):
    """A PLINK 1 file set; dosage counts A1, the fifth column of .bim.

    Parameters
    ----------
    path
        The .bed, .bim or .fam file, or what their names have in common.
    regions
        Loci to keep.
    fam_phenotype
        Take sex and phenotype from .fam.
    """

    def __init__(self, path: Path, regions: Regions | None = None, fam_phenotype: bool = False):
        self.path, self.regions, self.ploidy = file_of_set(path, ".bed"), regions or Regions(), 2
        bim = file_of_set(path, ".bim")
        self.samples = read_plink_samples(file_of_set(path, ".fam"), fam_phenotype)
        self._loci = Bim.read(bim)
        self.position_unit = self._loci.position_unit
        self._keep = self._loci.within(self.regions)
        self._check_size(bim)

    def _check_size(self, bim: Path) -> None:
        try:
            with self.path.open("rb") as file:
                start = file.read(3)
        except OSError as error:
            raise StoreError(f"cannot read {self.path}: {error.strerror}") from None
        if start[:2] != _MAGIC or start[2:] not in (b"\0", b"\1"):
            raise DataError(f"{self.path}: not a PLINK 1 bed file (starts with {start.hex() or 'nothing'}, not 6c1b01)")
        inner, outer = len(self.samples.sample_id), len(self._loci)
        if start[2:] == b"\0":  # samples first, which PLINK 1.0 could write
            inner, outer = outer, inner
        size, expected = self.path.stat().st_size, 3 + outer * ((inner + 3) // 4)
        if size != expected:
            raise DataError(
                f"{self.path}: {size:,} bytes, but {len(self.samples.sample_id):,} samples and {len(self._loci):,} "
                f"loci ({bim.name}) make {expected:,}; it was cut short, or the files do not belong together"
            )

    def blocks(self) -> Iterator[LociBlock]:
        """Yield blocks of loci, see `GenotypeStream`."""
        from bed_reader import open_bed

        bed = open_bed(self.path, iid_count=len(self.samples.sample_id), sid_count=len(self._loci), properties={})
        step = self.loci_per_block()
        for start in range(0, len(self._keep), step):
            loci = self._keep[start : start + step]
            adjacent = loci[-1] - loci[0] + 1 == len(loci)
            index = slice(int(loci[0]), int(loci[-1]) + 1) if adjacent else loci
            dosage = bed.read(np.s_[:, index], dtype="int8", order="F", num_threads=1).T
            np.maximum(dosage, MISSING, out=dosage)  # bed-reader's -127
            yield self._loci.block(dosage, loci)

    def expected_loci(self, so_far: int) -> int:
        """Return the number of loci to be read."""
        return len(self._keep)

    def account(self) -> list[str]:
        """Return what was noticed, see `GenotypeStream`."""
        return list(self._loci.account)


class Bim:
    """The loci of a .bim file."""

    def __init__(self, locus_id: NDArray, chromosome: NDArray, position: NDArray[np.float64], alleles: NDArray):
        self.locus_id, self.chromosome, self.position, self.alleles = locus_id, chromosome, position, alleles
        self.position_unit = "bp"
        self.account: list[str] = []

    def __len__(self) -> int:
        return len(self.locus_id)

    @classmethod
    def read(cls, path: Path) -> "Bim":
        """Read chromosome, name, centimorgans, base pair, A1 and A2; positions of 0 or less are not known.

        Raises
        ------
        DataError
            A line of another length, a position that is no number, or no loci.
        StoreError
            It cannot be read.
        """
        parts, rows, width = [], [], 0
        for number, line in text_lines(path):
            row = line.split()
            width = width or len(row)
            if len(row) != width or width not in _BIM_FIELDS:
                raise ragged(path, number, len(row), width if width in _BIM_FIELDS else _BIM_FIELDS[0])
            rows.append(row)
            if len(rows) == _LINES_AT_ONCE:
                parts.append(cls._columns(rows, path))
                rows = []
        if rows:
            parts.append(cls._columns(rows, path))
        if not parts:
            raise DataError(f"{path}: no loci in it")
        chromosome, locus_id, morgans, bp, other, counted = map(np.concatenate, zip(*parts, strict=True))
        unknown = bp <= 0
        found = cls(locus_id, chromosome, np.where(unknown, np.nan, bp), np.stack([other, counted], axis=1))
        if unknown.all() and (morgans > 0).any():
            found.position, found.position_unit = morgans, "cM"
            found.account.append(f"{path.name} has no positions in bp; those in centimorgans are used")
        return found

    @staticmethod
    def _columns(rows: list[list[str]], path: Path) -> tuple[NDArray, ...]:
        chromosome, locus_id, *middle, bp, a1, a2 = zip(*rows, strict=True)
        try:
            numbers = [np.array(column, dtype=np.float64) for column in (*middle, bp)]
        except ValueError:
            raise _no_position(rows, path) from None
        morgans = numbers[0] if middle else np.zeros(len(rows))
        named = [np.array(["" if name in _UNKNOWN else name for name in column]) for column in (a2, a1)]
        return as_bytes(np.array(chromosome)), as_bytes(np.array(locus_id)), morgans, numbers[-1], *map(as_bytes, named)

    def within(self, regions: Regions) -> NDArray[np.intp]:
        """Return the indices of the loci in some regions."""
        if not regions.parts:
            return np.arange(len(self))
        places = zip(as_text(self.chromosome).tolist(), self.position.tolist(), strict=True)
        return np.flatnonzero([regions.contain(chromosome, position) for chromosome, position in places])

    def block(self, dosage: NDArray[np.int8], loci: NDArray) -> LociBlock:
        """Return some of the loci with their dosage."""
        return LociBlock(dosage, self.locus_id[loci], self.chromosome[loci], self.position[loci], self.alleles[loci])


def _no_position(rows: list[list[str]], path: Path) -> DataError:
    """Return the error for the first of some lines whose position is no number."""
    for row in rows:
        for text in row[2:-2]:
            try:
                float(text)
            except ValueError:
                return DataError(f"{path}: locus {row[1]}: position {shown(text)} is no number")
    raise AssertionError


def file_of_set(path: Path, ending: str, *others: str) -> Path:
    """Return the file with this ending (or one of the others) beside `path`, any file of a set or its prefix.

    Raises
    ------
    StoreError
        There is none.
    """
    known = (".bed", ".bim", ".fam", ".pgen", ".pvar", ".psam", ".pvar.zst")
    stem = next((path.name.removesuffix(end) for end in reversed(known) if path.name.endswith(end)), path.name)
    for end in (ending, *others):
        if (found := path.with_name(stem + end)).is_file():
            return found
    raise StoreError(f"{path.with_name(stem + ending)}: no such file; a set needs one beside {path.name}")


def read_bed(path: str | Path, fam_phenotype: bool = False) -> Dataset:
    """Read a PLINK 1 file set into memory; dosage counts A1.

    Parameters
    ----------
    path, fam_phenotype
        As `BedStream`.

    Raises
    ------
    DataError
        The files are damaged or do not belong together.
    StoreError
        One of them is absent or cannot be read.
    """
    return collect(BedStream(Path(path), None, fam_phenotype))
