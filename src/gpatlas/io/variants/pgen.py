"""PLINK 2 binary genotypes: .pgen with its .pvar (or .pvar.zst) and .psam, read by pgenlib."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset
from gpatlas.encoding import MISSING
from gpatlas.errors import ConfigError, DataError
from gpatlas.io.variants.plink import file_of_set
from gpatlas.io.variants.plink_samples import read_plink_samples
from gpatlas.io.variants.streams import GenotypeStream, LociBlock, Regions, collect
from gpatlas.wording import several


class PgenStream(GenotypeStream):
    """A PLINK 2 file set: hard calls; dosage counts ALT.

    Parameters
    ----------
    path
        The .pgen, .pvar or .psam file, or what their names have in common.
    regions
        Loci to keep.
    multiallelic
        "split": one locus for each ALT, all other alleles being its "other"; "drop": leave such loci out.
    fam_phenotype
        Take sex and phenotypes from .psam.
    """

    def __init__(
        self,
        path: Path,
        regions: Regions | None = None,
        multiallelic: str = "split",
        fam_phenotype: bool = False,
    ):
        if multiallelic not in ("split", "drop"):
            raise ConfigError(f"multiallelic = '{multiallelic}'; allowed are split and drop")
        self.path, self.regions, self.multiallelic = file_of_set(path, ".pgen"), regions or Regions(), multiallelic
        self.ploidy = 2
        self.samples = read_plink_samples(file_of_set(path, ".psam", ".fam"), fam_phenotype)
        self._pvar_path = file_of_set(path, ".pvar", ".pvar.zst", ".bim")
        self._pvar, self._pgen = self._open()
        n_samples, n_loci = self._pgen.get_raw_sample_ct(), self._pgen.get_variant_ct()
        self._n_loci = self._pvar.get_variant_ct()
        for what, found, here in (("samples", len(self.samples.sample_id), n_samples), ("loci", self._n_loci, n_loci)):
            if found != here:
                raise DataError(f"{self.path}: {here:,} {what}, but the files beside it list {found:,}")
        self._counts = {"multiallelic": 0, "split": 0, "no alt": 0, "dosages": 0}

    def _open(self) -> tuple[Any, Any]:
        import pgenlib

        try:
            pvar = pgenlib.PvarReader(str(self._pvar_path).encode())
        except RuntimeError as error:
            raise DataError(f"{self._pvar_path}: {_reason(error)}") from None
        try:
            return pvar, pgenlib.PgenReader(str(self.path).encode(), pvar=pvar)
        except (RuntimeError, MemoryError) as error:  # the latter where damaged sizes are asked for
            raise DataError(f"{self.path}: {_reason(error)}") from None

    def blocks(self) -> Iterator[LociBlock]:
        """Yield blocks of loci, see `GenotypeStream`."""
        step = self.loci_per_block()
        dosage = np.empty((min(step, self._n_loci), len(self.samples.sample_id)), dtype=np.int8)
        for start in range(0, self._n_loci, step):
            stop = min(start + step, self._n_loci)
            here = dosage[: stop - start]
            self._check(lambda here=here, start=start, stop=stop: self._pgen.read_range(start, stop, here))
            if self._may_have_dosages:
                self._check(lambda start=start, stop=stop: self._count_dosages(start, stop))
            block = self._block(here, start)
            if len(block.locus_id):
                yield block

    @cached_property
    def _may_have_dosages(self) -> bool:
        """Whether the header leaves room for more than hard calls (PGEN specification, storage mode and vrtypes)."""
        with self.path.open("rb") as file:
            header = file.read(12)
        return header[2] in (3, 4) or (header[2] >= 0x10 and header[11] & 0x0F >= 4)

    def _count_dosages(self, start: int, stop: int) -> None:
        dosage = np.empty((stop - start, len(self.samples.sample_id)), dtype=np.float32)
        self._pgen.read_dosages_range(start, stop, dosage)
        self._counts["dosages"] += int(np.count_nonzero(dosage != np.rint(dosage)))

    def _block(self, dosage: NDArray[np.int8], start: int) -> LociBlock:
        """Name the loci, and leave out, split or drop those that are not as they were read."""
        pvar, names, rows = self._pvar, [], []
        chromosomes, positions, alleles = [], [], []
        for row in range(len(dosage)):
            k = start + row
            chromosome, position = pvar.get_variant_chrom(k).decode(), pvar.get_variant_pos(k)
            if not self.regions.contain(chromosome, position):
                continue
            codes = [pvar.get_allele_code(k, allele).decode() for allele in range(pvar.get_allele_ct(k))]
            if len(codes) > 2:
                self._counts["multiallelic"] += 1
                if self.multiallelic == "drop":
                    continue
                self._counts["split"] += len(codes) - 1
            codes = ["" if code == "." else code for code in codes]
            self._counts["no alt"] += codes[1] == ""
            for allele, code in enumerate(codes[1:], start=1):
                rows.append(dosage[row] if len(codes) == 2 else self._counted(k, allele))
                names.append(pvar.get_variant_id(k).decode())
                chromosomes.append(chromosome)
                positions.append(position)
                alleles.append((codes[0], code))
        whole = len(rows) == len(dosage) and self._counts["multiallelic"] == 0
        found = dosage if whole else np.array(rows, dtype=np.int8).reshape(len(rows), dosage.shape[1])
        np.maximum(found, MISSING, out=found)  # pgenlib's -9
        return LociBlock(found, names, chromosomes, positions, alleles)

    def _counted(self, k: int, allele: int) -> NDArray[np.int8]:
        found = np.empty(len(self.samples.sample_id), dtype=np.int8)
        self._check(lambda: self._pgen.read(k, found, allele_idx=allele))
        return found

    def _check(self, read: Any) -> None:
        try:
            read()
        except RuntimeError as error:
            raise DataError(f"{self.path}: damaged or cut short: {_reason(error)}") from None

    def expected_loci(self, so_far: int) -> int:
        """Return the number of loci in the file."""
        return self._n_loci

    def account(self) -> list[str]:
        """Return what was noticed, see `GenotypeStream`."""
        split = f"split into {self._counts['split']:,}, one for each ALT"
        done = "left out" if self.multiallelic == "drop" else split
        said = [
            (self._counts["multiallelic"], ("locus", "with several ALT", "was", done)),
            (self._counts["no alt"], ("locus", "has", "no ALT")),
            (self._counts["dosages"], ("imputed dosage", "is", "not whole: hard calls were taken")),
        ]
        return [several(count, *words) for count, words in said if count]


def _reason(error: RuntimeError | MemoryError) -> str:
    """Return pgenlib's message, which is bytes."""
    if isinstance(error, MemoryError):
        return "not a sound .pgen file, or too large for the memory there is"
    text = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
    return " ".join(text.split()).rstrip(".")


def read_pgen(path: str | Path, multiallelic: str = "split", fam_phenotype: bool = False) -> Dataset:
    """Read a PLINK 2 file set into memory; dosage counts ALT.

    Parameters
    ----------
    path, multiallelic, fam_phenotype
        As `PgenStream`.

    Raises
    ------
    DataError
        The files are damaged or do not belong together.
    StoreError
        One of them is absent or cannot be read.
    """
    return collect(PgenStream(Path(path), None, multiallelic, fam_phenotype))
