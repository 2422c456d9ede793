"""VCF and BCF, plain or compressed, read by cyvcf2 one block of records at a time."""

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset
from gpatlas.encoding import MISSING
from gpatlas.errors import ConfigError, DataError, StoreError
from gpatlas.io.text import text_lines
from gpatlas.io.variants import bgzf
from gpatlas.io.variants.htslib_messages import htslib_errors
from gpatlas.io.variants.streams import GenotypeStream, LociBlock, Regions, SampleTable, collect
from gpatlas.wording import several

PLACEHOLDERS = frozenset(("*", "<*>", "<NON_REF>"))  # ALT that stands for no allele of this locus
_RECORDS_TO_JUDGE_BY = 200


class VcfStream(GenotypeStream):
    """Records of a VCF or BCF file.

    Parameters
    ----------
    path
        `.vcf`, `.vcf.gz` or `.bcf`.
    regions
        Records to keep.
    multiallelic
        "split": one locus for each ALT, all other alleles being its "other"; "drop": leave such records out; "keep":
        one locus whose dosage counts all ALT, beside allele codes that tell them apart.
    ploidy
        Alleles of a whole call; None: the largest among the first two hundred records.
    haplotypes
        Whether to read phased calls as haploid samples, the haplotypes "id_1", "id_2", … of each sample.
    """

    def __init__(
        self,
        path: Path,
        regions: Regions | None = None,
        multiallelic: str = "split",
        ploidy: int | None = None,
        haplotypes: bool = False,
    ):
        if multiallelic not in ("split", "drop", "keep"):
            raise ConfigError(f"multiallelic = '{multiallelic}'; allowed are split, drop and keep")
        self.path, self.regions, self.multiallelic = path, regions or Regions(), multiallelic
        self._check_file()
        with htslib_errors(path):
            self._file, self._vcf = self._open()
            self.samples = SampleTable(list(self._vcf.samples))
            if not self.samples.sample_id:
                raise DataError(f"{path}: no samples in it, only sites; genotypes are needed")
            self.ploidy = self._alleles = ploidy or self._largest_ploidy()
            if haplotypes:
                names = [f"{name}_{h + 1}" for name in self.samples.sample_id for h in range(self._alleles)]
                self.samples, self.ploidy = SampleTable(names), 1
        self.in_memory = multiallelic == "keep"
        self._several: dict[int, NDArray[np.int8]] = {}  # copies of each ALT, by locus
        self._n_loci = 0
        self._haplotypes = haplotypes
        self._size = max(1, path.stat().st_size)
        self._tally = np.zeros(3, dtype=np.int64)
        self._counts = dict.fromkeys(
            ("records", "multiallelic", "placeholder", "no alt", "no calls", "split", "elsewhere"), 0
        )

    def _open(self) -> tuple[Any, Any]:
        from cyvcf2 import VCF

        file = self.path.open("rb")  # by its descriptor, which also tells how far it was read; and a path is no URL
        return file, VCF(file)

    def _check_file(self) -> None:
        try:
            with self.path.open("rb") as file:
                start = file.read(18)
                if start[:4] == b"\x1f\x8b\x08\x04" and start[12:14] == b"BC":
                    file.seek(-min(28, self.path.stat().st_size), os.SEEK_END)
                    if file.read() != bgzf.END:
                        raise DataError(f"{self.path}: cut short: the block that ends compressed data is missing")
                elif start[:2] == b"##":
                    file.seek(-1, os.SEEK_END)
                    if file.read() != b"\n":  # a call that was cut to "0" would still be one
                        raise DataError(f"{self.path}: cut short: the last line has no end (add one if it is whole)")
        except FileNotFoundError:
            raise StoreError(f"{self.path}: no such file") from None
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"cannot read {self.path}: {error.strerror}") from None
        if not start:
            raise DataError(f"{self.path}: the file is empty")
        self._check_columns()

    def _check_columns(self) -> None:
        """Compare the first record with the header: htslib leaves out what is beyond, and names would shift."""
        columns: list[int] = []
        with suppress(DataError, StoreError):  # no text but BCF, or damaged, which htslib says
            for _, line in text_lines(self.path):
                if columns or line.startswith("#CHROM"):
                    columns.append(line.count("\t") + 1)
                if len(columns) == 2:
                    break
        if len(set(columns)) > 1:
            raise DataError(f"{self.path}: the header has {columns[0]} columns, but the first record {columns[1]}")

    def _largest_ploidy(self) -> int:
        _, vcf = self._open()
        found = [record.ploidy for record in islice(vcf, _RECORDS_TO_JUDGE_BY) if "GT" in record.FORMAT]
        return max(found, default=2)

    def blocks(self) -> Iterator[LociBlock]:
        """Yield blocks of loci, see `GenotypeStream`."""
        while block := self._next_block():
            yield block
        if not self._counts["records"]:
            raise DataError(f"{self.path}: a header without records")

    def _next_block(self) -> LociBlock | None:
        rows: list[NDArray[np.int8]] = []
        names: list[str] = []
        chromosomes: list[str] = []
        positions: list[float] = []
        alleles: list[tuple[str, str]] = []
        full = self.loci_per_block()
        counts = self._counts
        with htslib_errors(self.path):
            for record in self._vcf:
                counts["records"] += 1
                chromosome, position, alternatives = record.CHROM, record.POS, record.ALT
                if not self.regions.contain(chromosome, position):
                    continue
                if "GT" not in record.FORMAT:
                    counts["no calls"] += 1
                    continue
                dosage = self._decode(record, max(1, len(alternatives)))
                counted = [k for k, allele in enumerate(alternatives) if allele not in PLACEHOLDERS]
                counts["placeholder"] += len(alternatives) - len(counted)
                if len(counted) > 1:
                    counts["multiallelic"] += 1
                    if self.multiallelic == "drop":
                        continue
                    counts["split"] += len(counted)
                if self.multiallelic == "keep" and len(alternatives) > 1 and counted:
                    dosage = self._together(dosage, counted)
                    alternatives, counted = [",".join(alternatives[k] for k in counted)], [0]
                if not alternatives:
                    counts["no alt"] += 1
                    alternatives, counted = [""], [0]
                if not counted:
                    continue
                name, reference = record.ID or ".", record.REF
                self._n_loci += len(counted)
                rows.append(dosage if len(counted) == len(dosage) else dosage[counted])
                for k in counted:
                    names.append(name)
                    chromosomes.append(chromosome)
                    positions.append(position)
                    alleles.append((reference, alternatives[k]))
                if len(names) >= full:
                    break
        return LociBlock(np.concatenate(rows), names, chromosomes, positions, alleles) if rows else None

    def _together(self, dosage: NDArray[np.int8], counted: list[int]) -> NDArray[np.int8]:
        """Remember the copies of the ALT that are counted; return their sum `(1, n_samples)`.

        A call of an ALT that stands for none is missing, as no allele can be named.
        """
        elsewhere = (np.delete(dosage, counted, axis=0) > 0).any(axis=0)
        self._counts["elsewhere"] += int(elsewhere.sum())
        copies = np.where(elsewhere, np.int8(MISSING), dosage[counted])
        if len(counted) > 1:
            self._several[self._n_loci] = copies
        return np.where(copies[:1] == MISSING, np.int8(MISSING), copies.sum(axis=0, dtype=np.int8))

    def several_alternatives(self) -> dict[int, NDArray[np.int8]]:
        """Return the copies of each ALT of the loci that keep several, see `GenotypeStream`."""
        return self._several

    def _decode(self, record: Any, n_alternatives: int) -> NDArray[np.int8]:
        from gpatlas.io.variants.vcf_calls import decode

        calls = record.genotype.array()
        if calls.shape[1] - 1 > self._alleles and (calls[:, self._alleles : -1] != -2).any():
            raise DataError(
                f"{self._at(record)} has calls of {calls.shape[1] - 1} alleles, but the ploidy is {self._alleles} "
                f"(by the records before, or as asked); say ploidy = {calls.shape[1] - 1}"
            )
        if self._haplotypes:
            calls = self._haploid(calls, record)
        dosage = np.empty((n_alternatives, len(calls)), dtype=np.int8)
        highest = decode(calls, self.ploidy, dosage, self._tally)
        if highest > n_alternatives or (highest and not record.ALT):
            raise DataError(f"{self._at(record)} has a call of allele {highest}, but only {len(record.ALT)} ALT")
        return dosage

    def _haploid(self, calls: NDArray[np.int16], record: Any) -> NDArray[np.int16]:
        """Take phased calls apart, to haploid ones; one allele where two are expected stands for both."""
        alleles = np.full((len(calls), self._alleles), -1, dtype=np.int16)
        width = min(self._alleles, calls.shape[1] - 1)
        alleles[:, :width] = calls[:, :width]
        if self._alleles == 2 and width == 2:
            single = alleles[:, 1] == -2
            alleles[single, 1] = alleles[single, 0]
            self._tally[1] += int(single.sum())
        unphased = (calls[:, -1] == 0) & (alleles >= 0).all(axis=1) & (alleles != alleles[:, :1]).any(axis=1)
        if unphased.any():
            name = self.samples.sample_id[int(unphased.argmax()) * self._alleles].removesuffix("_1")
            raise DataError(
                f"{self._at(record)} has an unphased heterozygous call (sample {name}), which is no two haplotypes; "
                "phase the file first, with Beagle or SHAPEIT"
            )
        return np.column_stack([alleles.ravel(), np.ones(alleles.size, dtype=np.int16)])

    def _at(self, record: Any) -> str:
        return f"{self.path}: record {record.CHROM}:{record.POS}"

    def expected_loci(self, so_far: int) -> int:
        """Estimate from the share of the file that has been read."""
        return round(so_far * self._size / max(1, os.lseek(self._file.fileno(), 0, os.SEEK_CUR)))

    def account(self) -> list[str]:
        """Return what was noticed, see `GenotypeStream`."""
        counts, tally = self._counts, self._tally
        done = {
            "drop": "left out",
            "split": f"split into {counts['split']:,} loci, one for each ALT",
            "keep": "kept as one locus",
        }[self.multiallelic]
        nothing = "for none (*, <*>, <NON_REF>)"
        said: list[tuple[int, tuple[str, ...]]] = [
            (counts["multiallelic"], ("record", "with several ALT", "was", done)),
            (counts["placeholder"], ("ALT allele", "that", "stands", nothing, "was", "left out")),
            (counts["elsewhere"], ("call", "of such an ALT taken as missing")),
            (counts["no alt"], ("record", "has", "no ALT and became loci without variation")),
            (counts["no calls"], ("record", "without GT", "was", "left out")),
            (tally[0], ("half call", "(such as ./1) taken as missing")),
            (tally[1], ("call", "of one allele among diploid ones (such as a male's X)", "counts", "twice")),
            (tally[2], ("call", f"of fewer than {self.ploidy} alleles taken as missing")),
        ]
        return [several(int(count), *words) for count, words in said if count]


def read_vcf(
    path: str | Path, multiallelic: str = "split", ploidy: int | None = None, haplotypes: bool = False
) -> Dataset:
    """Read a VCF or BCF file into memory; dosage counts ALT, or all ALT where several are kept.

    Parameters
    ----------
    path, multiallelic, ploidy, haplotypes
        As `VcfStream`.

    Raises
    ------
    DataError
        It is not a VCF or BCF file, is damaged or cut short, or has no samples or records; or haplotypes are wanted
        where a heterozygous call is unphased.
    StoreError
        It cannot be read.
    """
    return collect(VcfStream(Path(path), None, multiallelic, ploidy, haplotypes))
