"""One style for all figures: sizes, colours that colour-blind readers can tell apart, names of models and axes."""

import functools
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gpatlas.io.atomic import atomic_path

# Okabe & Ito (2008); fixed per model, so that a model has one colour in every figure
MODEL_COLOURS = {
    "rrblup": "#0072B2",
    "rrblup_imputed": "#88CCEE",
    "rrblup_multitrait": "#000000",
    "linear_sgd": "#56B4E9",
    "lasso": "#009E73",
    "lasso_pruned": "#E69F00",
    "lasso_mlp": "#CC79A7",
    "mlp": "#D55E00",
    "egblup": "#332288",
    "interaction_screening": "#661100",  # no more of Okabe and Ito's: Paul Tol's muted scheme
    "auto_epistasis": "#44AA99",
    "bilinear": "#882255",
    "rkhs": "#88CCEE",
    "transformer": "#999933",
    "bayes_cpi": "#DDCC77",
    "gpfn": "#AA4499",
    "perceiver": "#117733",
    "perceiver_pretrained": "#117733",
    "perceiver_scratch": "#CC6677",
    "perceiver_untrained": "#999933",
    "perceiver_published": "#332288",
}
OTHER_COLOURS = ("#6b7280", "#8c6d31", "#56B4E9", "#F0E442")
MODEL_NAMES = {
    "rrblup": "rrBLUP",
    "rrblup_imputed": "rrBLUP, imputed calls",
    "rrblup_multitrait": "multi-trait rrBLUP",
    "linear_sgd": "linear (SGD)",
    "lasso": "LASSO",
    "lasso_sgd": "LASSO (SGD)",
    "lasso_pruned": "LASSO, pruned",
    "lasso_stable": "stability-selected",
    "lasso_mlp": "LASSO → MLP",
    "mlp": "MLP",
    "egblup": "EGBLUP",
    "interaction_screening": "interaction screening",
    "auto_epistasis": "auto (stack)",
    "rkhs": "RKHS",
    "bilinear": "bilinear",
    "transformer": "transformer",
    "automl": "AutoML, all of it",
    "stack": "stack",
    "random_forest": "random forest",
    "extra_trees": "ExtraTrees",
    "lightgbm": "LightGBM",
    "elastic_net": "elastic net",
    "svm": "SVM",
    "knn": "nearest neighbours",
    "lda": "LDA of components",
    "qda": "QDA of components",
    "sgd": "linear SGD",
    "adaboost": "AdaBoost",
    "bagging": "bagging",
    "bayes_cpi": "BayesCπ",
    "gpfn": "GPFN",
    "gpfn_laptop": "GPFN, trained here",
    "perceiver_pretrained": "perceiver, pretrained",
    "perceiver_scratch": "perceiver, from scratch",
    "perceiver_untrained": "perceiver, untrained weights",
    "perceiver_published": "perceiver, published form",
    "kernel_tree": "kernels and trees",
}
GREY, INK = "#6b7280", "#111827"
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
CLASS_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#000000")

_STYLE = {
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e7eb",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "svg.hashsalt": "gpatlas",  # the same figure gives the same bytes
    "svg.fonttype": "path",  # looks the same where our font is absent
}


def styled(plot: Callable[..., Figure]) -> Callable[..., Figure]:
    """Make a plotting function draw in our style, whatever the caller's matplotlib settings are."""

    @functools.wraps(plot)
    def in_style(*args: Any, **kwargs: Any) -> Figure:
        with mpl.rc_context(_STYLE):
            return plot(*args, **kwargs)

    return in_style


def subplots(rows: int, columns: int, width: float, height: float, **kwargs: Any) -> tuple[Figure, np.ndarray]:
    """Make a grid of axes, always two-dimensional."""
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False, **kwargs)
    plt.close(figure)  # notebooks show what is returned; nobody else wants a window
    return figure, axes


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure; the suffix gives the format, and no suffix gives both .svg and .png."""
    path = Path(path)
    known = path.suffix in (".svg", ".png", ".pdf")  # a name may end in .999, which is no suffix
    for suffix in [path.suffix] if known else [".svg", ".png"]:
        target = path if known else path.with_name(path.name + suffix)
        with atomic_path(target) as temporary:
            temporary.write_bytes(drawn(figure, suffix[1:]))


def drawn(figure: Figure, format: str = "svg") -> bytes:
    """Return a figure as the bytes of a file; the same figure gives the same bytes."""
    figure.draw_without_rendering()  # lets the layout settle: with a fixed aspect it needs two passes
    buffer = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format=format, dpi=160, metadata={"Date": None} if format == "svg" else None)
    return buffer.getvalue()


def model_colours(models: Iterable[str]) -> dict[str, str]:
    """Colours of several models; those without a colour of their own get others in their order."""
    others = iter(OTHER_COLOURS * 10)
    return {model: MODEL_COLOURS[model] if model in MODEL_COLOURS else next(others) for model in models}


def model_name(model: str) -> str:
    """A model's name as it is printed."""
    return MODEL_NAMES.get(model, model)


def class_colours(classes: Iterable[str]) -> dict[str, str]:
    """Colours of classes or groups, in their order."""
    return dict(zip(classes, CLASS_COLOURS * 100, strict=False))


def plain(name: object) -> str:
    """A name from data as it stands: matplotlib would read what is between dollar signs as mathematics."""
    return str(name).replace("$", r"\$")


def number(value: float) -> str:
    """A score as text and figures print it, so that it is the same in both: three decimals, of large ones fewer."""
    text = f"{value:.3f}" if abs(value) < 10 else f"{value:,.4g}" if abs(value) < 1e6 else f"{value:.3e}"
    return text.replace("-", "−")


def sample_size_colours(sizes: list[int]) -> dict[int, Any]:
    """One colour per sample size, dark to light; the same however many sizes there are."""
    shades = mpl.colormaps["viridis"](np.linspace(0.05, 0.85, max(len(sizes), 2)))
    return dict(zip(sorted(sizes), shades, strict=False))


def log_axis(axis: Axes, label: str) -> None:
    """Make x logarithmic with plain numbers."""
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    # a span of a few decades has room for its powers of ten only
    subs = (1.0,) if high / low > 60 else (1.0, 2.0, 5.0)
    axis.xaxis.set_major_locator(mpl.ticker.LogLocator(subs=subs))
    axis.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    axis.set_xlabel(label)


def mean_line(axis: Axes, rows: pd.DataFrame, x: str, y: str, colour: str, **line: Any) -> None:
    """Draw replicates as faint points and their mean as a line with a band of ± one standard error."""
    rows = rows.dropna(subset=[y])
    axis.scatter(rows[x], rows[y], s=9, color=colour, alpha=0.35, linewidths=0)
    groups = rows.groupby(x)[y]
    mean, error = groups.mean(), groups.sem().fillna(0)
    axis.plot(mean.index, mean.to_numpy(), color=colour, **line)
    axis.fill_between(mean.index, mean - error, mean + error, color=colour, alpha=0.15, linewidth=0)


def share_title(share: float) -> str:
    """Title of a panel: the expected share of additive in genetic variance."""
    return f"$V_A/V_G$ = {share:.2g}"


def panel_label(table: pd.DataFrame, columns: Iterable[str]) -> str:
    """Say what all panels of a figure have in common, e.g. 3,000 samples, 40 QTL."""
    words = {"n_samples": "samples", "n_qtl": "QTL"}
    return ", ".join(f"{' and '.join(f'{v:,}' for v in sorted(table[c].unique()))} {words[c]}" for c in columns)
