"""The judging of checkpoints: cases do not overlap with training, work goes on where it stopped, gates are theirs."""

import numpy as np
import pandas as pd
import pytest

from gpatlas import priors
from gpatlas.config.pretrain import PretrainSpec
from gpatlas.errors import StoreError
from gpatlas.gpfn.schedule import Schedule
from gpatlas.models import make
from gpatlas.models.ridge import kernel_spectrum, reml_penalties
from gpatlas.seeding import stable_seed
from tests.benchmarks.gpfn_gates import compare, gates, ledger, tables
from tests.benchmarks.gpfn_gates.cases import CLASSES, COHORTS, N_TRAITS, make_case, trait_class
from tests.benchmarks.gpfn_gates.judge import EvidenceKernels, judge
from tests.conftest import REFERENCE


def scores(ours, theirs, groups, cover):
    rows = []
    for number, (group, a, b) in enumerate(zip(groups, ours, theirs, strict=True)):
        about = {"group": group, "number": number, "varies": True}
        rows += [{"model": "rrblup", "r_g": b, **about}, {"model": "gpfn", "r_g": a, "cover_g": cover[number], **about}]
    return pd.DataFrame(rows)


def test_differences_are_paired():
    table = tables.summary(scores([0.5, 0.7, 0.9], [0.4, 0.5, 0.9], "aab", [0.8, 0.9, 1.0]), "group", "r_g")
    assert list(table.index) == ["a", "b", "all"]
    assert table.loc["a", ["cases", "gain_rrblup", "cover_g"]].tolist() == pytest.approx([2, 0.15, 0.85])
    assert table.loc["all", "error_rrblup"] == pytest.approx(np.std([0.1, 0.2, 0.0], ddof=1) / np.sqrt(3))


def test_gates_say_by_how_much():
    by = tables.summary(scores([0.62, 0.5], [0.5, 0.5], ["nam", "f2"], [0.87, 0.9]), "group", "r_g")
    by["gain_bayes_cpi"] = -0.001
    held = {gate.name: gate for gate in gates.simulated(by, by.rename(index={"f2": "infinitesimal"}))}
    assert [gate.passed for gate in held.values()] == [True, False, True, False, True]
    nam = held["90 % intervals of genetic values, nam"]
    assert nam.margin == pytest.approx(-0.01)
    assert str(nam) == "FAILS  90 % intervals of genetic values, nam: +0.8700, short by 0.0100"


def test_populations_are_drawn_by_the_priors_own_laws_and_not_trained_on():
    case, again = make_case("magic", 3), make_case("magic", 3)
    np.testing.assert_array_equal(case.y, again.y)
    assert 120 <= len(case.y) <= 400
    assert 500 <= case.x.shape[1] <= 2000
    spec = PretrainSpec(prior="magic", n_draws=32, n_samples=(120, 120), n_markers=(500, 500))
    trained = {task.seed for batch in range(4) for task in Schedule(spec).tasks(batch)}
    assert not trained & {stable_seed(number, "evaluation", "magic", bits=63) for number in range(400)}


def test_every_class_of_traits_is_there():
    tasks = [priors.draw("f2", seed, 60, 100) for seed in range(40)]
    assert {trait_class(task) for task in tasks} == set(CLASSES)


@pytest.mark.skipif(not REFERENCE.exists(), reason="reference data are not here")
@pytest.mark.parametrize("name", COHORTS)
def test_a_split_of_a_cohort_holds_back_a_fifth_of_its_lines(name):
    cases = [make_case(name, number) for number in range(2 * N_TRAITS[name])]
    assert len({case.about["trait"] for case in cases}) == N_TRAITS[name]
    for case in cases:
        assert 0.79 < case.told.mean() < 0.81
        assert not np.isnan(case.y).any()
    assert (cases[0].told != cases[N_TRAITS[name]].told).any()


def test_work_goes_on_where_it_stopped(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(ledger, "BASELINES", ("rrblup", "rkhs"))
    ledger.fill(tmp_path, ["f2"], 2, None, 1)
    before = (tmp_path / "rrblup/f2.jsonl").read_text()
    ledger.fill(tmp_path, ["f2", "nam"], 3, "untrained", 1)
    assert (tmp_path / "rrblup/f2.jsonl").read_text().startswith(before)
    table = ledger.load(tmp_path, ["f2", "nam"], 3, "untrained")
    assert len(table) == 3 * 2 * 3
    assert set(table.model) == {"rrblup", "rkhs", "gpfn"}
    wide = table.pivot_table(index=["group", "number"], columns="model", values="r_g")
    assert np.corrcoef(wide.gpfn, wide.rrblup)[0, 1] > 0.9  # an untrained network is GBLUP
    assert table[table.model == "gpfn"].cover_g.between(0.3, 1).all()

    file = tmp_path / "rkhs/f2.jsonl"
    file.write_text(file.read_text().replace('"h2": 0.', '"h2": 0.9', 1))
    with pytest.raises(StoreError, match="case 0 of f2 is another one for rkhs than for rrblup"):
        ledger.load(tmp_path, ["f2"], 3, "untrained")


def test_without_a_checkpoint_the_other_models_are_shown(tmp_path, capsys):
    compare("none", ["f2"], 1, tmp_path, 1)
    printed = capsys.readouterr().out
    assert "BayesCπ" in printed
    assert "gates" not in printed


def test_evidence_averaged_kernels_contain_gblup(rng):
    x = rng.integers(0, 3, (90, 60)).astype(float)
    y = x @ rng.normal(size=60) + 4 * rng.normal(size=90)
    model = EvidenceKernels().fit(x[:70], y[:70])
    assert model.weights.sum() == pytest.approx(1)
    model.weights = np.array([1.0, 0.0, 0.0])
    z = (x - x[:70].mean(axis=0)) / x[:70].std(axis=0)
    np.testing.assert_allclose(model.predict(x[70:]), make("rrblup").fit(z[:70], y[:70]).predict(z[70:]), atol=1e-6)
    model.weights = np.array([0.0, 1.0, 0.0])
    together = np.exp(-((z[:, None] - z[None, :]) ** 2).sum(axis=2) / model.width)
    h = np.eye(70) - 1 / 70
    kernel, contrasts = h @ together[:70, :70] @ h, y[:70] - y[:70].mean()
    penalty = reml_penalties(kernel_spectrum(kernel.copy(), contrasts[:, None]))[0]
    centred = (together[70:, :70] - together[:70, :70].mean(axis=0)) @ h
    expected = y[:70].mean() + centred @ np.linalg.solve(kernel + penalty * np.eye(70), contrasts)
    np.testing.assert_allclose(model.predict(x[70:]), expected, atol=1e-6)


def test_chains_that_disagree_are_run_for_longer(monkeypatch):
    case = make_case("f2", 0)
    short = {"n_iter": 40, "burn_in": 20}
    monkeypatch.setattr("tests.benchmarks.gpfn_gates.judge.LONGER", {"n_iter": 400, "burn_in": 100})
    monkeypatch.setattr("tests.benchmarks.gpfn_gates.judge.R_HAT", 1e9)
    assert judge("bayes_cpi", short, case)["sweeps"] == 40
    monkeypatch.setattr("tests.benchmarks.gpfn_gates.judge.R_HAT", 0.0)
    assert judge("bayes_cpi", short, case)["sweeps"] == 400
