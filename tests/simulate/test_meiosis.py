"""Crossovers: AlphaSimR's counts and recombination fractions, closed forms, sex maps, and linkage disequilibrium."""

import json

import numpy as np
import pytest

from gpatlas.simulate import Meiosis, Population, from_haplotypes, make_cross, reduce_genome
from tests.golden import SHARED

N = 200_000
CASES = json.loads((SHARED / "distribution.json").read_text())["meiosis"]["cases"] if SHARED.is_dir() else []


def heterozygote(n_sites: int, length: float, meiosis: Meiosis, copies: int = 1) -> Population:
    """One plant with all alleles 0 on one homologue and 1 on the other, so that gametes show their crossovers."""
    rows = np.repeat([0, 1], n_sites).reshape(2, n_sites)
    plant = from_haplotypes(
        np.tile(rows, (1, copies)),
        np.repeat(np.arange(copies), n_sites),
        np.tile(np.linspace(0, length, n_sites), copies),
        ploidy=2,
    )
    return plant.like(plant.haplotypes, meiosis=meiosis)


def gametes(plant: Population, n: int, seed: int = 1, **options) -> np.ndarray:
    return reduce_genome(plant, np.random.default_rng(seed), n, **options).haplotypes.unpack()


@pytest.mark.skipif(not CASES, reason="the reference data are not here")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"L={case['L']} v={case['v']} p={case['p']}")
def test_crossovers_are_distributed_as_in_alphasimr(case):
    plant = heterozygote(2_001, case["L"], Meiosis(v=case["v"], p=case["p"]))
    progeny = reduce_genome(plant, np.random.default_rng(20), N, record=True)
    crossovers = np.diff(progeny.recombinations.first) - 1
    theirs = case["nGametes"]
    assert abs(crossovers.mean() - case["mean"]) < 3 * np.sqrt(case["var"] * (1 / N + 1 / theirs))
    for count, p in case["pmf"].items():
        error = np.sqrt(max(p, 1 / theirs) * (1 / N + 1 / theirs))
        assert abs((crossovers == int(count)).mean() - p) < 3 * error, f"{count} crossovers"
    alleles = progeny.haplotypes.unpack(loci=np.r_[0, np.round(np.array(case["rf_d"]) / case["L"] * 2_000).astype(int)])
    recombinant = (alleles[:, 1:] != alleles[:, :1]).mean(axis=0)
    for found, expected, d in zip(recombinant, case["rf"], case["rf_d"], strict=True):
        error = np.sqrt(expected * (1 - expected) * (1 / N + 1 / theirs))
        assert abs(found - expected) < 3 * error, f"recombination over {d} Morgan"
    assert abs(alleles[:, 0].mean() - 0.5) < 3 * np.sqrt(0.25 / N)


@pytest.mark.parametrize("meiosis", [Meiosis(v=1), Meiosis(p=1), Meiosis(v=1, p=0.3)])
def test_without_interference_it_is_haldane(meiosis):
    alleles = gametes(heterozygote(11, 3.0, meiosis), N)
    d = np.linspace(0, 3, 11)
    expected = (1 - np.exp(-2 * d)) / 2
    recombinant = (alleles != alleles[:, :1]).mean(axis=0)
    assert (abs(recombinant - expected) <= 4 * np.sqrt(expected * (1 - expected) / N)).all()


def test_crossovers_are_as_frequent_everywhere():
    """The process is stationary: each part of the chromosome has its share, the first and the last, too."""
    for meiosis in (Meiosis(), Meiosis(v=0.6), Meiosis(v=15), Meiosis(p=0.5)):
        alleles = gametes(heterozygote(2_001, 1.0, meiosis), 50_000).astype(np.int8)
        share = abs(np.diff(alleles, axis=1)).sum(axis=0).reshape(10, 200).sum(axis=1) / 50_000
        assert abs(share / share.mean() - 1).max() < 5 * np.sqrt(10 / 50_000), meiosis


def test_chromosomes_are_independent():
    alleles = gametes(heterozygote(3, 1.0, Meiosis(), copies=3), N)
    correlation = np.corrcoef(alleles[:, [0, 3, 6]].T) - np.eye(3)
    assert abs(correlation).max() < 4 / np.sqrt(N)


@pytest.mark.parametrize("ratio", [1.0, 4.0])
def test_sexes_have_their_maps(ratio):
    meiosis = Meiosis(female_to_male=ratio)
    plant = heterozygote(2_001, 1.0, meiosis)
    cross = make_cross(plant, [[0, 0]], np.random.default_rng(3), 40_000, record=True)
    crossovers = np.diff(cross.recombinations.first).reshape(-1, 2) - 1
    for found, expected in zip(crossovers.mean(axis=0), (2 * ratio / (1 + ratio), 2 / (1 + ratio)), strict=True):
        assert abs(found - expected) < 4 * np.sqrt(0.75 * expected / 40_000)
    for female in (True, False):
        switches = abs(np.diff(gametes(plant, 20_000, use_female_map=female).astype(np.int8), axis=1)).sum(axis=1)
        expected = meiosis.female if female else meiosis.male
        assert abs(switches.mean() - expected) < 4 * np.sqrt(0.75 * expected / 20_000)


def test_crossovers_between_tied_loci_never_happen():
    """Loci on one position stay together, and a crossover goes behind the locus it hits."""
    position = np.array([0, 0, 0.5, 0.5, 0.5, 1, 1])
    plant = from_haplotypes(np.repeat([0, 1], 7).reshape(2, 7), np.ones(7), position, ploidy=2)
    alleles = gametes(plant, 5_000)
    for together in ([0, 1], [2, 3, 4], [5, 6]):
        assert (alleles[:, together] == alleles[:, together[:1]]).all()
    assert 0.1 < (alleles[:, 1] != alleles[:, 2]).mean() < 0.5


def test_an_irregular_map_is_read_right():
    """The guide table finds every locus: neighbours recombine as Haldane's map function says."""
    rng = np.random.default_rng(4)
    position = np.sort(np.concatenate([[0, 2.0], 0.001 * rng.random(40), 2 * rng.random(58)]))
    plant = from_haplotypes(np.repeat([0, 1], 100).reshape(2, 100), np.ones(100), position, ploidy=2)
    alleles = gametes(plant.like(plant.haplotypes, meiosis=Meiosis(v=1)), N).astype(np.int8)
    recombinant, d = abs(np.diff(alleles, axis=1)).mean(axis=0), np.diff(position)
    expected = (1 - np.exp(-2 * d)) / 2
    assert (abs(recombinant - expected) <= 5 * np.sqrt(expected / N) + 1 / N).all()


def test_linkage_disequilibrium_decays_as_the_map_says():
    """In a large random-mating population E[D_t] = (1 - r)^t D_0 (Robbins 1918)."""
    n, rng = 20_000, np.random.default_rng(5)
    position = np.array([0.0, 0.05, 0.2, 1.0])
    rows = np.repeat(rng.integers(0, 2, 2 * n)[:, None], 4, axis=1)  # complete disequilibrium
    start = from_haplotypes(rows, np.ones(4), position, ploidy=2)
    generation = start.like(start.haplotypes, meiosis=Meiosis(v=1))
    r = (1 - np.exp(-2 * position[1:])) / 2
    for t in range(1, 5):
        generation = make_cross(generation, rng.integers(0, n, (n, 2)), rng)
        alleles = generation.haplotypes.unpack().astype(float)
        covariance = np.cov(alleles.T)[0, 1:]
        assert covariance == pytest.approx(0.25 * (1 - r) ** t, abs=5 * 0.25 * np.sqrt(t / (2 * n)))


def test_tetraploids_pair_as_bivalents_at_random():
    """With markers that tell homologues apart, the two that start a gamete are any pair, each with probability 1/6."""
    start = np.zeros((4, 20), dtype=int)
    start[[1, 3], 0] = 1
    start[[2, 3], 1] = 1
    plant = from_haplotypes(start, np.ones(20), np.linspace(0, 0, 20), ploidy=4)
    made = gametes(plant, 30_000).reshape(-1, 2, 20)
    homologue = made[:, :, 0] + 2 * made[:, :, 1]
    low, high = homologue.min(axis=1), homologue.max(axis=1)
    counts = np.zeros((4, 4))
    np.add.at(counts, (low, high), 1)
    share = counts[np.triu_indices(4, 1)] / 30_000
    assert share.sum() == 1  # never twice the same
    assert (abs(share - 1 / 6) < 4 * np.sqrt(5 / 36 / 30_000)).all()
