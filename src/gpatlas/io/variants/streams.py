"""Genotypes as they come from a file, a block of loci at a time, and what they add up to: a `Dataset` in memory."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpatlas import __version__
from gpatlas.dataset import Dataset, as_bytes, as_text
from gpatlas.encoding import MISSING
from gpatlas.errors import ConfigError, DataError
from gpatlas.io.field_data import check_sample_names, unique_locus_names
from gpatlas.io.variants.several_alleles import with_codes
from gpatlas.packed import Dosages, PackedDosages
from gpatlas.packed.dosages import TILE_LOCI, packed_by_loci
from gpatlas.wording import several

BLOCK_BYTES = 1 << 24  # of dosage in int8 that is read at once
LONGEST_ALLELE = 64  # names are stored in fixed width: one of 10 000 bases would make every allele as wide


class LociBlock(NamedTuple):
    """Consecutive loci: int8 dosage `(n_loci, n_samples)`, -1 missing, and per locus its name, place and alleles."""

    dosage: NDArray[np.int8]
    locus_id: Sequence[str]
    chromosome: Sequence[str]
    position: Sequence[float]
    alleles: Sequence[tuple[str, str]]


@dataclass
class SampleTable:
    """Who the samples of a genotype file are, and what its sample file says of them besides."""

    sample_id: list[str]
    family: list[str] | None = None
    phenotypes: NDArray[np.float64] | None = None
    trait_id: list[str] = field(default_factory=list)
    sex: NDArray[np.float64] | None = None
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    account: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Regions:
    """Parts of the genome: chromosomes, or ranges of positions on them with both ends included."""

    parts: tuple[tuple[str, float, float], ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Regions":
        """Read "chr2", "2:1000-2000" or "2:1,000-2,000".

        Raises
        ------
        ConfigError
            The range is not two ascending numbers.
        """
        parts = []
        for text in texts:
            found = re.fullmatch(r"(.+?):([\d,]+)-([\d,]+)", text)
            start, stop = (int(end.replace(",", "")) for end in found.groups()[1:]) if found else (0, np.inf)
            if start > stop or (found is None and ":" in text and "-" in text):
                raise ConfigError(f"--region {text}: not a region; write 2 or 2:1000-2000")
            parts.append((found.group(1) if found else text, start, stop))
        return cls(tuple(parts))

    def contain(self, chromosome: str, position: float) -> bool:
        """Whether a locus lies in one of them; always, where there are none.

        A locus without a position (NaN) lies in its whole chromosome, in no part of it.
        """
        return not self.parts or any(c == chromosome and (b == np.inf or a <= position <= b) for c, a, b in self.parts)


class GenotypeStream(ABC):
    """A genotype file that is read once, from its first locus to its last."""

    path: Path
    samples: SampleTable
    ploidy: int
    position_unit: str = "bp"
    regions: Regions
    in_memory: bool = False  # whether it takes all loci to make the dataset

    @abstractmethod
    def blocks(self) -> Iterator[LociBlock]:
        """Yield blocks of loci in the file's order; a block is good until the next one is asked for."""

    @abstractmethod
    def expected_loci(self, so_far: int) -> int:
        """Return how many loci there will be: known, or estimated from how far the file has been read."""

    @abstractmethod
    def account(self) -> list[str]:
        """Return, after the last block, sentences on what was noticed, dropped or split."""

    def several_alternatives(self) -> dict[int, NDArray[np.int8]]:
        """Return, after the last block, the copies of each ALT `(n_alternatives, n_samples)` of loci with several."""
        return {}

    def loci_per_block(self) -> int:
        """Return how many loci make a block of near `BLOCK_BYTES`."""
        return max(64, min(TILE_LOCI, BLOCK_BYTES // max(1, len(self.samples.sample_id))))


class LociSeen:
    """Names, places and alleles of the loci of a stream, and counts of calls, as blocks pass by."""

    def __init__(self, stream: GenotypeStream, keep: NDArray[np.intp] | None):
        check_sample_names(stream.samples.sample_id, stream.path)
        self.stream = stream
        self.keep = np.arange(len(stream.samples.sample_id)) if keep is None else keep
        self._all = keep is None
        self.n_placeless = self.n_loci = self.n_missing = self.n_empty = self.n_same = self.n_long = 0
        self._parts: list[tuple[NDArray, ...]] = []

    def columns(self, per_byte: int) -> Iterator[NDArray[np.uint8]]:
        """Yield the genotypes as packed bytes `(n_bytes, n_samples)`, a tile's width but for the last ones.

        `per_byte` is 4 for two bits a dosage and 1 for int8.
        """
        waiting: list[NDArray[np.uint8]] = []  # packed loci that do not fill a tile yet
        left: NDArray[np.int8] | None = None  # loci that do not fill a byte yet
        for block in self.stream.blocks():
            dosage = block.dosage if self._all else np.ascontiguousarray(block.dosage[:, self.keep])
            self._see(block, dosage)
            dosage = dosage if left is None or not len(left) else np.concatenate([left, dosage])
            whole = len(dosage) // per_byte * per_byte
            left = dosage[whole:].copy()
            waiting.append(packed_by_loci(dosage[:whole]) if per_byte == 4 else dosage.view(np.uint8).copy())
            while sum(map(len, waiting)) >= TILE_LOCI // 4:
                together = np.concatenate(waiting)
                yield together[: TILE_LOCI // 4]
                waiting = [together[TILE_LOCI // 4 :]]
        if left is not None and len(left):
            waiting.append(packed_by_loci(left))
        if waiting and sum(map(len, waiting)):
            yield np.concatenate(waiting)
        if not self.n_loci:
            where = " in these regions" * bool(self.stream.regions.parts)
            raise DataError("; ".join([f"{self.stream.path}: no locus in it{where}", *self.stream.account()]))

    @property
    def n_samples(self) -> int:
        """Number of samples that are kept."""
        return len(self.keep)

    def _see(self, block: LociBlock, dosage: NDArray[np.int8]) -> None:
        highest, lowest = dosage.max(axis=1), dosage.view(np.uint8).min(axis=1)  # a missing call is 255 in uint8
        self.n_loci += len(dosage)
        self.n_missing += int(np.count_nonzero(dosage == MISSING))
        self.n_empty += int(np.count_nonzero(highest == MISSING))
        self.n_same += int(np.count_nonzero((highest == lowest.view(np.int8)) & (highest != MISSING)))
        alleles = np.array(block.alleles)
        if np.char.str_len(alleles).max(initial=0) > LONGEST_ALLELE:
            alleles = np.array([[self._shortened(allele) for allele in pair] for pair in as_text(alleles).tolist()])
        names = (np.asarray(block.locus_id), np.asarray(block.chromosome))
        position = np.asarray(block.position, dtype=np.float64)
        # VCF and PLINK write an unknown position as 0; 0 cM is one
        unknown = ~(position > 0) if self.stream.position_unit == "bp" else np.isnan(position)
        self.n_placeless += int(unknown.sum())
        self._parts.append((*map(as_bytes, names), np.where(unknown, np.nan, position), as_bytes(alleles)))

    def _shortened(self, allele: str) -> str:
        if "," in allele:  # several that are counted together
            return ",".join(map(self._shortened, allele.split(",")))
        if len(allele) <= LONGEST_ALLELE:
            return allele
        import hashlib

        self.n_long += 1
        return f"{allele[:16]}~{len(allele)}~{hashlib.blake2b(allele.encode(), digest_size=8).hexdigest()}"

    def dataset(self, genotypes: NDArray[np.int8] | Dosages) -> Dataset:
        """Return the dataset of all loci seen."""
        stream, samples = self.stream, self.stream.samples
        locus_id, chromosome, position, alleles = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        self._parts.clear()
        names, renamed = unique_locus_names(as_text(locus_id).tolist(), as_text(chromosome), position, alleles)
        n, rows = self.n_samples, self.keep
        known: dict[str, Any] = {}
        if samples.sex is not None:
            known = {"covariates": samples.sex[rows, None], "covariate_id": as_bytes(np.array(["sex"]))}
        return Dataset(
            genotypes=genotypes,
            phenotypes=np.empty((n, 0)) if samples.phenotypes is None else samples.phenotypes[rows],
            sample_id=as_bytes(np.array(samples.sample_id)[rows]),
            locus_id=as_bytes(names),
            trait_id=as_bytes(np.array(samples.trait_id, dtype=str)),
            ploidy=stream.ploidy,
            fold=np.zeros(n, dtype=np.uint8),
            chromosome=chromosome,
            position=position,
            position_unit=stream.position_unit,
            alleles=alleles,
            family=None if samples.family is None else as_bytes(np.array(samples.family)[rows]),
            levels=samples.levels,
            provenance={
                "gpatlas": __version__,
                "source": stream.path.name,
                "account": [*samples.account, *stream.account(), *renamed, *self._counts(n)],
            },
            **known,
        )

    def _counts(self, n_samples: int) -> list[str]:
        share = self.n_missing / max(1, n_samples * self.n_loci)
        sizes = f"{several(n_samples, 'sample')}, {several(self.n_loci, 'locus')}"
        size = f"{sizes}, ploidy {self.stream.ploidy}, {share:.2%} of calls missing"
        long = ("allele", f"longer than {LONGEST_ALLELE} bases", "is", "named by start, length and digest")
        said = [
            (self.n_placeless, ("locus", "has", "no position (0 or less)")),
            (self.n_long, long),
            (self.n_empty, ("locus", "has", "no call at all")),
            (self.n_same, ("locus", "without variation")),
        ]
        return [size, *(several(count, *words) for count, words in said if count)]


def collect(stream: GenotypeStream, keep: NDArray[np.intp] | None = None) -> Dataset:
    """Read a stream, or some of its samples, into memory: two bits a dosage, or int8 where the ploidy is beyond two.

    Loci that keep several alleles give all of them allele codes.
    """
    seen, packed = LociSeen(stream, keep), stream.ploidy <= 2
    parts = [np.ascontiguousarray(columns.T) for columns in seen.columns(4 if packed else 1)]
    bits = np.concatenate(parts, axis=1)
    dataset = seen.dataset(PackedDosages(bits, seen.n_loci) if packed else bits.view(np.int8))
    several = {locus: copies[:, seen.keep] for locus, copies in stream.several_alternatives().items()}
    return with_codes(dataset, several) if several else dataset
