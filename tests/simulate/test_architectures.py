"""Architectures beyond disjoint pairs: what is drawn, its scale, and values against loops over every term."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.config.simulation import SimulationSpec
from gpatlas.encoding import additive_coding
from gpatlas.errors import ConfigError, EngineError
from gpatlas.evaluate import expected_variance_shares
from gpatlas.simulate import TraitGroup, from_haplotypes, genetic_values, genic_variances, realised_variances, simulate
from gpatlas.simulate.alphasimr import simulate_with_alphasimr

ARCHITECTURES = ("sparse", "dense", "triples")


def spec(architecture="dense", n=200, q=12, founders=None, **trait) -> SimulationSpec:
    section = {
        "founders": {"n_individuals": n, "loci_per_chromosome": q} | (founders or {}),
        "traits": [{"qtl_per_chromosome": q, "rel_aa": 1, "use_var_a": False, "architecture": architecture} | trait],
        "phenotypes": {"h2_broad": 0.5},
    }
    return SimulationSpec.parse(section, "test")


def terms_of(truth, trait=0) -> list[tuple[list[int], float]]:
    """A trait's interacting loci, with their effects."""
    found = []
    for table in (truth.pairs, truth.triples):
        columns = [values for name, values in vars(table).items() if name.startswith("locus")]
        rows = np.flatnonzero(table.trait == trait)
        found += [([int(c[row]) for c in columns], float(table.epistatic[row])) for row in rows]
    return found


def test_dense_is_every_pair_once():
    truth = simulate(spec("dense", q=11), 1).truth  # an odd number of QTL will do
    assert [loci for loci, _ in terms_of(truth)] == [list(pair) for pair in combinations(range(11), 2)]
    assert not len(truth.triples.trait)


@pytest.mark.parametrize(("q", "left_over"), [(12, 0), (13, 1), (14, 2)])
def test_triples_are_disjoint(q, left_over):
    truth = simulate(spec("triples", q=q), 1).truth
    loci = [locus for triple, _ in terms_of(truth) for locus in triple]
    assert len(set(loci)) == len(loci) == q - left_over
    assert not len(truth.pairs.trait)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("ploidy", [1, 2, 4])
def test_the_recorded_truth_rebuilds_the_genetic_values(architecture, ploidy):
    data = simulate(spec(architecture, founders={"ploidy": ploidy}, n_traits=2, cor_a=0.3), 4)
    xa = additive_coding(data.dosage(), ploidy)
    for trait in range(2):
        mine = data.truth.effects.trait == trait
        gv = data.truth.traits["intercept"][trait] + xa @ data.truth.effects.additive[mine]
        for loci, effect in terms_of(data.truth, trait):
            gv = gv + effect * xa[:, loci].prod(axis=1)
        np.testing.assert_allclose(gv, data.truth.genetic_values[:, trait], atol=1e-10)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("founders", [{"ploidy": 1}, {"ploidy": 2}, {"ploidy": 4}, {"ploidy": 2, "inbred": True}])
def test_every_architecture_has_the_same_expected_shares_of_variance(architecture, founders):
    """In linkage equilibrium V_I/V_A is 2·relAA/P (P = 1 for inbreds), by means over 150 populations."""
    ratio = []
    for seed in range(150):
        truth = simulate(spec(architecture, n=400, q=20, founders=founders, rel_aa=0.7), seed).truth
        ratio.append([truth.traits["var_aa"][0], truth.traits["var_a"][0]])
    parts = np.array(ratio)
    expected = 1 / float(expected_variance_shares(0.7, 1 if founders.get("inbred") else founders["ploidy"])) - 1
    residual = parts[:, 0] - expected * parts[:, 1]  # its expectation is zero, whatever scaling did to both
    assert abs(residual.mean()) < 4 * residual.std() / np.sqrt(len(residual)) + 0.01


def test_architectures_share_genotypes_and_additive_effects():
    a, b, c = (simulate(spec(architecture, q=12), 9) for architecture in ARCHITECTURES)
    np.testing.assert_array_equal(a.dosage(), b.dosage())
    np.testing.assert_array_equal(a.dosage(), c.dosage())
    directions = [d.truth.effects.additive / np.linalg.norm(d.truth.effects.additive) for d in (a, b, c)]
    np.testing.assert_allclose(directions[0], directions[1])
    np.testing.assert_allclose(directions[0], directions[2])


@st.composite
def problems(draw):
    """A small population, and traits whose terms are any pairs (overlapping) or disjoint triples."""
    ploidy, order = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([2, 3]))
    n, m, t = draw(st.integers(2, 9)), draw(st.integers(3, 7)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    haplotypes = rng.integers(0, 2, (n * ploidy, m))
    population = from_haplotypes(haplotypes, np.ones(m), np.arange(m), ploidy=ploidy)
    if order == 2:
        every = np.array(list(combinations(range(m), 2)))
        terms = rng.permuted(every[rng.permutation(len(every))[: draw(st.integers(0, len(every)))]], axis=1)
    else:
        terms = rng.permutation(m)[: 3 * (m // 3)].reshape(-1, 3)
    group = TraitGroup(
        np.arange(m), rng.normal(size=(t, m)), rng.normal(size=(t, m)), terms, rng.normal(size=(t, len(terms))),
        rng.normal(size=t),
    )  # fmt: skip
    return population, group, haplotypes.reshape(n, ploidy, m).sum(axis=1)


@settings(max_examples=80, deadline=None)
@given(problems())
def test_values_are_those_of_a_loop_over_terms(problem):
    population, group, x = problem
    xa = additive_coding(x, population.ploidy)
    values = genetic_values(population, [group])
    for t in range(group.n_traits):
        gv = sum(
            (e * xa[:, term].prod(axis=1) for term, e in zip(group.terms, group.epistatic[t], strict=True)),
            start=genetic_values(population, [_without_terms(group)]).gv[:, t],
        )
        np.testing.assert_allclose(values.gv[:, t], gv, atol=1e-10)
        slopes = group.additive[t].copy()  # on xa, of a locus whose partners are replaced by their means
        for term, e in zip(group.terms, group.epistatic[t], strict=True):
            for locus in term:
                slopes[locus] += e * np.prod([xa[:, other].mean() for other in term if other != locus])
        bv = genetic_values(population, [_without_terms(group, slopes[None, :], t)]).bv[:, 0]
        np.testing.assert_allclose(values.bv[:, t], bv, atol=1e-10)


def _without_terms(group, additive=None, trait=None) -> TraitGroup:
    some = slice(None) if trait is None else slice(trait, trait + 1)
    none = np.empty((0, 2), dtype=int)
    effects = (group.additive if additive is None else additive), group.dominance[some]
    return TraitGroup(group.loci, *effects, none, np.empty((len(effects[0]), 0)), group.intercept[some])


@settings(max_examples=60, deadline=None)
@given(problems())
def test_genic_variance_of_interactions_is_what_independent_loci_leave(problem):
    """Var(Σ e Π xa) beyond regressions on single loci, over every genotype at Hardy-Weinberg proportions."""
    population, group, x = problem
    ploidy = population.ploidy
    p = x.mean(axis=0) / ploidy
    levels = np.arange(ploidy + 1)
    from itertools import product
    from math import comb

    f = np.array([[comb(ploidy, v) * q**v * (1 - q) ** (ploidy - v) for v in levels] for q in p])
    xa = additive_coding(levels, ploidy)
    mean = f @ xa
    found = genic_variances(population, [group])["genic_var_aa"]
    for t in range(group.n_traits):
        expected = 0.0
        for term, e in zip(group.terms, group.epistatic[t], strict=True):
            for genotype in product(levels, repeat=len(term)):
                weight = np.prod([f[locus, v] for locus, v in zip(term, genotype, strict=True)])
                deviation = np.prod(xa[list(genotype)]) - np.prod(mean[term])
                for k, locus in enumerate(term):
                    deviation -= (xa[genotype[k]] - mean[locus]) * np.prod(np.delete(mean[term], k))
                expected += weight * (e * deviation) ** 2
        np.testing.assert_allclose(found[t], expected, atol=1e-9)


def test_realised_variances_of_dense_pairs_are_quadratic_forms():
    """var_aa = Var(z'Wz) about the population's means, with z = xa - mean."""
    data = simulate(spec("dense", n=300, q=30, rel_aa=2), 3)
    xa, pairs = additive_coding(data.dosage(), 1), data.truth.pairs
    weights = np.zeros((30, 30))
    weights[pairs.locus_1, pairs.locus_2] = pairs.epistatic
    z = xa - xa.mean(axis=0)
    assert data.truth.traits["var_aa"][0] == pytest.approx(np.einsum("ni,ij,nj->n", z, weights, z).var(), rel=1e-10)
    assert data.truth.traits["var_g"][0] == pytest.approx(1, abs=1e-12)


def test_the_gather_and_the_matrix_agree(rng):
    """Thirty pairs of ten loci as one dense group, and as groups too small to be one."""
    population = from_haplotypes(rng.integers(0, 2, (50, 10)), np.ones(10), np.arange(10))
    every = np.array(list(combinations(range(10), 2)))
    zero, effects = np.zeros((1, 10)), rng.normal(size=(1, len(every)))
    whole = TraitGroup(np.arange(10), zero, zero, every, effects, np.zeros(1))
    parts = [
        TraitGroup(np.arange(10), zero, zero, every[k : k + 9], effects[:, k : k + 9], np.zeros(1))
        for k in range(0, 45, 9)
    ]
    assert whole.is_dense
    assert not any(part.is_dense for part in parts)
    one, many = genetic_values(population, [whole]), genetic_values(population, parts)
    for name in ("gv", "bv"):
        np.testing.assert_allclose(getattr(one, name)[:, 0], getattr(many, name).sum(axis=1), atol=1e-12)
    assert set(realised_variances(one)) == {"var_a", "var_d", "var_aa", "var_g"}


@pytest.mark.parametrize(
    ("trait", "message"),
    [
        ({"architecture": "sparce"}, "architecture: input should be 'sparse', 'dense' or 'triples', not 'sparce'"),
        ({"type": "A", "architecture": "dense"}, "architecture dense is about epistasis, but type A has none"),
        ({"architecture": "triples", "qtl_per_chromosome": 2}, "2 QTL, but triples interactions need at least 3"),
        ({"architecture": "dense", "qtl_per_chromosome": 1}, "1 QTL, but dense interactions need at least 2"),
        ({"architecture": "sparse", "qtl_per_chromosome": 7}, "7 QTL, but a trait with epistasis pairs them up"),
    ],
)
def test_mistakes(trait, message):
    with pytest.raises(ConfigError) as error:
        spec(**trait)
    assert message in str(error.value)


@pytest.mark.parametrize("architecture", ["dense", "triples"])
def test_alphasimr_refuses_what_it_does_not_have(architecture):
    with pytest.raises(EngineError, match=f"only, not architecture {architecture}; use engine: native"):
        simulate_with_alphasimr(spec(architecture), 1)
