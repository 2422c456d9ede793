"""Clumping: as PLINK 1.9's `--clump`, with r² of haplotypes by maximum likelihood."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.errors import DataError
from gpatlas.io.phenotypes.gwas import read_gwas
from gpatlas.munge.clumping import ClumpRule, clump
from gpatlas.munge.kernels import genotype_table, haplotype_r2
from gpatlas.munge.planes import Planes
from tests.conftest import REFERENCE
from tests.munge.data import dataset, genoml, linked, maize, wheat
from tests.plink import run, write_bed


def by_plink(data, p, rule, folder):
    """Founders with the members of their clumps."""
    write_bed(folder / "data", data)
    rows = [f"{name} {value!r}\n" for name, value in zip(data.locus_id, p.tolist(), strict=True) if value == value]
    (folder / "gwas").write_text("SNP P\n" + "".join(rows))
    out = run(
        "plink1.9", folder / "data", "--clump", folder / "gwas", "--clump-p1", rule.p, "--clump-p2", 1,
        "--clump-r2", rule.r2, "--clump-kb", rule.kilobases,
    )  # fmt: skip
    clumped = out.with_suffix(".out.clumped")
    if not clumped.exists():
        return {}
    rows = [line.split() for line in clumped.read_text().splitlines()[1:] if line.strip()]
    return {row[2]: set() if row[11] == "NONE" else {m.split("(")[0] for m in row[11].split(",")} for row in rows}


def ours(data, p, rule):
    clump_of = clump(Planes.of(data), data.chromosome, data.position, p, rule)
    founders = np.flatnonzero(clump_of == np.arange(data.n_loci))
    return {data.locus_id[k]: set(data.locus_id[clump_of == k]) - {data.locus_id[k]} for k in founders}


@pytest.mark.parametrize("rule", [ClumpRule(0.05, 0.1, 250), ClumpRule(0.2, 0.5, 1000), ClumpRule(0.01, 0.02, 5000)])
@pytest.mark.parametrize("reference", [genoml, maize, wheat], ids=lambda f: f.__name__)
def test_equal_to_plink_on_the_reference_data(reference, rule, tmp_path):
    data = reference()
    p = np.random.default_rng(1).uniform(0, 1, data.n_loci) ** 2
    p[::7] = np.nan
    p[3:9] = p[3]  # equal p
    assert ours(data, p, rule) == by_plink(data, p, rule, tmp_path)


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_plink_on_awkward_data(seed, tmp_path):
    data = linked(seed, 90, 200, 0.1 * (seed % 2))
    p = np.random.default_rng(seed).uniform(0, 1, data.n_loci) ** 3
    rule = ClumpRule(0.05, 0.2, 0.3)
    assert ours(data, p, rule) == by_plink(data, p, rule, tmp_path)


def test_genomls_summary_statistics(tmp_path):
    data = genoml()
    found = read_gwas(
        [REFERENCE / "genoml/discrete/example_GWAS.csv", REFERENCE / "genoml/discrete/example_GWAS_2.csv"]
    )
    p = np.array([found.get(name, np.nan) for name in data.locus_id])
    assert ours(data, p, ClumpRule(1e-3)) == by_plink(data, p, ClumpRule(1e-3), tmp_path)


def likelihood(table, x):
    """Of the share x of hidden haplotypes in coupling; by its definition."""
    n = 2 * table.sum()
    f = np.zeros((2, 2))
    for a in range(3):
        for b in range(3):
            if (a, b) != (1, 1):
                for i, j in [(a // 2, b // 2), ((a + 1) // 2, (b + 1) // 2)]:
                    f[i, j] += table[a, b] / n
    h = table[1, 1] / n
    f += [[x, h - x], [h - x, x]]
    total = 0.0
    for a in range(3):
        for b in range(3):
            if table[a, b]:
                ways = [(i, j) for i in (0, 1) for j in (0, 1)]
                probability = sum(f[u] * f[v] for u in ways for v in ways if u[0] + v[0] == a and u[1] + v[1] == b)
                total += table[a, b] * np.log(max(probability, 1e-300))
    return total, f


@settings(max_examples=40)
@given(st.lists(st.integers(0, 12), min_size=9, max_size=9))
def test_haplotypes_by_maximum_likelihood(cells):
    table = np.array(cells).reshape(3, 3)
    if table.sum() == 0:
        assert np.isnan(haplotype_r2(table))
        return
    hidden = table[1, 1] / (2 * table.sum())
    values = np.array([likelihood(table, x)[0] for x in np.linspace(0, hidden, 201)])
    around = hidden * (np.argmax(values) + np.linspace(-1, 1, 201)) / 200
    found = max((likelihood(table, x) for x in np.clip(around, 0, hidden)), key=lambda pair: pair[0])
    first, second = found[1][1].sum(), found[1][:, 1].sum()
    variances = first * (1 - first) * second * (1 - second)
    if variances < 1e-12:
        return
    inside = values[1:-1]
    peaks = [*inside[(inside > values[:-2]) & (inside > values[2:])].tolist(), values[0], values[-1]]
    if hidden and sum(peak > max(peaks) - 1e-2 for peak in peaks) > 1:
        return  # two maxima of nearly equal height
    expected = (found[1][1, 1] - first * second) ** 2 / variances
    assert haplotype_r2(table) == pytest.approx(expected, abs=2e-3)


def test_tables():
    rng = np.random.default_rng(2)
    x = rng.integers(-1, 3, (150, 2)).astype(np.int8)
    table = np.zeros((3, 3), dtype=np.int64)
    genotype_table(Planes.of(dataset(x)).words, 0, 1, table)
    expected = [[((x[:, 0] == a) & (x[:, 1] == b)).sum() for b in range(3)] for a in range(3)]
    np.testing.assert_array_equal(table, expected)


def test_nothing_to_clump_by():
    data = linked(1, 10, 5)
    with pytest.raises(DataError, match="no locus has a p value"):
        ours(data, np.full(5, np.nan), ClumpRule())
