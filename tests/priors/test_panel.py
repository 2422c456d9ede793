"""Panels and splits: what a model sees and is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.priors.kernels import count_ones, dosage
from gpatlas.priors.maps import MAPS, chromosome_lengths, draw_map
from gpatlas.priors.panel import draw_panel
from gpatlas.priors.splits import MIN_CONTEXT, split_rows
from gpatlas.simulate import from_haplotypes
from tests.priors.test_laws import founders


@given(st.integers(1, 700), st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_kernels_agree_with_unpacked_bits(n_rows, n_loci, seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 2, (2 * n_rows, n_loci), dtype=np.uint8)
    bits = from_haplotypes(values, np.ones(n_loci), np.arange(n_loci), ploidy=2).haplotypes.packed()
    rows = rng.permutation(2 * n_rows)[: rng.integers(0, 2 * n_rows + 1)]
    np.testing.assert_array_equal(count_ones(bits, rows)[:n_loci], values[rows].sum(axis=0, dtype=int))
    loci = np.sort(rng.choice(n_loci, rng.integers(0, n_loci + 1), replace=False))
    np.testing.assert_array_equal(dosage(bits, 2, 1, loci), (values[::2] + values[1::2])[:, loci])
    np.testing.assert_array_equal(dosage(bits, 1, 2, loci), 2 * values[:, loci])


@pytest.mark.parametrize("inbred", [False, True])
@pytest.mark.parametrize("rarest", [0.0, 0.05, 0.2])
def test_the_panel_is_a_random_part_of_the_frequent_loci(rarest, inbred):
    population = founders(n=80, n_loci=2000, inbred=inbred)
    context = np.arange(80) % 3 > 0
    loci, x = draw_panel(population, context, 300, np.random.default_rng(1), rarest=rarest)
    np.testing.assert_array_equal(x, population.dosage(slice(0, 80), loci))
    share = x[context].mean(axis=0) / 2
    assert np.minimum(share, 1 - share).min() >= rarest
    assert np.ptp(x[context], axis=0).min() > 0
    assert (np.diff(loci) > 0).all()
    qtl = np.sort(np.random.default_rng(2).choice(loci, 50, replace=False))
    with_qtl, _ = draw_panel(population, context, 300, np.random.default_rng(3), rarest=rarest, wanted=qtl)
    assert np.isin(qtl, with_qtl).all()
    without, _ = draw_panel(population, context, 300, np.random.default_rng(3), rarest=rarest, excluded=qtl)
    assert not np.isin(qtl, without).any()
    assert draw_panel(population, context, 2001, np.random.default_rng(3), rarest=rarest) is None


def test_loci_at_which_all_are_heterozygous_do_not_vary():
    haplotypes = np.tile([[0, 1, 0], [1, 0, 1]], (20, 1))
    haplotypes[0, 0] = 1
    population = from_haplotypes(haplotypes, np.ones(3), np.arange(3.0), ploidy=2)
    context = np.ones(20, dtype=bool)
    assert draw_panel(population, context, 2, np.random.default_rng(1), rarest=0.0) is None
    loci, _ = draw_panel(population, context, 1, np.random.default_rng(1), rarest=0.0)
    np.testing.assert_array_equal(loci, [0])


@given(st.integers(11, 200), st.floats(0.5, 0.9), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_splits_are_as_promised(n, share, n_families, seed):
    rng = np.random.default_rng(seed)
    n_context = int(np.clip(share * n, MIN_CONTEXT, n - 1))
    family, younger = rng.integers(n_families, size=n), np.arange(n) >= n_context
    context, way = split_rows(n, n_context, family, younger, ("random",), rng)
    assert way == "random"
    assert context.sum() == n_context
    context, way = split_rows(n, n_context, family, younger, ("generation",), rng)
    assert way == "generation"
    np.testing.assert_array_equal(context, ~younger)
    context, way = split_rows(n, n_context, family, None, ("generation", "family"), rng)
    assert MIN_CONTEXT <= context.sum() < n
    if way == "family":
        assert not np.isin(family[context], family[~context]).any()
    else:
        assert n_families < 3 or n < 40  # a family was too large to be left out


def test_every_allowed_split_occurs():
    rng = np.random.default_rng(1)
    ways = ("random", "family", "generation")
    found = [split_rows(60, 40, np.arange(60) // 6, np.arange(60) >= 40, ways, rng)[1] for _ in range(300)]
    assert all(abs(found.count(way) / 300 - 1 / 3) < 0.1 for way in ways)


def test_maps():
    for name, total in {"barley": 10.99, "cattle": 30.97, "maize": 14.0, "rice": 15.22, "soybean": 22.96}.items():
        assert sum(MAPS[name]) == pytest.approx(total, rel=0.015), name
    rng = np.random.default_rng(1)
    for _ in range(30):
        lengths = chromosome_lengths(rng)
        chromosome, position = draw_map(lengths, 3000, rng)
        first = np.flatnonzero(np.diff(chromosome, prepend=0))
        assert len(first) == len(lengths)
        assert not position[first].any()
        assert (np.diff(position)[np.diff(chromosome) == 0] >= 0).all()
        found = np.maximum.reduceat(position, first)
        np.testing.assert_allclose(found, lengths)


def test_loci_crowd_around_the_middle_of_some_maps():
    rng, shares = np.random.default_rng(2), []
    for _ in range(60):
        _, position = draw_map(np.array([1.0]), 4000, rng)
        middle = np.mean(np.abs(position / position[-1] - 0.5) < 0.1)
        shares.append(middle)
    assert np.mean(np.abs(np.array(shares) - 0.2) < 0.02) > 0.35  # even maps
    assert np.mean(np.array(shares) > 0.24) > 0.2  # loci where little recombines
