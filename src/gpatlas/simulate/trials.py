"""Multi-environment trials on a panel of genotyped lines, few of which have phenotypes.

The panel is drawn by its own seed, so that all trials on it have the same genotypes; trait, errors and the choice of
lines are drawn by the trial's.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gpatlas.config.simulation import PhenotypeSpec, TraitSpec
from gpatlas.config.trials import PanelSpec, TrialSpec
from gpatlas.dataset import Dataset
from gpatlas.encoding import MISSING
from gpatlas.packed import Bits, Dosages, PackedDosages
from gpatlas.simulate.chips import SiteRoles, SnpChip, add_snp_chip
from gpatlas.simulate.datasets import to_dataset
from gpatlas.simulate.folds import phenotype_few
from gpatlas.simulate.founders import random_map
from gpatlas.simulate.mosaic import mosaic
from gpatlas.simulate.phenotypes import error_variances, set_phenotypes
from gpatlas.simulate.population import Population
from gpatlas.simulate.traits import add_traits

FREQUENCY = (0.8, 0.8)  # Beta law of allele frequencies among ancestors: nearly flat, as of chips' markers
LEAST_FREQUENCY = 0.05


def simulate_panel(spec: PanelSpec, seed: int) -> Dataset:
    """Simulate a panel: genotypes and nothing else, which is what pretraining may see.

    Raises
    ------
    DataError
        A chromosome has too few common sites for the chip.
    """
    population, chip, _ = _draw_panel(spec, seed)
    dataset = to_dataset(population, chip=chip)
    return replace(dataset, genotypes=_called(dataset, spec, seed), provenance=dataset.provenance | _record(spec, seed))


@threadpool_limits.wrap(limits=1)  # sums of floats depend on how threads share them
def simulate_trial(spec: TrialSpec, seed: int) -> Dataset:
    """Simulate a trait in several environments, and phenotypes of a few lines and of the test lines.

    The other lines have genotypes and no phenotypes; they are training samples. Two specs that differ in
    `n_phenotyped` alone share trait, errors and test lines, and the fewer phenotyped lines are among the more.

    Parameters
    ----------
    spec
        What to simulate.
    seed
        Of trait, errors and choice of lines.

    Raises
    ------
    DataError
        See `simulate_panel` and `add_traits`.
    """
    streams = [np.random.Generator(np.random.SFC64(s)) for s in np.random.SeedSequence(seed).spawn(3)]
    trait_stream, error_stream, line_stream = streams
    population, chip, roles = _draw_panel(spec.panel, int(spec.panel_seed))
    law = spec.trait
    acting = TraitSpec(
        type="A",
        n_traits=law.n_environments,
        qtl_per_chromosome=tuple(spec.panel.on_chromosomes(law.n_qtl)),
        cor_a=law.correlation,
    )
    errors = PhenotypeSpec(h2=law.heritability)
    traits = add_traits(population, (acting,), trait_stream, roles.qtl)
    phenotypes = set_phenotypes(population, traits, errors, error_stream)
    chosen = phenotype_few(population.n_individuals, spec.n_phenotyped, spec.test, spec.validation, line_stream)
    phenotypes[chosen.silent] = np.nan
    dataset = to_dataset(population, traits=traits, phenotypes=phenotypes, chip=chip, fold=chosen.fold)
    assert dataset.truth is not None
    dataset.truth.traits["var_e"] = error_variances(errors, traits.var_a, traits.var_g)
    names = [f"env_{number}" for number in range(1, law.n_environments + 1)]
    return replace(
        dataset,
        genotypes=_called(dataset, spec.panel, int(spec.panel_seed)),
        trait_id=np.array(names),
        environments={name: ("trait", name) for name in names},
        provenance=dataset.provenance | _record(spec, seed),
    )


def _draw_panel(spec: PanelSpec, seed: int) -> tuple[Population, SnpChip, SiteRoles]:
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))
    sites = [n * spec.sites_per_marker for n in spec.on_chromosomes(spec.n_markers)]
    chromosome, position = random_map(sites, rng, spec.genetic_length)
    population = mosaic(
        spec.n_samples,
        spec.n_ancestors,
        chromosome,
        position,
        rng,
        switch_rate=spec.switch_rate,
        frequency=FREQUENCY,
        ploidy=spec.ploidy,
        inbred=spec.inbred,
    )
    chip, roles = add_snp_chip(
        population, spec.on_chromosomes(spec.n_markers), rng, min_frequency=LEAST_FREQUENCY, name="panel"
    )
    return population, chip, roles


def _called(dataset: Dataset, spec: PanelSpec, seed: int) -> NDArray[np.int8] | Bits | Dosages:
    """Return genotypes without the calls that are missing, the same ones of a panel whatever its trial."""
    if not spec.missing:
        return dataset.genotypes
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(1,))))
    share = rng.beta(4 * spec.missing, 4 * (1 - spec.missing), dataset.n_loci)
    dosage = np.where(rng.random(dataset.genotypes.shape) < share, MISSING, dataset.dosage()).astype(np.int8)
    return PackedDosages.pack(dosage) if spec.ploidy <= 2 else dosage


def _record(spec: PanelSpec | TrialSpec, seed: int) -> dict:
    return {spec.kind: spec.model_dump(mode="json"), "seed": str(seed)}
