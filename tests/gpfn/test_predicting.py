"""Predicting a population from another one: panels that differ, samples that are known, what cannot be predicted."""

from dataclasses import replace

import numpy as np
import pytest

from gpatlas.errors import ConfigError, DataError, StoreError
from gpatlas.gpfn.predicting import predict_population
from gpatlas.models import make
from tests.gpfn.networks import write_network
from tests.gpfn.populations import N_LOCI, two_panels


@pytest.fixture(scope="module")
def panels():
    return two_panels(1)


def predict(training, target, **options):
    return predict_population(training, target, **{"checkpoint": None} | options)


def said(prediction):
    return "\n".join(prediction.sentences)


def without(dataset, missing=slice(None)):
    phenotypes = dataset.phenotypes.copy()
    phenotypes[missing] = np.nan
    return replace(dataset, phenotypes=phenotypes)


def test_is_the_estimator_with_an_account(panels):
    training, target, _ = panels
    found = predict(training, target, coverage=0.8)
    model = make("gpfn", checkpoint=None, chromosome=training.chromosome).fit(training.genotypes, training.phenotypes)
    value, se = model.predict(target.genotypes, return_std=True)
    table = found.table
    assert list(table) == [
        "sample_id",
        "trait",
        "gebv",
        "se",
        "lower",
        "upper",
        "observed",
        "in_training",
        "missing_loci",
    ]
    np.testing.assert_allclose(table["gebv"], value[:, 0], rtol=1e-9)
    np.testing.assert_allclose(table["upper"] - table["lower"], 2 * 1.2815515655446004 * se[:, 0], rtol=1e-9)
    ability = np.corrcoef(table["gebv"], target.phenotypes[:, 0])[0, 1]
    assert f"yield: predictive ability {ability:.3f} on 40 new samples; 80% intervals hold" in said(found)
    assert not table["in_training"].any()


def test_phenotypes_of_the_target_change_nothing(panels):
    training, target, _ = panels
    found, blind = predict(training, target), predict(training, without(target))
    np.testing.assert_array_equal(found.table["gebv"], blind.table["gebv"])
    assert "observed" not in blind.table
    assert "predictive ability" not in said(blind)


def test_other_order_allele_and_strand(panels):
    training, target, _ = panels
    order = np.random.default_rng(2).permutation(N_LOCI)
    strand = np.array([dict(zip("ACGT", "TGCA", strict=True))[a] for a in target.alleles.ravel()]).reshape(-1, 2)
    flipped = np.where(np.arange(N_LOCI)[:, None] % 3 == 0, strand, target.alleles)
    other = replace(target, genotypes=(2 - target.genotypes).astype(np.int8), alleles=flipped[:, ::-1]).loci(order)
    found = predict(training, other)
    np.testing.assert_allclose(found.table["gebv"], predict(training, target).table["gebv"], rtol=1e-12)
    assert "80 list alleles in the other order: dosages were turned round." in said(found)
    assert "40 have alleles named by the other strand, in the other order: turned round." in said(found)


def test_training_in_any_order_and_by_any_counted_allele(panels, tmp_path):
    """Also: a training panel without a map takes the target's; a map changes what a network makes of neighbours."""
    training, target, _ = panels
    network = {"checkpoint": write_network(tmp_path / "tiny.safetensors")}
    order = np.random.default_rng(3).permutation(N_LOCI)
    same = predict(training, target, **network).table["gebv"]
    np.testing.assert_allclose(predict(training.loci(order), target, **network).table["gebv"], same, rtol=1e-8)
    nowhere = {"chromosome": np.full(N_LOCI, ""), "position": np.zeros(N_LOCI), "position_unit": ""}
    unplaced = replace(training, **nowhere).loci(order)
    np.testing.assert_allclose(predict(unplaced, target, **network).table["gebv"], same, rtol=1e-8)
    assert np.abs(predict(unplaced, replace(target, **nowhere), **network).table["gebv"] - same).max() > 1e-4
    turned = replace(training, genotypes=(2 - training.genotypes).astype(np.int8), alleles=training.alleles[:, ::-1])
    np.testing.assert_allclose(predict(turned, target, **network).table["gebv"], same, rtol=1e-8)


def test_half_of_the_markers(panels):
    training, target, _ = panels
    found = predict(training, target.loci(np.arange(0, N_LOCI, 2)))
    assert "warning: the target lacks 50% of the training panel's loci; the network is conditioned on the 60" in said(
        found
    )
    both = predict(training.loci(np.arange(0, N_LOCI, 2)), target.loci(np.arange(0, N_LOCI, 2)))
    np.testing.assert_allclose(found.table["gebv"], both.table["gebv"], rtol=1e-9)


def test_shared_markers_are_better_than_training_means():
    """Accuracy, and what intervals hold, over populations whose target lacks three markers of four."""
    accuracy, held = [], []
    for seed in range(8):
        training, target, g = two_panels(seed, n=150, n_target=60)
        kept = np.arange(0, N_LOCI, 4)
        found = predict(training, target.loci(kept)).table
        gaps = np.full(target.genotypes.shape, np.nan)
        gaps[:, kept] = target.genotypes[:, kept]
        model = make("gpfn", checkpoint=None, chromosome=training.chromosome)
        value, se = model.fit(training.genotypes, training.phenotypes[:, 0]).predict(gaps, return_std=True)
        accuracy.append([np.corrcoef(found["gebv"], g)[0, 1], np.corrcoef(value, g)[0, 1]])
        inside = (found["lower"] < g + 20) & (g + 20 < found["upper"])
        held.append([inside.mean(), (np.abs(value - g - 20) < 1.6448536269514722 * se).mean()])
    shared, means = np.mean(accuracy, axis=0)
    assert shared > means + 0.05
    shared, means = np.abs(np.mean(held, axis=0) - 0.9)
    assert shared < means


def test_no_marker_in_common(panels):
    training, target, _ = panels
    other = replace(target, locus_id=np.array([f"other{k}" for k in range(N_LOCI)]), position=target.position + 1e6)
    with pytest.raises(
        DataError,
        match=r"share no locus with the training panel .* ids such as 'other0' and",
    ):
        predict(training, other)
    few = replace(other, locus_id=np.where(np.arange(N_LOCI) < 6, training.locus_id, other.locus_id))
    with pytest.raises(DataError, match="share 6 usable loci, below 10% of the 120 of the smaller one"):
        predict(training, few)
    assert np.isfinite(predict(training, few, anyway=True).table["gebv"]).all()


@pytest.mark.parametrize(("count", "text"), [(1, "1 training sample has"), (9, "9 training samples have")])
def test_too_few_phenotyped_lines(panels, count, text):
    training, target, _ = panels
    with pytest.raises(DataError, match=f"{text} genotypes and yield, but at least 10 are needed"):
        predict(without(training, slice(count, None)), target)


def test_a_trait_with_too_few_lines_is_left_out_unless_it_is_asked_for(panels):
    training, target, _ = panels
    y = np.column_stack([training.phenotypes, training.phenotypes + 1, np.arange(80) % 2])
    y[3:, 1] = np.nan
    names = np.array(["yield", "rare", "ill"])
    several = replace(training, phenotypes=y, trait_id=names, levels={"ill": ("no", "yes")})
    found = predict(several, target)
    assert set(found.table["trait"]) == {"yield"}
    assert "Left out: 3 training samples have genotypes and rare, but at least 10 are needed." in said(found)
    assert "Left out: trait ill has classes (no, yes), and gpfn predicts numbers." in said(found)
    with pytest.raises(DataError, match="3 training samples have genotypes and rare"):
        predict(several, target, traits=["yield", "rare"])
    with pytest.raises(ConfigError, match="no trait 'yeild'; did you mean 'yield'"):
        predict(several, target, traits=["yeild"])


def test_traits_with_gaps_are_each_conditioned_on_what_they_have(panels):
    training, target, _ = panels
    y = np.column_stack([training.phenotypes, -2 * training.phenotypes])
    y[:30, 1] = np.nan
    found = predict(replace(training, phenotypes=y, trait_id=np.array(["a", "b"])), target)
    assert "a: 80 training samples" in said(found)
    assert "b: 50 training samples" in said(found)
    alone = predict(without(training, slice(30)), target)
    assert "30 of 80 samples of the training panel lack yield." in said(alone)
    np.testing.assert_allclose(found.table["gebv"][40:], -2 * alone.table["gebv"], rtol=1e-6)


def test_a_constant_phenotype_is_predicted_without_error(panels):
    training, target, _ = panels
    found = predict(replace(training, phenotypes=np.full((80, 1), 7.5)), without(target))
    assert (found.table["gebv"] == 7.5).all()
    assert (found.table["se"] == 0).all()
    assert "all of which have 7.5: that is predicted, with a standard error of 0." in said(found)


def test_markers_that_say_nothing_are_counted_and_ignored(panels):
    training, target, _ = panels
    old, new = training.genotypes.copy(), target.genotypes.copy()
    old[:, 3], old[:, 4:6], new[:, 7] = -1, 1, -1
    found = predict(replace(training, genotypes=old), replace(target, genotypes=new))
    for text in (
        "1 locus has no call in any training sample: ignored.",
        "2 loci have one dosage in all training samples: ignored.",
        "1 locus has no call in any target sample: ignored.",
    ):
        assert text in said(found)
    kept = np.setdiff1d(np.arange(N_LOCI), [3, 4, 5, 7])
    same = predict(training.loci(kept), target.loci(kept)).table["gebv"]
    np.testing.assert_allclose(found.table["gebv"], same, rtol=1e-9)
    with pytest.raises(DataError, match="none of the 120 loci that the panels share varies"):
        predict(replace(training, genotypes=np.ones_like(old)), target)


def test_missing_calls(panels):
    training, target, _ = panels
    old, new = training.genotypes.copy(), target.genotypes.copy()
    old[::7, ::5], new[5, :30] = -1, -1
    found = predict(replace(training, genotypes=old), replace(target, genotypes=new))
    np.testing.assert_allclose(found.table["missing_loci"], np.where(np.arange(40) == 5, 0.25, 0))
    assert np.isfinite(found.table["gebv"]).all()


def test_samples_of_both_populations_are_known_by_name_and_by_genotype(panels):
    training, target, _ = panels
    genotypes, names = target.genotypes.copy(), target.sample_id.copy()
    genotypes[:3] = training.genotypes[:3]
    names[0], names[1] = "old0", "twin"
    names[4] = "old9"  # its genotypes are others'
    found = predict(without(training, [2]), replace(target, genotypes=genotypes, sample_id=names))
    assert found.table["in_training"].tolist() == [True, True, False, False, True, *[False] * 35]
    assert "2 target samples are in the training population too (old0, old9)." in said(found)
    assert "1 target sample has the genotypes of a training sample under another name (twin = old1)." in said(found)
    assert "warning: 1 sample has one name, and different genotypes in the two panels (old9)." in said(found)
    assert "on 37 new samples" in said(found)


def test_fixed_effects(panels):
    """Breeding values are those of the trait without the effects; expected phenotypes have the sample's own."""
    training, target, _ = panels
    rng = np.random.default_rng(5)
    site, age = rng.integers(0, 3, 120).astype(float), rng.normal(50, 9, 120)
    effect = np.array([0.0, 6.0, -5.0])[site.astype(int)] + 0.5 * age
    parts = []
    for dataset, rows in ((training, slice(80)), (target, slice(80, 120))):
        covariates = np.column_stack([site, age])[rows]
        y = dataset.phenotypes + effect[rows, None]
        levels = {"site": ("N", "S", "W")}
        named = {"covariates": covariates, "covariate_id": np.array(["site", "age"]), "levels": levels}
        parts.append(replace(dataset, phenotypes=y, **named))
    found = predict(*parts)
    table, plain = found.table, predict(training, target).table
    assert np.corrcoef(table["gebv"], plain["gebv"])[0, 1] > 0.98
    assert np.corrcoef(table["prediction"] - table["gebv"], effect[80:])[0, 1] > 0.98
    ability = np.corrcoef(table["prediction"], table["observed"])[0, 1]
    assert f"predictive ability {ability:.3f}" in said(found)
    columns = [np.column_stack([one.covariates[:, :1] == (1, 2), one.covariates[:, 1]]) for one in parts]
    model = make("gpfn", checkpoint=None, chromosome=training.chromosome, n_covariates=3)
    model.fit(np.hstack([training.genotypes, columns[0]]), parts[0].phenotypes[:, 0])
    np.testing.assert_allclose(table["prediction"], model.predict(np.hstack([target.genotypes, columns[1]])), rtol=1e-6)
    unknown = parts[1].covariates.copy()
    unknown[:2, 0] = np.nan
    found = predict(parts[0], replace(parts[1], covariates=unknown))
    assert "2 target samples without known covariates: expected at their training means." in said(found)
    np.testing.assert_allclose(found.table["gebv"], table["gebv"], rtol=1e-9)


def test_a_covariate_that_no_training_sample_has(panels):
    training, target, _ = panels
    unknown = replace(training, covariates=np.full((80, 1), np.nan), covariate_id=np.array(["age"]))
    with pytest.raises(DataError, match="no training sample has a known age"):
        predict(unknown, target)


def test_no_such_checkpoint_and_other_ploidy(panels):
    training, target, _ = panels
    with pytest.raises(StoreError, match="checkpoint 'absent'"):
        predict(training, target, checkpoint="absent")
    with pytest.raises(DataError, match="the target's genotypes have ploidy 4, but the training panel's is 2"):
        predict(training, replace(target, ploidy=4))
