"""The report: what it says is what the tables hold, and it needs nothing else."""

import base64
import json
import re

import numpy as np
import pandas as pd
import pytest

from gpatlas import plotting
from gpatlas.errors import StoreError
from gpatlas.report import write_report
from gpatlas.report.captions import STORIES
from gpatlas.report.summary import cell_means, runtime_summary, verdicts
from tests.plotting.test_figures import make_metrics


@pytest.fixture
def results(tmp_path):
    """A results folder as the pipeline leaves it."""
    folder = tmp_path / "scaling"
    metrics = make_metrics()
    plotting.save(plotting.plot_linear_check(metrics), folder / "figures/supp/supp_linear_check")
    metrics.to_csv(folder / "metrics.csv", index=False)
    pd.DataFrame(
        {
            "stage": ["simulate", "fit", "fit"], "model": [np.nan, "mlp", "mlp"], "n_rows": [1, 2, 3],
            "seconds": 1.0, "cpu_seconds": [1.0, 5, 6], "process_cpu_seconds": [2.0, 6, 8],
            "max_rss_mb": [70, 300, 500],
        }
    ).to_csv(folder / "runtimes.csv", index=False)  # fmt: skip
    config = {"experiment": "scaling", "engine": {"name": "native"}, "evaluation": {"protocol": "holdout"}}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_the_page_is_complete_and_self_contained(results, tmp_path):
    write_report([results], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    for text in (
        "Scaling: sample size",
        "12 populations from engine native",
        "torch",
        "protocol: holdout",
        "75%",
        "Supplement",
    ):
        assert text in page, text
    csv = re.search(r'href="data:text/csv;base64,([^"]+)"', page).group(1)
    assert base64.b64decode(csv) == (results / "metrics.csv").read_bytes()
    assert page.count("data:image/svg+xml;base64") == 1


def test_text_from_tables_is_escaped(results, tmp_path):
    config = json.loads((results / "config.json").read_text()) | {"seed": "<script>alert(1)</script>"}
    (results / "config.json").write_text(json.dumps(config))
    write_report([results], tmp_path / "r.html")
    assert "<script>alert" not in (tmp_path / "r.html").read_text()


def test_an_absent_table_is_one_line(results, tmp_path):
    (results / "metrics.csv").unlink()
    with pytest.raises(StoreError, match=r"metrics\.csv: no such file"):
        write_report([results], tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_verdicts_name_where_the_network_is_ahead():
    """Five replicates with known differences: clearly ahead, clearly behind, and neither."""
    rng = np.random.default_rng(1)
    rows = []
    for q, difference, spread in ((10, 0.3, 0.01), (20, 0.2, 0.01), (40, 0.0, 0.1), (80, -0.1, 0.01)):
        for rep in range(1, 6):
            noise = rng.normal() * spread
            for model, r in (("rrblup", 0.5), ("mlp", 0.5 + difference + noise)):
                rows.append(
                    {
                        "heritability": 0.9, "rel_aa": 1.0, "n_samples": 1000, "n_qtl": q, "rep": rep, "model": model,
                        "fold": "test", "predictive_ability": r,
                    }
                )  # fmt: skip
    (row,) = verdicts(pd.DataFrame(rows), STORIES["scaling"]).to_dict("records")
    assert (row["H²"], row["V_A/V_G"], row["samples"]) == ("0.9", "0.33", "1,000")
    assert (row["ahead at QTL"], row["level at QTL"], row["behind at QTL"]) == ("10–20", "40", "80")
    assert float(row["ahead by"]) == pytest.approx(0.25, abs=0.02)
    assert float(row["behind by"]) == pytest.approx(-0.1, abs=0.02)


def test_one_replicate_decides_nothing():
    (row, *_) = verdicts(make_metrics().query("rep == 1"), STORIES["scaling"]).to_dict("records")
    assert row["ahead at QTL"] == row["behind at QTL"] == ""


def test_cell_means_average_replicates_only():
    metrics = make_metrics()
    means = cell_means(metrics, ["predictive_ability"])
    assert len(means) == len(metrics) // 2
    assert set(means.replicates) == {2}
    mlp = means[(means.model == "mlp") & (means.qtl_scaling == 1)]
    np.testing.assert_allclose(mlp.predictive_ability, 0.74)


def test_runtimes_are_summed_by_stage_and_model(results):
    table = runtime_summary(pd.read_csv(results / "runtimes.csv"))
    assert table.to_dict("records")[1] == {
        "stage": "fit", "model": "mlp", "jobs": 2, "populations": 5, "CPU s at work": 11, "CPU s of processes": 14,
        "peak memory (MB)": 500,
    }  # fmt: skip


def test_rows_in_which_nothing_was_predicted_are_said(results, tmp_path):
    write_report([results], tmp_path / "r.html")
    assert "Without predictive ability" not in (tmp_path / "r.html").read_text()
    metrics = pd.read_csv(results / "metrics.csv")
    metrics.loc[metrics.index[metrics.model == "mlp"][:2], "predictive_ability"] = np.nan
    metrics.to_csv(results / "metrics.csv", index=False)
    write_report([results], tmp_path / "r.html")
    assert re.search(r"Without predictive ability.*MLP 2 rows\.", (tmp_path / "r.html").read_text())


def test_one_model_is_compared_with_nothing(results, tmp_path):
    metrics = pd.read_csv(results / "metrics.csv")
    metrics[metrics.model == "rrblup"].to_csv(results / "metrics.csv", index=False)
    config = json.loads((results / "config.json").read_text())
    for experiment in ("scaling", "dilution"):
        (results / "config.json").write_text(json.dumps(config | {"experiment": experiment}))
        write_report([results], tmp_path / "r.html")
        assert STORIES[experiment].title in (tmp_path / "r.html").read_text()
        assert STORIES[experiment].heading not in (tmp_path / "r.html").read_text()
