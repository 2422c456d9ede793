"""Founders as mosaics of a few ancestral haplotypes: linkage disequilibrium in milliseconds, without a genealogy."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError
from gpatlas.packed import PackedBits, n_bytes
from gpatlas.simulate.population import Population


def mosaic(
    n_individuals: int,
    n_ancestors: int,
    chromosome: NDArray,
    position: NDArray,
    rng: np.random.Generator,
    *,
    switch_rate: float = 20.0,
    frequency: tuple[float, float] | Literal["reciprocal"] = "reciprocal",
    subpopulation: NDArray | None = None,
    fst: float = 0.0,
    ploidy: int = 2,
    inbred: bool = False,
) -> Population:
    """Draw founders whose haplotypes copy a few ancestors, piece by piece (Li & Stephens 2003, Genetics 165:2213).

    Within a piece founders share the ancestors' alleles, so that linkage disequilibrium falls by exp(-switch_rate·d)
    over d Morgan, and relationships are those of `n_ancestors` founders' descendants.

    Parameters
    ----------
    n_individuals
        Number of founders.
    n_ancestors
        Ancestral haplotypes of each subpopulation.
    chromosome, position
        The map, `(n_loci,)`: 1-based chromosomes, ascending, and Morgan; see `even_map` and `random_map`.
    rng
        Source of randomness.
    switch_rate
        Pieces end at this rate per Morgan; after t generations of intermating it is about t.
    frequency
        Law of allele "1"'s frequency: Beta(a, b), or "reciprocal", the neutral law 1/x, under which k of K ancestors
        carry the allele with a chance proportional to 1/k.
    subpopulation
        int `(n_individuals,)`, 0-based codes of each founder's subpopulation; all in one when left out. Each
        has ancestors of its own.
    fst
        Differentiation F of the subpopulations' allele frequencies (Balding & Nichols 1995); in [0, 1).
    ploidy, inbred
        See `Population`.

    Returns
    -------
    Population
        Every locus is polymorphic among the ancestors; a rare allele may be in none of the founders.

    Raises
    ------
    DataError
        There are fewer than two ancestors, or a rate or share is out of its range.
    """
    from gpatlas.simulate.mosaic_kernels import draw_ancestors

    codes = np.zeros(n_individuals, dtype=np.int64) if subpopulation is None else np.asarray(subpopulation)
    n_subpopulations = int(codes.max(initial=0)) + 1
    total = n_ancestors * n_subpopulations
    if n_ancestors < 1 or total < 2:
        raise DataError(f"mosaic: n_ancestors = {n_ancestors} leaves nothing to differ; use at least 2")
    if not 0 <= fst < 1:
        raise DataError(f"mosaic: fst = {fst:g} is not in [0, 1)")
    # cuts off one locus in 200 of those where a single ancestor carries the allele
    a, b, lowest = (1.0, 1.0, 0.005 / total) if frequency == "reciprocal" else (*map(float, frequency), 0.0)
    if min(a, b) <= 0:
        raise DataError(f"mosaic: frequency = ({a:g}, {b:g}) is no Beta distribution; both numbers are positive")
    alleles = np.empty((total, len(position)), dtype=np.uint8)
    draw_ancestors(rng, a, b, lowest, fst if n_subpopulations > 1 else 0.0, n_subpopulations, alleles)
    return mosaic_of(
        Population(
            PackedBits.pack(alleles),
            ploidy=ploidy,
            inbred=True,
            chromosome=np.ascontiguousarray(chromosome, dtype=np.int32),
            position=np.ascontiguousarray(position, dtype=np.float64),
        ),
        n_individuals,
        rng,
        switch_rate=switch_rate,
        subpopulation=codes,
        n_subpopulations=n_subpopulations,
        ploidy=ploidy,
        inbred=inbred,
    )


def mosaic_of(
    ancestors: Population,
    n_individuals: int,
    rng: np.random.Generator,
    *,
    switch_rate: float = 20.0,
    subpopulation: NDArray | None = None,
    n_subpopulations: int = 1,
    ploidy: int = 2,
    inbred: bool = False,
) -> Population:
    """Draw founders that copy the haplotypes of given ancestors, piece by piece.

    Parameters
    ----------
    ancestors
        Their stored haplotypes are copied: those of the first subpopulation stand first, and each has as many.
    n_individuals, rng, switch_rate, subpopulation, ploidy, inbred
        See `mosaic`.
    n_subpopulations
        Into how many the ancestors fall.

    Raises
    ------
    DataError
        A code is out of its range, the ancestors do not fall into equal parts, or the rate is not positive.
    """
    from gpatlas.simulate.mosaic_kernels import copy_from_ancestors

    codes = np.zeros(n_individuals, dtype=np.int64) if subpopulation is None else np.asarray(subpopulation)
    if codes.shape != (n_individuals,):
        raise DataError(f"mosaic: subpopulation has shape {codes.shape} for {n_individuals} founders; one code each")
    for code in codes[(codes < 0) | (codes >= n_subpopulations)][:1]:
        raise DataError(f"mosaic: subpopulation has the code {code}; codes are 0 … {n_subpopulations - 1}")
    n_ancestors, left_over = divmod(len(ancestors.haplotypes), n_subpopulations)
    if left_over or not n_ancestors:
        raise DataError(
            f"mosaic: {len(ancestors.haplotypes)} ancestral haplotypes do not make {n_subpopulations} equal parts"
        )
    if not 0 < switch_rate < np.inf:
        raise DataError(f"mosaic: switch_rate = {switch_rate:g} per Morgan is not a positive number")
    copies, genetic_map = 1 if inbred else ploidy, ancestors.genetic_map
    rows = np.zeros((n_individuals * copies, n_bytes(ancestors.n_loci)), dtype=np.uint8)
    copy_from_ancestors(
        rng.integers(0, 1 << 64, dtype=np.uint64),
        ancestors.haplotypes.bits,
        np.repeat(codes.astype(np.int64) * n_ancestors, copies),
        n_ancestors,
        genetic_map.first,
        genetic_map.position,
        genetic_map.guide,
        float(switch_rate),
        rows,
    )
    nobody: dict[str, Any] = {"id": None, "mother": None, "father": None, "sex": None, "recombinations": None}
    haplotypes = PackedBits(rows, ancestors.n_loci)
    return ancestors.like(haplotypes, ploidy=ploidy, inbred=inbred, sexes="no", **nobody)
