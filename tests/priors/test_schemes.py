"""Breeding schemes against closed forms: genotype frequencies, inbreeding, relationships, crossovers, decay of LD."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from gpatlas import priors
from gpatlas.packed import PackedBits
from gpatlas.priors.breeding import even_sizes, random_pairs
from gpatlas.priors.founders import draw_founders, draw_parents
from gpatlas.priors.laws import total_value
from gpatlas.priors.schemes import animals, biparental, cycles, families, wild
from gpatlas.simulate import Population, even_map, from_haplotypes, make_cross, quick_haplo


def size(n, n_context=None, n_sites=1000):
    return priors.Size(n, n_context or n // 2, 100, n_sites, 0.5)


def genotypes(lines: priors.Lines) -> np.ndarray:
    population = lines.population
    return population.dosage(slice(0, population.n_individuals)).astype(int)


def heterozygosity(lines: priors.Lines) -> float:
    return float((genotypes(lines) == 1).mean())


def contrasting(rng, n_sites):
    """Two parents of which the first has 1 and the second 0 everywhere, on 10 chromosomes of 1.5 Morgan."""
    chromosome, position = even_map([n_sites // 10] * 10, 1.5)
    alleles = np.stack([np.ones(n_sites), np.zeros(n_sites)])
    return from_haplotypes(alleles, chromosome, position, ploidy=2, inbred=True)


def independent(rng, n, n_sites, *, inbred=False, **_):
    """Unrelated founders: all alleles are independent and have frequency 1/2."""
    return quick_haplo(n, [n_sites // 10] * 10, rng, ploidy=2, inbred=inbred, genetic_length=1.5)


def labelled(rng, n, n_sites, *, inbred=False, **_):
    """Inbred founders of which only the k-th has ones in the loci l with l mod n = k."""
    chromosome, position = even_map([n_sites // 10] * 10, 1.5)
    alleles = np.arange(n_sites)[None, :] % n == np.arange(n)[:, None]
    return from_haplotypes(alleles, chromosome, position, ploidy=2, inbred=True)


@pytest.fixture
def between_contrasting_parents(monkeypatch):
    monkeypatch.setattr(biparental, "draw_parents", contrasting)


def switches(haplotypes: np.ndarray, chromosome: np.ndarray) -> np.ndarray:
    """Count the changes along each haplotype within chromosomes, `(n,)`."""
    within = np.diff(chromosome) == 0
    return (np.diff(haplotypes.astype(int), axis=1) != 0)[:, within].sum(axis=1)


def test_f2_genotypes_are_1_2_1(between_contrasting_parents):
    x = genotypes(priors.make("f2").scheme(np.random.default_rng(1), size(2000, n_sites=200)))
    counts = np.stack([(x[:, ::20] == g).sum(axis=0) for g in range(3)])  # one locus per chromosome, then one more
    for column in counts.T:
        assert stats.chisquare(column, 2000 * np.array([0.25, 0.5, 0.25])).pvalue > 1e-4
    np.testing.assert_allclose(counts.sum(axis=1) / counts.sum(), [0.25, 0.5, 0.25], atol=0.012)


def test_doubled_haploids_are_homozygous_and_cross_over_as_the_map_says(between_contrasting_parents):
    lines = priors.make("doubled_haploid").scheme(np.random.default_rng(2), size(1500, n_sites=5000))
    assert set(np.unique(genotypes(lines))) == {0, 2}
    found = switches(lines.population.haplotypes.unpack(), lines.population.chromosome)
    assert abs(found.mean() - 15.0) < 4 * found.std() / np.sqrt(1500) + 0.02  # of 15 Morgan; hidden doubles are rare


@pytest.mark.parametrize("generations", [1, 3, 6])
def test_selfing_leaves_half_of_heterozygosity(between_contrasting_parents, generations, monkeypatch):
    monkeypatch.setattr(biparental.Ril, "generations", (generations, generations))
    lines = priors.make("ril").scheme(np.random.default_rng(3), size(1500, n_sites=500))
    x = genotypes(lines)
    inbreeding = 1 - 2 * (x == 1).mean(axis=1) / 1.0  # of each line; the F2 expects 1/2
    error = inbreeding.std() / np.sqrt(1500)
    assert abs((1 - (x == 1).mean()) - (1 - 2.0**-generations)) < 4 * error / 2
    assert abs(x.mean() - 1) < 0.02


def test_inbred_lines_have_the_recombinations_of_haldane_and_waddington(between_contrasting_parents, monkeypatch):
    """R = 2r / (1 + 2r) between close loci (Haldane & Waddington 1931), r ≈ d: twice the map's crossovers."""
    monkeypatch.setattr(biparental.Ril, "generations", (12, 12))
    lines = priors.make("ril").scheme(np.random.default_rng(4), size(600, n_sites=3000))
    d = 1.5 / 299
    r = 0.5 * np.tanh(2 * d)  # Kosambi's function, near that of our meiosis; at this distance r = d to 1e-4
    found = switches(lines.population.haplotypes.unpack()[::2], lines.population.chromosome)
    assert abs(found.mean() - 10 * 299 * 2 * r / (1 + 2 * r)) < 4 * found.std() / np.sqrt(600) + 0.1


def test_backcrosses_have_the_recurrent_parents_share(between_contrasting_parents):
    shares = Counter()
    for seed in range(60):
        x = genotypes(priors.make("backcross").scheme(np.random.default_rng(seed), size(400, n_sites=200)))
        assert x.min() == 1  # never two copies of the donor's allele "0"
        recurrent = x.mean() / 2
        expected = min((0.75, 0.875, 0.9375), key=lambda share: abs(share - recurrent))
        assert abs(recurrent - expected) < 0.02
        shares[expected] += 1
    assert len(shares) == 3
    assert min(shares.values()) > 8


def test_nam_families_share_a_parent_and_are_inbred(monkeypatch):
    def one_common(rng, n, n_sites, **_):
        chromosome, position = even_map([n_sites // 10] * 10, 1.5)
        alleles = np.repeat(np.arange(n) == 0, n_sites).reshape(n, n_sites)
        return from_haplotypes(alleles, chromosome, position, ploidy=2, inbred=True)

    monkeypatch.setattr(families, "draw_founders", one_common)
    seen = set()
    for seed in range(12):
        lines = priors.make("nam").scheme(np.random.default_rng(seed), size(850, n_sites=200))
        n_families = len(np.unique(lines.family))
        assert 25 <= n_families <= 85
        assert np.ptp(np.bincount(lines.family)) <= 1
        seen.add(n_families)
        x = genotypes(lines)
        assert abs(x.mean() - 1) < 0.03
        half_lives = -np.log2((x == 1).mean())
        assert abs(half_lives - round(half_lives)) < 0.25
        assert 3 <= round(half_lives) <= 6
    assert len(seen) > 5


def test_magic_lines_descend_from_all_parents_alike(monkeypatch):
    monkeypatch.setattr(families, "draw_founders", labelled)
    ways = set()
    for seed in range(16):
        lines = priors.make("magic").scheme(np.random.default_rng(seed), size(600, n_sites=800))
        x = genotypes(lines)
        n_parents = round(2 / x.mean())
        ways.add((n_parents, lines.population.inbred))
        of_parent = [x[:, k::n_parents].mean() / 2 for k in range(n_parents)]
        np.testing.assert_allclose(of_parent, 1 / n_parents, atol=0.035)
    assert {n for n, _ in ways} == {4, 8}
    assert {inbred for _, inbred in ways} == {False, True}


def test_multi_parental_families_are_of_two_parents(monkeypatch):
    monkeypatch.setattr(families, "draw_founders", labelled)
    for seed in range(8):
        lines = priors.make("multi_parental").scheme(np.random.default_rng(seed), size(400, n_sites=1000))
        x = genotypes(lines)
        n_parents = next(n for n in range(4, 21) if self_consistent(x, lines.family, n))
        assert 4 <= n_parents <= 20


def self_consistent(x, family, n_parents) -> bool:
    """Whether alleles of n labelled parents occur in each family of two of them only."""
    present = np.stack([[x[family == f][:, k::n_parents].any() for k in range(n_parents)] for f in np.unique(family)])
    return bool((present.sum(axis=1) == 2).all())


def test_relationships_of_half_sibs(monkeypatch):
    """Of unrelated founders at p = 1/2 the correlation of genotypes is the relationship: 1/4 and, of litters, 1/2."""
    monkeypatch.setattr(animals, "draw_founders", independent)
    monkeypatch.setattr(animals.HalfSibs, "litter", (2, 2))
    lines = priors.make("half_sibs").scheme(np.random.default_rng(5), size(240, 200, n_sites=4000))
    population = lines.population.take(np.arange(200))
    family, mother = lines.family[:200], population.mother
    x = (genotypes(lines)[:200] - 1.0) / np.sqrt(0.5)
    relationship = x @ x.T / x.shape[1]
    same_sire, same_dam = family[:, None] == family, mother[:, None] == mother
    other = ~np.eye(200, dtype=bool)
    assert (same_sire[same_dam]).all()
    assert 5 <= len(np.unique(family)) <= 40
    assert np.ptp(np.bincount(family)) <= 2 * 2  # a sire's dams differ by one in number, and litters by two
    assert (population.father[:, None] == population.father)[same_sire].all()
    for pairs, expected in (
        (same_sire & ~same_dam, 0.25),
        (same_dam & other, 0.5),
        (~same_sire, 0.0),
    ):
        assert abs(relationship[pairs].mean() - expected) < 0.02


def test_the_second_generation_descends_from_the_first(monkeypatch):
    monkeypatch.setattr(animals, "draw_founders", independent)
    lines = priors.make("half_sibs").scheme(np.random.default_rng(6), size(300, 200))
    older, younger = (lines.population.take(rows) for rows in (~lines.next_generation, lines.next_generation))
    assert np.isin(younger.father, older.id[older.sex == 1]).all()
    assert np.isin(younger.mother, older.id[older.sex == 0]).all()
    assert not np.isin(lines.family[lines.next_generation], lines.family[~lines.next_generation]).any()


def test_random_mating_decays_linkage_disequilibrium(monkeypatch):
    """D_t = D_0 (1 - r)^t (1 - 1/2N)^t: two founder haplotypes become mosaics, at the rate that the map says."""

    def two_kinds(rng, n, n_sites, **_):
        chromosome, position = even_map([n_sites // 10] * 10, 1.5)
        alleles = np.repeat(rng.permutation(2 * n) < n, n_sites).reshape(-1, n_sites)
        return Population(PackedBits.pack(alleles), 2, False, chromosome, position)

    monkeypatch.setattr(wild, "draw_founders", two_kinds)
    for name, value in (("generations", (20, 20)), ("founders", (600, 600)), ("split_chance", (0.0, 0.0))):
        monkeypatch.setattr(wild.Wild, name, value)
    lines = priors.make("wild").scheme(np.random.default_rng(7), size(600, n_sites=1000))
    haplotypes, p = lines.population.haplotypes.unpack().astype(float), lines.population.position
    centred = haplotypes - haplotypes.mean(axis=0)
    step = p[1]
    for apart in (1, 3, 6, 12):
        pairs = np.flatnonzero(np.arange(1000) % 100 < 100 - apart)
        disequilibrium = (centred[:, pairs] * centred[:, pairs + apart]).mean()
        r = 0.5 * np.tanh(2 * apart * step)
        expected = 0.25 * (1 - r) ** 20 * (1 - 1 / 1200) ** 20
        assert disequilibrium == pytest.approx(expected, rel=0.12, abs=0.003)
    crossovers = switches(haplotypes, lines.population.chromosome)
    assert (
        crossovers.mean() > 60
    )  # 15 Morgan × 20 generations, half of them between unlike haplotypes: 150 less doubles


def test_demes_split_and_drift_apart():
    rng = np.random.default_rng(8)
    demes = np.array([500])
    for _ in range(30):
        demes = wild.split_largest(demes, rng)
        assert demes.sum() == 500
        assert demes.min() >= 50
    assert len(demes) >= 5


def test_only_ancestors_are_bred():
    rng = np.random.default_rng(9)
    plans = [random_pairs(100, n, rng) for n in (100, 100, 40)]
    n_founders, kept = wild.ancestors_only(plans)
    assert n_founders == kept[0].max() + 1 < 100
    for before, after in pairwise(kept):
        np.testing.assert_array_equal(np.unique(after), np.arange(len(before)))  # everyone has progeny
    assert len(kept[-1]) == 40
    # the same genealogy: who shares a mother in the last generation still does
    same = plans[-1][:, 0][:, None] == plans[-1][:, 0]
    np.testing.assert_array_equal(kept[-1][:, 0][:, None] == kept[-1][:, 0], same)


def test_silva_lines_are_f4(monkeypatch):
    """Of independent inbred founders F1 are heterozygous at 1/2 of the loci, F4 at 1/16, in both cycles."""
    monkeypatch.setattr(cycles, "draw_founders", independent)
    lines = priors.make("silva").scheme(np.random.default_rng(10), size(800, 500))
    x = genotypes(lines) == 1
    assert lines.next_generation.sum() == 300
    assert abs(x[~lines.next_generation].mean() - 1 / 16) < 0.004
    assert abs(x[lines.next_generation].mean() - 1 / 16) < 0.006


def test_recurrent_selection_moves_the_mean(monkeypatch):
    founders = []

    def seen(*args, **kwargs):
        founders.append(draw_founders(*args, **kwargs))
        return founders[-1]

    monkeypatch.setattr(cycles, "draw_founders", seen)
    gains = []
    for seed in range(12):
        lines = priors.make("recurrent").scheme(np.random.default_rng(seed), size(120, 80))
        group = lines.trait.group
        base, bred = total_value(founders[-1], group), total_value(lines.population, group)
        gains.append((bred[~lines.next_generation].mean() - base.mean()) / base.std())
    assert min(gains) > 0
    assert np.mean(gains) > 2


def test_parents_are_the_best_of_those_told():
    """By the very phenotypes that are told, of the heritability asked for: what a model is told explains selection."""

    class Kept(cycles.Recurrent):
        def scheme(self, rng, size):
            self.lines = super().scheme(rng, size)
            return self.lines

    for seed in range(8):
        prior = Kept(h2=(0.4, 0.4))
        task, population = prior.draw(seed, 140, 30), prior.lines.population
        progeny = np.flatnonzero(~task.context)
        parents = np.concatenate([population.mother[progeny], population.father[progeny]])
        best = np.argsort(-task.phenotype[task.context])
        rank = np.argsort(best)[np.isin(population.id, parents)[task.context]]
        assert np.isin(parents, population.id[task.context]).all()
        assert rank.max() < max(4, round(0.1 * task.context.sum()))
        told = task.genetic_value[task.context].var()
        assert told / (told + 1 - task.h2) == pytest.approx(0.4)


@pytest.mark.parametrize("name", ["unstructured", "wild", "silva", "half_sibs"])
def test_markers_are_in_linkage_disequilibrium(name):
    near, far = [], []
    for seed in range(6):
        task = priors.draw(name, seed, 200, 1000)
        x = task.genotypes - task.genotypes.mean(axis=0)
        r2 = np.corrcoef(x.T) ** 2
        first = np.flatnonzero((np.diff(task.chromosome) == 0) & (np.diff(task.position) < 0.01))
        near.append(r2[first, first + 1].mean())
        far.append(r2[task.chromosome[:, None] != task.chromosome].mean())
    ratio = np.array(near) / far
    assert ratio.min() > 1.2
    assert np.median(ratio) > 2


SPLITS = {"nam": {"family"}, "silva": {"generation"}, "recurrent": {"generation"}, "wild": {"random"}} | {
    "multi_parental": {"random", "family"},
    "half_sibs": {"random", "family", "generation"},
}


@pytest.mark.parametrize("name", priors.REGISTRY)
def test_splits_of_schemes(name):
    found = {priors.draw(name, seed, 80, 30).split for seed in range(3 if name == "wild" else 16)}
    assert found == SPLITS.get(name, {"random"})


def test_founders_all_differ():
    rng = np.random.default_rng(11)
    for n, inbred in ((4, True), (20, True), (30, False)):
        founders = draw_founders(rng, n, 700, inbred=inbred)
        share = founders.haplotypes.unpack().mean(axis=0)
        assert founders.n_loci == 700
        assert ((share > 0) & (share < 1)).all()
        assert not founders.position[np.flatnonzero(np.diff(founders.chromosome, prepend=0))].any()
        if inbred:
            f1 = make_cross(founders, np.array([[2, 1]]), rng).haplotypes.unpack()
            np.testing.assert_array_equal(f1, founders.haplotypes.unpack()[[2, 1]])
    for _ in range(10):
        parents = draw_parents(rng, 500)
        np.testing.assert_array_equal(parents.haplotypes.unpack().sum(axis=0), 1)


def test_steps():
    rng = np.random.default_rng(12)
    pairs = random_pairs(7, 4000, rng)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert (
        stats.chisquare(np.bincount(pairs[:, 0] * 7 + pairs[:, 1], minlength=49)[np.arange(49) % 8 > 0]).pvalue > 1e-4
    )
    assert np.ptp(np.bincount(even_sizes(50, 7, rng), minlength=7)) == 1


def test_close_loci_of_founders_share_their_history():
    """r² is near 1/k of k = 4 to 16 oldest haplotypes where few switches part two loci, and falls with distance."""
    near, apart = [], []
    for seed in range(6):
        founders = draw_founders(np.random.default_rng(seed), 300, 12_000, inbred=True, subpopulations=False)
        x = founders.haplotypes.unpack().astype(float)
        share = x.mean(axis=0)
        common = np.flatnonzero((share > 0.1) & (share < 0.9))
        x = (x[:, common] - share[common]) / np.sqrt(share[common] * (1 - share[common]))
        chromosome, position = founders.chromosome[common], founders.position[common]
        for found, step, low, high in ((near, 2, 0.001, 0.003), (apart, 60, 0.05, 0.2)):
            distance = position[step:] - position[:-step]
            pairs = np.flatnonzero((chromosome[step:] == chromosome[:-step]) & (distance >= low) & (distance < high))
            found.append(((x[:, pairs] * x[:, pairs + step]).mean(axis=0) ** 2).mean())
    assert np.mean(near) > 0.18
    assert np.mean(near) > 2.5 * np.mean(apart)
