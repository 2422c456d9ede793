"""Tables of genotypes and haplotypes, against AlphaSimR's pull functions."""

import numpy as np
import pytest

from gpatlas.errors import DataError
from gpatlas.simulate import from_haplotypes, pull_genotypes, pull_haplotypes
from tests import golden

CASE = golden.SHARED / "chips_pull.json.gz"


@pytest.mark.skipif(not CASE.exists(), reason="the shared reference data are not at hand")
def test_alphasimr_tables():
    case = golden.load(CASE)
    population = golden.population(case)
    first = np.array([0, *np.cumsum(case["simParam"]["segSites"])[:-1]])
    chips = {
        entry["name"]: np.array(entry["lociLoc"], dtype=int) - 1 + np.repeat(first, entry["lociPerChr"])
        for entry in case["chips"]
    }
    qtl = golden.groups(case)[0].loci
    tables = {
        "pullSnpGeno_1": pull_genotypes(population, chips["Chip1"]),
        "pullSnpGeno_B": pull_genotypes(population, chips["B"]),
        "pullSnpHaplo_1": pull_haplotypes(population, chips["Chip1"]),
        "pullQtlGeno_1": pull_genotypes(population, qtl),
        "pullQtlHaplo_2": pull_haplotypes(population, qtl),
        "pullSegSiteGeno": pull_genotypes(population),
        "pullSegSiteGeno_chr2": pull_genotypes(population, chromosomes=[2]),
        "pullSegSiteHaplo": pull_haplotypes(population),
        "pullSegSiteHaplo_h2": pull_haplotypes(population, haplotype=2),
    }
    assert set(tables) == {key for key in case if key.startswith("pull")}
    for name, table in tables.items():
        assert table.index.tolist() == case[name]["rownames"], name
        assert table.columns.tolist() == case[name]["colnames"], name
        assert ["".join(map(str, row)) for row in table.to_numpy()] == case[name]["rows"], name


@pytest.mark.parametrize("inbred", [False, True])
def test_all_copies_of_tetraploids(inbred):
    """Inbred individuals store one haplotype, but have four."""
    stored = np.random.default_rng(1).integers(0, 2, (3 if inbred else 12, 10))
    population = from_haplotypes(stored, np.ones(10), np.arange(10.0), ploidy=4, inbred=inbred)
    table = pull_haplotypes(population)
    assert table.index.tolist() == [f"{i}_{h}" for i in (1, 2, 3) for h in (1, 2, 3, 4)]
    np.testing.assert_array_equal(table, np.repeat(stored, 4, axis=0) if inbred else stored)
    dosage = table.to_numpy().reshape(3, 4, 10).sum(axis=1)
    np.testing.assert_array_equal(pull_genotypes(population), dosage)
    np.testing.assert_array_equal(pull_haplotypes(population, haplotype=3), table.iloc[2::4])
    with pytest.raises(DataError, match="haplotype = 5: individuals have the haplotypes 1 to 4"):
        pull_haplotypes(population, haplotype=5)
