"""Coalescent founders against AlphaSimR's MaCS, and against closed forms."""

import numpy as np
import pytest

from gpatlas.errors import DataError
from gpatlas.simulate import CATTLE, GENERIC, MAIZE, WHEAT, Demography, coalescent

# runMacs(nInd = 20, nChr = 1, species = "GENERIC") of AlphaSimR 2.1.0, 300 replicates: mean and standard error
MACS_SITES, MACS_DIVERSITY = (20020.9, 56.8), (6480.7, 22.8)


def site_diversity(population):
    """Return π of every locus, `(n_loci,)`: how often two haplotypes, drawn without replacement, differ."""
    n = len(population.haplotypes)
    p = population.haplotypes.count_ones() / n
    return 2 * p * (1 - p) * n / (n - 1)


def test_generic_founders_are_as_diverse_as_those_of_alphasimr():
    made = [coalescent(20, 1, np.random.default_rng(seed)) for seed in range(40)]
    for values, (mean, error) in (
        ([population.n_loci for population in made], MACS_SITES),
        ([site_diversity(population).sum() for population in made], MACS_DIVERSITY),
    ):
        own_error = np.std(values, ddof=1) / np.sqrt(len(values))
        assert abs(np.mean(values) - mean) < 2 * np.hypot(error, own_error)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("demography", "split", "n_replicates", "sites", "diversity"),
    [
        (GENERIC, 100, 150, (27426, 70), (8552, 29)),
        (MAIZE, None, 12, (204439, 655), (67789, 237)),
        (WHEAT, None, 12, (175457, 1231), (59234, 416)),
        (CATTLE, None, 12, (248351, 1135), (82856, 420)),
    ],
    ids=["GENERIC split", "MAIZE", "WHEAT", "CATTLE"],
)
def test_other_founders_are_as_diverse_as_those_of_alphasimr(demography, split, n_replicates, sites, diversity):
    """As above, with as many replicates of AlphaSimR's."""
    rng = np.random.default_rng(1)
    made = [coalescent(20, 1, rng, demography=demography, split=split) for _ in range(n_replicates)]
    for values, (mean, error) in (
        ([population.n_loci for population in made], sites),
        ([site_diversity(population).sum() for population in made], diversity),
    ):
        own_error = np.std(values, ddof=1) / np.sqrt(len(values))
        assert abs(np.mean(values) - mean) < 3 * np.hypot(error, own_error)


SMALL = Demography(size=1000, length=1e6, genetic_length=0.5, mutation_rate=1e-7, recombination_rate=1e-7)


@pytest.mark.parametrize("model", ["smc_prime", "hudson"])
def test_constant_size(model):
    """E S = θ Σ 1/k (Watterson 1975) and E Σπ = θ, with θ = 4 N μ L = 400."""
    rng = np.random.default_rng(1)
    made = [coalescent(5, 1, rng, demography=SMALL, model=model) for _ in range(100)]
    for values, expected in (
        ([population.n_loci for population in made], 400 * (1 / np.arange(1, 10)).sum()),
        ([site_diversity(population).sum() for population in made], 400.0),
    ):
        assert abs(np.mean(values) - expected) < 3 * np.std(values) / 10


def test_an_older_population_of_another_size():
    """E Σπ = 2 μ L E T, where two lineages meet at T: at rate 1/(2N₀) before the change, 1/(2N₁) behind it."""
    history = Demography(1000, 1e6, 0.5, 1e-7, 1e-7, history=((500.0, 4000.0),))
    mean_t = 2000 * (1 - np.exp(-0.25)) + np.exp(-0.25) * 8000
    rng = np.random.default_rng(2)
    found = [site_diversity(coalescent(4, 1, rng, demography=history)).sum() for _ in range(100)]
    assert abs(np.mean(found) - 0.2 * mean_t) < 3 * np.std(found) / 10


def test_halves_that_split_long_ago():
    """Haplotypes of two halves differ by 2 μ L (t + 2N), those of one by 2 μ L 2N, with the split at t."""
    rng = np.random.default_rng(3)
    between, within = [], []
    for _ in range(40):
        rows = coalescent(4, 1, rng, demography=SMALL, split=20_000).haplotypes.unpack().astype(int)
        between.append((rows[0] != rows[7]).sum())
        within.append((rows[0] != rows[3]).sum())
    assert abs(np.mean(between) - 0.2 * (20_000 + 2_000)) < 3 * np.std(between) / np.sqrt(40)
    assert abs(np.mean(within) - 0.2 * 2_000) < 3 * np.std(within) / np.sqrt(40)


def test_map_seed_and_number_of_sites():
    wanted = {"demography": SMALL, "loci_per_chromosome": [30, 50], "ploidy": 4}
    one, same, other = (coalescent(3, 2, np.random.default_rng(seed), **wanted) for seed in (1, 1, 2))
    assert one.haplotypes.bits.tobytes() == same.haplotypes.bits.tobytes()
    np.testing.assert_array_equal(one.position, same.position)
    assert one.haplotypes.bits.tobytes() != other.haplotypes.bits.tobytes()
    assert (one.n_individuals, one.copies) == (3, 4)
    for chromosome, count in ((1, 30), (2, 50)):
        along = one.position[one.chromosome == chromosome]
        assert len(along) == count
        assert along[0] == 0
        assert 0.3 < along[-1] < 0.5
        assert (np.diff(along) > 0).all()
    ones = one.haplotypes.count_ones()
    assert ((ones > 0) & (ones < 12)).all()
    inbred = coalescent(12, 1, np.random.default_rng(1), demography=SMALL, inbred=True)
    assert (inbred.n_individuals, len(inbred.haplotypes), inbred.ploidy) == (12, 12, 2)


def test_kept_sites_are_a_random_part_of_all():
    """The same genealogy, with and without a limit: kept sites are found among all of them."""
    whole = coalescent(10, 1, np.random.default_rng(4), demography=SMALL)
    part = coalescent(10, 1, np.random.default_rng(4), demography=SMALL, loci_per_chromosome=100)
    columns = {column.tobytes() for column in np.ascontiguousarray(whole.haplotypes.unpack().T)}
    assert all(column.tobytes() in columns for column in np.ascontiguousarray(part.haplotypes.unpack().T))


def test_scaled_demography_is_that_of_runmacs2():
    assert GENERIC.history == ((100, 500), (1000, 1500), (10000, 6000), (100000, 12000), (1000000, 100000))
    assert (GENERIC.size, GENERIC.recombination_rate) == (100, 1e-8)
    tetraploid = Demography.scaled(size=50, genetic_length=1.5, sizes=[10], generations=[5], ploidy=4)
    assert (tetraploid.size, tetraploid.history, tetraploid.recombination_rate) == (100, ((5.0, 20.0),), 1.5e-8)
    assert CATTLE.recombination_rate * CATTLE.length == pytest.approx(CATTLE.genetic_length, rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loci_per_chromosome": 10**6}, r"chromosome 1 has [\d,]+ segregating sites, but 1,000,000 are wanted"),
        ({"loci_per_chromosome": [5]}, "1 numbers of loci are given for 2 chromosomes"),
        ({"split": 5.0, "ploidy": 1}, "even number of haplotypes, not 3"),
        ({"model": "wright"}, "model = 'wright' is not one of smc_prime, hudson"),
        ({"n_individuals": 1, "ploidy": 1}, "one haplotype has no segregating sites"),
    ],
)
def test_refusals(settings, message):
    arguments = {"n_individuals": 3, "n_chromosomes": 2, "demography": SMALL} | settings
    with pytest.raises(DataError, match=message):
        coalescent(rng=np.random.default_rng(1), **arguments)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, "size = 0 is not above 0"),
        ({"mutation_rate": -1}, "mutation_rate = -1 is below 0"),
        ({"sizes": [1], "generations": [1, 2]}, "1 sizes do not match 2 generations"),
        ({"sizes": [1, 2], "generations": [5, 5]}, r"generations must ascend from above 0, not \[5.0, 5.0\]"),
        ({"sizes": [1], "generations": [np.nan]}, r"generations must ascend from above 0, not \[nan\]"),
        ({"sizes": [0], "generations": [5]}, r"sizes must be above 0, not \[0.0\]"),
        ({"split": 0.0}, "split = 0 generations ago"),
    ],
)
def test_refused_histories(settings, message):
    with pytest.raises(DataError, match=message):
        Demography.scaled(**settings)
