"""The report of experiments: a section for each."""

import re
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from gpatlas.errors import StoreError
from gpatlas.evaluate.metrics import METRICS
from gpatlas.io.tables import read_json, read_table
from gpatlas.plotting.style import model_name
from gpatlas.report.automl import write_automl_report
from gpatlas.report.automl_results import is_automl
from gpatlas.report.captions import CAPTIONS, STORIES, TITLES
from gpatlas.report.findings import finding
from gpatlas.report.rendering import Figure, data_uri, grid, write_page
from gpatlas.report.searches import AUTOML, searches
from gpatlas.report.summary import cell_means, linear_of, runtime_summary, verdicts
from gpatlas.wording import several

_SHAPES = ((390, ""), (560, "narrow"))  # widths in points below which a figure is shown beside others, or not enlarged
_PROTOCOLS = {
    "holdout": "Models select on validation samples; the test samples are predicted once.",
    "published": "The published protocol: networks stop early on the test samples themselves, and ridge regression is "
    "averaged over random splits, so these numbers are optimistic and only for comparison with the published ones.",
}


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
        write_page("page.html", out, experiments=[_experiment(folder, out) for folder in results])


def _experiment(folder: Path, out: Path) -> dict:
    """Return the section of one experiment, which starts with what only its kind has to say."""
    metrics, runtimes = read_table(folder / "metrics.csv", {"dataset", "trait_id"}), read_table(folder / "runtimes.csv")
    config = read_json(folder / "config.json")
    name = config["experiment"]
    seconds = runtimes[["cpu_seconds", "process_cpu_seconds"]].sum()
    own = searches(folder, metrics, out) if name == AUTOML else _design(metrics, config)
    return {
        "name": name,
        "finding": finding(name, metrics),
        **own,
        "chapters": _chapters(folder / "figures"),
        "metrics_csv": data_uri((folder / "metrics.csv").read_bytes(), "text/csv"),
        "runtimes": grid(runtime_summary(runtimes)),
        "at_work": f"{seconds.cpu_seconds:,.0f}",
        "processes": f"{seconds.process_cpu_seconds:,.0f}",
        "share": f"{seconds.cpu_seconds / seconds.process_cpu_seconds:.0%}",
        "config": yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100),
    }


def _design(metrics: pd.DataFrame, config: dict) -> dict:
    """Return what is said of models that were held against a design of populations."""
    means = cell_means(metrics, [m for m in METRICS if metrics[m].notna().any()])
    story, models = STORIES[config["experiment"]], set(metrics.model)
    told = (story.linear or "mlp") in models and (story.models is None or models.issuperset(story.models))
    told = told and len(models) > 1
    constant = metrics[metrics.predictive_ability.isna()].groupby("model").size()
    held_against = model_name(linear_of(metrics, story)) if told else ""
    return {
        "title": story.title,
        "intro": f"{_populations(metrics, config)}, models "
        f"{', '.join(dict.fromkeys(metrics.model))}. {_PROTOCOLS[config['evaluation']['protocol']]}",
        "heading": story.heading,
        "reading": f"Difference in predictive ability to {held_against}, averaged over the cells named. Ahead or "
        "behind: the 95 % paired t interval over replicates excludes zero, and the difference is above 0.001. "
        f"{story.reading}",
        "verdicts": grid(verdicts(metrics, story)) if told else None,
        "constant": [(model_name(model), count) for model, count in constant.items()],
        "averaged": "replicates",
        "means": grid(means.rename(columns=lambda name: name.replace("_", " "))),
        "filter": "10,000 mlp",
    }


def _populations(metrics: pd.DataFrame, config: dict) -> str:
    """Say what models were held against: simulated populations, random splits of real ones, or both."""
    rows = metrics[list(metrics.columns[: metrics.columns.get_loc("rep") + 1])].drop_duplicates()
    real = list(config.get("data") or {})
    n_real = int(rows.isin(real).any(axis=1).sum())  # their name stands in a design column
    said = [f"{several(len(rows) - n_real, 'population')} from engine {config['engine']['name']}"]
    said = said if len(rows) > n_real else []
    said += [f"{several(n_real, 'random split')} of {', '.join(real)}"] if n_real else []
    return " and ".join(said)


def _chapters(folder: Path) -> list[dict]:
    """Return figures by the notebook that drew them, in order, small ones together; stories of their own come last."""
    notebooks = sorted({path.parent for path in folder.rglob("*.svg")}, key=lambda path: (path.name in TITLES, path))
    found = []
    for notebook in notebooks:
        figures = [_figure(path) for path in sorted(notebook.glob("*.svg"))]
        for number, (_, group) in enumerate(groupby(figures, key=lambda figure: figure.shape == "")):
            found.append({"title": "" if number else TITLES.get(notebook.name, ""), "figures": list(group)})
    return found


def _figure(path: Path) -> Figure:
    label, caption = CAPTIONS.get(path.stem.split("__")[0], (path.stem, ""))
    content = path.read_bytes()
    found = re.search(rb'<svg [^>]*?width="([\d.]+)pt"', content)
    width = float(found[1]) if found else np.inf
    shape = next((shape for limit, shape in _SHAPES if width < limit), "wide")
    return Figure(path.stem, label, caption, data_uri(content, "image/svg+xml"), shape)
