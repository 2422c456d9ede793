"""Figure 6: what is drawn is what the table holds."""

import numpy as np
import pandas as pd
import pytest

from gpatlas import plotting


@pytest.fixture
def metrics():
    rows = []
    rng = np.random.default_rng(1)
    cells = [(p, law, 250, 1000) for p in ("nam", "half_sibs") for law in ("few", "infinitesimal")]
    for prior, law, n, m in [*cells, ("wheat", "data", 599, 1279)]:
        for rep in range(1, 5):
            for model, more in (("rrblup", 0.0), ("gpfn", 0.1)):
                for trait in ("yield", "height") if law == "data" else ("Trait1",):
                    r = 0.5 + more + 0.02 * rng.normal()
                    row = {"prior": prior, "law": law, "n_samples": n, "n_markers": m, "rep": rep, "model": model}
                    scores = {"predictive_ability": r, "accuracy": np.nan if law == "data" else r}
                    rows.append({**row, "trait_id": trait, **scores})
    return pd.DataFrame(rows)


def means(axis):
    return [np.atleast_1d(line.get_xdata()) for line in axis.get_lines()]


def test_accuracy_leaves_real_data_out(metrics):
    figure = plotting.plot_accuracy_by_prior(metrics)
    shown = [[label.get_text() for label in axis.get_yticklabels()] for axis in figure.axes[::2]]
    assert shown == [["nam", "half sibs"], ["3–15 QTL", "infinitesimal"]]
    drawn = metrics[(metrics.law != "data") & (metrics.model == "rrblup")]
    expected = drawn.groupby("prior").accuracy.mean()[["nam", "half_sibs"]].tolist()
    assert any(np.allclose(x, expected) for x in means(figure.axes[0]) if len(x) == 2)


def test_real_data_have_a_figure_of_their_own(metrics):
    figure = plotting.plot_real_data(metrics)
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["wheat, yield", "wheat, height"]
    wide = metrics[metrics.law == "data"].pivot_table(
        index=["trait_id", "rep"], columns="model", values="predictive_ability"
    )
    expected = (wide.gpfn - wide.rrblup).groupby("trait_id").mean()[["yield", "height"]].tolist()
    assert any(np.allclose(x, expected) for x in means(right) if len(x) == 2)
    assert "predictive ability less that of rrBLUP" in right.get_xlabel()
