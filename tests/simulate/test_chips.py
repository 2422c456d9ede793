"""Chips and the roles of loci: AlphaSimR's stored lists, and the rules for any numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.config.simulation import TraitSpec
from gpatlas.errors import DataError
from gpatlas.simulate import SiteRoles, add_snp_chip, add_traits, even_map, from_haplotypes, mosaic, restrict_sites
from gpatlas.simulate.chips import minor_allele_frequency
from tests import golden

CASE = golden.SHARED / "chips_pull.json.gz"


def indices(per_chromosome, first_locus):
    """1-based sites of each chromosome as indices into the population's loci."""
    return np.concatenate(
        [np.array(sites, dtype=int) - 1 + k for sites, k in zip(per_chromosome, first_locus, strict=True)]
    )


@pytest.mark.skipif(not CASE.exists(), reason="the shared reference data are not at hand")
def test_alphasimr_lists_of_invalid_sites():
    """restrSegSites, two chips, a trait, a third chip: what may become what afterwards."""
    case = golden.load(CASE)
    first = np.array([0, *np.cumsum(case["simParam"]["segSites"])[:-1]])
    population = golden.population(case)
    sites = case["simParam"]["segSites"]  # calcChrFreq counts the padding of its bytes, too
    frequency = np.concatenate([q[:n] for q, n in zip(case["calcChrFreq"], sites, strict=True)])
    np.testing.assert_allclose(minor_allele_frequency(population), np.minimum(frequency, 1 - frequency), atol=1e-15)

    def chip(entry):
        sites = np.split(np.array(entry["lociLoc"]), np.cumsum(entry["lociPerChr"])[:-1])
        return indices(sites, first)

    roles = SiteRoles.of(population)
    roles = roles.with_snps(indices(case["invalidQtl_after_restr"], first))  # what was reserved for chips …
    roles = roles.with_qtl(indices(case["invalidSnp_after_restr"], first))  # … and for traits
    assert not (~roles.qtl & ~roles.snp).any()
    chips = [chip(entry) for entry in case["chips"]]
    for loci in chips[:2]:
        assert roles.snp[loci].all()
        assert (minor_allele_frequency(population)[loci] >= (0.4 if loci is chips[0] else 0)).all()
        roles = roles.with_snps(loci)
    (qtl, *_) = (group.loci for group in golden.groups(case))
    assert roles.qtl[qtl].all()
    roles = roles.with_qtl(qtl)
    assert roles.snp[chips[2]].all()
    roles = roles.with_snps(chips[2])
    np.testing.assert_array_equal(np.flatnonzero(~roles.qtl), indices(case["invalidQtl"], first))
    np.testing.assert_array_equal(np.flatnonzero(~roles.snp), indices(case["invalidSnp"], first))


def founders(seed=1, n_loci=(60, 40)):
    rng = np.random.default_rng(seed)
    return mosaic(30, 6, *even_map(n_loci), rng), rng


@given(st.integers(0, 1000), st.integers(0, 10), st.integers(0, 15), st.floats(0, 0.1))
def test_qtl_and_chips_never_share_a_locus(seed, n_snps, n_qtl, min_frequency):
    population, rng = founders(seed)
    roles = restrict_sites(population, rng, min_qtl=n_qtl, min_snps=n_snps, min_frequency=min_frequency)
    for_chips, for_traits = np.flatnonzero(~roles.qtl), np.flatnonzero(~roles.snp)
    for reserved, count in ((for_chips, n_snps), (for_traits, n_qtl)):
        assert (np.bincount(population.chromosome[reserved], minlength=3)[1:] == count).all()
    assert not set(for_chips) & set(for_traits)
    assert (minor_allele_frequency(population)[for_chips] >= min_frequency).all()
    chip, roles = add_snp_chip(population, n_snps, rng, roles, min_frequency=min_frequency)
    assert (np.bincount(population.chromosome[chip.loci], minlength=3)[1:] == n_snps).all()
    assert (minor_allele_frequency(population)[chip.loci] >= min_frequency).all()
    assert (np.diff(chip.loci) > 0).all()
    for number in range(2):  # the reservation leaves room for QTL after any chips
        second, roles = add_snp_chip(population, [n_snps, 0], rng, roles)
        if n_qtl:
            traits = add_traits(population, (TraitSpec(type="A", qtl_per_chromosome=n_qtl),), rng, roles.qtl)
            roles = roles.with_qtl(traits.loci)
            assert not set(traits.loci) & (set(chip.loci) | set(second.loci)), number


def test_a_locus_at_the_threshold_is_taken():
    """0.3 of ten haplotypes is 3 of 10, from either side."""
    ones = np.array([0, 1, 2, 3, 5, 7, 8, 10])
    haplotypes = (np.arange(10)[:, None] < ones).astype(np.uint8)
    population = from_haplotypes(haplotypes, np.ones(8), np.arange(8.0), ploidy=2)
    chip, _ = add_snp_chip(population, np.int64(3), np.random.default_rng(1), min_frequency=0.3)
    np.testing.assert_array_equal(chip.loci, [3, 4, 5])
    with pytest.raises(DataError, match=r"chromosome 1 has 3 loci that may be SNPs of minor .* 0.3 or more; 4 are"):
        add_snp_chip(population, 4, np.random.default_rng(1), min_frequency=0.3)


def test_overlap_when_it_is_allowed():
    population, rng = founders()
    chip, roles = add_snp_chip(population, [60, 40], rng, SiteRoles.of(population, exclusive=False))
    assert roles.qtl.all()
    assert len(chip.loci) == 100
    _, roles = add_snp_chip(population, [60, 40], rng)
    with pytest.raises(DataError, match="chromosome 1 has 0 loci that may be QTL; 5 are wanted"):
        add_traits(population, (TraitSpec(type="A", qtl_per_chromosome=5),), rng, roles.qtl)


def test_exclusions_by_name_and_lists_of_another_length():
    population, rng = founders()
    roles = SiteRoles.of(population).exclude(qtl=np.array([3]), snps=np.array([4, 5]))
    assert np.flatnonzero(~roles.qtl).tolist() == [3]
    assert np.flatnonzero(~roles.snp).tolist() == [4, 5]
    with pytest.raises(DataError, match="3 numbers of SNPs are given for 2 chromosomes"):
        add_snp_chip(population, [1, 2, 3], rng)
