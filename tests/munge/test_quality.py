"""Counts, the exact test and copies, against PLINK 2, exact fractions and brute force."""

from fractions import Fraction
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.munge.planes import Planes
from gpatlas.munge.quality import allele_frequency, duplicate_loci, genotype_counts, hardy_weinberg_p
from tests.munge.data import dataset, genoml, linked, maize
from tests.plink import run, write_bed


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 200), st.sampled_from([1, 2]))
def test_counts(seed, n_samples, ploidy):
    data = linked(seed, n_samples, 20, 0.2, 2)
    x = np.minimum(data.dosage(), ploidy)
    data = dataset(x, ploidy=ploidy)
    counts = genotype_counts(Planes.of(data))
    for column, value in enumerate((0, 1, 2) if ploidy == 2 else (0, 7, 1)):
        np.testing.assert_array_equal(counts[:, column], (x == value).sum(axis=0))
    masked = np.ma.masked_less(x, 0)
    np.testing.assert_allclose(allele_frequency(counts), (masked.mean(axis=0) / ploidy).filled(np.nan))


def exact_p(aa, ab, bb):
    """Wigginton et al. (2005), eqs 1 and 2, in fractions."""
    n, a = aa + ab + bb, 2 * aa + ab
    probability = {}
    for het in range(a % 2, min(a, 2 * n - a) + 1, 2):
        x, y = (a - het) // 2, (2 * n - a - het) // 2
        arrangements = Fraction(factorial(n), factorial(x) * factorial(het) * factorial(y))
        probability[het] = arrangements * 2**het / comb(2 * n, a)
    assert sum(probability.values()) == 1
    return float(sum(p for p in probability.values() if p <= probability[ab]))


@settings(max_examples=100)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_hardy_weinberg_by_fractions(aa, ab, bb):
    if aa + ab + bb:
        p = hardy_weinberg_p(np.array([[aa, ab, bb], [bb, ab, aa]]))
        assert p[0] == p[1] == pytest.approx(exact_p(aa, ab, bb), rel=1e-9)


def test_hardy_weinberg_of_nothing_known():
    assert hardy_weinberg_p(np.zeros((2, 3), dtype=int)).tolist() == [1, 1]


@pytest.mark.parametrize(
    "reference", [genoml, maize, lambda: linked(4, 2504, 200, 0.1)], ids=["genoml", "maize", "2504"]
)
def test_hardy_weinberg_as_plink(reference, tmp_path):
    data = reference()
    write_bed(tmp_path / "data", data)
    table = run("plink2", tmp_path / "data", "--hardy").with_suffix(".out.hardy").read_text().splitlines()
    theirs = {row.split()[1]: float(row.split()[-1]) for row in table[1:]}
    p = hardy_weinberg_p(genotype_counts(Planes.of(data)))
    found = np.array([p[j] for j, name in enumerate(data.locus_id) if name in theirs])
    np.testing.assert_allclose(
        found, [theirs[name] for name in data.locus_id if name in theirs], rtol=2e-5, atol=1e-300
    )
    assert len(theirs) > 0.9 * data.n_loci


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 140))
def test_copies_and_complements(seed, n_samples):
    rng = np.random.default_rng(seed)
    distinct = rng.integers(-1, 3, (n_samples, 6)).astype(np.int8)
    of = rng.integers(0, 6, 15)
    x = distinct[:, of]
    turned = rng.random(15) < 0.5
    x = np.where(turned & (x >= 0), 2 - x, x).astype(np.int8)
    among = rng.random(15) < 0.8
    expected, seen = [], set()
    for j in range(15):
        keys = {x[:, j].tobytes(), np.where(x[:, j] >= 0, 2 - x[:, j], -1).astype(np.int8).tobytes()}
        expected.append(bool(among[j] and keys & seen))
        seen |= keys if among[j] else set()
    np.testing.assert_array_equal(duplicate_loci(Planes.of(dataset(x)), among), expected)
