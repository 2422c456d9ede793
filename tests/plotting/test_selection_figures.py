"""Figures 2 and 3: what their lines show, from made-up tables whose differences are known."""

import itertools

import numpy as np
import pandas as pd
import pytest

from gpatlas import plotting
from gpatlas.plotting.style import model_colours
from gpatlas.report.captions import STORIES
from gpatlas.report.summary import verdicts


@pytest.fixture
def dilution() -> pd.DataFrame:
    """The MLP is ahead by .4 at 100 markers and behind by .1 at 1 000; the LASSO is ahead by .05."""
    rows = []
    for markers, level, h2, rep in itertools.product((100, 1000), (0.0, 1.0), (0.9999, 0.5), (1, 2, 3)):
        ridge = 0.5 + 0.01 * rep
        for model, difference in (("rrblup", 0.0), ("lasso", 0.05), ("mlp", 0.4 if markers == 100 else -0.1)):
            rows.append(
                {
                    "n_samples": 1000, "n_qtl": 20, "n_markers": markers, "heritability": h2, "rep": rep,
                    "rel_aa": level, "model": model, "predictive_ability": ridge + difference, "ceiling": 0.8,
                    "n_selected": 10.0 if model == "lasso" else np.nan, "precision": 0.75, "recall": 0.5,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def pleiotropy() -> pd.DataFrame:
    """Shared pairs are worth .2 to the MLP, and nothing to rrBLUP; the multi-trait one gains .1 × correlation."""
    rows = []
    for q, t, c, pairing, rep in itertools.product((40, 80), (2, 10), (0.0, 0.5), ("shared", "separate"), (1, 2)):
        ridge = 0.4 + 0.02 * rep
        mlp = ridge * 1.5 + (0.2 if pairing == "shared" else 0.0)
        for model, r in (("rrblup", ridge), ("rrblup_multitrait", ridge + 0.1 * c), ("mlp", mlp)):
            for trait in range(t):
                rows.append(
                    {
                        "n_samples": 1000, "n_qtl": q, "n_traits": t, "genetic_correlation": c, "pairing": pairing,
                        "heritability": 0.5, "rep": rep, "rel_aa": 1.0, "model": model, "trait_id": f"Trait{trait}",
                        "predictive_ability": r + 0.001 * (trait - (t - 1) / 2),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def drawn(axis, colour, style="-"):
    """The y values of the line of a colour and style."""
    (line,) = [line for line in axis.lines if line.get_color() == colour and line.get_linestyle() == style]
    return line.get_ydata()


def test_gain_by_markers_is_the_difference_to_rrblup(dilution):
    figure = plotting.plot_gain_by_markers(dilution)
    assert [axis.get_title() for axis in figure.axes[:2]] == ["$V_A/V_G$ = 1", "$V_A/V_G$ = 0.33"]
    assert figure.axes[0].get_ylabel().startswith("H² = 0.9999")
    colours = model_colours(["lasso", "mlp"])
    for axis in figure.axes:
        np.testing.assert_allclose(drawn(axis, colours["mlp"]), [0.4, -0.1])
        np.testing.assert_allclose(drawn(axis, colours["lasso"]), [0.05, 0.05])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["LASSO", "MLP"]


def test_ability_by_markers_is_a_share_of_the_ceiling(dilution):
    axis = plotting.plot_ability_by_markers(dilution).axes[0]
    np.testing.assert_allclose(drawn(axis, model_colours(["rrblup"])["rrblup"]), [0.52 / 0.8] * 2)


def test_selected_loci_shows_precision_and_recall_of_models_that_select(dilution):
    figure = plotting.plot_selected_loci(dilution)
    assert [axis.get_title().split(",")[0] for axis in figure.axes[:4]] == ["precision", "recall"] * 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["LASSO"]
    colour = model_colours(["lasso"])["lasso"]
    np.testing.assert_allclose([drawn(axis, colour)[0] for axis in figure.axes[:4]], [0.75, 0.5, 0.75, 0.5])


def test_gain_by_correlation_averages_traits_first(pleiotropy):
    figure = plotting.plot_gain_by_correlation(pleiotropy)
    assert [axis.get_title() for axis in figure.axes] == ["2 traits", "10 traits"]
    heights = np.unique(
        np.round(np.concatenate([c.get_offsets()[:, 1] for c in figure.axes[0].collections if len(c.get_offsets())]), 6)
    )
    expected = [50.0, *(50 + 100 * 0.2 / (0.4 + 0.02 * rep) for rep in (1, 2))]
    assert set(np.round(expected, 6)) <= set(heights)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["genetic correlation 0", "genetic correlation 0.5", "separate pairs", "shared pairs"]


def test_pairing_lines_are_means_by_correlation(pleiotropy):
    figure = plotting.plot_pairing(pleiotropy)
    mlp = model_colours(["mlp"])["mlp"]
    np.testing.assert_allclose(drawn(figure.axes[0], mlp, "-"), [0.43 * 1.5 + 0.2] * 2)
    np.testing.assert_allclose(drawn(figure.axes[0], mlp, "--"), [0.43 * 1.5] * 2)


def test_the_pairing_difference_is_that_of_the_same_populations(pleiotropy):
    axis = plotting.plot_pairing_difference(pleiotropy).axes[0]
    np.testing.assert_allclose(drawn(axis, model_colours(["mlp"])["mlp"]), [0.2, 0.2])
    np.testing.assert_allclose(drawn(axis, "#6b7280"), [0.0, 0.0], atol=1e-12)


def test_multitrait_gain_is_the_difference_of_the_two_linear_models(pleiotropy):
    axis = plotting.plot_multitrait_gain(pleiotropy).axes[0]
    lines = [np.asarray(container.lines[0].get_ydata(), dtype=float) for container in axis.containers]
    assert len(lines) == 4
    for line in lines:
        np.testing.assert_allclose(line, [0.0, 0.05], atol=1e-12)


def test_one_replicate_one_heritability_one_pairing(dilution, pleiotropy):
    assert plotting.plot_gain_by_markers(dilution[(dilution.rep == 1) & (dilution.heritability == 0.5)]).axes
    few = pleiotropy[(pleiotropy.rep == 1) & (pleiotropy.pairing == "shared") & (pleiotropy.n_traits == 2)]
    for plot in (plotting.plot_gain_by_correlation, plotting.plot_pairing, plotting.plot_multitrait_gain):
        assert plot(few).axes


def test_every_model_has_a_colour_of_its_own():
    models = ["rrblup", "lasso", "lasso_pruned", "lasso_stable", "lasso_mlp", "mlp", "mine", "yours"]
    assert len(set(model_colours(models).values())) == len(models)


def test_verdicts_of_several_models(dilution):
    table = verdicts(dilution, STORIES["dilution"])
    assert len(table) == 4 * 2  # panels × models
    mlp = table[table.model == "MLP"].iloc[0]
    assert (mlp["ahead at markers"], mlp["behind at markers"]) == ("100", "1,000")
    assert set(table[table.model == "LASSO"]["ahead at markers"]) == {"100–1,000"}


def test_a_difference_that_is_certain_and_negligible_is_level(dilution):
    dilution.loc[dilution.model == "lasso", "predictive_ability"] -= 0.0495
    table = verdicts(dilution, STORIES["dilution"])
    assert set(table[table.model == "LASSO"]["level at markers"]) == {"100–1,000"}


def test_verdicts_of_pleiotropy_keep_pairings_apart(pleiotropy):
    table = verdicts(pleiotropy, STORIES["pleiotropy"])
    assert set(table.pairs) == {"shared", "separate"}
    assert set(table.model) == {"multi-trait rrBLUP", "MLP"}
