"""Figure 7: what is drawn is what the table holds."""

import numpy as np
import pandas as pd
import pytest

from gpatlas import plotting
from gpatlas.plotting.fig7_perceiver import mean_and_interval, pretraining_gains

MODELS = {"rrblup": 0.0, "perceiver_pretrained": 0.15, "perceiver_scratch": -0.05}


@pytest.fixture
def metrics():
    rng, rows = np.random.default_rng(1), []
    for data in ("inbred", "wheat"):
        for n in (25, 50, 100):
            for rep in range(1, 6):
                for trait in ("env_1", "env_2"):
                    level = 0.2 + n / 500 + 0.05 * rng.normal()  # of lines, trait and errors, the same for all models
                    for model, more in MODELS.items():
                        r = level + more + 0.01 * rng.normal()
                        row = {"data": data, "n_samples": 599, "n_markers": 1279, "n_phenotyped": n, "rep": rep}
                        scores = {"predictive_ability": r, "accuracy": np.nan if data == "wheat" else 1.2 * r}
                        rows.append({**row, "model": model, "trait_id": trait, **scores})
    return pd.DataFrame(rows)


def drawn(axis):
    """Means along the lines of error bars, which have one point for each number of lines."""
    return [line.get_ydata() for line in axis.get_lines() if len(line.get_ydata()) == 3]


def test_means_over_replicates_of_means_over_environments(metrics):
    figure = plotting.plot_ability_by_phenotyped(metrics)
    ability = figure.axes[0]
    of_model = metrics[(metrics["data"] == "inbred") & (metrics.model == "rrblup")]
    expected = of_model.groupby("n_phenotyped").predictive_ability.mean().to_numpy()
    assert any(np.allclose(y, expected) for y in drawn(ability))
    assert ability.get_title() == "inbred, 5 replicates"
    assert [axis.axison for axis in figure.axes] == [True, True, True, False]  # nobody knows the truth of wheat


def test_gains_are_paired(metrics):
    gains = pretraining_gains(metrics)
    of_rrblup = gains[(gains.model == "rrblup") & (gains["data"] == "wheat")]
    assert len(of_rrblup) == 3 * 5
    np.testing.assert_allclose(of_rrblup.gain, 0.15, atol=0.05)  # what all models share is gone
    assert set(gains.model) == {"rrblup", "perceiver_scratch"}
    axis = plotting.plot_pretraining_gain(metrics).axes[1]
    expected = of_rrblup.groupby("n_phenotyped").gain.mean().to_numpy()
    assert any(np.allclose(y, expected) for y in drawn(axis))


def test_the_interval_is_students():
    mean, half = mean_and_interval(pd.Series([1.0, 2.0, 3.0, np.nan]))
    assert mean == 2
    assert half == pytest.approx(4.3027 / np.sqrt(3), rel=1e-4)  # t quantile of 2 degrees of freedom
    assert mean_and_interval(pd.Series([1.0])) == (1, 0)


def test_imputation_by_frequency():
    classes = ["0.05–0.1", "0.1–0.2", "all"]
    rows = [
        {"data": data, "recipe": "masked", "class": name, "n_calls": 50, "model": model, "accuracy": base + 0.01 * k}
        for data in ("inbred", "outbred")
        for model, base in (("perceiver", 0.9), ("knn", 0.85), ("most_frequent", 0.7))
        for k, name in enumerate(classes)
    ]
    figure = plotting.plot_imputation(pd.DataFrame(rows))
    assert [axis.get_title() for axis in figure.axes] == ["inbred", "outbred"]
    lines = [line.get_ydata() for line in figure.axes[0].get_lines()]
    assert any(np.allclose(y, [0.9, 0.91]) for y in lines if len(y) == 2)
    assert any(np.allclose(y, [0.92]) for y in lines if len(y) == 1)  # all of them, apart
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == classes


def test_networks_of_several_recipes_stand_beside_each_other_and_baselines_once():
    recipes = {"masked": 0.9, "published": 0.75, "contrastive": 0.8}
    rows = [
        {"data": "lines", "recipe": recipe, "class": name, "n_calls": 50, "model": model, "accuracy": accuracy}
        for recipe, of_network in recipes.items()
        for model, accuracy in (("perceiver", of_network), ("knn", 0.85))
        for name in ("0.1–0.2", "0.2–0.3", "all")
    ]
    figure = plotting.plot_imputation(pd.DataFrame(rows))
    (axis,) = figure.axes
    drawn = sorted(line.get_ydata()[0] for line in axis.get_lines() if len(line.get_ydata()) == 2)
    assert drawn == [0.75, 0.8, 0.85, 0.9]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[:3] == ["perceiver, masked", "perceiver, published form", "perceiver, contrastive"]
    colours = [line.get_color() for line in figure.legends[0].get_lines()]
    assert len(set(colours)) == len(colours)
