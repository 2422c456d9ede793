"""A synthetic clinic: a case/control cohort whose causal sites, and whose ceiling, are known."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

import gpatlas
from gpatlas.config.cohort import CohortSpec
from gpatlas.dataset import Dataset, Effects, Fold, Pairs, Truth
from gpatlas.simulate.ceiling import Ceiling, bayes_ceiling
from gpatlas.simulate.illness import SEXES, Illness

TRAIT, SEX = "Status", "Gender"
NOTEBOOK_FREQUENCIES = (0.9, 0.05, 0.05)
_MEAN_GAP = 5_000  # base pairs between neighbouring sites
_TRANSITION = {"A": "G", "G": "A", "C": "T", "T": "C"}
_TRANSITIONS = 2 / 3  # share of transitions among human single-nucleotide variants


def simulate_cohort(spec: CohortSpec, seed: int, clinic: int = 1) -> Dataset:
    """Simulate a case/control cohort.

    Parameters
    ----------
    spec
        The recipe.
    seed
        Any non-negative integer; the same seed gives the same bytes. Sites, illness and everything else have random
        streams of their own.
    clinic
        1, 2, …: other clinics have other samples, but the same sites, alleles, frequencies and illness.

    Returns
    -------
    Dataset
        Diploid; trait "Status" with class 0 "control", covariate "Gender". Its truth counts all subtypes as ill:
        genetic values are P(ill | causal genotypes), effects are a and d of P(ill | dosage of that site).
        `provenance["cohort"]` holds the recipe, `causal_sites` with their subtypes and `ceiling`: see `Ceiling`;
        `ceiling_here` is the accuracy of the best rule on these very samples.
    """
    streams = [np.random.Generator(np.random.SFC64(s)) for s in np.random.SeedSequence(seed).spawn(4)]
    site_stream, illness_stream, linkage_stream, ceiling_stream = streams
    if clinic > 1:
        samples = np.random.SeedSequence((seed, clinic)).spawn(2)
        illness_stream, linkage_stream = (np.random.Generator(np.random.SFC64(s)) for s in samples)
    frequencies = _genotype_frequencies(spec, site_stream)
    causal = np.sort(site_stream.choice(spec.n_sites, spec.n_causal, replace=False))
    illness = Illness.of(spec, frequencies[causal])
    classes = illness_stream.permutation(np.repeat(np.arange(len(spec.class_sizes)), spec.class_sizes))
    causal_dosage, sex = illness.draw(classes, illness_stream)
    chromosome = np.sort(np.arange(spec.n_sites) % spec.n_chromosomes) + 1
    dosage = _other_sites(causal_dosage, causal, frequencies, chromosome, spec.linkage, linkage_stream)
    ceiling = bayes_ceiling(illness, ceiling_stream)
    best_rule = illness.posterior(causal_dosage, sex).argmax(axis=1)
    return Dataset(
        genotypes=dosage,
        phenotypes=classes[:, None].astype(np.float64),
        sample_id=_numbered("sample" if clinic == 1 else f"clinic-{clinic}-sample", spec.n_samples),
        locus_id=_numbered("site", spec.n_sites),
        trait_id=np.array([TRAIT]),
        ploidy=2,
        fold=np.full(spec.n_samples, Fold.train, dtype=np.uint8),
        chromosome=chromosome.astype(str),
        position=_positions(chromosome, site_stream),
        position_unit="bp",
        alleles=_alleles(spec.n_sites, site_stream),
        covariates=sex[:, None].astype(np.float64),
        covariate_id=np.array([SEX]),
        levels={TRAIT: spec.class_names, SEX: SEXES},
        truth=_truth(illness, causal, causal_dosage, classes),
        provenance={
            "gpatlas": gpatlas.__version__,
            "engine": {"name": "cohort", "version": gpatlas.__version__},
            "seed": str(seed),
            "clinic": clinic,
            "cohort": {
                "recipe": spec.model_dump(mode="json"),
                "causal_sites": _causal_sites(causal, illness, spec),
                "ceiling": _record(ceiling),
                "ceiling_here": float((best_rule == classes).mean()),
            },
        },
    )


def _genotype_frequencies(spec: CohortSpec, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return shares of dosage 0, 1, 2, `(n_sites, 3)`."""
    if spec.allele_bounds is None:
        return np.tile(spec.genotype_frequencies or NOTEBOOK_FREQUENCIES, (spec.n_sites, 1))
    q = rng.uniform(*spec.allele_bounds, spec.n_sites)
    return np.stack([(1 - q) ** 2, 2 * q * (1 - q), q**2], axis=1)


def _other_sites(
    causal_dosage: NDArray[np.int8],
    causal: NDArray,
    frequencies: NDArray[np.float64],
    chromosome: NDArray,
    linkage: float,
    rng: np.random.Generator,
) -> NDArray[np.int8]:
    """Draw all sites given the causal ones; returns dosage `(n_samples, n_sites)`.

    A genotype is the quantile of a uniform number, and a site takes the number of the one before with chance
    `linkage`. Runs of one number are broken between chromosomes and, at a random place, between causal sites.
    """
    n_samples, n_sites = len(causal_dosage), len(frequencies)
    goes_with_last = rng.random((n_samples, n_sites)) < linkage
    goes_with_last[:, np.flatnonzero(np.diff(chromosome, prepend=0))] = False
    for left, right in pairwise(causal):
        unbroken = np.flatnonzero(goes_with_last[:, left + 1 : right + 1].all(axis=1))
        goes_with_last[unbroken, rng.integers(left + 1, right + 1, len(unbroken))] = False
    run = np.cumsum(~goes_with_last, axis=1) - 1
    number = rng.random((n_samples, n_sites))  # of each run
    rows = np.arange(n_samples)
    upper = np.cumsum(frequencies, axis=1)
    for site, dosage in zip(causal, causal_dosage.T, strict=True):
        share = frequencies[site, dosage]
        number[rows, run[:, site]] = upper[site, dosage] - share * rng.random(n_samples)
    u = np.take_along_axis(number, run, axis=1)
    all_sites = (u > upper[:, 0]).astype(np.int8) + (u > upper[:, 1])
    all_sites[:, causal] = causal_dosage  # whatever rounding does at the ends of an interval
    return all_sites


def _positions(chromosome: NDArray, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw ascending positions, base pairs, on every chromosome."""
    along = np.cumsum(rng.geometric(1 / _MEAN_GAP, len(chromosome)))
    first = np.searchsorted(chromosome, chromosome)
    return (along - along[first] + 1 + 10 * _MEAN_GAP).astype(np.float64)


def _alleles(n_sites: int, rng: np.random.Generator) -> NDArray[np.str_]:
    """Draw reference and alternative bases, `(n_sites, 2)`; transitions are twice as frequent as the others."""
    reference = rng.choice(list("ACGT"), n_sites)
    transition, which = rng.random(n_sites) < _TRANSITIONS, rng.integers(0, 2, n_sites)
    alternative = [
        _TRANSITION[base] if is_transition else sorted(set("ACGT") - {base, _TRANSITION[base]})[other]
        for base, is_transition, other in zip(reference, transition, which, strict=True)
    ]
    return np.stack([reference, np.array(alternative)], axis=1)


def _truth(illness: Illness, causal: NDArray, dosage: NDArray, classes: NDArray) -> Truth:
    """Record P(ill | genotypes) as genetic values, with their variance split as that of any trait."""
    value = 1 - illness.posterior(dosage)[:, 0]
    additive = _fitted(value, dosage.astype(np.float64))
    with_dominance = _fitted(value, np.concatenate([dosage, dosage == 1], axis=1).astype(np.float64))
    variances = {
        "var_a": additive.var(),
        "var_d": (with_dominance - additive).var(),
        "var_aa": (value - with_dominance).var(),
        "var_g": value.var(),
        "var_e": (classes > 0).var() - value.var(),
    }
    effects = np.array([_site_effects(value, column) for column in dosage.T])
    index = np.zeros(len(causal), dtype=np.int32)
    none = np.empty(0, dtype=np.int32)
    return Truth(
        genetic_values=value[:, None],
        breeding_values=(additive - additive.mean())[:, None],
        effects=Effects(index, causal.astype(np.int32), effects[:, 0].copy(), effects[:, 1].copy()),
        pairs=Pairs(none, none, none, np.empty(0)),
        traits={name: np.array([float(number)]) for name, number in variances.items()},
    )


def _fitted(value: NDArray, features: NDArray) -> NDArray[np.float64]:
    """Return the least-squares fit, with an intercept."""
    design = np.column_stack([np.ones(len(value)), features])
    return design @ np.linalg.lstsq(design, value, rcond=None)[0]


def _site_effects(value: NDArray, dosage: NDArray) -> tuple[float, float]:
    """Return a and d of the mean value at each dosage of a site; a dosage that nobody has takes the overall mean."""
    low, middle, high = (value[dosage == g].mean() if (dosage == g).any() else value.mean() for g in range(3))
    return (high - low) / 2, middle - (high + low) / 2


def _causal_sites(causal: NDArray, illness: Illness, spec: CohortSpec) -> list[dict[str, Any]]:
    names = spec.class_names
    return [
        {"locus_id": f"site-{site + 1}", "locus": int(site), "class": names[k]}
        for site, k in zip(causal, illness.subtype, strict=True)
    ]


def _record(ceiling: Ceiling) -> dict[str, Any]:
    return {"values": ceiling.values, "errors": ceiling.errors, "exact": ceiling.exact}


def _numbered(name: str, count: int) -> NDArray[np.str_]:
    return np.array([f"{name}-{k}" for k in range(1, count + 1)])
