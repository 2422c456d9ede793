"""The AutoML page: it shows what the tables hold, needs nothing else, and says what follows."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from gpatlas.errors import StoreError
from gpatlas.plotting import automl_classes
from gpatlas.plotting.style import number
from gpatlas.report import write_report
from gpatlas.report.advice import advice
from gpatlas.report.automl import _as_spread, write_automl_report
from gpatlas.report.automl_results import read_results
from tests.report import automl_folder

KINDS = ("binary", "multiclass", "continuous")
VOID = {"meta", "img", "br", "input", "link"}
_SCORES, _CLASSES = ["Leaderboard", "Chance"], ["ROC curve", "Precision and recall", "Calibration", "Confusion"]
_LINEAR = ["Importance", "SHAP values", "Association along the genome", "Effects in the model"]
_SAMPLES = ["Breeding values", "Population structure, by yield"]
LABELS = {
    "binary": [*_SCORES, *_CLASSES, *_LINEAR, *_SAMPLES],
    "multiclass": [*_SCORES, *_CLASSES, *_LINEAR[:3], *_SAMPLES],
    "continuous": [*_SCORES, "Observed and predicted", *_LINEAR, *_SAMPLES, "Population structure, by family"],
}


class Page(HTMLParser):
    """Tags that are not closed, links, texts of table cells by table, alternative texts."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.wrong, self.links, self.tables, self.alts = [], [], [], {}, []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.links += [attrs[key] for key in ("src", "href") if key in attrs]
        if tag == "img":
            self.alts.append(attrs["alt"])
        if tag == "table":
            self.rows = self.tables.setdefault(attrs["id"], [])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {kind: automl_folder.write(tmp_path_factory.mktemp(kind), kind) for kind in KINDS}


@pytest.fixture(scope="module")
def pages(folders, tmp_path_factory):
    out = tmp_path_factory.mktemp("pages")
    for kind in KINDS:
        write_automl_report(folders[kind], out / f"{kind}.html")
    return {kind: (out / f"{kind}.html").read_text() for kind in KINDS}


@pytest.fixture
def folder(folders, tmp_path):
    """A copy of the binary folder, to be changed."""
    import shutil

    return shutil.copytree(folders["binary"], tmp_path / "run")


@pytest.mark.parametrize("kind", KINDS)
def test_pages_are_well_formed_and_self_contained(pages, kind):
    page = Page(pages[kind])
    assert page.wrong == []
    assert page.open == []
    assert [link for link in page.links if not link.startswith(("data:", "#"))] == []
    for target in [link for link in page.links if link.startswith("#")]:
        assert f'id="{target[1:]}"' in pages[kind]
    assert len(pages[kind]) < 5_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_drawn_and_described(pages, kind):
    page = Page(pages[kind])
    assert [alt.split(":")[0] for alt in page.alts] == LABELS[kind]
    assert all(len(alt) > 40 for alt in page.alts)
    assert not re.search(r"\b(nan|NaN|None|inf)\b", " ".join(page.words))


@pytest.mark.parametrize("kind", KINDS)
def test_tables_hold_the_numbers_of_the_files(pages, folders, kind):
    page, board = Page(pages[kind]), pd.read_csv(folders[kind] / "leaderboard.csv").set_index("model")
    header, whole, *others = page.tables["leaderboard"]
    assert whole[0] == "AutoML, all of it"
    assert whole[1] == number(board.score["automl"])
    assert whole[2] == f"{number(board.lower['automl'])} to {number(board.upper['automl'])}"
    assert {row[0] for row in others} == {"rrBLUP (chosen)", "LASSO"}
    assert len(header) == len(whole) == len(others[0])
    verdict = pages[kind].split('class="verdict"')[1].split("</div>")[0]
    assert verdict.count(number(board.score["automl"])) == 2
    importance = pd.read_csv(folders[kind] / "explanation/permutation_importance.csv")
    seen = importance[(importance.importance.abs() >= 0.0005) | (importance.kind == "covariate")][:20]
    assert [row[0] for row in page.tables["importance"][1:]] == seen.feature.tolist()
    assert [row[2] for row in page.tables["importance"][1:]] == [number(value) for value in seen.importance]
    effects = pd.read_csv(folders[kind] / "explanation/marker_effects.csv").sort_values("p", kind="stable")
    assert [row[0] for row in page.tables["associations"][1:]] == effects.locus_id[:20].tolist()
    gebv = pd.read_csv(folders[kind] / "explanation/gebv.csv").sort_values("gebv", ascending=False, kind="stable")
    assert [row[0] for row in page.tables["gebv"][1:]] == gebv.sample_id[:20].tolist()


def test_the_roc_curve_names_the_auc_of_the_table(folders):
    for kind in ("binary", "multiclass"):
        results = read_results(folders[kind])
        axis = automl_classes.plot_roc(results.of("automl"), results.classes).axes[0]
        named = [float(text.get_text().rsplit(" ", 1)[1]) for text in axis.get_legend().get_texts()]
        assert np.mean(named) == pytest.approx(results.honest.score, abs=0.0006)


def test_confusion_counts_every_sample_once(folders):
    results = read_results(folders["multiclass"])
    predictions = results.of("automl")
    counts = automl_classes.confusion(predictions, results.classes)
    assert counts.sum() == results.task["n_samples"]
    assert counts.sum(axis=1).tolist() == list(results.task["classes_counts"].values())
    right = (predictions.observed == predictions.prediction).mean()
    assert np.trace(counts) / counts.sum() == pytest.approx(right)


def test_downloads_are_the_files(pages, folders):
    links = dict(re.findall(r'href="data:[a-z/]+;base64,([^"]+)" download="([^"]+)"', pages["binary"]))
    found = {name: base64.b64decode(content) for content, name in links.items()}
    assert {"leaderboard.csv", "predictions.csv", "shap.csv", "task.json"} <= {n.removesuffix(".gz") for n in found}
    for name, content in found.items():
        (path,) = folders["binary"].rglob(name.removesuffix(".gz"))
        assert (gzip.decompress(content) if name.endswith(".gz") else content) == path.read_bytes()


def test_names_from_data_are_escaped(folder, tmp_path):
    bad = "<script>alert(1)</script>"
    task = json.loads((folder / "task.json").read_text())
    (folder / "task.json").write_text(json.dumps(task | {"trait": bad}))
    for name, other in (("permutation_importance", bad), ("shap", "$\\frac$")):  # matplotlib takes $…$ as mathematics
        path = folder / f"explanation/{name}.csv"
        path.write_text(path.read_text().replace("snp20", other))
    (folder / "narrative.json").write_text(json.dumps([{"step": bad, "text": bad}]))
    write_automl_report(folder, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert") >= 4


def test_a_run_without_explanation_or_permutations_has_a_page(folder, tmp_path):
    import shutil

    shutil.rmtree(folder / "explanation")
    (folder / "null.csv").unlink()
    write_automl_report(folder, tmp_path / "r.html")
    page = Page((tmp_path / "r.html").read_text())
    assert [alt.split(":")[0] for alt in page.alts] == ["Leaderboard", *LABELS["binary"][2:6]]


@pytest.mark.parametrize(
    ("file", "message"), [("leaderboard.csv", "leaderboard.csv: no such file"), ("narrative.json", "cannot read")]
)
def test_an_absent_file_is_one_line(folder, tmp_path, file, message):
    (folder / file).unlink()
    with pytest.raises(StoreError, match=message):
        write_automl_report(folder, tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_the_verb_takes_an_automl_folder(folder, tmp_path, gpatlas):
    done = gpatlas("report", folder, "--out", tmp_path / "r.html")
    assert done.returncode == 0, done.stderr
    assert "Predicting yield" in (tmp_path / "r.html").read_text()


def test_pages_are_the_same_when_made_again(folders, pages, tmp_path):
    write_report([folders["binary"]], tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == pages["binary"]


# what to do next


def told(folder, board=None, task=None, facts=None) -> str:
    results = read_results(folder)
    for column, value in (board or {}).items():
        results.leaderboard.loc[results.leaderboard.model == "automl", column] = value
    results.task.update(task or {})
    results.facts.update(facts or {})
    return " ".join(what + why for what, why in advice(results))


@pytest.mark.parametrize(
    ("board", "task", "facts", "expected"),
    [
        ({"p_null": 0.4}, {}, {}, "Do not use these predictions yet"),
        ({"p_null": np.nan, "lower": 0.45}, {}, {}, "reaches down to chance"),
        ({"score": 0.9, "lower": 0.85, "upper": 0.95}, {"ceiling": {"auc": 0.94}}, {}, "Leave the model as it is"),
        ({"score": 0.7, "lower": 0.65, "upper": 0.75}, {"ceiling": {"auc": 0.94}}, {}, "0.240 more than this model"),
        ({}, {"n_samples": 50}, {}, "Add samples"),
        ({}, {"classes_counts": {"control": 500, "case": 20}}, {}, "more samples of class case"),
        ({}, {"n_covariates": 0}, {}, "Give covariates"),
        ({}, {}, {"inflation": 2.0}, "inflated (λ 2.00)"),
        ({"score": 0.5}, {}, {}, "Report the honest score"),
    ],
)
def test_advice_follows_from_the_results(folder, board, task, facts, expected):
    assert expected in told(folder, board, task, facts)


def test_nothing_is_advised_without_reason(folder):
    text = told(folder, {"p_null": 0.05, "score": 0.9, "lower": 0.87, "upper": 0.93},
                {"n_samples": 5000, "classes_counts": {"control": 2500, "case": 2500}}, {"inflation": 1.0})  # fmt: skip
    assert text.startswith("Predict new samples with the saved model.None of the rules")


def test_how_to_predict_is_said_where_there_is_something_to_predict_with(folder, tmp_path):
    write_automl_report(folder, tmp_path / "r.html")
    command = "gpatlas predict run/model.gpatlas new.vcf.gz --table covariates.csv --out predictions.csv"
    assert f"<pre>{command}</pre>" in (tmp_path / "r.html").read_text()
    board = pd.read_csv(folder / "leaderboard.csv").assign(p_null=0.4)
    board.to_csv(folder / "leaderboard.csv", index=False)
    write_automl_report(folder, tmp_path / "r.html")
    assert "gpatlas predict" not in (tmp_path / "r.html").read_text()


def test_a_wide_interval_of_few_folds_asks_for_folds_first(folder):
    wide = {"p_null": 0.05, "lower": 0.6, "upper": 0.9}
    assert "Add samples." in told(folder, wide, {"n_samples": 5000})
    folds = pd.read_csv(folder / "folds.csv")
    folds[folds["repeat"] == 0].to_csv(folder / "folds.csv", index=False)
    assert "4 folds make an interval wide" in told(folder, wide, {"n_samples": 5000})


def test_a_stack_is_named_by_its_members(folder):
    board = pd.read_csv(folder / "leaderboard.csv")
    stack = board[board.model == "automl"].assign(model="stack", chosen=True, weight=np.nan)
    pd.concat([board.assign(chosen=False), stack]).to_csv(folder / "leaderboard.csv", index=False)
    assert read_results(folder).chosen_title == "an average of rrBLUP (0.50) and LASSO (0.50)"


def test_values_that_differ_do_so_in_print():
    values = pd.Series([0.00512, 0.00498, -0.0031, np.nan])
    assert [shown.text for shown in _as_spread(values, values)] == ["0.0051", "0.0050", "−0.0031", ""]


def test_few_permutations_are_no_reason_to_doubt(folder, tmp_path):
    """Of 9 permutations none is as good: p cannot be smaller than 0.1."""
    pd.DataFrame({"permutation": range(9), "score": 0.5}).to_csv(folder / "null.csv", index=False)
    board = pd.read_csv(folder / "leaderboard.csv").assign(p_null=0.1)
    board.to_csv(folder / "leaderboard.csv", index=False)
    assert "Do not" not in told(folder)
    assert "Run with more permutations (--permutations 100)" in told(folder, {"lower": 0.45})  # but chance is in reach
    write_automl_report(folder, tmp_path / "r.html")
    assert "None of 9 permutations" in (tmp_path / "r.html").read_text()
