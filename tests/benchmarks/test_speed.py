"""The work of the comparisons, timed by pytest-benchmark: `bash run_tests.sh tests/benchmarks --benchmark-only`."""

import numpy as np
import pytest

from gpatlas.io import read_dataset, write_dataset
from gpatlas.models import make
from gpatlas.models.ridge_splits import fit_splits, random_splits
from gpatlas.simulate import simulate
from tests.benchmarks import lasso
from tests.benchmarks.cells import spec

CELLS = [(1_000, 46), (10_000, 142), (100_000, 448)]


@pytest.fixture(scope="module")
def data():
    return simulate(spec(10_000, 142), 1)


@pytest.mark.parametrize(("n_samples", "n_qtl"), CELLS)
def test_simulate_and_store(benchmark, n_samples, n_qtl, tmp_path):
    benchmark(lambda: write_dataset(simulate(spec(n_samples, n_qtl), 1), tmp_path / "d.h5"))


def test_read(benchmark, data, tmp_path):
    write_dataset(data, tmp_path / "d.h5")
    assert benchmark(lambda: read_dataset(tmp_path / "d.h5").dosage()).shape == (10_000, 142)


@pytest.mark.parametrize("criterion", ["gcv", "reml", "loo"])
def test_ridge_over_ten_splits(benchmark, data, criterion):
    x, y = data.dosage(), data.phenotypes
    splits = random_splits(*y.shape, n_splits=10, test=0.15, seed=1)
    assert len(benchmark(fit_splits, x, y, splits, criterion)) == 10


@pytest.mark.parametrize("n_markers", [1_000, 10_000])
def test_lasso_over_five_folds(benchmark, n_markers):
    x, y, _ = lasso.cell(10_000, n_markers)
    benchmark.pedantic(lambda: make("lasso").fit(x, y), rounds=1)


@pytest.mark.parametrize(("preset", "epochs"), [("published", 1), (None, 10)])
def test_mlp(benchmark, data, preset, epochs):
    x, y = data.dosage(), data.phenotypes
    model = make("mlp", preset=preset, max_epochs=epochs, device="cpu")
    benchmark.pedantic(model.fit, (x, y), rounds=1)
    assert np.isfinite(model.predict(x[:5])).all()
