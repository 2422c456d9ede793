"""Protocols: who sees which samples. The test fold is predicted, and never looked at before."""

from dataclasses import replace

import numpy as np
import pytest

from gpatlas.config import EvaluationSpec
from gpatlas.config.simulation import FoldsSpec
from gpatlas.dataset import Fold
from gpatlas.errors import DataError
from gpatlas.fitting import features_of, fit_dataset, fit_datasets, fits_together, tell_of_loci
from gpatlas.models import make
from gpatlas.scoring import METRIC_COLUMNS, score_fit, variance_rows
from gpatlas.simulate import simulate

HOLDOUT, PUBLISHED = EvaluationSpec(), EvaluationSpec(protocol="published", n_splits=3)
MLP = {"hidden": [8], "max_epochs": 3}


@pytest.fixture(scope="module")
def published(haploid_spec):
    folds = FoldsSpec(validation=0, test=0.15, by="position")
    return simulate(haploid_spec.model_copy(update={"folds": folds}), 7)


def scramble(dataset, fold):
    """The same data with the phenotypes of one fold replaced by nonsense."""
    phenotypes = dataset.phenotypes.copy()
    phenotypes[dataset.rows(fold)] = 1e3 * np.random.default_rng(1).normal(size=phenotypes[dataset.rows(fold)].shape)
    return replace(dataset, phenotypes=phenotypes)


@pytest.mark.parametrize(("model", "hparams"), [("rrblup", {}), ("mlp", MLP), ("linear_sgd", {"max_epochs": 3})])
def test_test_phenotypes_never_matter_under_holdout(haploids, model, hparams):
    honest = fit_dataset(haploids, model, hparams, HOLDOUT, 1)
    blind = fit_dataset(scramble(haploids, Fold.test), model, hparams, HOLDOUT, 1)
    (a,), (b,) = honest.predictions, blind.predictions
    np.testing.assert_array_equal(a.predicted, b.predicted)
    np.testing.assert_array_equal(a.rows, haploids.rows(Fold.test))


def test_networks_train_on_train_and_stop_on_validation(haploids):
    (prediction,) = fit_dataset(haploids, "mlp", MLP, HOLDOUT, 1).predictions
    np.testing.assert_array_equal(prediction.n_train, [210, 210])
    # with nonsense to stop on, the chosen epoch is another one or the same, but training samples do not change
    other = fit_dataset(scramble(haploids, Fold.train), "mlp", MLP, HOLDOUT, 1).predictions[0]
    assert not np.array_equal(other.predicted, prediction.predicted)


def test_rrblup_uses_train_and_validation(haploids):
    (prediction,) = fit_dataset(haploids, "rrblup", {}, HOLDOUT, 1).predictions
    np.testing.assert_array_equal(prediction.n_train, [255, 255])
    assert prediction.marker_effects.shape == (24, 2)
    assert set(prediction.parameters) == {"penalty", "h2"}


def test_the_published_protocol_stops_on_the_test_fold(published):
    """Its defect, replayed on purpose: test phenotypes do change what a network predicts."""
    hparams = {"hidden": [32], "max_epochs": 20, "schedule": "plateau", "learning_rate": 0.05}
    a = fit_dataset(published, "mlp", hparams, PUBLISHED, 1).predictions[0]
    b = fit_dataset(scramble(published, Fold.test), "mlp", hparams, PUBLISHED, 1).predictions[0]
    assert list(a.rows) == list(range(255, 300))
    assert not np.array_equal(a.predicted, b.predicted)


def test_ridge_is_averaged_over_the_published_splits(published):
    fit = fit_dataset(published, "rrblup", {"penalty": "loo"}, PUBLISHED, 1)
    assert [(p.fold, list(p.traits)) for p in fit.predictions] == [
        (f"split {k}", [t]) for t in (0, 1) for k in (1, 2, 3)
    ]
    metrics, splits = score_fit(published, fit, "rrblup", {"rep": 1}, {"rel_aa": [0, 1]})
    assert [row["fold"] for row in metrics] == ["3 random splits"] * 2
    assert len(splits) == 6
    mean = np.mean([row["predictive_ability"] for row in splits if row["trait_id"] == "Trait2"])
    assert metrics[1]["predictive_ability"] == pytest.approx(mean)
    assert splits[0]["effect_correlation"] > 0.99


def test_shared_splits_serve_all_traits(published):
    evaluation = EvaluationSpec(protocol="published", n_splits=2, splits="shared")
    fit = fit_dataset(published, "rrblup", {}, evaluation, 1)
    assert [list(p.traits) for p in fit.predictions] == [[0, 1], [0, 1]]


def test_metrics_have_the_pinned_columns(haploids):
    fit = fit_dataset(haploids, "rrblup", {}, HOLDOUT, 1)
    metrics, _ = score_fit(haploids, fit, "rrblup", {"n_samples": 300, "rep": 1}, {"rel_aa": [0, 1]})
    assert list(metrics[0])[:3] == ["n_samples", "rep", "rel_aa"]
    assert set(metrics[0]) == {"n_samples", "rep", "rel_aa", *METRIC_COLUMNS}
    assert METRIC_COLUMNS == (
        "model", "trait_id", "fold", "n_train", "n_test", "predictive_ability", "accuracy", "dispersion", "bias",
        "rmse", "ceiling", "seconds",
    )  # fmt: skip
    variances = variance_rows(haploids, {"rep": 1}, {"rel_aa": [0, 1]})
    assert variances[0]["var_g"] == pytest.approx(1)


def test_predictions_of_other_data_are_refused(haploids, published):
    fit = fit_dataset(haploids, "rrblup", {}, HOLDOUT, 1)
    with pytest.raises(DataError, match="made from other data; fit again"):
        score_fit(published, fit, "rrblup", {}, {})


def test_missing_phenotypes_are_counted_out(haploids):
    phenotypes = haploids.phenotypes.copy()
    train, test = haploids.rows(Fold.train), haploids.rows(Fold.test)
    phenotypes[train[:10], 0], phenotypes[test[:5], 0] = np.nan, np.nan
    data = replace(haploids, phenotypes=phenotypes)
    fit = fit_dataset(data, "rrblup", {}, HOLDOUT, 1)
    metrics, _ = score_fit(data, fit, "rrblup", {}, {})
    assert (metrics[0]["n_train"], metrics[0]["n_test"]) == (245, 40)
    assert (metrics[1]["n_train"], metrics[1]["n_test"]) == (255, 45)


def test_a_fold_that_is_not_there(published):
    with pytest.raises(DataError, match="no samples in fold validation"):
        fit_dataset(published, "mlp", MLP, HOLDOUT, 1)


def test_a_model_that_cannot_be_fitted_is_one_line(haploids):
    phenotypes = np.full_like(haploids.phenotypes, np.nan)
    with pytest.raises(DataError, match="model rrblup: trait 0 has 0 phenotyped samples"):
        fit_dataset(replace(haploids, phenotypes=phenotypes), "rrblup", {}, HOLDOUT, 1)


def test_what_does_not_fit_into_memory_is_refused_before_it_starts(haploids, monkeypatch):
    monkeypatch.setattr("gpatlas.fitting.available_memory", lambda: 1e8)
    with pytest.raises(
        DataError, match=r"model lasso needs about .* GB of memory for 300 samples × 24 loci, but 0\.1 GB"
    ):
        fit_dataset(haploids, "lasso", {}, HOLDOUT, 1)
    with pytest.raises(DataError, match=r"free; models that read packed genotypes from disk are .*screening, .*rrblup"):
        fit_dataset(haploids, "lasso", {}, HOLDOUT, 1)
    with pytest.raises(DataError, match=r"GB are free$"):
        fit_dataset(haploids, "interaction_screening", {}, HOLDOUT, 1)


@pytest.mark.parametrize(
    ("model", "hparams", "first", "last"),
    [
        ("mlp", MLP, (1, MLP["max_epochs"], "epochs, validation loss"), None),
        (
            "interaction_screening",
            {},
            (0, 1, "fitted; trait 0, stage 1: loci 24, "),
            (0, 1, "fitted; trait 1, stage "),
        ),
        ("auto_epistasis", {"members": ["rrblup"]}, (0, 1, "fitted; rrblup, fold 1 of 10"), (0, 1, "fitted; rrblup")),
    ],
)
def test_long_fits_say_how_far_they_are(haploids, model, hparams, first, last):
    told = []
    fit_dataset(haploids, model, hparams, HOLDOUT, 1, progress=lambda *step: told.append(step))
    for (done, total, note), expected in zip((told[0], told[-1]), (first, last or told[-1]), strict=True):
        assert (done, total) == expected[:2]
        assert note.startswith(expected[2])
    assert len(told) > 1


def test_streaming_needs_no_memory_for_genotypes():
    """A million samples by 6 326 loci: bits leave room where dosages do not."""
    model, size = make("rrblup"), (1_000_000, 6_326, 5)
    work, other = model.work(*size), make("lasso")
    assert work.held(model, packed=False) - work.held(model, packed=True) == 6.326e9
    assert work.held(model, packed=True) < 4e9
    assert other.work(*size).held(other, packed=True) > 6e9


def test_a_seed_gives_one_fit(haploids):
    fits = [fit_dataset(haploids, "mlp", MLP, HOLDOUT, seed).predictions[0].predicted for seed in (1, 1, 2)]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])


def test_replicates_fitted_together_are_those_fitted_alone(haploid_spec, monkeypatch):
    """By the path that a GPU takes, here on a CPU."""
    datasets = [simulate(haploid_spec, seed) for seed in (1, 2, 3)]
    hparams = {**MLP, "learning_rate": 1e-3, "device": "cpu"}
    assert not fits_together(datasets[0], "mlp", hparams)
    monkeypatch.setattr("gpatlas.models.network._launches_cost", lambda arithmetic: True)
    assert fits_together(datasets[0], "mlp", hparams)
    assert not fits_together(datasets[0], "mlp", {**hparams, "hidden": [4096, 4096]})
    assert not fits_together(datasets[0], "linear_sgd", {})
    assert not fits_together(datasets[0], "rrblup", {})
    together = fit_datasets(datasets, "mlp", hparams, HOLDOUT, [4, 5, 6])
    for dataset, seed, result in zip(datasets, (4, 5, 6), together, strict=True):
        alone = fit_dataset(dataset, "mlp", hparams, HOLDOUT, seed)
        assert result.dataset_hash == dataset.content_hash
        np.testing.assert_allclose(result.predictions[0].predicted, alone.predictions[0].predicted, atol=0.02)
        np.testing.assert_array_equal(result.predictions[0].rows, alone.predictions[0].rows)


def test_datasets_of_other_shapes_are_not_fitted_together(haploids, diploids):
    assert fit_datasets([haploids, diploids], "mlp", {**MLP, "device": "cpu"}, HOLDOUT, [1, 2]) is None


@pytest.mark.parametrize("known", [True, False])
def test_a_model_of_chromosomes_is_told_them_where_they_are_known(haploids, monkeypatch, known):
    """What nobody knows is not one chromosome: neighbours in the file may then be far apart."""
    made = []
    monkeypatch.setattr(
        "gpatlas.fitting.make", lambda *name, **hparams: made.append(make(*name, **hparams)) or made[-1]
    )
    dataset = haploids if known else replace(haploids, chromosome=np.full(haploids.n_loci, b""))
    fit_dataset(dataset, "gpfn", {"checkpoint": None}, HOLDOUT, 1)
    (estimator,) = made
    assert (estimator.chromosome is not None) == known


PERCEIVER = {"network": {"hidden": 8, "width": 8, "n_heads": 2, "n_global": 1}, "max_epochs": 3, "device": "cpu"}
RECIPE = {"n_steps": 4, "batch_size": 8, "validate_every": 2}


@pytest.mark.parametrize("pretrain", [None, RECIPE])
def test_a_perceiver_may_see_genotypes_of_test_samples_and_never_their_phenotypes(diploids, pretrain):
    hparams = PERCEIVER | {"pretrain": pretrain}
    (honest,) = fit_dataset(diploids, "perceiver", hparams, HOLDOUT, 1).predictions
    rows = diploids.rows(Fold.test)
    permuted = diploids.phenotypes.copy()
    permuted[rows] = np.random.default_rng(2).permutation(permuted[rows])
    (blind,) = fit_dataset(replace(diploids, phenotypes=permuted), "perceiver", hparams, HOLDOUT, 1).predictions
    np.testing.assert_array_equal(honest.predicted, blind.predicted)
    dosage = diploids.dosage().copy()
    dosage[rows[1:]] = 2 - dosage[rows[1:]]
    (other,) = fit_dataset(replace(diploids, genotypes=dosage), "perceiver", hparams, HOLDOUT, 1).predictions
    assert np.array_equal(honest.predicted[0], other.predicted[0]) == (pretrain is None)


def test_estimators_are_told_of_the_loci_unless_somebody_was(diploids):
    made = make("perceiver", ploidy=4)
    tell_of_loci(made, diploids)
    assert (made.ploidy, made.n_alleles) == (4, 2)
    np.testing.assert_array_equal(made.locus_id, diploids.locus_id.astype(str))
    np.testing.assert_array_equal(made.position, diploids.position)
    tell_of_loci(made := make("rrblup"), diploids)
    assert made.get_params() == make("rrblup").get_params()


def test_codes_are_for_those_who_know_of_alleles(diploids):
    codes = np.random.default_rng(1).integers(0, 7, diploids.genotypes.shape).astype(np.int16)
    data = replace(diploids, genotypes=np.zeros_like(diploids.dosage()), codes=codes, n_alleles=3)
    rows = np.array([3, 1])
    np.testing.assert_array_equal(features_of(data, make("perceiver"))(rows), codes[rows])
    np.testing.assert_array_equal(features_of(data, make("rrblup"))(rows), 0)


def test_loci_without_a_map_are_ranked_by_linkage(diploids):
    nowhere = replace(diploids, chromosome=np.full(50, ""), position=np.full(50, np.nan))
    tell_of_loci(made := make("perceiver"), nowhere)
    assert made.chromosome is None
    assert sorted(made.position) == list(range(50))
    tell_of_loci(made := make("perceiver", checkpoint="a.safetensors"), nowhere)
    assert made.position is None
