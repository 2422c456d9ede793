"""Trials on a panel: one panel for all, nested choices of lines, environments that correlate as they should."""

import filecmp

import numpy as np
import pytest

from gpatlas.config.trials import PanelSpec, TraitLaw, TrialSpec
from gpatlas.dataset import Fold
from gpatlas.errors import DataError
from gpatlas.io import write_dataset
from gpatlas.simulate.folds import phenotype_few
from gpatlas.simulate.trials import simulate_panel, simulate_trial

PANEL = PanelSpec(n_samples=200, n_markers=103, n_chromosomes=4, inbred=True)


def trial(n_phenotyped=40, seed=7, **changes):
    law = TraitLaw(n_environments=3, n_qtl=30, **changes)
    spec = TrialSpec(
        panel=PANEL, panel_seed="5", trait=law, n_phenotyped=n_phenotyped, test=0.3, validation=0.2
    )  # fmt: skip
    return simulate_trial(spec, seed)


def test_all_trials_on_a_panel_share_its_genotypes_and_traits_differ():
    panel, one, other = simulate_panel(PANEL, 5), trial(), trial(seed=8)
    for dataset in (one, other):
        np.testing.assert_array_equal(dataset.dosage(), panel.dosage())
        np.testing.assert_array_equal(dataset.locus_id, panel.locus_id)
    assert panel.n_traits == 0
    assert panel.truth is None
    assert (one.truth.genetic_values != other.truth.genetic_values).any()
    assert (one.fold != other.fold).any()
    assert (simulate_panel(PANEL, 6).dosage() != panel.dosage()).any()


def test_the_fewer_lines_are_among_the_more_and_nothing_else_changes():
    few, more = trial(20), trial(80)
    np.testing.assert_array_equal(few.fold == Fold.test, more.fold == Fold.test)
    known_few, known_more = (np.isfinite(d.phenotypes) for d in (few, more))
    assert known_few.sum() == (20 + 60) * 3
    assert (known_more | ~known_few).all()
    np.testing.assert_array_equal(few.phenotypes[known_few], more.phenotypes[known_few])
    np.testing.assert_array_equal(few.truth.genetic_values, more.truth.genetic_values)
    assert known_few[few.fold != Fold.train].all()  # who is predicted, or stops a fit, has phenotypes
    assert [(few.fold == fold).sum() for fold in (Fold.validation, Fold.test)] == [4, 60]
    assert [(more.fold == fold).sum() for fold in (Fold.validation, Fold.test)] == [16, 60]


def test_qtl_are_not_on_the_chip_and_markers_are_common():
    dataset = trial()
    assert dataset.provenance["population"]["hidden_qtl"] == 30
    frequency = dataset.dosage().mean(axis=0) / 2
    assert np.minimum(frequency, 1 - frequency).min() >= 0.05
    assert np.bincount(dataset.chromosome.astype(int))[1:].tolist() == [26, 26, 26, 25]


@pytest.mark.parametrize("correlation", [0.0, 0.6, 1.0])
def test_environments_correlate_as_asked(correlation):
    """Over many traits the mean correlation of genetic values is that of effects; heritability is that of a line."""
    found, h2 = [], []
    for seed in range(40):
        dataset = trial(140, seed, correlation=correlation, heritability=0.5)
        values = dataset.truth.genetic_values
        found.append(np.corrcoef(values.T)[np.triu_indices(3, 1)])
        known = np.isfinite(dataset.phenotypes).all(axis=1)
        error = dataset.phenotypes[known] - values[known]
        h2.append(1 / (1 + error.var(axis=0) / values.var(axis=0)))
    assert np.mean(found) == pytest.approx(correlation, abs=0.08)
    assert np.mean(h2) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("ploidy", "inbred"), [(2, False), (4, False), (6, False)])
def test_panels_of_any_ploidy(ploidy, inbred):
    dosage = simulate_panel(PANEL.model_copy(update={"ploidy": ploidy, "inbred": inbred}), 3).dosage()
    assert set(np.unique(dosage)) == set(range(ploidy + 1))


def test_neighbours_are_in_linkage_disequilibrium():
    panel = simulate_panel(PanelSpec(n_samples=400, n_markers=500, n_chromosomes=5, inbred=True), 3)
    r2 = np.corrcoef(panel.dosage().T.astype(float)) ** 2
    near, far = np.diag(r2, 1)[:99], r2[:100, 200:]
    assert near.mean() == pytest.approx(1 / 24, abs=0.015)  # of two alleles drawn for each of 24 ancestors
    assert far.mean() == pytest.approx(1 / 400, abs=0.002)  # of 400 lines


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_dataset(trial(), tmp_path / name)
    assert filecmp.cmp(tmp_path / "a", tmp_path / "b", shallow=False)


def test_samples_without_a_measurement_are_not_chosen():
    rng, measured = np.random.default_rng(1), np.arange(100) < 60
    few = phenotype_few(100, 20, 0.25, 0.1, rng, measured)
    assert few.silent[60:].all()
    assert (few.fold == Fold.test).sum() == 15
    assert (few.fold[60:] == Fold.train).all()
    assert (~few.silent).sum() == 35


@pytest.mark.parametrize(
    ("n_phenotyped", "validation", "message"),
    [(80, 0.2, "80 phenotyped samples are asked for, but 70 are left beside 30 of test"), (2, 0.2, "a fold would be")],
)
def test_too_few_samples_are_one_line(n_phenotyped, validation, message):
    with pytest.raises(DataError, match=message):
        phenotype_few(100, n_phenotyped, 0.3, validation, np.random.default_rng(1))


@pytest.mark.parametrize("changes", [{"inbred": True}, {"ploidy": 4}])
def test_missing_calls_are_the_same_in_all_trials_and_nothing_else_changes(changes):
    panel = {"n_samples": 200, "n_markers": 103, "n_chromosomes": 4, **changes}
    whole, holes = (simulate_panel(PanelSpec(**panel, missing=missing), 5) for missing in (0.0, 0.7))
    absent = holes.dosage() == -1
    np.testing.assert_array_equal(holes.dosage()[~absent], whole.dosage()[~absent])
    share = absent.mean(axis=0)
    assert share.mean() == pytest.approx(0.7, abs=0.07)
    assert share.std() == pytest.approx(np.sqrt(0.7 * 0.3 / 5), abs=0.05)  # Beta(a, b): variance ab/(a+b)²(a+b+1)
    sizes = {"n_phenotyped": 40, "test": 0.3, "validation": 0.2}
    spec = TrialSpec(panel=PanelSpec(**panel, missing=0.7), panel_seed="5", trait=TraitLaw(), **sizes)
    dataset = simulate_trial(spec, 7)
    np.testing.assert_array_equal(dataset.dosage(), holes.dosage())
    assert np.isfinite(dataset.truth.genetic_values).all()
