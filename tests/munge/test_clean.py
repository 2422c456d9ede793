"""Cleaning a dataset: each step by brute force, the account, and what cannot be done."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gpatlas.errors import ConfigError, DataError
from gpatlas.io import read_dataset, write_dataset
from gpatlas.munge.clean import Rules, clean
from gpatlas.munge.clumping import ClumpRule
from gpatlas.munge.pruning import Window
from gpatlas.packed import PackedDosages
from tests.allele_panels import panel_of
from tests.munge.data import dataset, genoml, linked
from tests.plink import run, write_bed


@pytest.fixture(scope="module")
def field():
    """100 samples × 120 loci: 5 badly called samples, 10 badly called loci, copies, complements, rare alleles."""
    rng = np.random.default_rng(3)
    x = rng.binomial(2, np.concatenate([np.full(100, 0.4), np.full(20, 0.02)]), (100, 120)).astype(np.int8)
    x[:, 7], x[:, 9], x[:, 11] = x[:, 3], 2 - x[:, 4], 1
    x[:, 13] = np.where(x[:, 13] == 1, 2, x[:, 13])  # no heterozygotes
    x[:5][rng.random((5, 120)) < 0.5] = -1
    x[5:, 90:100][rng.random((95, 10)) < 0.4] = -1
    x[20] = x[10]
    return dataset(x)


def test_each_step_is_what_it_says(field):
    x = field.dosage()
    rules = Rules(maf=0.05, hwe=1e-6, r2=0.3, window=Window(30, 5), duplicate_samples=True)
    done = clean(field, rules)
    samples = np.flatnonzero((x >= 0).mean(axis=1) >= 0.85)
    assert list(done.samples) == [i for i in samples if i != 20]
    assert set(range(5)).isdisjoint(done.samples)
    x = x[done.samples]
    known = x >= 0
    frequency = np.where(known, x, 0).sum(axis=0) / (2 * known.sum(axis=0))
    minor = np.minimum(frequency, 1 - frequency)
    for j in done.loci:
        assert known[:, j].mean() >= 0.85
        assert minor[j] >= 0.05
    gone = set(range(120)) - set(done.loci)
    assert {7, 9, 11, 13, *range(90, 100)} <= gone
    assert [step.dropped for step in done.steps if "call rate" in step.what] == [5, 10]
    by_step = {step.what.split(" at ")[0]: step.dropped for step in done.steps}
    assert by_step["no copy or complement of an earlier locus"] == 2
    assert by_step["Hardy-Weinberg p"] == 2  # locus 13, and 11, where all are heterozygous
    assert by_step["no twin of an earlier sample"] == 1
    assert sum(step.dropped for step in done.steps if step.of == "loci") == 120 - len(done.loci)
    taken = done.take(field)
    np.testing.assert_array_equal(taken.dosage(), field.dosage()[np.ix_(done.samples, done.loci)])
    assert list(taken.locus_id) == [f"m{j}" for j in done.loci]


def test_copies_of_samples_are_said(field):
    remarks = " ".join(clean(field, Rules()).remarks)
    assert "1 pair of twins within the cohort" in remarks
    assert "s10 = s20" in remarks


def test_same_result_however_genotypes_are_stored(field, tmp_path):
    rules = Rules(maf=0.03, r2=0.3, window=Window(30, 5))
    packed = replace(field, genotypes=PackedDosages.pack(field.dosage()))
    write_dataset(packed, tmp_path / "d.h5")
    done = clean(field, rules)
    for other in (packed, read_dataset(tmp_path / "d.h5", lazy=True)):
        again = clean(other, rules)
        np.testing.assert_array_equal(again.loci, done.loci)
        np.testing.assert_array_equal(again.samples, done.samples)
        np.testing.assert_array_equal(again.take(other).dosage(), done.take(field).dosage())


def test_polyploids_are_cleaned_by_calls_and_frequencies():
    rng = np.random.default_rng(5)
    x = rng.binomial(4, np.repeat([0.005, 0.4], [10, 50]), (80, 60)).astype(np.int8)
    x[:, 20:25][rng.random((80, 5)) < 0.4] = -1
    x[3][rng.random(60) < 0.5] = -1
    done = clean(dataset(x, ploidy=4), Rules(maf=0.05))
    assert list(done.samples) == [i for i in range(80) if i != 3]
    assert list(done.loci) == [*range(10, 20), *range(25, 60)]
    assert done.remarks == ["copies of loci were not looked for: that takes a ploidy of 1 or 2"]
    with pytest.raises(DataError, match="LD pruning takes a ploidy of 1 or 2, but this is 4"):
        clean(dataset(x, ploidy=4), Rules(r2=0.5))


def test_allele_codes_go_with_what_stays_and_equal_dosages_are_no_copies():
    data = panel_of(ploidy=2, n_alleles=3, n_samples=40)
    codes, dosage = data.codes.copy(), data.dosage().copy()
    dosage[:, 2] = dosage[:, 1]
    codes[:, 1] = np.array([0, 1, 2, 4])[dosage[:, 1] + 1]  # of the second allele
    codes[:, 2] = np.array([0, 1, 3, 6])[dosage[:, 1] + 1]  # of the third
    data = replace(data, genotypes=dosage, codes=codes)
    cleaned = clean(data, Rules(sample_call_rate=0.5, locus_call_rate=0.5, maf=0.2, hwe=None))
    assert {1, 2} <= set(cleaned.loci.tolist())
    assert "dosage does not tell several alleles apart" in cleaned.remarks[-1]
    np.testing.assert_array_equal(cleaned.take(data).codes, codes[cleaned.samples][:, cleaned.loci])


def test_phenotypes_are_not_looked_at(field):
    with_y = replace(field, phenotypes=np.full((100, 1), np.nan), trait_id=np.array(["y"]))
    assert clean(with_y, Rules()).steps == clean(field, Rules()).steps


def test_as_plink_filters(tmp_path):
    """--mind, --geno, --maf, --hwe and --indep-pairwise, one after the other as ours are."""
    data = linked(21, 300, 400, 0.06)
    rules = Rules(0.93, 0.93, 0.05, 1e-4, duplicate_loci=False, r2=0.2, window=Window(50, 5))
    done = clean(data, rules)
    write_bed(tmp_path / "data", data)
    bed = ("--make-bed", "--mind", 0.07)
    step_1 = run("plink2", tmp_path / "data", *bed)
    kept = run("plink2", step_1, "--make-bed", "--geno", 0.07, "--maf", 0.05, "--hwe", 1e-4)
    ids = [line.split()[0] for line in Path(f"{kept}.fam").read_text().splitlines()]
    assert ids == list(data.sample_id[done.samples])
    out = run("plink2", kept, "--indep-pairwise", 50, 5, 0.2)
    assert Path(f"{out}.prune.in").read_text().split() == list(data.locus_id[done.loci])


def test_genomls_gwas_filter():
    data = genoml()
    gwas = {name: 10.0 ** -(k % 6) for k, name in enumerate(data.locus_id.tolist()) if k % 10}
    done = clean(data, Rules(gwas_p=0.001, maf=0.0, duplicate_loci=False), gwas)
    found = {name for name, p in gwas.items() if p <= 0.001}
    assert set(data.locus_id[done.loci]) == found - set(data.locus_id[np.ptp(data.dosage(), axis=0) == 0])
    assert [step.what for step in done.steps][-2:] == ["tested in the GWAS", "GWAS p at most 0.001"]
    assert done.steps[-1].dropped + len(done.loci) == done.steps[-2].left == 450
    clumped = clean(data, Rules(gwas_p=0.001, maf=0.0, clump=ClumpRule(0.001, 0.01, 5000)), gwas)
    assert set(clumped.loci) < set(done.loci)


def test_nothing_left_or_not_possible(field):
    empty = dataset(np.full((4, 3), -1, dtype=np.int8))
    with pytest.raises(DataError, match=r"no samples are left: call rate at least 0.85 drops the last 4"):
        clean(empty, Rules())
    constant = dataset(np.zeros((4, 3), dtype=np.int8))
    with pytest.raises(DataError, match="no loci are left: two alleles drops the last 3"):
        clean(constant, Rules())
    with pytest.raises(DataError, match="a window of kilobases needs positions in bp, but these have cM"):
        clean(replace(field, position_unit="cM"), Rules(r2=0.5, window=Window(250, 1, True)))
    with pytest.raises(DataError, match="of diploids, but the ploidy is 1"):
        clean(dataset(np.eye(4, dtype=np.int8), ploidy=1), Rules(hwe=0.1, duplicate_loci=False))
    with pytest.raises(DataError, match="no locus of the GWAS is in the data; ids are such as 'm0' and 'rs1'"):
        clean(field, Rules(gwas_p=0.1), {"rs1": 0.1})
    with pytest.raises(ConfigError, match=r"maf is 0.7, but must be from 0 to 0.5"):
        Rules(maf=0.7)
    with pytest.raises(ConfigError, match=r"the largest r² is 1.0, but must be at least 0 and below 1"):
        Rules(r2=1.0)
    for wrong in ({"p": np.nan}, {"r2": 50}, {"kilobases": -3}):
        with pytest.raises(ConfigError, match=f"clumping: {next(iter(wrong))} is "):
            ClumpRule(**wrong)
