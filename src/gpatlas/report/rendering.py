"""What all report pages share: templates, tables, embedded files, versions."""

import base64
import gzip
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from gpatlas.io.atomic import atomic_path

LARGEST_PLAIN, LARGEST_PACKED = 300_000, 500_000  # bytes of a file that is embedded as it is, or compressed
_PACKAGES = (
    "gpatlas",
    "torch",
    "scikit-learn",
    "lightgbm",
    "shap",
    "numpy",
    "scipy",
    "pandas",
    "h5py",
    "matplotlib",
    "snakemake",
)


@dataclass(frozen=True)
class Figure:
    """A figure as the templates show it."""

    name: str
    label: str
    caption: str
    data: str  # data URI
    shape: str = ""  # "", "narrow" or "wide"


@dataclass(frozen=True)
class Download:
    """A file that the page carries; `data` is "" where it is too large."""

    name: str
    data: str


def write_page(template: str, out: Path, **content: Any) -> None:
    """Render a template of this package to a file, with versions.

    Raises
    ------
    StoreError
        The page cannot be written.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gpatlas", "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    page = environment.get_template(template).render(versions=_versions(), system=system, **content)
    with atomic_path(out) as temporary:
        temporary.write_text(page, encoding="utf-8")


def data_uri(content: bytes, kind: str) -> str:
    """Return content as a link that needs no file."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def download(path: Path) -> Download:
    """Embed a file: as it is if it is small, compressed if that makes it small enough, else its name only."""
    content = path.read_bytes()
    if len(content) <= LARGEST_PLAIN:
        kind = "application/json" if path.suffix == ".json" else "text/csv"
        return Download(path.name, data_uri(content, kind))
    packed = gzip.compress(content, mtime=0)
    if len(packed) <= LARGEST_PACKED:
        return Download(f"{path.name}.gz", data_uri(packed, "application/gzip"))
    return Download(path.name, "")


def grid(table: pd.DataFrame, marked: Sequence[int] = ()) -> dict:
    """Columns and rows of cells as templates show them; text is kept, numbers are given sensible digits.

    Parameters
    ----------
    table
        To show.
    marked
        Rows that stand out.
    """
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return {"columns": [str(column) for column in table.columns], "rows": rows, "marked": set(marked)}


@dataclass(frozen=True)
class Shown:
    """A number that is already text."""

    text: str


@dataclass(frozen=True)
class Link:
    """Text that leads somewhere."""

    text: str
    href: str


def _cell(value: object) -> dict:
    if isinstance(value, Link):
        return {"text": value.text, "number": False, "href": value.href}
    if isinstance(value, Shown):
        return {"text": value.text, "number": True}
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
