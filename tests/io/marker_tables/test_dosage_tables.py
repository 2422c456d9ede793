"""Delimited tables of dosages, whichever way round and however they are written."""

import gzip
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.dataset import as_text
from gpatlas.errors import ConfigError, DataError, GpatlasError
from gpatlas.io import read_genotypes
from gpatlas.io.marker_tables.allele_codes import combinations

SAMPLES = ["811", "4226", "B73", "Mo17"]
LOCI = ["rs1", "rs2", "rs3_x", "rs4", "rs5"]
DOSAGE = np.array([[0, 1, 2, -1, 0], [2, 2, 2, 0, 1], [0, 0, 2, 1, 2], [1, -1, 0, 2, 0]], dtype=np.int8)


def write(path, dosage, samples=SAMPLES, loci=LOCI, delimiter=",", corner="id", missing="NA", rows="samples"):
    cells = [[missing if value < 0 else str(value) for value in row] for row in dosage.tolist()]
    names, columns = samples, loci
    if rows == "loci":
        cells, names, columns = [list(column) for column in zip(*cells, strict=True)], loci, samples
    header = columns if corner is None else [corner, *columns]
    lines = [header, *([name, *row] for name, row in zip(names, cells, strict=True))]
    path.write_text("".join(delimiter.join(line) + "\n" for line in lines))
    return path


def check(data, dosage=DOSAGE, samples=SAMPLES, loci=LOCI):
    np.testing.assert_array_equal(data.dosage(), dosage)
    assert as_text(data.sample_id).tolist() == list(samples)
    assert as_text(data.locus_id).tolist() == list(loci)


def said(data):
    return "\n".join(data.provenance["account"])


@pytest.mark.parametrize("missing", ["NA", "", "-1", "-9", "NaN", "."])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", " "])
def test_delimiters_and_codes_of_missing(tmp_path, delimiter, missing):
    if delimiter == " " and not missing:
        return  # nothing between two spaces is no field
    data = read_genotypes(write(tmp_path / "x.txt", DOSAGE, delimiter=delimiter, missing=missing))
    check(data)
    assert data.ploidy == 2
    assert "10.00% of calls missing" in said(data)


@pytest.mark.parametrize(
    ("rows", "corner", "because"),
    [
        ("samples", "id", "the names' column is 'id'"),
        ("samples", "Taxa", "the names' column is 'taxa'"),
        ("samples", "", "the columns are named like loci"),
        ("samples", None, "the columns are named like loci"),
        ("loci", "SNP_ID", "the names' column is 'snpid'"),
        ("loci", "", "the rows are named like loci"),
        ("loci", None, "the rows are named like loci"),
    ],
)
def test_which_way_round_is_found_out_and_said(tmp_path, rows, corner, because):
    data = read_genotypes(write(tmp_path / "x.csv", DOSAGE, rows=rows, corner=corner))
    check(data)
    assert f"{rows} in rows ({because})" in said(data)


def test_which_way_round_is_asked_for_where_nothing_tells(tmp_path):
    names = ["a", "b", "c", "d", "e"]
    square = write(tmp_path / "x.csv", DOSAGE[:, :4], loci=names[:4], samples=["p", "q", "r", "s"], corner="")
    with pytest.raises(DataError, match="4 rows and 4 columns, and no name tells samples from loci"):
        read_genotypes(square)
    check(read_genotypes(square, rows="samples"), DOSAGE[:, :4], "pqrs", names[:4])
    check(read_genotypes(square, rows="loci"), DOSAGE[:, :4].T, names[:4], "pqrs")
    wide = write(tmp_path / "y.csv", DOSAGE, loci=names, samples=["p", "q", "r", "s"], corner="")
    assert "there are more columns than rows" in said(read_genotypes(wide))


def test_without_header_or_names(tmp_path):
    (tmp_path / "x.txt").write_text("\n".join(" ".join(map(str, row)) for row in DOSAGE.tolist()))
    data = read_genotypes(tmp_path / "x.txt", rows="samples")
    check(data, samples=[f"sample_{k}" for k in range(1, 5)], loci=[f"locus_{k}" for k in range(1, 6)])
    assert "no header" in said(data)
    lines = ["1 0 1 2", "2 2 2 2", "3 0 0 1", "4 1 1 1", "5 1 1 0", "6 0 0 2"]  # a first column that counts up is names
    (tmp_path / "x.txt").write_text("\n".join(lines))
    check(
        read_genotypes(tmp_path / "x.txt", rows="loci").samples(np.arange(3)),
        [[0, 2, 0, 1, 1, 0], [1, 2, 0, 1, 1, 0], [2, 2, 1, 1, 0, 2]],
        ["sample_1", "sample_2", "sample_3"],
        "123456",
    )


def test_columns_that_describe_loci(tmp_path):
    text = "name,chrom,pos,ref,alt,B73,811\nm1,1,100,A,G,0,2\nm2,X,2500,C,T,1,NA\n"
    (tmp_path / "x.csv").write_text(text)
    data = read_genotypes(tmp_path / "x.csv")
    check(data, [[0, 1], [2, -1]], ["B73", "811"], ["m1", "m2"])
    assert as_text(data.alleles).tolist() == [["A", "G"], ["C", "T"]]
    assert as_text(data.chromosome).tolist() == ["1", "X"]
    assert (data.position.tolist(), data.position_unit) == ([100, 2500], "bp")


def test_a_map_places_loci(tmp_path):
    (tmp_path / "map.tsv").write_text("chr\tmarker\tpos\n1\trs2\t5.5\n1\trs1\t0.5\n2\trs9\t1\n2\trs4\t3\n2\trs5\t4\n")
    data = read_genotypes(write(tmp_path / "x.csv", DOSAGE), marker_map=tmp_path / "map.tsv")
    np.testing.assert_array_equal(data.position, [0.5, 5.5, np.nan, 3, 4])
    assert as_text(data.chromosome).tolist() == ["1", "1", "", "2", "2"]
    assert data.position_unit == "cM"
    assert "4 of 5 loci are placed" in said(data)
    assert "1 locus is not in the map (rs3_x)" in said(data)


def test_plink_raw_keeps_the_whole_name(tmp_path):
    """GenoML cuts names at the first _."""
    head = "FID IID PAT MAT SEX PHENOTYPE rs_1_A rs_2_x_T(/C)\n"
    (tmp_path / "x.raw").write_text(head + "f1 007 0 0 1 -9 0 NA\nf2 b 0 0 2 2 2 1\n")
    data = read_genotypes(tmp_path / "x.raw")
    check(data, [[0, -1], [2, 1]], ["007", "b"], ["rs_1", "rs_2_x"])
    assert as_text(data.alleles).tolist() == [["", "A"], ["C", "T"]]


def test_ploidy(tmp_path):
    haploid = write(tmp_path / "x.csv", (DOSAGE > 0).astype(np.int8))
    assert read_genotypes(haploid).ploidy == 1
    assert read_genotypes(haploid, ploidy=2).ploidy == 2
    tetraploid = write(tmp_path / "x.csv", np.where(DOSAGE < 0, DOSAGE, 2 * DOSAGE))
    assert read_genotypes(tetraploid).ploidy == 4
    big = np.zeros((10, 50), dtype=np.int8) + np.arange(50, dtype=np.int8) % 3
    big[3, 7] = 4
    odd = write(tmp_path / "x.csv", big, [f"s{k}" for k in range(10)], [f"m{k}" for k in range(50)])
    with pytest.raises(DataError, match=r"1 of 500 values are above 2 .*the first is 4, of sample 4 at locus 8\)"):
        read_genotypes(odd)
    turned = write(tmp_path / "t.csv", big.T, [f"m{k}" for k in range(50)], [f"s{k}" for k in range(10)])
    with pytest.raises(DataError, match=r"of sample 4 at locus 8\)"):
        read_genotypes(turned, rows="loci")
    assert read_genotypes(odd, ploidy=4).dosage()[3, 7] == 4
    with pytest.raises(DataError, match="dosage 4 occurs, but the ploidy is 2"):
        read_genotypes(odd, ploidy=2)


def test_minus_one_may_be_a_homozygote(tmp_path):
    path = write(tmp_path / "x.csv", np.where(DOSAGE == 2, 1, DOSAGE), missing="-1")
    with pytest.raises(DataError, match="-1, 0 and 1 occur; say coding = counts if -1 is missing"):
        read_genotypes(path)
    check(read_genotypes(path, coding="centred"), np.where(DOSAGE == 2, 1, DOSAGE) + 1)
    check(read_genotypes(path, coding="counts"), np.where(DOSAGE == 2, 1, DOSAGE))
    with pytest.raises(DataError, match="the centred coding is for diploids, but the ploidy is 4"):
        read_genotypes(path, coding="centred", ploidy=4)
    inbred = np.where(DOSAGE == 2, 1, -1)
    path = write(tmp_path / "x.csv", inbred, missing="-1")
    with pytest.raises(DataError, match="-1 and 1 alone occur; say coding = counts"):
        read_genotypes(path)
    check(read_genotypes(path, coding="centred"), inbred + 1)


def test_columns_to_ignore(tmp_path):
    text = "ID,Gender,Status,site-1,site-2\np1,F,1,0,2\np2,M,0,1,1\n"
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=r"line 2 \(p1\).*'F' is not a count"):
        read_genotypes(tmp_path / "x.csv")
    data = read_genotypes(tmp_path / "x.csv", ignore=["Gender", "Status"])
    check(data, [[0, 2], [1, 1]], ["p1", "p2"], ["site-1", "site-2"])
    with pytest.raises(ConfigError, match="no column 'gender' to ignore; did you mean 'Gender'"):
        read_genotypes(tmp_path / "x.csv", ignore=["gender"])


def test_repeated_loci_are_renamed(tmp_path):
    data = read_genotypes(write(tmp_path / "x.csv", DOSAGE, loci=["a", "b", "a", "c", "a"]))
    check(data, loci=["a", "b", "a_2", "c", "a_3"])
    assert "3 loci shared 1 name and were renamed" in said(data)


def test_loci_that_say_nothing_are_counted(tmp_path):
    dosage = DOSAGE.copy()
    dosage[:, 0], dosage[:, 1] = -1, 2
    account = said(read_genotypes(write(tmp_path / "x.csv", dosage)))
    assert "1 locus has no call at all" in account
    assert "1 locus without variation" in account


def test_allele_codes(tmp_path):
    np.testing.assert_array_equal(combinations(3, 2), [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]])
    codes = np.where(DOSAGE < 0, 0, DOSAGE + 3)
    data = read_genotypes(write(tmp_path / "x.tsv", codes, corner="name", delimiter="\t"))
    check(data)
    assert "gperceiver's allele codes" in said(data)
    assert (data.ploidy, as_text(data.alleles).tolist()) == (2, [["1", "2"]] * 5)
    lines = [f"m{k},2,{k + 5}," + ",".join(map(str, column)) for k, column in enumerate(codes.T)]
    header = "marker,chr,pos," + ",".join(f"s{i}" for i in range(len(codes)))
    (tmp_path / "loci.csv").write_text("\n".join([header, *lines]) + "\n")
    placed = read_genotypes(tmp_path / "loci.csv", rows="loci")
    assert (as_text(placed.chromosome).tolist(), placed.position.tolist()) == (["2"] * 5, [5, 6, 7, 8, 9])


@settings(max_examples=30)
@given(st.integers(1, 4), st.integers(2, 3), st.integers(0, 2**32 - 1))
def test_allele_codes_of_any_ploidy(tmp_path_factory, ploidy, n_alleles, seed):
    rng = np.random.default_rng(seed)
    of_code = list(combinations_with_replacement(range(n_alleles + 1), ploidy))
    codes = rng.integers(len(of_code), size=(6, 4))
    codes[0] = len(of_code) - 1  # the highest allele occurs, so that their number is known
    path = write(tmp_path_factory.mktemp("codes") / "x.csv", codes, [f"s{k}" for k in range(6)], ["a", "b", "c", "d"])
    found = {}
    for column, name in enumerate("abcd"):
        calls = [of_code[code] for code in codes[:, column]]
        present = sorted({allele for call in calls if 0 not in call for allele in call})
        if len(present) <= 2:
            found[name] = [-1 if 0 in call else call.count(max(present[-1], 2)) for call in calls]
    if not found:
        return
    data = read_genotypes(path, coding="alleles", ploidy=ploidy)
    assert as_text(data.locus_id).tolist() == list(found)
    np.testing.assert_array_equal(data.dosage().T, list(found.values()))


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.sampled_from([",", "\t", ";", " "]), st.sampled_from(["samples", "loci"]))
def test_what_is_written_is_read(tmp_path_factory, seed, delimiter, rows):
    rng = np.random.default_rng(seed)
    n, p = rng.integers(2, 30, size=2)
    dosage = rng.integers(-1, 3, size=(n, p)).astype(np.int8)
    samples, loci = (
        [f"s {k}".replace(" ", "_" if delimiter == " " else " ") for k in range(n)],
        [f"snp{k}" for k in range(p)],
    )
    path = write(tmp_path_factory.mktemp("t") / "x.txt", dosage, samples, loci, delimiter, "", rows=rows)
    path.write_bytes(gzip.compress(path.read_bytes().replace(b"\n", b"\r\n")))
    check(read_genotypes(path, ploidy=2, coding="counts"), dosage, samples, loci)


DAMAGE = {
    "a short row": (lambda s: s.replace("0,1,2,NA,0", "0,1,2,NA"), r"line 2 \(811\): 4 counts, but .* have 5"),
    "a long row": (lambda s: s.replace("0,1,2,NA,0", "0,1,2,NA,0,0"), r"line 2 \(811\): 6 counts, but .* have 5"),
    "a negative count": (lambda s: s.replace("0,1,2,NA,0", "0,-2,2,NA,0"), "value 2: '-2' is not in 0"),
    "a fraction": (lambda s: s.replace("0,1,2,NA,0", "0,0.5,2,NA,0"), "'0.5' is a fraction"),
    "letters": (lambda s: s.replace("0,1,2,NA,0", "AA,1,2,NA,0"), "value 1: 'AA' is not a count"),
    "a sample twice": (lambda s: s.replace("4226", "811"), r"1 sample name stands more than once \(811\)"),
    "a sample without name": (lambda s: s.replace("4226", ""), "1 of 4 samples have no name"),
    "a header alone": (lambda s: s.splitlines()[0], "no row below|only one"),
    "cut in the middle": (lambda s: s[:-2], r"was cut short|counts"),
    "an empty file": (lambda s: "", "the file is empty"),
    "a column too few in the header": (
        lambda s: s.replace("rs4,rs5", "rs4"),
        "first line has 5 fields, but .* 6",
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_said_in_one_line(tmp_path, what):
    change, message = DAMAGE[what]
    path = write(tmp_path / "x.csv", DOSAGE)
    path.write_text(change(path.read_text()))
    with pytest.raises(GpatlasError, match=message) as error:
        read_genotypes(path)
    assert "\n" not in str(error.value)
