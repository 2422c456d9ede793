"""Founders from the coalescent with recombination, by msprime, with AlphaSimR's histories (its runMacs, runMacs2)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from gpatlas.errors import DataError
from gpatlas.simulate.demography import GENERIC, Demography
from gpatlas.simulate.founders import from_haplotypes
from gpatlas.simulate.population import Population


def coalescent(
    n_individuals: int,
    n_chromosomes: int,
    rng: np.random.Generator,
    *,
    demography: Demography = GENERIC,
    loci_per_chromosome: Sequence[int] | int | None = None,
    model: Literal["smc_prime", "hudson"] = "smc_prime",
    split: float | None = None,
    ploidy: int = 2,
    inbred: bool = False,
) -> Population:
    """Draw founders whose genealogies and mutations are those of a population with a history.

    Mutations hit infinitely many sites: allele "1" is the derived one, and no site is monomorphic. Chromosomes
    are drawn independently.

    Parameters
    ----------
    n_individuals
        Number of founders.
    n_chromosomes
        Chromosomes, all of the demography's length.
    rng
        Source of randomness; the same seed and msprime give the same founders (AlphaSimR's own do not).
    demography
        `GENERIC`, `CATTLE`, `WHEAT`, `MAIZE`, or a `Demography` of your own.
    loci_per_chromosome
        Segregating sites to keep, drawn without replacement; one number or one each. All when left out.
    model
        "smc_prime" is the sequentially Markov coalescent SMC' (Marjoram & Wall 2006), as in AlphaSimR's MaCS; "hudson"
        is exact, and takes minutes for long histories.
    split
        Overrides the demography's: founders in the first half of the individuals come from one half, and the others
        from the other.
    ploidy, inbred
        See `Population`; sizes of the demography are not changed by them.

    Returns
    -------
    Population
        Positions in Morgan: `genetic_length`·(u - u of the first site), u in [0, 1) along the chromosome.

    Raises
    ------
    DataError
        A chromosome has fewer segregating sites than are wanted, or a split leaves an odd number of haplotypes.
    """
    history = demography if split is None else replace(demography, split=split)
    n_haplotypes = n_individuals * (1 if inbred else ploidy)
    if n_haplotypes < 2:
        raise DataError("coalescent: one haplotype has no segregating sites; draw more founders")
    if history.split is not None and n_haplotypes % 2:
        raise DataError(f"coalescent: a split needs an even number of haplotypes, not {n_haplotypes}")
    wanted: list[int | None]
    if loci_per_chromosome is None:
        wanted = [None] * n_chromosomes
    else:
        wanted = np.atleast_1d(loci_per_chromosome).tolist() * (1 if np.ndim(loci_per_chromosome) else n_chromosomes)
    if len(wanted) != n_chromosomes:
        raise DataError(f"coalescent: {len(wanted)} numbers of loci are given for {n_chromosomes} chromosomes")
    haplotypes, positions = [], []
    for number, (count, seeds) in enumerate(zip(wanted, rng.spawn(n_chromosomes), strict=True), start=1):
        trees = _mutated_trees(n_haplotypes, history, model, seeds)
        if trees.num_sites < (count or 1):
            raise DataError(
                f"coalescent: chromosome {number} has {trees.num_sites:,} segregating sites, but {count or 1:,} are "
                "wanted; keep fewer, or draw more founders"
            )
        if count is not None:
            dropped = seeds.choice(trees.num_sites, trees.num_sites - count, replace=False)
            trees = trees.delete_sites(dropped, record_provenance=False)
        haplotypes.append(trees.genotype_matrix().astype(np.uint8).T)
        positions.append(trees.sites_position * (history.genetic_length / history.length))
    chromosome = np.repeat(np.arange(1, n_chromosomes + 1), [len(along) for along in positions])
    return from_haplotypes(
        np.concatenate(haplotypes, axis=1), chromosome, np.concatenate(positions), ploidy=ploidy, inbred=inbred
    )


def _mutated_trees(n_haplotypes: int, history: Demography, model: str, rng: np.random.Generator) -> Any:
    """Return one chromosome's genealogies with mutations, as a tree sequence with two states, 0 and 1."""
    import msprime

    models = {"smc_prime": msprime.SMCK(1), "hudson": msprime.StandardCoalescent()}
    if model not in models:
        raise DataError(f"coalescent: model = {model!r} is not one of {', '.join(models)}")
    ancestry_seed, mutation_seed = (int(seed) for seed in rng.integers(1, 2**32, 2))
    per_population = n_haplotypes if history.split is None else n_haplotypes // 2
    names = "A" if history.split is None else "AB"
    trees = msprime.sim_ancestry(
        [msprime.SampleSet(per_population, population=name, ploidy=1) for name in names],
        demography=history.to_msprime(),
        ploidy=2,  # of the scale of time: sizes count diploids, whatever the founders are
        sequence_length=history.length,
        recombination_rate=history.recombination_rate,
        model=models[model],
        discrete_genome=False,
        random_seed=ancestry_seed,
        record_provenance=False,
    )
    return msprime.sim_mutations(
        trees,
        rate=history.mutation_rate,
        model=msprime.BinaryMutationModel(),
        discrete_genome=False,
        random_seed=mutation_seed,
        record_provenance=False,
    )
