"""HapMap, with calls of one letter and of two."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.dataset import as_text
from gpatlas.errors import DataError, GpatlasError
from gpatlas.io import read_genotypes
from gpatlas.io.marker_tables.hapmap import HETEROZYGOTES
from tests.conftest import REFERENCE

HEADER = "rs#\talleles\tchrom\tpos\tstrand\tassembly#\tcenter\tprotLSID\tassayLSID\tpanelLSID\tQCcode"


def hapmap(path, rows, samples="abcd"):
    """Write rows of (name, alleles, calls)."""
    lines = ["\t".join([HEADER, *samples])]
    for k, (name, alleles, calls) in enumerate(rows):
        described = [name, alleles, "1", str(100 * k), "+", *["NA"] * 6]
        lines.append("\t".join([*described, *calls.split()]))
    path.write_text("\n".join(lines) + "\n")
    return path


def said(data):
    return "\n".join(data.provenance["account"])


@pytest.mark.parametrize("calls", ["A R G N", "AA AG GG NN", "A/A G/A G/G N/N", "a r g n", "AA GA GG --"])
def test_calls_of_one_and_two_letters(tmp_path, calls):
    data = read_genotypes(hapmap(tmp_path / "x.hmp.txt", [("m_1_x", "A/G", calls)]))
    assert data.dosage()[:, 0].tolist() == [0, 1, 2, -1]
    assert as_text(data.alleles).tolist() == [["A", "G"]]
    assert (as_text(data.locus_id).tolist(), as_text(data.sample_id).tolist()) == (["m_1_x"], list("abcd"))
    assert (data.position_unit, data.ploidy) == ("bp", 2)


def test_the_second_allele_is_counted(tmp_path):
    data = read_genotypes(hapmap(tmp_path / "x.hmp", [("m", "A/G", "A R G N"), ("n", "G/A", "A R G N")]))
    np.testing.assert_array_equal(data.dosage().T, [[0, 1, 2, -1], [2, 1, 0, -1]])


@pytest.mark.parametrize(("code", "pair"), HETEROZYGOTES.items())
def test_every_code_of_a_heterozygote(tmp_path, code, pair):
    row = ("m", "/".join(pair), f"{pair[0]} {code} {pair[1]} N")
    assert read_genotypes(hapmap(tmp_path / "x.hmp", [row])).dosage()[:, 0].tolist() == [0, 1, 2, -1]


def test_a_minus_is_a_deletion_only_where_one_is_listed(tmp_path):
    data = read_genotypes(hapmap(tmp_path / "x.hmp", [("m", "A/-", "A A - N"), ("n", "A/C", "A C - N")]))
    np.testing.assert_array_equal(data.dosage().T, [[0, 0, 2, -1], [0, 2, -1, -1]])


def test_an_allele_of_other_letters_that_nobody_has(tmp_path):
    rows = [("m", "A/.", "A A N A"), ("n", "A/I", "A A A A"), ("o", "A/ACG", "A N N N"), ("p", "A/G", "A G A A")]
    data = read_genotypes(hapmap(tmp_path / "x.hmp", rows))
    np.testing.assert_array_equal(data.dosage().T, [[0, 0, -1, 0], [0, 0, 0, 0], [0, -1, -1, -1], [0, 2, 0, 0]])


def test_more_alleles_than_listed(tmp_path):
    rows = [("m", "A/G", "A C C A"), ("three", "A/C/T", "A C T A"), ("n", "A/C/T", "A T A A"), ("o", "NA", "T T T G")]
    data = read_genotypes(hapmap(tmp_path / "x.hmp", rows))
    assert as_text(data.locus_id).tolist() == ["m", "n", "o"]
    assert as_text(data.alleles).tolist() == [["A", "C"], ["A", "T"], ["T", "G"]]
    np.testing.assert_array_equal(data.dosage().T, [[0, 2, 2, 0], [0, 2, 0, 0], [0, 0, 0, 2]])
    assert "1 locus with more than two alleles left out (three)" in said(data)
    assert "1 locus lists other alleles than are called (m)" in said(data)
    assert "1 locus lists no alleles" in said(data)


def test_half_calls_are_missing(tmp_path):
    data = read_genotypes(hapmap(tmp_path / "x.hmp", [("m", "A/G", "AA AN NG GG")]))
    assert data.dosage()[:, 0].tolist() == [0, -1, -1, 2]
    assert "2 calls with one allele missing taken" in said(data)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_what_is_written_is_read(tmp_path_factory, seed, two_letters, regular):
    """Regular lines take the array's way, others (one double space) the slow one; both give the same."""
    rng = np.random.default_rng(seed)
    n, p = rng.integers(1, 12, size=2)
    dosage = rng.integers(-1, 3, size=(n, p))
    one = {-1: "N", 0: "A", 1: "M", 2: "C"}
    two = {-1: "NN", 0: "AA", 1: "AC", 2: "CC"}
    rows = [
        (f"m{j}", "A/C", " ".join((two if two_letters else one)[value] for value in dosage[:, j])) for j in range(p)
    ]
    path = hapmap(tmp_path_factory.mktemp("h") / "x.hmp", rows, [f"s{k}" for k in range(n)])
    if not regular:
        path.write_text(path.read_text().replace("\n", " \n"))
    np.testing.assert_array_equal(read_genotypes(path).dosage(), dosage)


DAMAGE = {
    "another header": (lambda s: s.replace("alleles", "letters"), "line 1: expected `rs# alleles chrom pos"),
    "no sample": (lambda s: s.splitlines()[0][: len(HEADER)], "11 columns; samples start at column 12"),
    "a short row": (lambda s: s.replace("A\tR\tG\tN", "A\tR\tG"), r"line 2 \(m\): 3 calls, but the header names 4"),
    "a letter": (lambda s: s.replace("A\tR\tG\tN", "A\tJ\tG\tN"), "call 'J' is not of A, C, G, T"),
    "a word": (lambda s: s.replace("A\tR\tG\tN", "A\tAAC\tG\tN"), "call 'AAC'; calls have one letter or two"),
    "one letter and two": (lambda s: s.replace("A\tA\tA\tG", "AA\tAA\tAA\tGG"), "calls of 2 letters, but .* have 1"),
    "another letter": (lambda s: s.replace("A\tR\tG\tN", "A\té\tG\tN"), "call 'É' is not of A"),
    "a position": (lambda s: s.replace("\t100\t", "\tx100\t"), "position 'x100' of 'n' is not a number"),
    "a sample twice": (lambda s: s.replace("\tc\td", "\tc\tc"), r"1 sample name stands more than once \(c\)"),
    "nothing below": (lambda s: s.splitlines()[0], "no locus in it"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_said_in_one_line(tmp_path, what):
    change, message = DAMAGE[what]
    path = hapmap(tmp_path / "x.hmp", [("m", "A/G", "A R G N"), ("n", "A/G", "A A A G")])
    path.write_text(change(path.read_text()))
    with pytest.raises(GpatlasError, match=message) as error:
        read_genotypes(path)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference data are not here")
def test_maize():
    """Against a reading of the same file letter by letter."""
    import gzip

    path = REFERENCE / "maize_mdp" / "genotypes.hmp.txt.gz"
    data = read_genotypes(path)
    assert (data.n_samples, data.n_loci) == (281, 3092)
    lines = [line.rstrip("\r").split("\t") for line in gzip.decompress(path.read_bytes()).decode().splitlines()[1:]]
    of_name = {cells[0]: cells for cells in lines}
    assert len(of_name) == len(lines) == 3093
    dosage, alleles = data.dosage(), as_text(data.alleles)
    for j in range(0, data.n_loci, 13):
        calls = of_name[as_text(data.locus_id)[j]][11:]
        counted = [-1 if "N" in call else call.count(alleles[j, 1]) for call in calls]
        assert dosage[:, j].tolist() == counted


def test_one_allele_only(tmp_path):
    data = read_genotypes(hapmap(tmp_path / "x.hmp", [("m", "A", "A A A A"), ("n", "A/G", "N N N N")]))
    np.testing.assert_array_equal(data.dosage().T, [[0] * 4, [-1] * 4])
    with pytest.raises(DataError, match="no locus in it but 1 with more than two alleles"):
        read_genotypes(hapmap(tmp_path / "x.hmp", [("m", "A/C/G", "A C G A")]))
