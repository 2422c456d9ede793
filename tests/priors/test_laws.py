"""Trait laws: values against `genetic_values`, shares of laws, scales, and how effects are distributed."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from gpatlas.errors import ConfigError
from gpatlas.priors import PublishedTraitLaw, TraitLaw
from gpatlas.priors.laws import allele_frequency, draw_effects, hidden_share, total_value, with_background
from gpatlas.simulate import genetic_values, mosaic, random_map


def founders(n=60, n_loci=400, seed=1, inbred=False):
    rng = np.random.default_rng(seed)
    chromosome, position = random_map([n_loci // 2, n_loci - n_loci // 2], rng, 1.0)
    return mosaic(n, 12, chromosome, position, rng, frequency=(1.0, 1.0), inbred=inbred)


@pytest.mark.parametrize("inbred", [False, True])
@pytest.mark.parametrize("seed", range(7))
def test_values_are_those_of_the_simulator(seed, inbred):
    population = founders(inbred=inbred)
    law = TraitLaw(
        dominance=1.0 if seed % 2 else 0.0,
        epistasis=1.0 if seed % 3 else 0.0,
        infinitesimal=seed in (0, 6),
        background=1.0 if seed > 2 else 0.0,
        polygenic_epistasis=1.0 if seed > 2 else 0.0,
    )
    trait = law.draw(population, 100, np.random.default_rng(seed))
    expected = genetic_values(population, [trait.group]).gv[:, 0]
    ours = total_value(population, trait.group)
    np.testing.assert_allclose(ours - ours.mean(), expected - expected.mean(), atol=1e-9 * np.ptp(expected))


def test_frequencies_are_counted():
    population = founders(n=700)
    np.testing.assert_allclose(allele_frequency(population), population.haplotypes.unpack().mean(axis=0), rtol=1e-12)


def test_shares_of_laws():
    """Of 2 000 traits: infinitesimal ones, dominance, epistasis, hidden QTL and each law of effects as promised."""
    population, rng, n = founders(), np.random.default_rng(2), 2000
    traits = [TraitLaw().draw(population, 100, rng) for _ in range(n)]
    base = Counter(trait.law.split("+")[0] for trait in traits)
    expected = {"infinitesimal": 0.3} | dict.fromkeys(("normal", "gamma", "t", "geometric", "equal"), 0.7 / 5)
    found = {law: count / n for law, count in base.items()}
    found["dominance"] = np.mean(["dominance" in trait.law for trait in traits])
    found["epistasis"] = np.mean(["epistasis" in trait.law for trait in traits])
    found["hidden"] = np.mean([trait.hidden for trait in traits])
    expected |= {"dominance": 0.25, "epistasis": 0.15, "hidden": 0.5}
    assert found.keys() == expected.keys()
    for law, share in expected.items():
        assert abs(found[law] - share) < 3.5 * np.sqrt(share * (1 - share) / n), law


def test_numbers_of_qtl_are_log_uniform():
    population, rng = founders(n_loci=2000), np.random.default_rng(3)
    law = TraitLaw(infinitesimal=0)
    n_qtl = np.array([len(law.draw(population, 100, rng).group.loci) for _ in range(1500)])
    assert n_qtl.min() == 3
    assert n_qtl.max() <= 500
    share_below = np.log(39 / 3) / np.log(501 / 3)
    assert abs(np.mean(n_qtl < 39) - share_below) < 3.5 * np.sqrt(share_below * (1 - share_below) / 1500)


def test_an_infinitesimal_trait_uses_every_segregating_locus():
    population, rng = founders(n_loci=3000), np.random.default_rng(4)
    share = allele_frequency(population)
    segregating = np.flatnonzero((share > 0) & (share < 1))
    seen = TraitLaw(infinitesimal=1, hidden=0).draw(population, 1000, rng)
    np.testing.assert_array_equal(seen.group.loci, segregating)
    assert seen.law == "infinitesimal"
    kept_out = TraitLaw(infinitesimal=1, hidden=1).draw(population, 1000, rng)
    share = len(kept_out.group.loci) / len(segregating)
    assert abs(share - hidden_share(1000)) < 4 * np.sqrt(share * (1 - share) / len(segregating))


def test_qtl_are_common_enough():
    population = founders(n=300, n_loci=2000)
    trait = TraitLaw(infinitesimal=0, rarest=0.1).draw(population, 100, np.random.default_rng(5))
    share = allele_frequency(population)[trait.group.loci]
    assert np.minimum(share, 1 - share).min() >= 0.1


@pytest.mark.parametrize(
    ("law", "distribution"),
    [("normal", stats.norm()), ("equal", None), ("geometric", None), ("t", None), ("gamma", None)],
)
def test_effects(law, distribution):
    a = draw_effects(law, 4000, np.random.default_rng(6))
    assert abs(np.mean(a > 0) - 0.5) < 0.03
    if distribution is not None:
        assert stats.kstest(a, distribution.cdf).pvalue > 1e-3
    if law == "equal":
        assert set(a) == {-1.0, 1.0}
    if law == "geometric":
        size = np.sort(np.abs(a))[::-1]
        np.testing.assert_allclose(size[1:20] / size[:19], size[1] / size[0], rtol=1e-9)
    if law in ("t", "gamma"):
        assert stats.kurtosis(a) > 1  # heavier tails than the normal law's


def test_rare_alleles_may_have_larger_effects():
    population = founders(n=300, n_loci=3000)
    share = allele_frequency(population)
    heterozygosity = 2 * share * (1 - share)
    flat, steep = (
        TraitLaw(infinitesimal=1, hidden=0, frequency=chance).draw(population, 100, np.random.default_rng(7)).group
        for chance in (0.0, 1.0)
    )

    def slope(group):
        return stats.linregress(np.log(heterozygosity[group.loci]), np.log(np.abs(group.additive[0])))

    assert abs(slope(flat).slope) < 4 * slope(flat).stderr
    assert slope(steep).slope < -0.1 - 3 * slope(steep).stderr + 0.1


def test_epistasis_pairs_every_qtl_and_has_its_share():
    population = founders(n=300)
    shares = []
    for seed in range(40):
        trait = TraitLaw(infinitesimal=0, epistasis=1, dominance=0).draw(population, 50, np.random.default_rng(seed))
        assert len(np.unique(trait.group.terms)) == trait.group.terms.size == len(trait.group.loci) // 2 * 2
        pairs = total_value(population, trait.group)
        single = pairs - (
            total_value(population, trait.group)
            - (population.dosage(slice(0, 300)) - 1.0)[:, trait.group.loci] @ trait.group.additive[0]
        )
        shares.append((pairs - single).var() / single.var())
    assert 0.1 - 1e-9 < min(shares) < 0.35
    assert 0.75 < max(shares) <= 1 + 1e-9


def test_the_published_law():
    population, rng = founders(), np.random.default_rng(8)
    for _ in range(50):
        group = PublishedTraitLaw().draw(population, 100, rng).group
        assert 5 <= len(group.loci) <= 100
        complete = group.dominance[0] != 0
        np.testing.assert_allclose(group.dominance[0][complete], np.abs(group.additive[0][complete]))
        assert complete.mean() < 0.75
        assert not len(group.terms)


def test_inbreds_have_no_dominance():
    population, rng = founders(inbred=True), np.random.default_rng(9)
    assert not any("dominance" in TraitLaw(dominance=1).draw(population, 100, rng).law for _ in range(50))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": 1.5}, "hidden = 1.5 is not from 0 to 1"),
        ({"dominance": float("nan")}, "dominance = nan is not from 0 to 1"),
        ({"background": -0.1}, "background = -0.1 is not from 0 to 1"),
        ({"rarest": 0.6}, "rarest = 0.6 is not from 0 to 0.5"),
        ({"n_qtl": (0, 5)}, r"n_qtl = \(0, 5\) is no range from 1 on"),
        ({"n_qtl": (5, 3)}, r"n_qtl = \(5, 3\)"),
        ({"effects": ("cauchy",)}, r"effects = \('cauchy',\); allowed are normal, gamma, t, geometric, equal"),
    ],
)
def test_laws_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        TraitLaw(**settings)


@pytest.mark.parametrize("hidden", [0.0, 1.0])
def test_a_background_holds_every_locus_and_has_its_share(hidden):
    population, shares = founders(n=300, n_loci=3000), []
    for seed in range(40):
        law = TraitLaw(infinitesimal=0, dominance=1, epistasis=1, hidden=hidden, background=1)
        rng = np.random.default_rng(seed)
        trait = law.draw(population, 1000, rng)
        assert trait.law.endswith("+dominance+epistasis+background")
        share = allele_frequency(population)
        n_segregating = ((share > 0) & (share < 1)).sum()
        expected = n_segregating * (hidden_share(1000) if hidden else 1.0)
        assert abs(len(trait.group.loci) - expected) < 4 * np.sqrt(n_segregating / 4) * hidden + 1e-9
        few = TraitLaw(infinitesimal=0, dominance=1, epistasis=1).draw(population, 1000, rng).group
        with_all = with_background(few, np.flatnonzero((share > 0) & (share < 1)), population, rng)
        before, after = total_value(population, few), total_value(population, with_all)
        shares.append((after - before).var() / ((after - before).var() + before.var()))
    assert 0.1 - 1e-9 < min(shares) < 0.25
    assert 0.65 < max(shares) < 0.8 + 1e-9


def test_infinitesimal_traits_may_interact():
    law = TraitLaw(infinitesimal=1, hidden=0, polygenic_epistasis=0.5)
    population, rng = founders(), np.random.default_rng(9)
    traits = [law.draw(population, 100, rng) for _ in range(300)]
    interacting = [trait for trait in traits if trait.law == "infinitesimal+epistasis"]
    assert abs(len(interacting) / 300 - 0.5) < 3.5 * np.sqrt(0.25 / 300)
    assert {len(trait.group.terms) for trait in interacting} == {len(interacting[0].group.loci) // 2}
    assert not any(len(trait.group.terms) for trait in traits if trait.law == "infinitesimal")
