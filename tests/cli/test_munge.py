"""`gpatlas munge` and `gpatlas harmonize`: what they write, what they say, and mistakes."""

from dataclasses import replace

import numpy as np
import pytest

from gpatlas.io import read_dataset, write_dataset
from tests.conftest import one_line_error
from tests.munge.data import linked


@pytest.fixture
def field(tmp_path):
    data = linked(3, 60, 200, 0.02)
    alleles = np.array([("A", "G"), ("C", "T"), ("G", "C")])[np.arange(200) % 3]
    write_dataset(replace(data, alleles=alleles), tmp_path / "d.h5")
    return tmp_path / "d.h5"


def test_munge_writes_what_stays_and_why(gpatlas, field, tmp_path):
    done = gpatlas("munge", field, "--maf", 0.05, "--r2", 0.2, "--window", "1kb", "--out", tmp_path / "c.h5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    clean = read_dataset(tmp_path / "c.h5")
    assert lines[0] == f"{field}: 60 samples × 200 loci"
    assert lines[-1] == f"{tmp_path / 'c.h5'}: 60 samples × {clean.n_loci} loci"
    assert "r² at most 0.2 within 1 kb" in lines[-2]
    assert lines[-2].split()[-2:] == [str(clean.n_loci), "left"]
    record = clean.provenance["munge"]
    assert record["from"] == read_dataset(field).content_hash
    assert 200 - sum(step["dropped"] for step in record["steps"] if step["of"] == "loci") == clean.n_loci


def test_gwas_and_clumps(gpatlas, field, tmp_path):
    (tmp_path / "g.csv").write_text("SNP,P\n" + "".join(f"m{j},{10.0 ** -(j % 7)}\n" for j in range(150)))
    words = ("munge", field, "--gwas", tmp_path / "g.csv", "--gwas-p", 1e-4, "--out", tmp_path / "c.h5")
    done = gpatlas(*words)
    assert "GWAS p at most 0.0001" in done.stdout
    clumped = gpatlas(*words, "--clump", "--clump-r2", 0.1)
    assert "best of its clump (p at most 0.0001, r² 0.1, 250 kb)" in clumped.stdout


def test_harmonize_undoes_a_swap(gpatlas, field, tmp_path):
    """The order of alleles flipped in the test file: dosages come back, and it is said."""
    data = read_dataset(field)
    x = data.dosage()
    swapped = replace(
        data, genotypes=np.where(x >= 0, 2 - x, x).astype(np.int8), alleles=np.ascontiguousarray(data.alleles[:, ::-1])
    )
    write_dataset(swapped, tmp_path / "new.h5")
    done = gpatlas(
        "harmonize", field, tmp_path / "new.h5", "--out", tmp_path / "h.h5", "--account", tmp_path / "loci.csv"
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(read_dataset(tmp_path / "h.h5").dosage(), x)
    for text in (
        "200 of the reference's 200 loci were found.",
        "134 list alleles in the other order: dosages were turned round.",
        "66 are A/T or C/G, which both strands spell alike.",
        "of these, 66 turned round.",
    ):
        assert text in done.stdout
    rows = (tmp_path / "loci.csv").read_text().splitlines()
    assert rows[:2] == ["locus_id,status,matched_by,new_locus_id,taken", "m0,swapped,position,m0,swapped"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["munge", "{d}", "--out", "c.h5", "--maf", "0.6"], "maf is 0.6, but must be from 0 to 0.5"),
        (["munge", "{d}", "--out", "c.h5", "--r2", "1"], "largest r² is 1.0, but must be at least 0 and below 1"),
        (["munge", "{d}", "--out", "c.h5", "--r2", "0.5", "--window", "x"], "'x' is no window"),
        (["munge", "{d}", "--out", "c.h5", "--clump"], "--clump goes by p values: give them with --gwas"),
        (["munge", "{d}", "--out", "c.h5", "--gwas", "g.csv"], "g.csv: no such file"),
        (["munge", "nothing.h5", "--out", "c.h5"], "nothing.h5: no such file"),
        (["munge", "README.md", "--out", "c.h5"], "`gpatlas import` makes dataset files of other formats"),
        (["munge", "{d}", "--out", "c.h5", "--hwe", "2"], "hwe is 2.0"),
        (["munge", "{d}", "--out", "c.h5", "--gwas", "g.csv", "--clump", "--clump-r2", "50"], "clumping: r2 is 50.0"),
        (["harmonize", "{d}", "nothing.h5", "--out", "h.h5"], "nothing.h5: no such file"),
        (["harmonize", "{d}", "{d}", "--ambiguous", "guess", "--out", "h.h5"], "'guess' is not one of"),
    ],
)
def test_mistakes(gpatlas, field, words, message):
    assert message in one_line_error(gpatlas(*[word.format(d=field) for word in words]))
