"""Kernels against the features they stand for, written out."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.models.kernels import CentredKernel, Coding, GaussianKernel, PairKernel, pair_products
from gpatlas.models.loci import DominanceCoding


@st.composite
def genotypes(draw):
    n, p = draw(st.integers(2, 12)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ploidy = draw(st.sampled_from([1, 2, 4]))
    return rng.integers(0, ploidy + 1, (n, p)), rng.integers(0, ploidy + 1, (5, p))


def products(z):
    columns = [z[:, i] * z[:, j] for i, j in combinations(range(z.shape[1]), 2)]
    return np.column_stack(columns) if columns else np.zeros((len(z), 0))


@given(genotypes(), st.booleans())
def test_the_pair_kernel_is_the_inner_product_of_all_pairs(x, standardise):
    train, new = x
    coding = Coding.of(train, standardise)
    z, w = coding(train), products(coding(train))
    np.testing.assert_array_equal(pair_products(z), w)
    np.testing.assert_allclose(PairKernel().between(coding(new), z), products(coding(new)) @ w.T, atol=1e-9)
    np.testing.assert_allclose(PairKernel().itself(z), (w**2).sum(axis=1), atol=1e-9)


@given(genotypes())
def test_centring_is_centring_of_features(x):
    train, new = x
    coding = Coding.of(train)
    kernel, matrix = CentredKernel.of(PairKernel(), coding, train)
    w, fresh = products(coding(train)), products(coding(new))
    fresh, w = fresh - w.mean(axis=0), w - w.mean(axis=0)
    cross, own = kernel.between(new)
    np.testing.assert_allclose(matrix, w @ w.T, atol=1e-9)
    np.testing.assert_allclose(cross, fresh @ w.T, atol=1e-9)
    np.testing.assert_allclose(own, (fresh**2).sum(axis=1), atol=1e-9)


@given(genotypes(), st.floats(0.1, 100))
def test_the_gaussian_kernel_is_its_definition(x, bandwidth):
    train, new = (part.astype(float) for part in x)
    distances = ((new[:, None] - train[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(GaussianKernel(bandwidth).between(new, train), np.exp(-distances / bandwidth))


def test_standardised_loci_vary_by_one(rng):
    x = rng.integers(0, 3, (50, 6))
    x[:, 2] = 1
    sd = Coding.of(x, standardise=True)(x).std(axis=0)
    np.testing.assert_allclose(sd, [1, 1, 0, 1, 1, 1])


@pytest.mark.parametrize("ploidy", [2, 4])
def test_dominance_is_what_a_line_leaves(rng, ploidy):
    x = rng.binomial(ploidy, [0.1, 0.5, 0.7], (200, 3))
    x[:, 2] = np.minimum(x[:, 2], 1)  # two genotypes only
    additive = Coding.of(x)
    coded = DominanceCoding.of(additive, x)(x)
    for locus in range(2):
        line = np.polyfit(x[:, locus], x[:, locus] * (ploidy - x[:, locus]), 1)  # heterozygosity's regression
        expected = x[:, locus] * (ploidy - x[:, locus]) - np.polyval(line, x[:, locus])
        np.testing.assert_allclose(coded[:, locus], expected, atol=1e-10)
    np.testing.assert_array_equal(coded[:, 2], 0)
    np.testing.assert_allclose(np.diag(coded.T @ additive(x)), 0, atol=1e-9)
