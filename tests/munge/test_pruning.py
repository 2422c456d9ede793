"""LD pruning: equal to PLINK 2 and to brute force, on any layout of genotypes."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.errors import ConfigError, DataError
from gpatlas.munge.planes import Planes
from gpatlas.munge.pruning import Window, prune
from gpatlas.munge.quality import genotype_counts
from gpatlas.packed import PackedBits, PackedDosages
from tests.munge.data import dataset, genoml, linked, maize, wheat
from tests.plink import run, write_bed

GOLDEN = Path(__file__).parents[1] / "reference" / "plink" / "indep_pairwise.json"


def pruned(data, size, step, r2, **how) -> np.ndarray:
    planes = Planes.of(data)
    return prune(
        planes, genotype_counts(planes), data.chromosome, data.position, r2, Window.parse(str(size), step), **how
    )


def by_plink(data, size, step, r2, folder) -> set:
    write_bed(folder / "data", data)
    steps = [] if str(size).endswith("kb") else [step]
    out = run("plink2", folder / "data", "--indep-pairwise", size, *steps, r2, "--bad-ld")
    stay = out.with_suffix(".out.prune.in")  # not written where no window has two loci: all stay
    return set(stay.read_text().split()) if stay.exists() else set(data.locus_id)


WINDOWS = [(50, 5, 0.5), (1000, 50, 0.2), (7, 3, 0.05), (2, 1, 0.0), ("250kb", 1, 0.2), ("0.1kb", 1, 0.02)]


@pytest.mark.parametrize(("size", "step", "r2"), [*WINDOWS, ("20000kb", 1, 0.02), (50, 5, 0.01)])
@pytest.mark.parametrize("reference", [genoml, wheat, maize], ids=lambda f: f.__name__)
def test_equal_to_plink_on_the_reference_data(reference, size, step, r2, tmp_path):
    data = reference()
    assert set(data.locus_id[pruned(data, size, step, r2)]) == by_plink(data, size, step, r2, tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_equal_to_plink_on_awkward_data(seed, tmp_path):
    """Few samples, missing calls, constant loci, loci that are all heterozygous, gaps between positions."""
    rng = np.random.default_rng(seed)
    data = linked(seed, int(rng.integers(50, 150)), int(rng.integers(20, 400)), [0.0, 0.05, 0.5][seed % 3])
    for size, step, r2 in WINDOWS:
        assert set(data.locus_id[pruned(data, size, step, r2)]) == by_plink(data, size, step, r2, tmp_path)


def golden_case(case):
    return linked(case["seed"], case["n_samples"], case["n_loci"], case["missing"])


@pytest.mark.parametrize("case", json.loads(GOLDEN.read_text()), ids=lambda c: f"{c['size']} {c['r2']}")
def test_equal_to_what_plink_once_gave(case):
    """Where PLINK is not installed; PLINK v2.00a3.5 on `linked(...)`, written by `by_plink`."""
    data = golden_case(case)
    assert sorted(data.locus_id[pruned(data, case["size"], case["step"], case["r2"])]) == case["stay"]


def brute_force(x, window, step, threshold):
    """The rule over windows of loci of one chromosome, with NumPy's correlations of complete data."""
    n = x.shape[1]
    frequency = x.mean(axis=0) / 2
    major = np.maximum(frequency, 1 - frequency)
    removed = x.std(axis=0) == 0
    removed |= (x == 1).all(axis=0)
    with np.errstate(invalid="ignore"):
        r2 = np.corrcoef(x.T) ** 2
    first = 0
    while True:
        end = min(first + window, n)
        lost = True
        while lost:
            lost = False
            for i in range(first, end):
                for j in range(i + 1, end):
                    if removed[i] or removed[j] or not r2[i, j] > threshold * (1 + 1e-12):
                        continue
                    removed[i if major[i] > major[j] * (1 + 1e-12) else j] = True
                    lost = True
                    break
        if end == n:
            return ~removed
        first += step


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(3, 20), st.integers(1, 6), st.sampled_from([0.05, 0.2, 0.5, 0.8]))
def test_equal_to_brute_force(seed, window, step, threshold):
    data = linked(seed, 60, 50)
    data = dataset(data.dosage())
    step = min(step, window)
    expected = brute_force(data.dosage().astype(float), window, step, threshold)
    np.testing.assert_array_equal(pruned(data, window, step, threshold), expected)


def test_the_layout_of_genotypes_does_not_matter():
    data = linked(3, 70, 300, 0.1)
    packed = dataset(PackedDosages.pack(data.dosage()), data.chromosome, data.position)
    np.testing.assert_array_equal(Planes.of(data).words, Planes.of(packed).words)
    rows = np.array([5, 3, 60, 8])
    np.testing.assert_array_equal(Planes.of(data, rows).words, Planes.of(data.samples(rows)).words)
    np.testing.assert_array_equal(Planes.of(packed, rows).words, Planes.of(data, rows).words)
    haploid = np.random.default_rng(1).integers(0, 2, (70, 83)).astype(np.int8)
    bits, dense = dataset(PackedBits.pack(haploid), ploidy=1), dataset(haploid, ploidy=1)
    codes = dataset(PackedDosages.pack(haploid), ploidy=1)
    doubled = dataset((2 * haploid).astype(np.int8))
    for other in (bits, codes, doubled):
        np.testing.assert_array_equal(Planes.of(other).words, Planes.of(dense).words)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_no_pair_in_a_window_is_left_correlated(missing):
    data = linked(5, 100, 200, missing)
    kept = pruned(data, 200, 1, 0.3)
    x = np.where(data.dosage() < 0, np.nan, data.dosage())
    for name in set(data.chromosome):
        loci = np.flatnonzero(kept & (data.chromosome == name))
        for a, i in enumerate(loci):
            for j in loci[a + 1 :]:
                both = ~np.isnan(x[:, i] + x[:, j])
                with np.errstate(invalid="ignore"):
                    assert not np.corrcoef(x[both, i], x[both, j])[0, 1] ** 2 > 0.3 + 1e-9


def test_order_of_the_file_does_not_matter():
    data = linked(6, 80, 150, 0.05)
    data = data.loci(np.unique(np.column_stack([data.chromosome, data.position]), axis=0, return_index=True)[1])
    shuffled = np.random.default_rng(0).permutation(data.n_loci)
    kept = pruned(data, "0.2kb", 1, 0.2)
    np.testing.assert_array_equal(pruned(data.loci(shuffled), "0.2kb", 1, 0.2), kept[shuffled])


def test_only_some_loci():
    data = linked(7, 80, 150)
    some = np.arange(150) % 3 == 0
    kept = pruned(data, 20, 5, 0.2, among=some)
    np.testing.assert_array_equal(kept[some], pruned(data.loci(np.flatnonzero(some)), 20, 5, 0.2))
    assert not kept[~some].any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Window.parse("many", 1), "'many' is no window; give loci, such as 1000, or kilobases"),
        (lambda: Window.parse("1", 1), "too small"),
        (lambda: Window.parse("50", 51), "moves on by 51; allowed are 1 to 50"),
        (lambda: pruned(linked(1, 9, 9), 5, 1, 1.0), "largest r² is 1.0, but must be at least 0 and below 1"),
    ],
)
def test_mistakes(call, message):
    with pytest.raises(ConfigError) as error:
        call()
    assert message in str(error.value)


def test_what_cannot_be_counted():
    with pytest.raises(DataError, match="ploidy 1 or 2, but this is 4"):
        Planes.of(dataset(np.full((3, 3), 4, dtype=np.int8), ploidy=4))
    with pytest.raises(DataError, match="dosages from 0 to 2, but ploidy 1"):
        Planes.of(dataset(np.array([[0, 2]], dtype=np.int8), ploidy=1))
