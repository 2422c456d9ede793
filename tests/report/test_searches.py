"""The AutoML experiment's section of the study's report."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from gpatlas import plotting
from gpatlas.report import write_report
from tests.plotting.test_automl_study import make_scores

RUNTIME = {"n_rows": 1, "seconds": 1.0, "cpu_seconds": 1.0, "process_cpu_seconds": 2.0, "max_rss_mb": 90.0}


@pytest.fixture
def folder(tmp_path):
    """A results folder as the pipeline leaves it."""
    folder = tmp_path / "study/automl"
    scores = make_scores().assign(
        source="cohort", kind="binary", trait_id="Status", n_samples=1500, n_loci=100, p_null=0.05, seconds=3.0
    )
    causal = {"dataset": "clinic", "rep": [1, 1, 2, 2], "locus_id": list("abcd"), "n_causal": 2}
    causal |= {"importance": 0.1, "se": 0.01, "rank": [1, 2, 1, 7], "p": 0.1, "p_rank": [1, 2, 1, np.nan]}
    metrics = [
        {
            "dataset": row.dataset, "rep": row.rep, "model": model, "trait_id": "Status", "fold": fold, "n_train": 80,
            "n_test": 20, "predictive_ability": row.score, "accuracy": np.nan, "dispersion": 1.0, "bias": 0.0,
            "rmse": 1.0, "ceiling": 0.9, "seconds": 1.0, "auc": 0.8 if row.metric == "auc" else np.nan,
        }
        for row in scores.query("selected_by").itertuples()
        for model in ("lasso", "automl")
        for fold in ("1.1", "1.2")
    ]  # fmt: skip
    (folder / "figures").mkdir(parents=True)
    plotting.save(plotting.plot_scores_to_ceiling(scores), folder / "figures/fig5_automl/fig5a_scores_to_ceiling.svg")
    plotting.save(
        plotting.plot_null(pd.DataFrame({"score": [0.1, 0.2]}), 0.5, "r"),
        folder / "figures/automl_cohort/cohort_c_chance.svg",
    )
    scores.to_csv(folder / "scores.csv", index=False)
    pd.DataFrame(causal).to_csv(folder / "causal.csv", index=False)
    pd.DataFrame(metrics).to_csv(folder / "metrics.csv", index=False)
    pd.DataFrame([{"stage": stage, "model": "automl", **RUNTIME} for stage in ("simulate", "automl")]).to_csv(
        folder / "runtimes.csv", index=False
    )
    (folder / "config.json").write_text(json.dumps({"experiment": "automl", "seed": 1}))
    return folder


@pytest.mark.parametrize(("place", "to_run"), [("study", "automl/clinic"), ("study/automl", "clinic")])
def test_each_search_is_a_row_that_leads_to_its_page(folder, tmp_path, place, to_run):
    write_report([folder], tmp_path / place / "report.html")
    page = (tmp_path / place / "report.html").read_text()
    assert f'<a href="{to_run}/rep~1/automl/report.html">clinic</a>' in page
    links = re.findall(r'(?:src|href)="(?!data:|#)([^"]+)"', page)
    assert len(links) == 4  # the pages of the runs, and nothing else
    table = re.search(r'<table id="automl-verdicts">.*?</table>', page, flags=re.DOTALL).group(0)
    rows = [re.findall(r"<td[^>]*>(?:<a[^>]*>)?([^<]*)", row) for row in table.split("<tr>")[2:]]
    assert rows[1] == [
        "clinic", "2", "1,500 × 100", "LASSO", "area under the ROC curve", "0.940",
        "0.890 to 0.970", "0.960", "0.05", "1 of 2",
    ]  # fmt: skip
    assert rows[3][-3:] == ["", "0.05", ""]  # neither ceiling nor causal loci are known


def test_the_story_of_a_clinic_comes_last_with_small_figures_together(folder, tmp_path):
    write_report([folder], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "4 searches on 3 data sets." in page
    assert page.index("Figure 5A.") < page.index("One clinic, from genotypes to a predictor") < page.index("Chance.")
    assert re.search(r'<figure class="">.*?Figure 5A\.', page, flags=re.DOTALL)
    assert re.search(r'<div class="figures">\s*<figure class="">.*?Chance\.', page, flags=re.DOTALL)


def test_means_are_over_folds_and_replicates(folder, tmp_path):
    write_report([folder], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "Metrics, means over folds and replicates" in page
    table = re.search(r'<table id="automl-means">.*?</table>', page, flags=re.DOTALL).group(0)
    rows = [re.findall(r"<td[^>]*>([^<]*)", row) for row in table.split("<tr>")[2:]]
    assert [row[:3] for row in rows[:2]] == [["clinic", "lasso", "0.92"], ["clinic", "automl", "0.92"]]
    assert [row[-1] for row in rows] == ["4", "4", "2", "2", "2", "2"]
