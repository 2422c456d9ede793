"""Quality control of a whole dataset, step by step, with an account of what went for what."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, as_text
from gpatlas.encoding import MISSING
from gpatlas.errors import ConfigError, DataError
from gpatlas.munge.clumping import ClumpRule, clump
from gpatlas.munge.planes import Planes
from gpatlas.munge.pruning import Window, check_r2, prune
from gpatlas.munge.quality import (
    allele_frequency,
    duplicate_loci,
    genotype_counts,
    hardy_weinberg_p,
    polyploid_frequency,
)
from gpatlas.twins import find_twins

Report = Callable[[str], None]


@dataclass(frozen=True)
class Rules:
    """What samples and loci must fulfil to stay; None leaves a step out.

    Parameters
    ----------
    sample_call_rate, locus_call_rate
        Smallest share of known genotypes.
    maf
        Smallest minor allele frequency; loci that do not vary never stay.
    hwe
        Smallest p of the exact test of Hardy-Weinberg proportions. Not for inbred lines, which cannot have them.
    duplicate_loci
        Whether loci that repeat an earlier one, as it is or complemented, go.
    duplicate_samples
        Whether twins of earlier samples (at least 99 % of calls equal) go; they are counted in any case.
    r2, window
        LD pruning.
    gwas_p
        Largest p of a GWAS, where one is given.
    clump
        Clumping by p, where one is given.
    """

    sample_call_rate: float = 0.85
    locus_call_rate: float = 0.85
    maf: float = 0.01
    hwe: float | None = None
    duplicate_loci: bool = True
    duplicate_samples: bool = False
    r2: float | None = None
    window: Window = field(default_factory=Window)
    gwas_p: float | None = None
    clump: ClumpRule | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("sample_call_rate", 0, 1), ("locus_call_rate", 0, 1), ("maf", 0, 0.5), ("hwe", 0, 1), ("gwas_p", 0, 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ConfigError(f"{name} is {value}, but must be from {low} to {high}")
        if self.r2 is not None:
            check_r2(self.r2)


@dataclass(frozen=True)
class Step:
    """One step of the account: what it asked for, and how many went and stayed."""

    what: str
    of: str
    dropped: int
    left: int


@dataclass(frozen=True)
class Cleaned:
    """What stays, as indices into the dataset, and why the rest does not."""

    samples: NDArray[np.intp]
    loci: NDArray[np.intp]
    steps: list[Step]
    remarks: list[str]

    def take(self, dataset: Dataset) -> Dataset:
        """Return what stays of the dataset; the same one where that is all."""
        if len(self.samples) < dataset.n_samples:
            dataset = dataset.samples(self.samples)
        return dataset.loci(self.loci) if len(self.loci) < dataset.n_loci else dataset


def clean(
    dataset: Dataset, rules: Rules, gwas: dict[str, float] | None = None, report: Report = lambda text: None
) -> Cleaned:
    """Find the samples and loci that fulfil the rules: samples first, then loci, each by what is left by then.

    Parameters
    ----------
    dataset
        Genotypes, in memory or on disk; phenotypes are not looked at.
    rules
        Thresholds.
    gwas
        p value by locus id, from summary statistics of other data, for `gwas_p` and `clump`.
    report
        Told what is being done.

    Raises
    ------
    DataError
        Nothing is left, or a step needs a ploidy or positions that the data do not have.
    """
    return _Cleaning(dataset, rules, gwas, report).run()


class _Cleaning:
    """The state of one cleaning: what is still there, and the account."""

    def __init__(self, dataset: Dataset, rules: Rules, gwas: dict[str, float] | None, report: Report):
        self.dataset, self.rules, self.gwas, self.report = dataset, rules, gwas, report
        self.stays = {"samples": np.ones(dataset.n_samples, dtype=bool), "loci": np.ones(dataset.n_loci, dtype=bool)}
        self.steps: list[Step] = []
        self.remarks: list[str] = []

    def run(self) -> Cleaned:
        rules = self.rules
        self.clean_samples()
        self.count()
        called = self.known / max(1, len(self.rows))
        self.keep(f"call rate at least {rules.locus_call_rate:g}", "loci", called >= rules.locus_call_rate)
        self.clean_frequencies()
        if rules.duplicate_loci and self.dataset.codes is not None:
            self.remarks.append("copies of loci were not looked for: dosage does not tell several alleles apart")
        elif rules.duplicate_loci and self.dataset.ploidy > 2:
            self.remarks.append("copies of loci were not looked for: that takes a ploidy of 1 or 2")
        elif rules.duplicate_loci:
            self.report("comparing loci")
            repeated = duplicate_loci(self.planes, self.stays["loci"])
            self.keep("no copy or complement of an earlier locus", "loci", ~repeated)
        if self.gwas is not None:
            self.keep_what_a_gwas_found(self.gwas)
        if rules.r2 is not None:
            self.prune(rules.r2)
        return Cleaned(self.rows, np.flatnonzero(self.stays["loci"]), self.steps, self.remarks)

    def count(self) -> None:
        """Count genotypes of the samples that stay."""
        self.report("counting genotypes")
        rows = None if self.stays["samples"].all() else self.rows
        if self.dataset.ploidy <= 2:
            self.planes = Planes.of(self.dataset, rows)
            self.counts = genotype_counts(self.planes)
            self.known, self.frequency = self.counts.sum(axis=1), allele_frequency(self.counts)
        else:
            self.known, self.frequency = polyploid_frequency(self.dataset, self.rows)

    def prune(self, r2: float) -> None:
        """By LD."""
        self.need_ploidy("LD pruning")
        window, d = self.rules.window, self.dataset
        if window.kilobases:
            self.need_base_pairs("a window of kilobases")
        self.report("pruning by LD")
        kept = prune(self.planes, self.counts, d.chromosome, d.position, r2, window, self.stays["loci"])
        self.keep(f"r² at most {r2:g} within {window}", "loci", kept)

    @property
    def rows(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.stays["samples"])

    def keep(self, what: str, of: str, fulfils: NDArray[np.bool_]) -> None:
        """Drop what does not fulfil a rule, and write it down."""
        before = self.stays[of].sum()
        self.stays[of] &= fulfils
        left = int(self.stays[of].sum())
        self.steps.append(Step(what, of, int(before) - left, left))
        if not left:
            raise DataError(f"no {of} are left: {what} drops the last {before}")

    def clean_samples(self) -> None:
        """By call rate; and find twins."""
        self.report("reading samples")
        called = _call_rates(self.dataset)
        enough = called >= self.rules.sample_call_rate
        self.keep(f"call rate at least {self.rules.sample_call_rate:g}", "samples", enough)
        self.report("looking for twins")
        twins = find_twins(self.dataset if enough.all() else self.dataset.samples(self.rows))
        if self.rules.duplicate_samples:
            index = {name: i for i, name in enumerate(as_text(self.dataset.sample_id).tolist())}
            copy = np.zeros(len(called), dtype=bool)
            for first, second in zip(twins.first, twins.second, strict=True):
                copy[index[second]] |= not copy[index[first]]
            self.keep("no twin of an earlier sample", "samples", ~copy)
        elif twins.first:
            self.remarks += twins.sentences

    def clean_frequencies(self) -> None:
        """By minor allele frequency, and by Hardy-Weinberg proportions."""
        rules = self.rules
        minor = np.nan_to_num(np.minimum(self.frequency, 1 - self.frequency))
        self.keep("two alleles", "loci", minor > 0)
        if rules.maf:
            self.keep(f"minor allele frequency at least {rules.maf:g}", "loci", minor >= rules.maf * (1 - 1e-12))
        if rules.hwe is not None:
            if self.dataset.ploidy != 2:
                raise DataError(f"Hardy-Weinberg proportions are of diploids, but the ploidy is {self.dataset.ploidy}")
            self.report("testing Hardy-Weinberg proportions")
            p = hardy_weinberg_p(self.counts)
            self.keep(f"Hardy-Weinberg p at least {rules.hwe:g}", "loci", p >= rules.hwe * (1 - 1e-12))

    def keep_what_a_gwas_found(self, gwas: dict[str, float]) -> None:
        """By the p values of summary statistics."""
        rules = self.rules
        p = np.array([gwas.get(name, np.nan) for name in as_text(self.dataset.locus_id).tolist()])
        if np.isnan(p).all():
            names = as_text(self.dataset.locus_id[:1])[0], next(iter(gwas), "none")
            raise DataError(f"no locus of the GWAS is in the data; ids are such as '{names[0]}' and '{names[1]}'")
        self.keep("tested in the GWAS", "loci", ~np.isnan(p))
        if rules.clump is not None:
            self.need_ploidy("clumping")
            self.need_base_pairs("clumping")
            self.report("clumping")
            there = np.where(self.stays["loci"], p, np.nan)
            clumps = clump(self.planes, self.dataset.chromosome, self.dataset.position, there, rules.clump)
            founders = clumps == np.arange(len(clumps))
            what = (
                f"best of its clump (p at most {rules.clump.p:g}, r² {rules.clump.r2:g}, {rules.clump.kilobases:g} kb)"
            )
            self.keep(what, "loci", founders)
        elif rules.gwas_p is not None:
            self.keep(f"GWAS p at most {rules.gwas_p:g}", "loci", p <= rules.gwas_p)

    def need_ploidy(self, what: str) -> None:
        if self.dataset.ploidy > 2:
            raise DataError(f"{what} takes a ploidy of 1 or 2, but this is {self.dataset.ploidy}")

    def need_base_pairs(self, what: str) -> None:
        if self.dataset.position_unit != "bp":
            unit = self.dataset.position_unit or "no unit"
            raise DataError(f"{what} needs positions in bp, but these have {unit}; use a window of loci, such as 1000")


def _call_rates(dataset: Dataset) -> NDArray[np.float64]:
    """Return each sample's share of known genotypes."""
    called = np.zeros(dataset.n_samples)
    step = max(1, (1 << 26) // max(1, dataset.n_loci))
    for start in range(0, dataset.n_samples, step):
        dosage = dataset.dosage(slice(start, min(start + step, dataset.n_samples)))
        called[start : start + len(dosage)] = (dosage != MISSING).mean(axis=1) if dataset.n_loci else 0
    return called
