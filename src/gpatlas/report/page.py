"""The report of experiments: a section for each."""

import json
from pathlib import Path

import yaml

from gpatlas.errors import StoreError
from gpatlas.evaluate.metrics import METRICS
from gpatlas.io.tables import read_table
from gpatlas.plotting.style import model_name
from gpatlas.report.automl import write_automl_report
from gpatlas.report.automl_results import is_automl
from gpatlas.report.captions import CAPTIONS, STORIES
from gpatlas.report.rendering import Figure, data_uri, grid, write_page
from gpatlas.report.summary import cell_means, linear_of, runtime_summary, verdicts


def write_report(results: list[Path], out: Path) -> None:
    """Write one HTML page about several experiments; it needs no other file and no network.

    Parameters
    ----------
    results
        Results folders, each with config.json, metrics.csv, runtimes.csv and figures/; or that of one AutoML run.
    out
        HTML file.

    Raises
    ------
    StoreError
        A table is absent, an AutoML run is among several folders, or the page cannot be written.
    """
    runs = [folder for folder in results if is_automl(folder)]
    if runs and len(results) > 1:
        raise StoreError(f"{runs[0]} is an AutoML run, which has a page of its own: give it alone")
    if runs:
        write_automl_report(runs[0], out)
    else:
        write_page("page.html", out, experiments=[_experiment(folder) for folder in results])


def _experiment(folder: Path) -> dict:
    metrics, runtimes = read_table(folder / "metrics.csv"), read_table(folder / "runtimes.csv")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"cannot read {folder / 'config.json'}: {error.strerror}") from None
    name = config["experiment"]
    means = cell_means(metrics, [m for m in METRICS if metrics[m].notna().any()])
    story, models = STORIES[name], set(metrics.model)
    told = (story.linear or "mlp") in models and (story.models is None or models.issuperset(story.models))
    told = told and len(models) > 1
    constant = metrics[metrics.predictive_ability.isna()].groupby("model").size()
    seconds = runtimes[["cpu_seconds", "process_cpu_seconds"]].sum()
    return {
        "name": name,
        "title": story.title,
        "story": story,
        "n_rows": len(metrics[list(metrics.columns[: metrics.columns.get_loc("rep") + 1])].drop_duplicates()),
        "models": list(dict.fromkeys(metrics.model)),
        "protocol": config["evaluation"]["protocol"],
        "engine": config["engine"]["name"],
        "verdicts": grid(verdicts(metrics, story)) if told else None,
        "linear": model_name(linear_of(metrics, story)) if told else "",
        "figures": _figures(folder / "figures"),
        "constant": [(model_name(model), count) for model, count in constant.items()],
        "means": grid(means.rename(columns=lambda name: name.replace("_", " "))),
        "metrics_csv": data_uri((folder / "metrics.csv").read_bytes(), "text/csv"),
        "runtimes": grid(runtime_summary(runtimes)),
        "at_work": f"{seconds.cpu_seconds:,.0f}",
        "processes": f"{seconds.process_cpu_seconds:,.0f}",
        "share": f"{seconds.cpu_seconds / seconds.process_cpu_seconds:.0%}",
        "config": yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100),
    }


def _figures(folder: Path) -> list[Figure]:
    found = []
    for path in sorted(folder.rglob("*.svg")):
        label, caption = CAPTIONS.get(path.stem.split("__")[0], (path.stem, ""))
        shape = "narrow" if label == "Supplement" else "wide"
        found.append(Figure(path.stem, label, caption, data_uri(path.read_bytes(), "image/svg+xml"), shape))
    return found
