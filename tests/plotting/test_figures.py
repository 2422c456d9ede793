"""Figures: the data they show, their labels, and files that are the same when made again."""

import itertools

import numpy as np
import pandas as pd
import pytest

from gpatlas import plotting
from gpatlas.config import read_experiment
from gpatlas.design import Design
from gpatlas.plotting.design import plot_design
from gpatlas.plotting.fig1_scaling import comparable_linear
from gpatlas.plotting.tuning import plot_tuning
from tests.conftest import REPOSITORY


def make_metrics(fold="test", levels=(0.0, 1.0, 3.0)) -> pd.DataFrame:
    """A small, made-up scaling table in which the MLP's gain over rrBLUP is known."""
    rows = []
    for n, scaling, rep, level in itertools.product((1000, 10_000), (0.1, 1.0, 20.0), (1, 2), levels):
        for model, r in (("rrblup", 0.5), ("linear_sgd", 0.48), ("mlp", 0.6 + 0.1 * rep - 0.01 * scaling)):
            rows.append(
                {
                    "n_samples": n, "qtl_scaling": scaling, "heritability": 0.999, "rep": rep, "rel_aa": level,
                    "n_qtl": int(10 * scaling) + n // 100, "model": model, "trait_id": f"Trait{level}",
                    "fold": fold if model != "rrblup" else "test", "n_train": 700, "n_test": 150,
                    "predictive_ability": r, "accuracy": r, "dispersion": 1.0, "bias": 0.0, "rmse": 1.0,
                    "ceiling": 0.999, "seconds": 1.0,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def metrics():
    return make_metrics()


def test_gain_is_relative_to_the_linear_model_and_averaged_over_replicates(metrics):
    axes = plotting.plot_gain_over_linear(metrics).axes
    assert [axis.get_title() for axis in axes] == ["$V_A/V_G$ = 1", "$V_A/V_G$ = 0.33", "$V_A/V_G$ = 0.14"]
    mean_line = axes[1].lines[0]
    expected = 100 * (np.array([0.75 - 0.001, 0.75 - 0.01, 0.75 - 0.2]) - 0.5) / 0.5
    np.testing.assert_allclose(mean_line.get_ydata(), expected)
    np.testing.assert_array_equal(mean_line.get_xdata(), [11, 20, 210])
    assert "MLP over rrBLUP" in axes[0].get_ylabel()


def test_the_linear_model_is_the_one_scored_on_the_same_samples():
    assert comparable_linear(make_metrics(), "mlp") == "rrblup"
    published = make_metrics()
    published.loc[published.model == "rrblup", "fold"] = "10 random splits"
    assert comparable_linear(published, "mlp") == "linear_sgd"
    partial = make_metrics()
    partial = partial[(partial.model != "rrblup") | (partial.n_samples == 1000)]
    assert comparable_linear(partial, "mlp") == "linear_sgd"


def test_network_by_scaling_has_a_panel_for_each_level(metrics):
    axes = plotting.plot_network_by_scaling(metrics).axes
    assert len(axes) == 3
    np.testing.assert_allclose(axes[0].lines[0].get_xdata(), [0.1, 1, 20])
    np.testing.assert_allclose(axes[0].lines[0].get_ydata(), [0.75 - 0.001, 0.75 - 0.01, 0.75 - 0.2])
    additive = next(line for line in axes[1].lines if line.get_linestyle() == ":")
    assert additive.get_ydata()[0] == pytest.approx(np.sqrt(1 / 3))


def test_accuracy_to_ceiling_is_a_share(metrics):
    figure = plotting.plot_accuracy_to_ceiling(metrics)
    assert len(figure.axes) == 2 * 3
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), 0.5 / 0.999)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["rrBLUP", "linear (SGD)", "MLP", "rrBLUP expected", "ceiling: true genetic value"]
    assert [figure.axes[k].get_title() != "" for k in range(6)] == [True] * 3 + [False] * 3


def test_one_sample_size_one_level_one_replicate(metrics):
    few = metrics[(metrics.n_samples == 1000) & (metrics.rel_aa == 1) & (metrics.rep == 1)]
    for plot in (plotting.plot_gain_over_linear, plotting.plot_network_by_scaling, plotting.plot_accuracy_to_ceiling):
        assert plot(few).axes


def test_linear_check_shows_every_trait_once(metrics):
    axis = plotting.plot_linear_check(metrics).axes[0]
    shown = sum(len(c.get_offsets()) for c in axis.collections)
    assert shown == len(metrics) // 3
    assert axis.get_xlabel() == "predictive ability, rrBLUP (exact)"


def test_the_published_design_is_drawn():
    design = Design(read_experiment(REPOSITORY / "config/published/scaling.yaml"))
    axis = plot_design(design).axes[0]
    assert [len(line.get_xdata()) for line in axis.lines] == [10] * 4
    assert next(label.get_text() for label in axis.get_yticklabels()) == "1,000\n10 replicates"
    assert "280 populations in 40 cells" in axis.get_title(loc="left")


def test_the_same_figure_gives_the_same_bytes(metrics, tmp_path):
    for name in ("a", "b"):
        plotting.save(plotting.plot_network_by_scaling(metrics), tmp_path / name)
    for suffix in (".svg", ".png"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_a_suffix_chooses_the_format(metrics, tmp_path):
    plotting.save(plotting.plot_linear_check(metrics), tmp_path / "x.png")
    assert [p.name for p in tmp_path.iterdir()] == ["x.png"]


def make_trials(states, values) -> pd.DataFrame:
    return pd.DataFrame({"trial": range(len(states)), "state": states, "value": values})


def test_tuning_shows_trials_and_the_best_so_far():
    states = ["complete", "diverged", "complete", "pruned", "complete"]
    trials = make_trials(states, [0.5, -1.0, 0.4, np.nan, 0.7])
    history, shares = plot_tuning(trials.sample(frac=1, random_state=1), {"learning_rate": 0.9, "hidden": 0.1}).axes
    np.testing.assert_array_equal(history.lines[0].get_xdata(), range(5))
    np.testing.assert_array_equal(history.lines[0].get_ydata(), [0.5, 0.5, 0.5, 0.5, 0.7])
    points, pruned, diverged = (collection.get_offsets() for collection in history.collections)
    np.testing.assert_allclose(points, [[0, 0.5], [2, 0.4], [4, 0.7]])
    assert (list(pruned[:, 0]), list(diverged[:, 0])) == ([3], [1])
    assert history.get_ylim()[0] > 0.3  # a diverged trial does not squeeze the others
    assert [label.get_text() for label in shares.get_yticklabels()] == ["hidden", "learning_rate"]
    assert [bar.get_width() for bar in shares.patches] == [0.1, 0.9]


@pytest.mark.parametrize(("states", "values"), [(["complete"], [0.5]), (["diverged", "diverged"], [-1.0, -1.0])])
def test_tuning_with_little_to_show(states, values, tmp_path):
    figure = plot_tuning(make_trials(states, values), {})
    assert "Importances need two or more" in figure.axes[1].texts[0].get_text()
    plotting.save(figure, tmp_path / "f.svg")
