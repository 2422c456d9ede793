"""Figure 4: what its lines show, from a made-up table whose values are known."""

import itertools

import numpy as np
import pandas as pd
import pytest

from gpatlas import plotting
from gpatlas.plotting.style import model_colours
from gpatlas.report.captions import STORIES
from gpatlas.report.summary import verdicts

MODELS = ("rrblup", "mlp", "finder")


@pytest.fixture
def table() -> pd.DataFrame:
    """The finder is at .9 on sparse pairs and at .3 elsewhere, rrBLUP at .4, the MLP at .5 up to 1 000 samples."""
    rows = []
    architectures = ("triples", "sparse", "dense")
    for n, s, h2, a, rep in itertools.product((1000, 10_000), (0.3, 20.0), (0.5, 0.999), architectures, (1, 2, 3)):
        for model in MODELS:
            if model == "mlp" and n > 1000:
                continue
            finds = model == "finder"
            r = {"rrblup": 0.4, "mlp": 0.5, "finder": 0.9 if a == "sparse" else 0.3}[model]
            rows.append(
                {
                    "n_samples": n, "qtl_scaling": s, "heritability": h2, "architecture": a, "n_qtl": int(s * 10),
                    "rep": rep, "rel_aa": 1.0, "model": model, "predictive_ability": (r + 0.01 * (rep - 2)) * 0.8,
                    "ceiling": 0.8, "n_pairs": 10.0 if finds else np.nan,
                    "pair_recall": (0.75 if a == "sparse" else 1.0) if finds else np.nan,
                    "pair_fdp": (0.05 if a == "sparse" else 0.5) if finds else np.nan,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def drawn(axis, model):
    """The y values of a model's line."""
    colour = model_colours(MODELS)[model]
    return next(line.get_ydata() for line in axis.lines if line.get_color() == colour and line.get_linestyle() == "-")


def test_a_row_for_each_architecture_and_a_column_for_each_heritability_and_size(table):
    axes = np.array(plotting.plot_frontier(table).axes).reshape(3, 4)
    assert [axis.get_title() for axis in axes[0]] == [
        f"H² = {h2}\n{n} samples" for h2 in ("0.999", "0.5") for n in ("1,000", "10,000")
    ]
    names = [line[0].get_ylabel().split("\n")[0] for line in axes]
    assert names == ["disjoint pairs", "all pairs", "disjoint triples"]


def test_lines_are_mean_shares_of_the_ceiling(table):
    axes = np.array(plotting.plot_frontier(table).axes).reshape(3, 4)
    for axis in axes.flat:
        np.testing.assert_allclose(drawn(axis, "rrblup"), [0.4, 0.4])
        dotted = next(line.get_ydata()[0] for line in axis.lines if line.get_linestyle() == ":")
        assert dotted == pytest.approx(np.sqrt(1 / 3))
    for line, expected in zip(axes, (0.9, 0.3, 0.3), strict=True):
        np.testing.assert_allclose(drawn(line[0], "finder"), [expected] * 2)
    np.testing.assert_allclose(drawn(axes[0, 0], "mlp"), [0.5, 0.5])
    assert len(drawn(axes[0, 1], "mlp")) == 0  # not fitted there


def test_found_pairs_are_those_of_disjoint_pairs_and_of_models_that_find_some(table):
    figure = plotting.plot_found_pairs(table)
    axes = np.array(figure.axes).reshape(2, 4)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["finder"]
    for axis in axes[0]:
        np.testing.assert_allclose(drawn(axis, "finder"), [0.75, 0.75])
    for axis in axes[1]:
        np.testing.assert_allclose(drawn(axis, "finder"), [0.05, 0.05])


def test_one_of_everything(table):
    few = table.query("n_samples == 1000 and heritability == 0.5 and architecture == 'sparse' and rep == 1")
    assert len(plotting.plot_frontier(few).axes) == 1
    assert len(plotting.plot_found_pairs(few[few.qtl_scaling == 20]).axes) == 2


def test_verdicts_keep_architectures_apart(table):
    found = verdicts(table, STORIES["frontier"])
    assert list(found.columns[:4]) == ["epistasis", "H²", "samples", "model"]
    finder = found[(found.model == "finder")].set_index(["epistasis", "H²", "samples"])
    assert finder.loc[("disjoint pairs", "0.5", "1,000"), "ahead at QTL"] == "3–200"
    assert finder.loc[("all pairs", "0.5", "1,000"), "behind at QTL"] == "3–200"
    assert len(found[found.model == "MLP"]) == 3 * 2  # at 1 000 samples only
