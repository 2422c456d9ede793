"""Which reader a file gets."""

import pytest

from gpatlas.errors import ConfigError, DataError
from gpatlas.io import genotypes, read_genotypes, write_dataset
from gpatlas.io.genotypes import reader_of


@pytest.mark.parametrize("name", ["a.h5", "a b.HDF5", "1_g.txt", "ü_g.txt.gz"])
def test_the_longest_ending_decides(tmp_path, name):
    assert callable(reader_of(tmp_path / name))


def test_every_reader_is_there(tmp_path):
    for ending in genotypes.READERS:
        (tmp_path / f"x{ending}").write_text("a,b\n")
        assert reader_of(tmp_path / f"x{ending}").__doc__


@pytest.mark.parametrize(
    ("line", "reader"),
    [
        ("rs#\talleles\tchrom\tpos\tstrand", "read_hapmap"),
        ("rs\talleles\tchrom\tpos\tstrand", "read_hapmap"),
        ("qtl 1_1 2_1", "read_published_genotypes"),
        ("id,rs1,rs2", "read_dosage_table"),
    ],
)
def test_text_is_recognised_by_its_first_line(tmp_path, line, reader):
    for name in ("x.txt", "x.tsv.gz", "x.csv"):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + f"{line}\r\n".encode())
        assert reader_of(tmp_path / name).__name__ == reader


@pytest.mark.parametrize(("name", "found"), [("x.docx", r"format '\.docx'"), ("x", "has no ending")])
def test_an_unknown_name(tmp_path, name, found):
    with pytest.raises(DataError, match=rf"unknown genotype .*{found}.*known are \.h5"):
        read_genotypes(tmp_path / name)


def test_an_option_that_the_format_does_not_have(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    assert read_genotypes(tmp_path / "d.h5", lazy=True).n_samples == haploids.n_samples
    with pytest.raises(ConfigError, match="takes no option 'ploidy'; known are lazy"):
        read_genotypes(tmp_path / "d.h5", ploidy=2)
