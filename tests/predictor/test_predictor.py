"""Predictions of another file's samples: same loci in other order, other alleles, absent loci, covariates, twins."""

from dataclasses import replace

import numpy as np
import pytest

from gpatlas.errors import DataError
from gpatlas.predictor.fingerprints import Fingerprints
from gpatlas.predictor.intervals import half_width
from tests.predictor.fitted import KINDS, clinic, fitted


@pytest.fixture(scope="module")
def models():
    return {kind: fitted("rrblup", kind, clinic(kind)) for kind in KINDS}


def mangled(dataset, rng):
    """The same samples, as another laboratory would write them."""
    order = rng.permutation(dataset.n_loci)
    turned = rng.random(dataset.n_loci) < 0.5
    dosage = dataset.dosage().copy()
    dosage[:, turned] = np.where(dosage[:, turned] < 0, -1, 2 - dosage[:, turned])
    alleles = np.where(turned[:, None], dataset.alleles[:, ::-1], dataset.alleles)
    return replace(
        dataset,
        genotypes=dosage[:, order],
        alleles=alleles[order],
        locus_id=np.array([f"rs{k}" for k in order]),
        chromosome=np.char.add("chr", dataset.chromosome[order]),
        position=dataset.position[order],
        covariates=dataset.covariates[:, ::-1],
        covariate_id=dataset.covariate_id[::-1],
        truth=None,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_alleles_in_the_other_order_change_nothing(kind, models, rng):
    """A cohort whose files list A1 and A2 the other way, loci in another order, under other names."""
    new = clinic(kind, 60, number=2)
    there, mangled_there = models[kind].predict(new), models[kind].predict(mangled(new, rng))
    for column, values in there.table.items():
        np.testing.assert_array_equal(values, mangled_there.table[column], err_msg=column)
    assert any("in the other order: dosages were turned round" in said for said in mangled_there.sentences)


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_are_the_estimator_s_and_carry_the_new_ids(kind, models):
    new = clinic(kind, 60, number=2)
    model = models[kind]
    table = model.predict(new).table
    assert list(table["sample_id"]) == [f"clinic-2-sample-{k}" for k in range(1, 61)]
    gender, age = new.covariates.T
    dosage = np.where(new.dosage() < 0, np.nan, new.dosage())
    x = np.column_stack([dosage, gender == 1, gender == 2, age]).astype(np.float32)
    if kind == "continuous":
        np.testing.assert_allclose(table["prediction"], model.estimator.predict(x), rtol=1e-6)
        assert ((table["lower"] < table["prediction"]) & (table["prediction"] < table["upper"])).all()
    else:
        expected = model.estimator.predict_proba(x)
        shown = np.column_stack([table[f"p_{name}"] for name in model.classes])
        np.testing.assert_allclose(shown, expected, rtol=1e-5)
        assert list(table["prediction"]) == [model.classes[k] for k in expected.argmax(axis=1)]


def test_absent_loci_are_counted_and_too_many_refused(models):
    new = clinic("binary", 60, number=2)
    some = models["binary"].predict(new.loci(np.arange(3, 40)))
    assert "3 are not in the new data: set to missing." in some.sentences
    np.testing.assert_allclose(some.table["missing_loci"][[0, 3]], [3 / 40, 4 / 40])
    few = new.loci(np.arange(0, 40, 2))
    with pytest.raises(DataError, match=r"50\.0% of the model's 40 loci are absent .* \(--anyway makes them\)"):
        models["binary"].predict(few)
    assert np.isfinite(models["binary"].predict(few, most_missing=1).table["p_case"]).all()


def test_covariates_by_name_of_level(models):
    """Codes of another file mean other levels; a level that the model does not know is missing, and said."""
    new = clinic("binary", 60, number=2)
    gender, age = new.covariates.T
    recoded = np.array([2, 0, 1])[gender.astype(int)].astype(float)
    levels = new.levels | {"Gender": ("male", "unknown", "female")}
    other = replace(new, covariates=np.column_stack([recoded, age]), levels=levels)
    expected = models["binary"].predict(new)
    np.testing.assert_array_equal(models["binary"].predict(other).table["p_case"], expected.table["p_case"])
    odd = replace(new, levels=new.levels | {"Gender": ("female", "M", "unknown")})
    said = models["binary"].predict(odd).sentences
    count = int((gender == 1).sum())
    assert f"Levels of Gender that the model does not know: 'M' ({count}); it knows female, male, unknown." in said
    assert f"{count} of 60 samples have no known Gender." in said


def test_an_absent_covariate_is_refused_by_name(models):
    new = clinic("binary", 60, number=2)
    without = replace(new, covariates=new.covariates[:, :1], covariate_id=new.covariate_id[:1])
    with pytest.raises(DataError, match="uses the covariate age, which the new data lack"):
        models["binary"].predict(without)
    said = models["binary"].predict(without, most_missing=1).sentences
    assert "The new data lack age, which the model uses." in said


def test_twins_of_training_samples_are_found(models, rng):
    """As in an example whose validation cohort is training samples with other names."""
    old, new = clinic("binary"), clinic("binary", 60, number=2)
    copies = rng.choice(120, 20, replace=False)
    both = replace(
        new,
        genotypes=np.concatenate([new.dosage(), old.dosage()[copies]]),
        phenotypes=np.concatenate([new.phenotypes, old.phenotypes[copies]]),
        sample_id=np.concatenate([new.sample_id, [f"renamed-{k}" for k in range(20)]]),
        covariates=np.concatenate([new.covariates, old.covariates[copies]]),
        fold=np.zeros(80, dtype=np.uint8),
        truth=None,
    )
    found = models["binary"].predict(mangled(both, rng))
    np.testing.assert_array_equal(found.table["in_training"], np.arange(80) >= 60)
    assert any(said.startswith("20 of 80 samples have the genotypes of training samples") for said in found.sentences)
    clean = models["binary"].predict(new)
    assert not clean.table["in_training"].any()
    assert "No sample looks like a copy of one that the model was trained on." in clean.sentences


def known(marks, genotypes):
    return marks.known(genotypes, np.ones(genotypes.shape[1], dtype=bool))


def test_fingerprints_bear_some_other_calls_and_no_relatives(rng):
    training = rng.binomial(2, 0.3, (200, 1600)).astype(np.int8)
    marks = Fingerprints.of(training, "ab")
    assert marks.hashes.shape == (16, 200)
    nearly = training[:50].copy()
    nearly[np.arange(50), rng.integers(0, 1600, 50)] = -1
    nearly[np.arange(50), rng.integers(0, 1600, 50)] = 2
    assert known(marks, nearly).all()
    children = np.where(rng.random((50, 1600)) < 0.5, training[:50], training[50:100])
    assert not known(marks, children).any()
    assert not known(marks, rng.binomial(2, 0.3, (50, 1600)).astype(np.int8)).any()
    few = Fingerprints.of(training[:, :5], "ab")
    assert not few.can_tell(50, np.ones(5, dtype=bool))
    assert not known(few, training[:, :5]).any()


@pytest.mark.parametrize(("n_loci", "n_absent"), [(1600, 1), (1600, 30), (10_000, 100), (50_000, 1000)])
def test_fingerprints_bear_absent_loci(rng, n_loci, n_absent):
    training = rng.binomial(2, 0.3, (100, n_loci)).astype(np.int8)
    marks = Fingerprints.of(training, "ab")
    usable = np.ones(n_loci, dtype=bool)
    usable[rng.choice(n_loci, n_absent, replace=False)] = False
    copies = np.where(usable, training[:20], -1).astype(np.int8)
    others = np.where(usable, rng.binomial(2, 0.3, (20, n_loci)), -1).astype(np.int8)
    assert marks.can_tell(40, usable)
    np.testing.assert_array_equal(marks.known(np.concatenate([copies, others]), usable), np.arange(40) < 20)


def test_too_many_absent_loci_are_said(models):
    """The clinic has one chunk, so that one absent locus leaves nothing to tell copies by."""
    found = models["binary"].predict(clinic("binary").loci(np.arange(1, 40)), most_missing=0.5)
    assert not any(said.startswith("No sample looks like a copy") for said in found.sentences)
    assert any("to tell whether a sample was in the model's training data" in said for said in found.sentences)


@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_intervals_cover_as_they_say(coverage, rng):
    """Ridge predictions of new samples, residuals from ten folds: mean coverage over 150 data sets."""
    hits = []
    for _ in range(150):
        x = rng.normal(size=(300, 20))
        y = x @ rng.normal(size=20) * 0.3 + rng.standard_t(4, size=300)
        train, new = np.arange(100), np.arange(100, 300)
        fold = rng.permutation(100) % 10
        residuals = np.empty(100)
        for k in range(10):
            residuals[fold == k] = y[train][fold == k] - ridge(
                x[train][fold != k], y[train][fold != k], x[train][fold == k]
            )
        width = half_width(np.abs(residuals), coverage)
        hits.append((np.abs(y[new] - ridge(x[train], y[train], x[new])) <= width).mean())
    assert np.mean(hits) == pytest.approx(coverage, abs=0.015)


def ridge(x, y, new):
    return new @ np.linalg.solve(x.T @ x + 5 * np.eye(x.shape[1]), x.T @ y)


def test_too_much_coverage_for_so_few_residuals():
    assert half_width(np.arange(1.0, 10.0), 0.9) == 9
    with pytest.raises(DataError, match=r"coverage 0\.95 cannot be had from 9 residuals; at most 0\.9"):
        half_width(np.arange(1.0, 10.0), 0.95)
