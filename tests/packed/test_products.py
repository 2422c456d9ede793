"""Products with bits against the dense matrix, by compiled kernels and by NumPy, for any shape and any rows."""

import builtins
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.packed import Bits, kernels, products, random_bits


@pytest.fixture(autouse=True, params=["compiled", "NumPy"])
def way(request, monkeypatch):
    """Every test runs both ways."""
    limit = 0 if request.param == "compiled" else np.inf
    monkeypatch.setattr(products, "GRAM_WORTH_COMPILING", limit)
    monkeypatch.setattr(products, "PRODUCT_WORTH_COMPILING", limit)
    return request.param


@st.composite
def matrices(draw) -> Bits:
    """Bits of odd shapes around words, tiles and bytes; some are rows of others, repeated and out of order."""
    n = draw(st.integers(1, 200) | st.sampled_from([63, 64, 65, 128]))
    p = draw(st.integers(1, 140) | st.sampled_from([1, 7, 8, 9, 64, 65]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    bits = random_bits(n, p, rng)
    return bits.take(rng.integers(0, n, draw(st.integers(1, 150)))) if draw(st.booleans()) else bits


quickly = settings(max_examples=40, deadline=None)


@quickly
@given(matrices())
def test_counts_are_exact(bits):
    x = bits.unpack().astype(np.int64)
    np.testing.assert_array_equal(products.gram(bits), x.T @ x)
    np.testing.assert_array_equal(products.gram_of_rows(bits), x @ x.T)


@quickly
@given(matrices(), st.integers(1, 20))
def test_products_are_those_of_the_dense_matrix(bits, n_traits):
    x, rng = bits.unpack().astype(float), np.random.default_rng(1)
    b, y = rng.normal(size=(x.shape[1], n_traits)), rng.normal(size=(len(x), n_traits))
    np.testing.assert_allclose(products.times(bits, b), x @ b, atol=1e-11)
    np.testing.assert_allclose(products.transposed_times(bits, y), x.T @ y, atol=1e-11)


def test_blocks_of_rows_add_up(monkeypatch):
    monkeypatch.setattr(kernels, "ROWS_PER_BLOCK", 128)
    monkeypatch.setattr(kernels, "STRIP", 16)
    bits = random_bits(700, 150, np.random.default_rng(2))
    x, y = bits.unpack().astype(float), np.random.default_rng(3).normal(size=(700, 2))
    np.testing.assert_array_equal(products.gram(bits), x.T @ x)
    wide = random_bits(90, 1000, np.random.default_rng(4))
    np.testing.assert_array_equal(products.gram_of_rows(wide), wide.unpack().astype(float) @ wide.unpack().T)
    np.testing.assert_allclose(products.transposed_times(bits, y), x.T @ y, atol=1e-11)
    np.testing.assert_allclose(products.times(bits, x.T @ y), x @ (x.T @ y), rtol=1e-11)


def test_threads_change_nothing(monkeypatch):
    bits, y = random_bits(5000, 300, np.random.default_rng(5)), np.random.default_rng(6).normal(size=(5000, 3))
    found = []
    for n_threads in (1, 3):
        threads = [{"user_api": "blas", "num_threads": n_threads}]
        monkeypatch.setattr(kernels, "threadpool_info", lambda threads=threads: threads)
        found.append((products.gram(bits), products.transposed_times(bits, y), products.times(bits, y[:300])))
    for one, several in zip(*found, strict=True):
        np.testing.assert_array_equal(one, several)


def test_large_problems_are_compiled_and_small_ones_are_not(way, monkeypatch):
    called = []
    monkeypatch.setattr(kernels, "gram", lambda bits: called.append(bits.shape) or np.zeros((9, 9)))
    monkeypatch.setattr(products, "GRAM_WORTH_COMPILING", 9 * 9 * 50)
    for n in (49, 50):
        products.gram(random_bits(n, 9, np.random.default_rng(1)))
    assert called == [(50, 9)]


def test_without_numba_all_goes_through_numpy(monkeypatch):
    monkeypatch.setattr(products, "find_spec", lambda name: None)
    monkeypatch.setattr(products, "import_module", lambda name: builtins.__import__("no_such_module"))
    bits = random_bits(70, 20, np.random.default_rng(7))
    x = bits.unpack().astype(float)
    np.testing.assert_array_equal(products.gram(bits), x.T @ x)
    np.testing.assert_allclose(products.times(bits, np.ones((20, 1)))[:, 0], x.sum(axis=1))


@pytest.mark.parametrize("statement", ["import gpatlas.packed.products", "import gpatlas.models.rrblup"])
def test_numba_is_loaded_when_it_is_needed(statement, way):
    code = f"import sys; {statement}; print('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
