"""Screens against one regression for every pair."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.models.epistasis import kernels, statistic
from gpatlas.models.epistasis import panel as panels
from gpatlas.models.epistasis import screen as screening
from gpatlas.models.epistasis.panel import make_panel
from gpatlas.models.epistasis.screen import screen
from gpatlas.packed import PackedBits
from tests.models.epistasis.populations import population


def by_regression(x, y, covariates=None):
    """t of the product in y ~ 1 + a + b + ab for every pair; pairs whose columns are collinear are left out."""
    n, p = x.shape
    t = {}
    for i, j in combinations(range(p), 2):
        design = np.column_stack([np.ones(n), x[:, i], x[:, j], x[:, i] * x[:, j]]).astype(float)
        scale = np.linalg.norm(design - design.mean(axis=0) * (np.arange(4) > 0), axis=0)
        if (scale == 0).any() or np.linalg.matrix_rank(design / scale, tol=1e-6) < 4:
            continue
        b, rss, *_ = np.linalg.lstsq(design, y, rcond=None)
        t[i, j] = b[3] / np.sqrt(rss[0] / (n - 4) * np.linalg.inv(design.T @ design)[3, 3])
    return t


def as_dict(hits):
    return dict(zip(map(tuple, hits.pairs.tolist()), hits.t, strict=True))


@pytest.mark.parametrize("ploidy", [1, 2, 4])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), linked=st.sampled_from([0.0, 0.5, 0.95]), n=st.integers(20, 150))
def test_a_screen_is_one_regression_for_every_pair(ploidy, seed, linked, n):
    x = population(n, 9, ploidy, seed, linked)
    y = np.random.default_rng(seed).normal(size=n) + 10
    expected = by_regression(x, y)
    found = as_dict(screen(make_panel(x), y, 0.0, engine="float32"))
    assert set(found) >= set(expected)
    for pair, t in expected.items():
        assert found[pair] == pytest.approx(t, rel=2e-4, abs=2e-4)
    assert all(found[pair] == 0 for pair in set(found) - set(expected))


def test_missing_genotypes_take_the_mean_of_their_locus():
    x = population(90, 6, 2, seed=3).astype(np.float32)
    x[np.random.default_rng(1).random(x.shape) < 0.1] = np.nan
    filled = np.where(np.isnan(x), np.nanmean(x, axis=0, dtype=np.float64), x)
    y = np.random.default_rng(2).normal(size=90)
    expected = by_regression(filled, y)
    found = as_dict(screen(make_panel(x), y, 0.0))
    for pair, t in expected.items():
        assert found[pair] == pytest.approx(t, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("ploidy", [1, 2, 4])
def test_engines_agree(ploidy, monkeypatch):
    x, y = population(600, 40, ploidy, seed=5, linked=0.6), np.random.default_rng(5).normal(size=600)
    panel = make_panel(x)
    floats = as_dict(screen(panel, y, 0.0, engine="float32"))
    whole = as_dict(screen(panel, y, 0.0, engine="int8"))
    assert max(abs(floats[pair] - whole[pair]) for pair in floats) < 0.1  # the trait in 255 levels over 3 sd
    monkeypatch.setattr(statistic, "is_compiling", lambda: False)
    plain = as_dict(screen(panel, y, 0.0, engine="float32"))
    assert max(abs(floats[pair] - plain[pair]) for pair in floats) < 1e-9


def test_the_tensors_of_a_gpu_give_the_same_statistic(monkeypatch):
    """The GPU path, on a CPU: products in int8, the statistic on tensors."""
    from gpatlas.models.epistasis.integers import IntegerProducts

    x, y = population(300, 30, 2, seed=6, linked=0.6), np.random.default_rng(6).normal(size=300)
    panel = make_panel(x)
    expected = as_dict(screen(panel, y, 1.0, engine="int8"))
    products = IntegerProducts(panel, y - y.mean(), "cpu")
    products.on_tensors = True
    monkeypatch.setattr(screening, "make_products", lambda *_: products)
    found = as_dict(screen(panel, y, 1.0))
    assert set(found) == set(expected)
    assert max(abs(found[pair] - expected[pair]) for pair in found) < 1e-9


def test_a_gpu_that_is_not_there_is_said():
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ValueError, match="engine cuda is not available here"):
        screen(make_panel(population(50, 5)), np.arange(50.0), 0.0, engine="cuda")


def test_int8_refuses_what_is_not_whole():
    with pytest.raises(ValueError, match="needs whole dosages"):
        screen(make_panel(np.full((50, 5), 0.5)), np.arange(50.0), 0.0, engine="int8")


def test_tiles_threads_and_limits_change_nothing(monkeypatch):
    x, y = population(200, 50, 2, seed=7), np.random.default_rng(7).normal(size=200)
    panel = make_panel(x)
    whole = screen(panel, y, 0.5)
    monkeypatch.setattr(screening, "TILE", 7)
    calls = []
    tiled = screen(panel, y, 0.5, n_jobs=2, progress=lambda done, total: calls.append((done, total)))
    assert np.array_equal(tiled.pairs, whole.pairs)
    assert calls[-1][0] == max(done for done, _ in calls) == calls[-1][1] == 50 * 49 // 2
    few = screen(panel, y, 0.5, limit=20)
    assert np.array_equal(few.pairs, whole.pairs[:20])


def test_a_limit_drops_the_weakest_on_the_way():
    found = screening._Found(0.0, 3)
    rng = np.random.default_rng(1)
    values = rng.normal(size=40_000)
    for part in np.split(np.arange(40_000), 40):
        kept = np.abs(values[part]) > found.cut
        found.add(part[kept], part[kept], values[part][kept])
    assert found.cut > 3
    assert list(found.strongest()[0]) == list(np.argsort(-np.abs(values))[:3])


def test_sums_over_blocks_of_samples(monkeypatch):
    x, y = population(500, 20, 2, seed=8), np.random.default_rng(8).normal(size=500)
    whole = screen(make_panel(x), y, 0.0)
    monkeypatch.setattr("gpatlas.models.epistasis.panel.BLOCK_SAMPLES", 128)
    assert np.allclose(screen(make_panel(x), y, 0.0).t, whole.t)


def test_sums_of_products_of_loci(monkeypatch):
    monkeypatch.setattr(panels, "LOCI_AT_ONCE", 512)
    x, loci = population(300, 20, 4, seed=8), np.array([7, 2, 11])
    shifted = x[:, loci].astype(int) - 2
    assert np.array_equal(make_panel(x).gram(loci), shifted.T @ shifted)


def test_a_few_of_many_bits_are_not_counted_with_all_the_others(monkeypatch):
    monkeypatch.setattr(panels, "UNPACKED", 0)
    panel = make_panel(PackedBits.pack(population(100, 21, 1, seed=8)))
    monkeypatch.setattr(panels.products, "gram", lambda _: pytest.fail("all loci by all loci"))
    assert panel.gram(np.arange(10)).shape == (10, 10)


def test_rare_combinations_are_not_tested():
    x = np.zeros((100, 2), dtype=np.int8)
    x[:30, 0] = 1
    x[28:60, 1] = 1  # two samples carry both
    y = np.random.default_rng(1).normal(size=100)
    kept = (100 / (28 * 30) + 1 / 2 + 1 / 40) and 1 / (1 / 2 + 1 / 28 + 1 / 30 + 1 / 40)  # of the product's variance
    assert len(screen(make_panel(x), y, 0.0, least=kept * 0.99).t) == 1
    assert np.all(screen(make_panel(x), y, 0.0, least=kept * 1.01).t == 0)


def test_plain_loops_equal_compiled_ones():
    if not kernels.is_compiling():
        pytest.skip("numba is not installed")
    x, y = population(60, 6, 2, seed=9), np.random.default_rng(9).normal(size=60)
    panel = make_panel(x)
    compiled = as_dict(screen(panel, y, 0.0))
    products = screening.FloatProducts(panel, y - y.mean())
    rows = slice(0, 6)
    stack = products.left(rows)[0]
    b = panel.padded(slice(None), slice(0, 64)).astype(np.float32)
    once, twice = stack @ b.T, np.concatenate([stack[:6] @ (b * b).T, stack[12:] @ (b * b).T])
    m, s = screening.moments_of(once, twice, 6), products.sums
    first, second, value = np.empty(36, int), np.empty(36, int), np.empty(36)
    found = kernels.write_hits(
        *(m.ab, m.aab, m.abb, m.aabb, m.abr, s.total, s.square, s.trait, s.total, s.square, s.trait),
        *(1.0, 0.0, 60, float(products.trait @ products.trait), 0.0, 0.0, first, second, value, True),
    )
    for i, j, square in zip(first[:found], second[:found], value[:found], strict=True):
        t = np.sign(square) * np.sqrt(abs(square) * 56 / (1 - abs(square)))
        assert compiled[i, j] == pytest.approx(t, rel=1e-6)


@pytest.mark.parametrize("engine", ["float32", "int8"])
def test_bits_are_screened_like_bytes(engine, monkeypatch, tmp_path):
    x, y = population(1000, 21, 1, seed=10), np.random.default_rng(10).normal(size=1000)
    bits = PackedBits.pack(np.vstack([x, x]))
    rows = np.sort(np.random.default_rng(1).permutation(1000))
    expected = screen(make_panel(x), y, 0.5, engine=engine)
    monkeypatch.setattr(panels, "UNPACKED", 0)
    monkeypatch.setattr(panels, "BLOCK_SAMPLES", 256)
    monkeypatch.setattr(screening, "STACKS_HELD", 0)
    panel = make_panel(bits.take(rows))
    assert isinstance(panel, panels.PackedPanel)
    assert np.array_equal(panel.dosage(slice(None)), x.T)
    found = screen(panel, y, 0.5, engine=engine)
    assert np.array_equal(found.pairs, expected.pairs)
    assert np.allclose(found.t, expected.t, atol=1e-5)
    for loci in (np.array([3, 0, 17]), np.arange(20, 4, -1)):
        chosen = x[:, loci].astype(int)
        assert np.array_equal(panel.gram(loci), chosen.T @ chosen)
    some = np.random.default_rng(2).random(1000) < 0.3
    assert np.array_equal(panel.of_samples(some).dosage(slice(3, 9)), x[some, 3:9].T)
