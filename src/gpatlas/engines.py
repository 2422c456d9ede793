"""One verb, three engines, one meaning: a design row becomes a `Dataset`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import gpatlas
from gpatlas.config.experiment import EngineSpec
from gpatlas.config.simulation import SimulationSpec
from gpatlas.dataset import Dataset, Truth
from gpatlas.errors import ConfigError, DataError
from gpatlas.io.published.tables import PublishedTables, read_published_tables
from gpatlas.simulate.alphasimr import simulate_with_alphasimr
from gpatlas.simulate.folds import assign_folds
from gpatlas.simulate.genetics import TraitGroup, genetic_values
from gpatlas.simulate.native import make_truth, simulate
from gpatlas.simulate.population import Population


def make_dataset(spec: SimulationSpec, engine: EngineSpec, seed: int, row: dict[str, Any]) -> Dataset:
    """Simulate or read one population.

    Parameters
    ----------
    spec
        What to simulate (the tables engine takes folds and shape from it).
    engine
        Which engine, with its settings.
    seed
        128-bit seed of the job.
    row
        Design columns, for file-name patterns and replicate seeds.

    Raises
    ------
    EngineError
        R or AlphaSimR is not available, or cannot do what the spec asks.
    ConfigError, DataError, StoreError
        See `simulate` and `read_published_tables`.
    """
    if engine.name == "native":
        dataset = simulate(spec, seed)
    elif engine.name == "alphasimr":
        by_replicate = engine.r_seed == "replicate"
        dataset = simulate_with_alphasimr(spec, int(row["rep"]) if by_replicate else seed % (2**31 - 1))
    else:
        dataset = _from_tables(spec, engine, seed, row)
    return replace(dataset, provenance={"command": "gpatlas simulate", "row": row} | dataset.provenance)


def _spelt(value: Any) -> Any:
    """A design value as the published file names spell it: 0 where the design has 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


@threadpool_limits.wrap(limits=1)
def _from_tables(spec: SimulationSpec, engine: EngineSpec, seed: int, row: dict[str, Any]) -> Dataset:
    assert engine.directory is not None
    try:
        stem = Path(engine.directory) / engine.pattern.format(**{key: _spelt(value) for key, value in row.items()})
    except (KeyError, IndexError, ValueError):
        raise ConfigError(
            f"engine.pattern: '{engine.pattern}' names a column that the design lacks; it has {', '.join(row)}"
        ) from None
    tables = read_published_tables(stem)
    n_samples, n_loci = tables.genotypes.shape
    found = {"individuals": n_samples, "loci": n_loci, "traits": len(tables.trait_id)}
    founders = spec.founders
    wanted = {"individuals": founders.n_individuals, "loci": founders.n_loci, "traits": spec.n_traits}
    for what, n in found.items():
        if n != wanted[what]:
            raise DataError(f"{stem}_*.txt: {n} {what}, but the design row asks for {wanted[what]}")
    return Dataset(
        genotypes=tables.genotypes,
        phenotypes=tables.phenotypes,
        sample_id=np.array(tables.sample_id).astype("S"),
        locus_id=np.array(tables.locus_id).astype("S"),
        trait_id=np.array(tables.trait_id),
        ploidy=1,
        fold=assign_folds(n_samples, spec.folds, np.random.default_rng(seed)),
        chromosome=np.array([name.split("_")[0] for name in tables.locus_id]).astype("S"),
        position=np.full(n_loci, np.nan),
        position_unit="",
        truth=_truth(tables, spec, f"{stem}_eff.txt"),
        provenance={
            "gpatlas": gpatlas.__version__,
            "engine": {"name": "tables", "tables": stem.name},
            "simulation": spec.model_dump(mode="json"),
            "seed": str(seed),
        },
    )


def _truth(tables: PublishedTables, spec: SimulationSpec, where: str) -> Truth | None:
    """Evaluate the effects table; the intercept, which it lacks, follows from the mean that the spec gives."""
    if tables.effects is None or tables.pairs is None:
        return None
    n_loci = tables.genotypes.n_loci
    population = Population(tables.genotypes, 1, False, np.ones(n_loci, dtype=np.int32), np.zeros(n_loci))
    groups = _joined([_group(tables, trait) for trait in range(len(tables.trait_id))])
    values = genetic_values(population, groups).gv
    _check_explained(values, tables, spec.phenotypes.h2_broad, where)
    intercept = np.concatenate([trait.vector("mean") for trait in spec.traits]) - values.mean(axis=0)
    start = 0
    for k, group in enumerate(groups):
        groups[k] = replace(group, intercept=intercept[start : (start := start + group.n_traits)])
    truth = make_truth(population, tuple(groups), genetic_values(population, groups))
    truth.traits["var_e"] = np.full(len(intercept), np.nan)  # the tables do not say
    return truth


def _check_explained(
    values: NDArray[np.float64], tables: PublishedTables, h2: float | tuple[float, ...] | None, where: str
) -> None:
    """Refuse effects whose genetic values fall short of the phenotypes' heritability beyond all chance.

    Fisher's arctanh of a correlation has standard error 1/√(n-3); six of them are allowed.

    Raises
    ------
    DataError
        The effects are not those that the phenotypes were made of.
    """
    if h2 is None:
        return
    expected = np.sqrt(np.minimum(np.broadcast_to(h2, values.shape[1]), 1 - 1e-12))
    for trait, (value, phenotype) in enumerate(zip(values.T, tables.phenotypes.T, strict=True)):
        known = ~np.isnan(phenotype)
        if known.sum() < 10 or not value[known].std() > 0 or not phenotype[known].std() > 0:
            continue
        found = np.corrcoef(value[known], phenotype[known])[0, 1]
        lowest = np.tanh(np.arctanh(expected[trait]) - 6 / np.sqrt(known.sum() - 3))
        if found < lowest:
            raise DataError(
                f"{where}: the effects of {tables.trait_id[trait]} give genetic values whose correlation with its "
                f"phenotypes is {found:.4f}, but at H² = {expected[trait] ** 2:g} it is at least {lowest:.4f}; remove "
                "the table to go on without a truth"
            )


def _joined(groups: list[TraitGroup]) -> list[TraitGroup]:
    """Make one group of neighbouring traits that share QTL and pairs, so that these are evaluated once."""
    joined: list[TraitGroup] = []
    for group in groups:
        last = joined[-1] if joined else None
        if last and np.array_equal(last.loci, group.loci) and np.array_equal(last.terms, group.terms):
            columns = ("additive", "dominance", "epistatic", "intercept")
            both: dict[str, Any] = {c: np.concatenate([getattr(last, c), getattr(group, c)]) for c in columns}
            joined[-1] = replace(last, **both)
        else:
            joined.append(group)
    return joined


def _group(tables: PublishedTables, trait: int) -> TraitGroup:
    assert tables.effects is not None
    assert tables.pairs is not None
    mine, paired = tables.effects.trait == trait, tables.pairs.trait == trait
    order = np.argsort(tables.effects.locus[mine])
    loci: NDArray[np.intp] = tables.effects.locus[mine][order].astype(np.intp)
    ends = np.column_stack([tables.pairs.locus_1[paired], tables.pairs.locus_2[paired]])
    additive = tables.effects.additive[mine][order][None, :]
    return TraitGroup(
        loci=loci,
        additive=additive,
        dominance=np.zeros_like(additive),
        terms=np.searchsorted(loci, ends),
        epistatic=tables.pairs.epistatic[paired][None, :],
        intercept=np.zeros(1),
    )
