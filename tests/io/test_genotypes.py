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
        assert reader_of(tmp_path / f"x{ending}").__doc__


@pytest.mark.parametrize(("name", "found"), [("x.docx", r"format '\.docx'"), ("x", "has no ending")])
def test_an_unknown_name(tmp_path, name, found):
    with pytest.raises(DataError, match=rf"unknown genotype .*{found}.*known are \.h5"):
        read_genotypes(tmp_path / name)


def test_an_option_that_the_format_does_not_have(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    assert read_genotypes(tmp_path / "d.h5", lazy=True).n_samples == haploids.n_samples
    with pytest.raises(ConfigError, match="takes no option 'ploidy'; known are lazy"):
        read_genotypes(tmp_path / "d.h5", ploidy=2)
