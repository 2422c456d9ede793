"""`Dataset`: genotypes, phenotypes, folds and, where it is known, the truth. Everything meets here."""

import enum
import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import codes_of_dosage
from gpatlas.encoding import as_features
from gpatlas.errors import DataError
from gpatlas.packed import Bits, Dosages, n_bytes


class Fold(enum.IntEnum):
    """Which part of an evaluation a sample belongs to. Selection uses validation; test is predicted once."""

    train = 0
    validation = 1
    test = 2


@dataclass(frozen=True)
class Effects:
    """Causal loci of every trait, one row per trait × QTL (flat arrays of equal length).

    `trait` and `locus` are 0-based indices into `Dataset.trait_id` and `Dataset.locus_id`; `additive` (a) and
    `dominance` (d) are in trait units, on AlphaSimR's coding (see `gpatlas.encoding`).
    """

    trait: NDArray[np.int32]
    locus: NDArray[np.int32]
    additive: NDArray[np.float64]
    dominance: NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Epistatic pairs of every trait, one row per trait × pair; the pair adds `epistatic · xa_1 · xa_2`."""

    trait: NDArray[np.int32]
    locus_1: NDArray[np.int32]
    locus_2: NDArray[np.int32]
    epistatic: NDArray[np.float64]


@dataclass(frozen=True)
class Triples:
    """Three-way interactions, one row per trait × triple; a triple adds `epistatic · xa_1 · xa_2 · xa_3`."""

    trait: NDArray[np.int32]
    locus_1: NDArray[np.int32]
    locus_2: NDArray[np.int32]
    locus_3: NDArray[np.int32]
    epistatic: NDArray[np.float64]

    @classmethod
    def none(cls) -> "Triples":
        """Return the empty table."""
        index = np.empty(0, dtype=np.int32)
        return cls(index, index, index, index, np.empty(0))


@dataclass(frozen=True)
class Truth:
    """What a simulation knows and a field trial does not.

    Parameters
    ----------
    genetic_values, breeding_values
        float64 `(n_samples, n_traits)`. Breeding values are deviations from the mean (AlphaSimR `genParam()$bv`).
    effects, pairs, triples
        The causal loci and their interactions.
    traits
        Per-trait columns, each `(n_traits,)`: `intercept`, `rel_aa`, `var_a`, `var_d`, `var_aa` (all epistasis),
        `var_g` (realised, divisor n), `var_e`, the genic terms, and `var_gxe` where there is any.
    """

    genetic_values: NDArray[np.float64]
    breeding_values: NDArray[np.float64]
    effects: Effects
    pairs: Pairs
    traits: dict[str, NDArray[np.float64]]
    triples: Triples = field(default_factory=Triples.none)


@dataclass(frozen=True)
class Dataset:
    """One population: samples in rows, always.

    Parameters
    ----------
    genotypes
        Dosage of allele "1": int8 `(n_samples, n_loci)` with 0..ploidy and -1 for missing; or, in memory or on disk,
        `Dosages` (ploidy up to two) or `Bits` (every dosage is 0 or 1). Read it through `dosage` or `features`.
    phenotypes
        float64 `(n_samples, n_traits)`, NaN where missing.
    sample_id, locus_id, trait_id
        Names, as NumPy arrays of `str` or ASCII `bytes`; always text, never numbers.
    ploidy
        Chromosome sets.
    fold
        uint8 `(n_samples,)`, codes of `Fold`.
    chromosome, position
        Per locus: chromosome name and position in `position_unit` ("Morgan", "cM", "bp" or "").
    truth
        `Truth`, or None for data from the field.
    provenance
        JSON-like record of how the data came about.
    alleles
        Text or bytes `(n_loci, 2)`: the other allele and the allele that dosage counts ("1", VCF's ALT); None where
        they are not known. An empty name is an unknown allele.
    covariates, covariate_id
        float64 `(n_samples, n_covariates)`, NaN where missing, and their names.
    levels
        Of categorical traits and covariates, by name: what the codes 0, 1, … stand for. Those not named are numbers.
    environments
        Of traits that are one trait in one environment: `trait_id` → (trait, environment).
    family
        Text or bytes `(n_samples,)`: family or other group of each sample, "" where none is known; None without.
    codes, n_alleles
        Where loci have more than two alleles: int16 `(n_samples, n_loci)` allele codes (`gpatlas.alleles`), and the
        largest number of alleles of a locus. Dosage then counts all alleles but the first. None, and 2, elsewhere.
    """

    genotypes: NDArray[np.int8] | Bits | Dosages
    phenotypes: NDArray[np.float64]
    sample_id: NDArray
    locus_id: NDArray
    trait_id: NDArray
    ploidy: int
    fold: NDArray[np.uint8]
    chromosome: NDArray
    position: NDArray[np.float64]
    position_unit: str = "Morgan"
    truth: Truth | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    alleles: NDArray | None = None
    covariates: NDArray[np.float64] = None  # type: ignore[assignment] # none: `(n_samples, 0)`, see __post_init__
    covariate_id: NDArray = field(default_factory=lambda: np.empty(0, dtype="S1"))
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    environments: dict[str, tuple[str, str]] = field(default_factory=dict)
    family: NDArray | None = None
    codes: NDArray[np.int16] | None = None
    n_alleles: int = 2

    def __post_init__(self) -> None:
        n_samples, n_loci = self.genotypes.shape
        if self.covariates is None:
            object.__setattr__(self, "covariates", np.empty((n_samples, 0)))
        for name, size, expected in (
            ("sample_id", len(self.sample_id), n_samples),
            ("phenotypes", len(self.phenotypes), n_samples),
            ("fold", len(self.fold), n_samples),
            ("locus_id", len(self.locus_id), n_loci),
            ("chromosome", len(self.chromosome), n_loci),
            ("position", len(self.position), n_loci),
            ("trait_id", len(self.trait_id), self.phenotypes.shape[1]),
            ("alleles", n_loci if self.alleles is None else len(self.alleles), n_loci),
            ("covariates", len(self.covariates), n_samples),
            ("covariate_id", len(self.covariate_id), self.covariates.shape[1]),
            ("family", n_samples if self.family is None else len(self.family), n_samples),
        ):
            if size != expected:
                raise DataError(f"a dataset's {name} has {size} rows, but {expected} are expected")
        self._check_codes()

    def _check_codes(self) -> None:
        if self.codes is not None and self.codes.shape != self.genotypes.shape:
            raise DataError(
                f"a dataset's codes are of {' × '.join(map(str, self.codes.shape))} samples and loci, its genotypes of "
                f"{' × '.join(map(str, self.genotypes.shape))}"
            )
        if self.n_alleles < 2 or (self.codes is None and self.n_alleles != 2):
            raise DataError(
                f"a dataset's n_alleles is {self.n_alleles}; it is 2, or more where there are allele codes to tell "
                f"them apart"
            )

    @property
    def n_samples(self) -> int:
        """Number of samples (rows of every matrix)."""
        return self.genotypes.shape[0]

    @property
    def n_loci(self) -> int:
        """Number of genotyped loci."""
        return self.genotypes.shape[1]

    @property
    def n_traits(self) -> int:
        """Number of traits."""
        return self.phenotypes.shape[1]

    def rows(self, *folds: Fold) -> NDArray[np.intp]:
        """Return the indices of the samples in any of these folds, ascending."""
        return np.flatnonzero(np.isin(self.fold, folds))

    def dosage(self, rows: NDArray | slice | None = None, loci: NDArray | slice | None = None) -> NDArray[np.int8]:
        """Return dosage, int8 `(n_rows, n_loci)` with -1 for missing, of some samples and loci (all by default)."""
        genotypes = self.genotypes
        if isinstance(genotypes, Dosages):
            return genotypes.unpack(rows, loci)
        if isinstance(genotypes, Bits):
            return genotypes.unpack(rows, None if loci is None else np.arange(self.n_loci)[loci]).view(np.int8)
        found = genotypes if rows is None else genotypes[rows]
        return found if loci is None else found[:, loci]

    def allele_codes(self, rows: NDArray | slice | None = None) -> NDArray[np.int16]:
        """Return allele codes, int16 `(n_rows, n_loci)` with 0 for missing, of some samples (all by default)."""
        if self.codes is None:
            return codes_of_dosage(self.dosage(rows))
        return self.codes if rows is None else self.codes[rows]

    def features(self, rows: NDArray | slice | None = None) -> NDArray:
        """Return the `X` of an estimator: int8 dosage, or float32 with NaN where calls are missing."""
        dosage = self.dosage(rows)
        return dosage if isinstance(self.genotypes, Bits) else as_features(dosage)  # bits cannot be missing

    def streamed_features(self, rows: NDArray | None = None) -> NDArray | Bits:
        """Return the `X` of an estimator that streams: bits where genotypes are packed, else `features`."""
        if not isinstance(self.genotypes, Bits):
            return self.features(rows)
        return self.genotypes if rows is None else self.genotypes.take(rows)

    def samples(self, rows: NDArray) -> "Dataset":
        """Return some of the samples, in the order asked for; folds keep their codes.

        The truth is left out: its variances were computed over all samples.
        """
        genotypes = self.genotypes
        return replace(
            self,
            genotypes=genotypes.take(rows) if isinstance(genotypes, Bits | Dosages) else genotypes[rows],
            phenotypes=self.phenotypes[rows],
            sample_id=self.sample_id[rows],
            fold=self.fold[rows],
            covariates=self.covariates[rows],
            family=None if self.family is None else self.family[rows],
            codes=None if self.codes is None else self.codes[rows],
            truth=None,
        )

    def loci(self, columns: NDArray) -> "Dataset":
        """Return the data at some of the loci, in the order asked for, as dosage in memory; the truth is left out."""
        genotypes: NDArray[np.int8] | Dosages
        if isinstance(self.genotypes, Dosages):
            genotypes = self.genotypes.select(columns)
        else:
            genotypes = np.ascontiguousarray(self.dosage(None, columns))
        return replace(
            self,
            genotypes=genotypes,
            locus_id=self.locus_id[columns],
            chromosome=self.chromosome[columns],
            position=self.position[columns],
            alleles=None if self.alleles is None else self.alleles[columns],
            codes=None if self.codes is None else np.ascontiguousarray(self.codes[:, columns]),
            truth=None,
        )

    def without_test(self) -> "Dataset":
        """Return the same data without the test samples, for whoever must not see them, and without the truth."""
        return self.samples(np.flatnonzero(self.fold != Fold.test))

    @cached_property
    def content_hash(self) -> str:
        """BLAKE2b digest of every array (not of provenance): equal hashes mean equal data.

        It is always computed from the data, also where they lie on disk (about a second per GB), and never taken from
        a file's attribute: fits and predictions are matched by it.
        """
        digest = hashlib.blake2b(digest_size=16)
        genotypes = self.genotypes
        packed = "dosages" if isinstance(genotypes, Dosages) else isinstance(genotypes, Bits)
        digest.update(f"{genotypes.shape} {packed} {self.ploidy} {self.position_unit}".encode())
        if isinstance(genotypes, Dosages):
            for tile in genotypes.tiles():
                digest.update(np.ascontiguousarray(tile).data)
        if isinstance(genotypes, Bits):
            digest.update(str((len(genotypes), n_bytes(self.n_loci))).encode())
            for rows in genotypes.blocks():
                digest.update(np.ascontiguousarray(genotypes.packed(rows)).data)
        for array in self._arrays():
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def _arrays(self) -> list[NDArray]:
        names = [as_bytes(names) for names in (self.sample_id, self.locus_id, self.trait_id, self.chromosome)]
        arrays: list[NDArray] = [] if isinstance(self.genotypes, Bits | Dosages) else [self.genotypes]
        arrays += [self.phenotypes, self.fold, self.position, *names]
        if self.truth is not None:
            truth = self.truth
            arrays += [truth.genetic_values, truth.breeding_values]
            arrays += [*vars(truth.effects).values(), *vars(truth.pairs).values()]
            arrays += [truth.traits[key] for key in sorted(truth.traits)]
            if len(truth.triples.trait):  # data without them keep the hash that older files hold
                arrays += vars(truth.triples).values()
        # of what data from the field have besides: the same
        arrays += [as_bytes(names) for names in (self.alleles, self.family) if names is not None]
        if self.covariates.shape[1]:
            arrays += [self.covariates, as_bytes(self.covariate_id)]
        if self.codes is not None:
            arrays += [self.codes, np.array([self.n_alleles])]
        for meaning in (self.levels, self.environments):
            if meaning:
                arrays.append(as_bytes(np.array([str(item) for item in sorted(meaning.items())])))
        return arrays


def as_bytes(names: NDArray) -> NDArray:
    """Return names as fixed-width UTF-8 bytes (NumPy dtype S), which is how they are stored."""
    names = np.asarray(names)
    if names.dtype.kind == "S":
        return names
    return np.char.encode(names.astype(str), "utf-8") if names.size else names.astype("S1")


def as_text(names: NDArray) -> NDArray:
    """Return names as `str` (NumPy dtype U)."""
    names = np.asarray(names)
    return np.char.decode(names, "utf-8") if names.dtype.kind == "S" else names.astype(str)
