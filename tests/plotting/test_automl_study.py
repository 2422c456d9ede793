"""Figure 5 and marks of causal loci: the data they show."""

import numpy as np
import pandas as pd

from gpatlas import plotting
from gpatlas.plotting.style import GREEN


def make_scores() -> pd.DataFrame:
    rows = [("clinic", 1, "auc", 0.90), ("clinic", 2, "auc", 0.94), ("lines", 1, "r", 0.5), ("$mine$", 1, "r", 0.4)]
    return pd.DataFrame(
        [
            {
                "dataset": name, "rep": rep, "metric": metric, "selected_by": selected, "score": score,
                "lower": score - 0.05, "upper": score + 0.03, "ceiling": np.nan if name == "$mine$" else score + 0.02,
                "chosen": "lasso",
            }
            for name, rep, metric, score in rows
            for selected in (True, False)
        ]
    )  # fmt: skip


def test_scores_are_shown_beside_their_ceilings():
    figure = plotting.plot_scores_to_ceiling(make_scores())
    of_auc, of_r = figure.axes
    assert [label.get_text() for label in of_auc.get_yticklabels()] == ["clinic"]
    assert [label.get_text() for label in of_r.get_yticklabels()] == ["lines", r"\$mine\$"]
    points, ceilings = of_auc.lines
    np.testing.assert_allclose(points.get_xdata(), [0.90, 0.94])
    np.testing.assert_allclose(ceilings.get_xdata(), [0.92, 0.96])
    np.testing.assert_allclose(of_r.lines[1].get_xdata(), [0.52, np.nan])
    [segment, _] = of_auc.collections[0].get_segments()
    np.testing.assert_allclose(segment[:, 0], [0.85, 0.93])
    assert [text.get_text() for text in of_auc.texts] == ["0.900  LASSO", "0.940  LASSO"]
    assert (of_auc.get_xlabel(), of_r.get_xlabel()) == ("area under the ROC curve", "correlation")


def test_causal_loci_are_counted_from_the_top():
    causal = pd.DataFrame(
        {
            "dataset": "clinic", "rep": [1, 1, 2, 2], "locus_id": list("abcd"), "n_causal": 2,
            "rank": [1, 2, 1, np.nan], "p_rank": [1, 9, 1, 3],
        }
    )  # fmt: skip
    [axis] = plotting.plot_causal_ranks(causal).axes
    by_rank, by_p = (line for line in axis.lines if line.get_linewidth() > 1 and len(line.get_xdata()) > 2)
    shares = dict(zip(by_rank.get_xdata(), by_rank.get_ydata(), strict=True))
    assert (shares[1], shares[2], shares[9]) == (0.5, 0.75, 0.75)  # one of the four is not ranked at all
    shares = dict(zip(by_p.get_xdata(), by_p.get_ydata(), strict=True))
    assert (shares[1], shares[3], shares[9]) == (0.5, 0.75, 1.0)


def test_causal_loci_are_marked_alone_and_among_linked_ones():
    importance = pd.DataFrame(
        {
            "feature": ["s1", "s2", "sex"], "importance": [0.3, 0.2, 0.1], "se": 0.01, "n_loci": [2, 1, 0],
            "kind": ["locus", "locus", "covariate"], "linked": ["s7;s8", np.nan, np.nan],
        }
    )  # fmt: skip
    [axis] = plotting.plot_importance(importance, "AUC", {"s8"}).axes
    colours = [bar.get_facecolor() for bar in axis.patches]
    assert len(set(colours)) == 3
    from matplotlib.colors import to_rgba

    assert colours[0] == to_rgba(GREEN)
    effects = pd.DataFrame({"locus_id": ["s1", "s2"], "chromosome": "1", "position": [10.0, 20.0], "p": [1e-9, 0.5]})
    [axis] = plotting.plot_manhattan(effects, {"s1"}).axes
    rings = axis.collections[-1]
    np.testing.assert_allclose(rings.get_offsets(), [[10, 9]])
    [axis] = plotting.plot_manhattan(effects).axes
    assert len(axis.collections) == 1
