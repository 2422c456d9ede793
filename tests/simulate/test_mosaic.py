"""Mosaic founders against closed forms: linkage disequilibrium, the neutral spectrum, differentiation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.errors import DataError
from gpatlas.packed import PackedBits
from gpatlas.simulate import even_map, from_haplotypes, mosaic, mosaic_of, random_map
from gpatlas.simulate.mosaic_kernels import draw_ancestors


def test_linkage_disequilibrium_falls_exponentially():
    """Of two ancestors that differ everywhere, loci d Morgan apart have |r| = exp(-switch_rate·d)."""
    chromosome, position = even_map([41, 41], 0.4)
    founders = mosaic(20_000, 2, chromosome, position, np.random.default_rng(1), switch_rate=5, inbred=True)
    r = np.abs(np.corrcoef(founders.haplotypes.unpack(), rowvar=False))
    for step in (1, 4, 16, 40):
        np.testing.assert_allclose(np.diag(r[:41, :41], step).mean(), np.exp(-5 * position[step]), atol=0.01)
    assert r[:41, 41:].mean() < 0.01


def test_pieces_end_where_the_map_says():
    """Loci in clusters: within one nothing is lost, between two that are d apart |r| = exp(-switch_rate·d)."""
    gaps = np.tile([1e-9, 1e-9, 0.02, 1e-9, 0.3], 6)
    position = np.concatenate([[0.0], np.cumsum(gaps)])
    chromosome = np.ones(31, dtype=int)
    founders = mosaic(20_000, 2, chromosome, position, np.random.default_rng(5), switch_rate=3, inbred=True)
    r = np.abs(np.diag(np.corrcoef(founders.haplotypes.unpack(), rowvar=False), 1))
    np.testing.assert_allclose(r, np.exp(-3 * gaps), atol=0.03)
    assert (r[gaps == 1e-9] > 0.999).all()


def test_rows_are_pieces_of_their_own_ancestors():
    """Every row equals one ancestor between switches; the number of switches is Poisson."""
    rng = np.random.default_rng(2)
    n_ancestors, n_loci = 8, 6_000
    haplotypes = rng.integers(0, 2, (2 * n_ancestors, n_loci), dtype=np.uint8)
    ancestors = from_haplotypes(haplotypes, *random_map([3_000, 3_000], rng, [1.0, 2.0]), ploidy=1)
    codes = np.repeat([0, 1], 100)
    made = mosaic_of(ancestors, 200, rng, switch_rate=4.0, subpopulation=codes, n_subpopulations=2, inbred=True)
    alleles, of_code = made.haplotypes.unpack(), haplotypes.reshape(2, n_ancestors, n_loci)
    changes = [_fewest_pieces(row, of_code[code]) - 1 for row, code in zip(alleles, codes, strict=True)]
    expected = 12 * (1 - 1 / n_ancestors) + (1 - 1 / n_ancestors)  # switches to another ancestor, and chromosome 2
    assert abs(np.mean(changes) - expected) < 3 * np.sqrt(expected / 200)


def _fewest_pieces(row, ancestors):
    """Follow the ancestor that agrees longest, greedily."""
    pieces, at = 0, 0
    while at < len(row):
        differs = ancestors[:, at:] != row[at:]
        lengths = np.where(differs.any(axis=1), differs.argmax(axis=1), len(row) - at)
        assert lengths.max() > 0
        at, pieces = at + lengths.max(), pieces + 1
    return pieces


def test_neutral_spectrum():
    """Under 1/x, k of K ancestors carry the allele with a chance proportional to 1/k."""
    alleles = np.empty((6, 40_000), dtype=np.uint8)
    draw_ancestors(np.random.default_rng(3), 1.0, 1.0, 0.005 / 6, 0.0, 1, alleles)
    share = np.bincount(alleles.sum(axis=0), minlength=7)[1:6] / 40_000
    expected = 1 / np.arange(1, 6)
    np.testing.assert_allclose(share, expected / expected.sum(), atol=0.01)


def test_differentiation_of_subpopulations():
    """Hudson's estimator (Bhatia et al. 2013, equation 10) finds F."""
    alleles = np.empty((200, 20_000), dtype=np.uint8)
    draw_ancestors(np.random.default_rng(4), 2.0, 2.0, 0.0, 0.15, 2, alleles)
    p, q = alleles[:100].mean(axis=0), alleles[100:].mean(axis=0)
    within = p * (1 - p) * 100 / 99 + q * (1 - q) * 100 / 99
    between = p * (1 - q) + q * (1 - p)
    assert abs(1 - within.sum() / between.sum() - 0.15) < 0.01


@given(st.integers(0, 10_000), st.integers(1, 4), st.booleans(), st.integers(1, 40))
def test_every_founder_is_made_of_ancestors(seed, ploidy, inbred, n_loci):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, 9)
    chromosome, position = random_map([n_loci, n_loci], rng)
    made = [
        mosaic(9, 3, chromosome, position, np.random.default_rng(seed), subpopulation=codes, ploidy=ploidy,
               inbred=inbred, switch_rate=1e-9, fst=0.2)
        for _ in range(2)
    ]  # fmt: skip
    assert made[0].haplotypes.bits.tobytes() == made[1].haplotypes.bits.tobytes()
    rows = made[0].haplotypes.unpack()[:, :n_loci]
    subpopulation = np.repeat(codes, made[0].copies)
    for code in (0, 1):  # hardly any switches: whole chromosomes are copied
        assert len(np.unique(rows[subpopulation == code], axis=0)) <= 3
    np.testing.assert_array_equal(PackedBits.pack(made[0].haplotypes.unpack()).bits, made[0].haplotypes.bits)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_ancestors": 1}, "n_ancestors = 1"),
        ({"fst": 1.0}, r"fst = 1 is not in \[0, 1\)"),
        ({"switch_rate": 0.0}, "switch_rate = 0"),
        ({"frequency": (0.0, 1.0)}, r"frequency = \(0, 1\)"),
        ({"subpopulation": np.zeros(3, int)}, r"shape \(3,\) for 5 founders"),
        ({"subpopulation": np.full(5, -1)}, "the code -1; codes are 0 … 0"),
    ],
)
def test_refusals(settings, message):
    chromosome, position = even_map([10])
    with pytest.raises(DataError, match=message):
        mosaic(5, **{"n_ancestors": 4} | settings, chromosome=chromosome, position=position,
               rng=np.random.default_rng(1))  # fmt: skip


def test_ancestors_of_subpopulations():
    """Their haplotypes fall into equal parts, and every code has its own."""
    chromosome, position = even_map([10])
    ancestors = mosaic(3, 4, chromosome, position, np.random.default_rng(1), inbred=True)
    with pytest.raises(DataError, match="3 ancestral haplotypes do not make 2 equal parts"):
        mosaic_of(ancestors, 4, np.random.default_rng(1), n_subpopulations=2)
    with pytest.raises(DataError, match="the code 3; codes are 0 … 2"):
        mosaic_of(ancestors, 1, np.random.default_rng(1), subpopulation=np.array([3]), n_subpopulations=3)
