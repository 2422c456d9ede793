"""Rendering the report page."""

import base64
import json
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

import jinja2
import pandas as pd
import yaml

from gpatlas.errors import StoreError
from gpatlas.evaluate.metrics import METRICS
from gpatlas.io.atomic import atomic_path
from gpatlas.io.tables import read_table
from gpatlas.plotting.style import model_name
from gpatlas.report.captions import CAPTIONS, STORIES
from gpatlas.report.summary import cell_means, linear_of, runtime_summary, verdicts

_PACKAGES = (
    "gpatlas",
    "torch",
    "scikit-learn",
    "numpy",
    "scipy",
    "pandas",
    "h5py",
    "matplotlib",
    "snakemake",
)


@dataclass(frozen=True)
class Figure:
    """A figure as the template shows it."""

    name: str
    label: str
    caption: str
    data: str  # data URI of the SVG


def write_report(results: list[Path], out: Path) -> None:
    """Write one HTML page about several experiments; it needs no other file and no network.

    Parameters
    ----------
    results
        Results folders, each with config.json, metrics.csv, runtimes.csv and figures/.
    out
        HTML file.

    Raises
    ------
    StoreError
        A table is absent, or the page cannot be written.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(files("gpatlas.report").joinpath("page.html").read_text("utf-8"))
    page = template.render(
        experiments=[_experiment(folder) for folder in results],
        versions=_versions(),
        system=f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    )
    with atomic_path(out) as temporary:
        temporary.write_text(page, encoding="utf-8")


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
        "verdicts": _table(verdicts(metrics, story)) if told else None,
        "linear": model_name(linear_of(metrics, story)) if told else "",
        "figures": _figures(folder / "figures"),
        "constant": [(model_name(model), count) for model, count in constant.items()],
        "means": _table(means.rename(columns=lambda name: name.replace("_", " "))),
        "metrics_csv": _data_uri((folder / "metrics.csv").read_bytes(), "text/csv"),
        "runtimes": _table(runtime_summary(runtimes)),
        "at_work": f"{seconds.cpu_seconds:,.0f}",
        "processes": f"{seconds.process_cpu_seconds:,.0f}",
        "share": f"{seconds.cpu_seconds / seconds.process_cpu_seconds:.0%}",
        "config": yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100),
    }


def _figures(folder: Path) -> list[Figure]:
    found = []
    for path in sorted(folder.rglob("*.svg")):
        label, caption = CAPTIONS.get(path.stem.split("__")[0], (path.stem, ""))
        found.append(Figure(path.stem, label, caption, _data_uri(path.read_bytes(), "image/svg+xml")))
    return found


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _table(table: pd.DataFrame) -> dict:
    """Columns, and rows of (text, sort key, is number)."""
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return {"columns": [str(column) for column in table.columns], "rows": rows}


def _cell(value: object) -> dict:
    if isinstance(value, float):
        text = "" if pd.isna(value) else f"{value:,.4g}" if abs(value) >= 10 else f"{value:.4g}"
        return {"text": text, "number": True}
    if hasattr(value, "item") or isinstance(value, int):
        return {"text": f"{value:,}", "number": True}
    return {"text": str(value), "number": False}


def _versions() -> list[tuple[str, str]]:
    found = []
    for package in _PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return found
