"""Populations as datasets, tree sequences and phased VCF, read back; and datasets as founders."""

from dataclasses import replace

import numpy as np
import pytest

from gpatlas.config.simulation import PhenotypeSpec, TraitSpec
from gpatlas.dataset import as_text
from gpatlas.errors import DataError
from gpatlas.io import read_dataset, read_genotypes, write_dataset
from gpatlas.io.variants.exporting import write_vcf
from gpatlas.simulate import (
    MALE,
    SiteRoles,
    add_snp_chip,
    add_traits,
    concatenate,
    even_map,
    from_dataset,
    genetic_values,
    make_dh,
    mosaic,
    phased_haplotypes,
    rand_cross,
    set_phenotypes,
    to_dataset,
    to_tskit,
)
from tests.allele_panels import panel_of


@pytest.fixture(scope="module")
def program():
    """Founders, their progeny with and without records, and traits whose QTL are not on the chip."""
    rng = np.random.default_rng(1)
    founders = mosaic(20, 6, *even_map([60, 40], [1.0, 0.8]), rng)
    chip, roles = add_snp_chip(founders, 20, rng, SiteRoles.of(founders))
    specs = (TraitSpec(type="A", qtl_per_chromosome=5), TraitSpec(type="AE", qtl_per_chromosome=4, rel_aa=0.5))
    traits = add_traits(founders, specs, rng, roles.qtl)
    first = rand_cross(founders, 15, rng, record=True)
    second = rand_cross(first, 10, rng, n_progeny=3, record=True)
    return founders, first, second, traits, chip, rng


def test_a_dataset_holds_the_truth_of_this_population(program, tmp_path):
    _, _, second, traits, _, rng = program
    phenotypes = set_phenotypes(second, traits, PhenotypeSpec(h2_broad=0.5), rng)
    data = to_dataset(second, traits=traits, phenotypes=phenotypes)
    write_dataset(data, tmp_path / "x.h5")
    data = read_dataset(tmp_path / "x.h5")
    np.testing.assert_array_equal(data.dosage(), second.dosage(slice(0, 30)))
    assert as_text(data.sample_id).tolist() == [str(one) for one in second.id]
    assert as_text(data.family)[0] == f"{second.mother[0]} x {second.father[0]}"
    assert len(set(as_text(data.family))) == 10
    truth, x = data.truth, data.dosage().astype(float) - 1
    np.testing.assert_allclose(truth.traits["var_g"], truth.genetic_values.var(axis=0))
    for t in range(2):  # the tables rebuild the genetic values
        mine, paired = truth.effects.trait == t, truth.pairs.trait == t
        g = truth.traits["intercept"][t] + x[:, truth.effects.locus[mine]] @ truth.effects.additive[mine]
        g += (x[:, truth.pairs.locus_1[paired]] * x[:, truth.pairs.locus_2[paired]]) @ truth.pairs.epistatic[paired]
        np.testing.assert_allclose(g, truth.genetic_values[:, t])
    np.testing.assert_array_equal(data.phenotypes, phenotypes)
    assert data.provenance["population"] == {"chip": None, "hidden_qtl": 0}


def test_a_chip_hides_the_qtl(program):
    _, _, second, traits, chip, _ = program
    data = to_dataset(second, traits=traits, chip=chip)
    np.testing.assert_array_equal(data.dosage(), second.dosage(slice(0, 30), chip.loci))
    assert len(data.truth.effects.locus) == len(data.truth.pairs.locus_1) == 0
    assert data.provenance["population"] == {"chip": "chip", "hidden_qtl": len(traits.loci)}
    np.testing.assert_array_equal(data.truth.genetic_values, genetic_values(second, traits.groups).gv)
    assert np.isnan(data.phenotypes).all()


def test_effects_speak_of_the_loci_on_the_chip(program):
    _, _, second, traits, chip, _ = program
    half = np.sort(np.concatenate([chip.loci, traits.groups[0].loci[:6]]))
    data = to_dataset(second, traits=traits, chip=replace(chip, loci=half))
    mine = data.truth.effects.trait == 0
    np.testing.assert_array_equal(half[data.truth.effects.locus[mine]], traits.groups[0].loci[:6])
    np.testing.assert_array_equal(data.truth.effects.additive[mine], traits.groups[0].additive[0, :6])


def test_sexes_are_a_covariate(program):
    founders = program[0].with_sexes("systematic")
    data = to_dataset(founders)
    assert data.levels["sex"] == ("male", "female")
    np.testing.assert_array_equal(data.covariates[:, 0] == 0, founders.sex == MALE)
    assert data.family is None


def test_names_and_shapes_are_checked(program):
    founders = program[0]
    with pytest.raises(DataError, match="2 individuals have the id 4"):
        to_dataset(founders.take(np.array([0, 3, 3])))
    for wrong, shape in ((np.zeros((3, 1)), r"\(3, 1\)"), (np.zeros(20), r"\(20,\)")):
        with pytest.raises(DataError, match=f"phenotypes have the shape {shape}; .*individuals × traits, is expected"):
            to_dataset(founders, phenotypes=wrong)


@pytest.mark.parametrize("n_generations", [1, 2, 3])
@pytest.mark.parametrize("chromosome", [1, 2])
def test_tree_sequences_are_read_back(program, tmp_path, n_generations, chromosome):
    """Records of crosses, or mutations where there is none, give the same genotypes."""
    generations = list(program[:3])[-n_generations:]
    trees = to_tskit(generations, chromosome=chromosome)
    trees.dump(tmp_path / "x.trees")
    data, last = read_genotypes(tmp_path / "x.trees"), generations[-1]
    loci = np.flatnonzero(last.chromosome == chromosome)
    np.testing.assert_array_equal(data.dosage(), last.dosage(slice(0, 30), loci))
    np.testing.assert_allclose(data.position, last.position[loci] * 1e8)
    assert as_text(data.sample_id).tolist() == [str(one) for one in last.id]
    if n_generations > 1:  # the parents of the pedigree, by their names
        individual = next(one for one in trees.individuals() if one.metadata["id"] == str(last.id[0]))
        names = [trees.individual(parent).metadata["id"] for parent in individual.parents]
        assert names == [str(last.mother[0]), str(last.father[0])]
    if n_generations == 3:  # only founders have mutations
        assert set(trees.nodes_time[trees.mutations_node]) == {2.0}
        assert trees.num_trees > 10


@pytest.mark.parametrize("n_generations", [1, 2])
def test_tree_sequences_of_inbred_lines(program, tmp_path, n_generations):
    lines = make_dh(program[0], program[5], n_dh=2, record=True)
    to_tskit([program[0], lines][-n_generations:], chromosome=1).dump(tmp_path / "x.trees")
    np.testing.assert_array_equal(
        read_genotypes(tmp_path / "x.trees").dosage(), lines.dosage(slice(0, 40), np.arange(60))
    )


def test_refused_tree_sequences(program):
    founders = program[0]
    with pytest.raises(DataError, match="chromosome 3 has no loci"):
        to_tskit([founders], chromosome=3)
    tied = replace(founders, position=np.zeros(100))
    with pytest.raises(DataError, match="loci 1 and 2 of chromosome 1 have one position"):
        to_tskit([tied])
    namesake = founders.take(np.array([1])).like(founders.take(np.array([0])).haplotypes)
    to_tskit([founders, founders.take(np.array([4, 2]))])  # the same individuals again
    with pytest.raises(DataError, match=f"id {founders.id[1]} is that of two individuals"):
        to_tskit([founders, replace(namesake, id=founders.id[1:2])])
    with pytest.raises(DataError, match="do not share a map: the chromosome of locus 61 is 2 and 3"):
        to_tskit([founders, replace(founders, chromosome=np.repeat([1, 3], [60, 40]).astype(np.int32))])


@pytest.mark.parametrize("inbred", [False, True])
def test_phased_vcf_comes_back_as_founders(tmp_path, inbred):
    rng = np.random.default_rng(3)
    population = mosaic(7, 5, *even_map([70, 30], [1.0, 0.8]), rng, inbred=inbred)
    path = tmp_path / "x.vcf.gz"
    write_vcf(to_dataset(population), path, haplotypes=phased_haplotypes(population))
    back = from_dataset(read_genotypes(path, haplotypes=True), ploidy=2, morgan_per_bp=1e-8)
    assert (back.n_individuals, back.ploidy) == (7, 2)
    np.testing.assert_array_equal(back.haplotypes.bits, phased_haplotypes(population).bits)
    np.testing.assert_array_equal(back.chromosome, population.chromosome)
    np.testing.assert_allclose(back.position, population.position, atol=1e-8)
    np.testing.assert_array_equal(read_genotypes(path).dosage(), population.dosage(slice(0, 7)))


def test_a_chip_is_phased_too(program, tmp_path):
    _, _, second, _, chip, _ = program
    data = to_dataset(second, chip=chip)
    write_vcf(data, tmp_path / "x.vcf", haplotypes=phased_haplotypes(second, chip))
    haplotypes = read_genotypes(tmp_path / "x.vcf", haplotypes=True)
    np.testing.assert_array_equal(haplotypes.dosage(), second.haplotypes.unpack(None, chip.loci))
    assert as_text(haplotypes.sample_id)[:2].tolist() == [f"{second.id[0]}_1", f"{second.id[0]}_2"]


def test_inbred_genotypes_become_founders(program):
    """Out of order on the map, in cM, with names of chromosomes that are no numbers."""
    lines = make_dh(program[0], program[5])
    data = to_dataset(lines)
    order = program[5].permutation(60).tolist() + list(range(60, 100))
    shuffled = replace(
        data.loci(np.array(order)),
        position=data.position[order] * 100 + 7,
        position_unit="cM",
        chromosome=np.where(data.chromosome[order] == b"1", "5D", "1A"),
    )
    founders = from_dataset(shuffled)
    np.testing.assert_array_equal(founders.dosage(slice(0, 20)), lines.dosage(slice(0, 20)))
    np.testing.assert_allclose(founders.position, lines.position, atol=1e-12)
    assert founders.inbred


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            {},
            {},
            r"\d+ calls are heterozygous, such as that of sample \d+ at 1_\d+, and a dataset knows no phase",
        ),
        ({"genotypes": np.full((20, 100), -1, np.int8)}, {}, "2,000 calls are missing; impute or remove them first"),
        ({"position_unit": "bp"}, {}, "positions are in bp; give morgan_per_bp"),
        ({"position_unit": ""}, {}, "positions have the unit ''"),
        ({"position": np.full(100, np.nan)}, {}, "100 loci have no position"),
        ({}, {"morgan_per_bp": 1e-8}, "positions are in Morgan already; leave out morgan_per_bp = 1e-08"),
        ({"position_unit": "bp"}, {"morgan_per_bp": -1.0}, "morgan_per_bp = -1 is not a positive number"),
        (
            {"genotypes": np.zeros((20, 100), np.int8), "ploidy": 1},
            {"ploidy": 3},
            "20 haplotypes do not make up founders of ploidy 3",
        ),
    ],
)
def test_refused_founders(program, change, options, message):
    with pytest.raises(DataError, match=message):
        from_dataset(replace(to_dataset(program[0]), **change), **options)


@pytest.mark.parametrize("phased", [False, True])
def test_names_of_the_users_data_are_kept(program, phased):
    """Founders of a dataset, crossed, on a chip: their names, loci and alleles are those of the file."""
    founders, rng = (program[0] if phased else make_dh(program[0], program[5])), program[5]
    data = to_dataset(founders)
    order = rng.permutation(100)
    names = [f"line{k}_{h}" for k in range(20) for h in (1, 2)] if phased else [f"line{k}" for k in range(20)]
    data = replace(
        data.loci(order),
        genotypes=phased_haplotypes(founders).unpack()[:, order].view(np.int8) if phased else data.dosage(None, order),
        sample_id=np.array(names),
        ploidy=1 if phased else 2,
        alleles=np.array([["A", f"T{k}"] for k in order]),
        phenotypes=np.empty((40 if phased else 20, 0)),
        fold=np.zeros(40 if phased else 20, np.uint8),
        covariates=None,
        family=None,
        position=data.position[order] * 100,
        position_unit="cM",
    )  # fmt: skip
    made = from_dataset(data, ploidy=2)
    progeny = rand_cross(made, 5, rng)
    out = to_dataset(concatenate([made.take(np.array([3, 1])), progeny]), chip=program[4], origin=data)
    assert as_text(out.sample_id).tolist() == ["line3", "line1", *(str(one) for one in progeny.id)]
    assert (out.position_unit, out.n_loci) == ("cM", 40)
    by_name = dict(zip(data.locus_id, data.dosage().T, strict=True))
    for name, dosage in zip(out.locus_id, out.dosage().T, strict=True):
        copies = by_name[name].reshape(20, -1).sum(axis=1) if phased else by_name[name]
        assert dosage[:2].tolist() == [copies[3], copies[1]]
    allele = dict(zip(data.locus_id, data.alleles[:, 1], strict=True))
    assert out.alleles[:, 1].tolist() == [allele[name] for name in out.locus_id]
    with pytest.raises(DataError, match="the population has 100 loci, its origin 60"):
        to_dataset(made, origin=data.loci(np.arange(60)))
    clash = replace(data, sample_id=np.array([f"{progeny.id[0]}{'_1' if phased else ''}", *names[1:]]))
    with pytest.raises(DataError, match=f"a founder is called {progeny.id[0]}, which is another one's id"):
        to_dataset(concatenate([made, progeny]), origin=clash)


def test_haplotypes_of_others_are_refused(program, tmp_path):
    founders, _, second, *_ = program
    others = phased_haplotypes(second.take(np.arange(30)[::-1]))
    with pytest.raises(DataError, match="do not sum up to the dosages"):
        write_vcf(to_dataset(second), tmp_path / "x.vcf", haplotypes=others)
    with pytest.raises(DataError, match=r"haplotypes have the shape \(40, 100\), but 30 samples"):
        write_vcf(to_dataset(second), tmp_path / "x.vcf", haplotypes=phased_haplotypes(founders))


VCF = """##fileformat=VCFv4.2
##contig=<ID=1>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\tben
1\t10\ta\tA\tC\t.\tPASS\t.\tGT\t0|1\t1/1
1\t20\tb\tA\tC,G\t.\tPASS\t.\tGT\t1|2\t0|.
1\t30\tc\tA\tC\t.\tPASS\t.\tGT\t1\t{call}
"""


def test_calls_of_every_kind_as_haplotypes(tmp_path):
    path = tmp_path / "x.vcf"
    path.write_text(VCF.format(call="0|0"))
    data = read_genotypes(path, haplotypes=True)
    assert as_text(data.sample_id).tolist() == ["ann_1", "ann_2", "ben_1", "ben_2"]
    assert data.dosage().T.tolist() == [[0, 1, 1, 1], [1, 0, 0, -1], [0, 1, 0, -1], [1, 1, 0, 0]]
    assert data.ploidy == 1
    path.write_text(VCF.format(call="0/1"))
    with pytest.raises(DataError, match=r"record 1:30 has an unphased heterozygous call \(sample ben\)"):
        read_genotypes(path, haplotypes=True)


def test_founders_have_two_alleles():
    with pytest.raises(DataError, match="two alleles at a locus, but these data have up to 3"):
        from_dataset(panel_of(2, 3))
