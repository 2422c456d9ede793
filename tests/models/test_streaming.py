"""rrBLUP from bits is rrBLUP from dosages, and takes no more memory than it says."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.config import EvaluationSpec
from gpatlas.fitting import fit_dataset
from gpatlas.io import read_dataset, write_dataset
from gpatlas.models import make
from gpatlas.models.ridge_splits import fit_splits, random_splits
from gpatlas.packed import PackedBits, products, random_bits

LEARNED = ("marker_effects_", "intercept_", "penalty_", "var_u_", "var_e_", "h2_")


@pytest.fixture(autouse=True, params=["compiled", "NumPy"])
def way(request, monkeypatch):
    limit = 0 if request.param == "compiled" else np.inf
    monkeypatch.setattr(products, "GRAM_WORTH_COMPILING", limit)
    monkeypatch.setattr(products, "PRODUCT_WORTH_COMPILING", limit)


@st.composite
def problems(draw):
    n, p = draw(st.integers(12, 120)), draw(st.integers(1, 90))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    bits = random_bits(n, p, rng)
    y = bits.unpack() @ rng.normal(size=(p, 2)) + 0.7 * np.sqrt(p) * rng.normal(size=(n, 2))
    if draw(st.booleans()):
        y[rng.choice(n, n // 4, replace=False), 1] = np.nan
    return bits, y


@settings(max_examples=25, deadline=None)
@given(problems(), st.sampled_from(["gcv", "loo"]))
def test_bits_and_dosages_give_one_fit(problem, penalty):
    bits, y = problem
    settings = {"penalty": penalty, "penalties": [0.3, 3.0, 300.0]}  # apart, as a few samples may tell no finer ones
    dense, streamed = make("rrblup", **settings).fit(bits.unpack(), y), make("rrblup", **settings).fit(bits, y)
    for name in LEARNED:
        np.testing.assert_allclose(getattr(streamed, name), getattr(dense, name), rtol=1e-7, atol=1e-8, err_msg=name)
    rows = np.arange(len(bits))[::-2]
    np.testing.assert_allclose(streamed.predict(bits.take(rows)), dense.predict(bits.unpack(rows)), atol=1e-8)
    assert make("rrblup", **settings).fit(bits, y[:, 0]).predict(bits).shape == (len(bits),)


@pytest.mark.parametrize("shape", [(500, 60), (80, 200)], ids=["primal", "dual"])
def test_reml_of_bits_is_reml_of_dosages(shape, rng):
    bits = random_bits(*shape, rng)
    y = bits.unpack() @ rng.normal(size=(shape[1], 2)) + np.sqrt(shape[1]) * rng.normal(size=(shape[0], 2))
    y[:40, 1] = np.nan
    dense, streamed = make("rrblup").fit(bits.unpack(), y), make("rrblup").fit(bits, y)
    for name in LEARNED:
        np.testing.assert_allclose(getattr(streamed, name), getattr(dense, name), rtol=1e-6, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("criterion", ["reml", "gcv", "loo"])
def test_splits_of_bits_are_splits_of_dosages(criterion, rng):
    bits = random_bits(300, 30, rng)
    y = bits.unpack() @ rng.normal(size=(30, 2)) + 3 * rng.normal(size=(300, 2))
    splits = random_splits(300, 2, 3, 0.15, seed=1)
    for a, b in zip(
        fit_splits(bits, y, splits, criterion), fit_splits(bits.unpack(), y, splits, criterion), strict=True
    ):
        np.testing.assert_allclose(a.penalty, b.penalty, rtol=1e-6)
        np.testing.assert_allclose(a.predicted, b.predicted, atol=1e-6)


@pytest.mark.parametrize("protocol", ["holdout", "published"])
def test_a_dataset_on_disk_is_fitted_as_one_in_memory(haploids, tmp_path, protocol):
    write_dataset(haploids, tmp_path / "d.h5")
    evaluation = EvaluationSpec(protocol=protocol, n_splits=2, splits="shared")
    dense = replace(haploids, genotypes=haploids.dosage())
    fits = [
        fit_dataset(data, "rrblup", {}, evaluation, 1)
        for data in (dense, haploids, read_dataset(tmp_path / "d.h5", lazy=True))
    ]
    for fit in fits[1:]:
        for a, b in zip(fits[0].predictions, fit.predictions, strict=True):
            np.testing.assert_array_equal(a.rows, b.rows)
            np.testing.assert_allclose(a.predicted, b.predicted, atol=1e-6)
            np.testing.assert_allclose(a.marker_effects, b.marker_effects, atol=1e-8)


def test_bits_of_another_width_are_refused(rng):
    model = make("rrblup").fit(random_bits(30, 9, rng), rng.normal(size=30))
    with pytest.raises(ValueError, match="X has 10 loci, but RRBLUP was fitted to 9"):
        model.predict(random_bits(3, 10, rng))


def test_a_model_that_does_not_stream_gets_dosages(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    lazy = read_dataset(tmp_path / "d.h5", lazy=True)
    for model in ("lasso", "rrblup_multitrait"):
        a, b = (fit_dataset(data, model, {}, EvaluationSpec(), 1).predictions[0] for data in (haploids, lazy))
        np.testing.assert_array_equal(a.predicted, b.predicted)


PEAK = """
import resource, sys
import numpy as np
from gpatlas.dataset import Fold
from gpatlas.fitting import fit_dataset
from gpatlas.io import read_dataset
from gpatlas.config import EvaluationSpec
fit_dataset(read_dataset(sys.argv[1], lazy=True), "rrblup", {}, EvaluationSpec(), 1)  # imports, and compiles
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fit_dataset(read_dataset(sys.argv[2], lazy=True), "rrblup", {}, EvaluationSpec(), 1)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024))
"""


def test_memory_is_far_below_the_unpacked_genotypes(haploids, tmp_path, rng):
    """400 000 samples × 1 000 loci: 400 MB as bytes, 50 MB packed; the fit takes less than either's half."""
    write_dataset(haploids, tmp_path / "small.h5")
    n, p = 400_000, 1000
    large = replace(
        haploids,
        genotypes=random_bits(n, p, rng),
        phenotypes=rng.normal(size=(n, 1)),
        sample_id=np.zeros(n, dtype="S1"),
        locus_id=np.zeros(p, dtype="S1"),
        trait_id=np.array(["t"]),
        fold=np.resize(np.array([0, 0, 0, 2], dtype=np.uint8), n),
        chromosome=np.zeros(p, dtype="S1"),
        position=np.zeros(p),
        truth=None,
    )
    assert isinstance(large.genotypes, PackedBits)
    write_dataset(large, tmp_path / "large.h5")
    done = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "small.h5", tmp_path / "large.h5"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 200e6
