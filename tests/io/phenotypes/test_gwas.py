"""Summary statistics: columns by name, the smallest p of several tables, mistakes with their line."""

import gzip

import pytest

from gpatlas.errors import GpatlasError
from gpatlas.io.phenotypes.gwas import read_gwas


def test_names_delimiters_and_unions(tmp_path):
    (tmp_path / "a.csv").write_text("\ufeffSNP,A1,b,p\r\nrs1,A,0.1,1.05E-09\r\nrs2,C,0.2,0.5\r\n", encoding="utf-8")
    (tmp_path / "b.tsv").write_text("#CHROM\tID\tP\n1\trs2\t0.01\n1\trs3\tNA\n")
    with gzip.open(tmp_path / "c.gz", "wt") as file:
        file.write(" CHR  SNP   PVAL \n  1   rs2   0.4 \n 1 rs4 1\n")
    found = read_gwas([tmp_path / name for name in ("a.csv", "b.tsv", "c.gz")])
    assert found == {"rs1": 1.05e-9, "rs2": 0.01, "rs4": 1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SNP,P\nrs1,2\n", "line 2: p is '2', but must be a number from 0 to 1"),
        ("SNP,P\nrs1,0.1\nrs2,low\n", "line 3: p is 'low'"),
        ("SNP,BETA\nrs1,0.1\n", "no column of p values (such as P); it has snp, beta"),
        ("name,P\nrs1,0.1\n", "no column of locus ids (such as SNP)"),
        ("SNP,P\nrs1,0.1\nrs2\n", "line 3"),
        ("", "empty"),
        (None, "no such file"),
    ],
)
def test_mistakes(text, message, tmp_path):
    if text is not None:
        (tmp_path / "g.csv").write_text(text)
    with pytest.raises(GpatlasError) as error:
        read_gwas([tmp_path / "g.csv"])
    assert message in str(error.value)
