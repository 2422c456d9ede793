"""What the genotypes show: effects along the genome, breeding values, population structure."""

import re
from collections.abc import Sequence, Set

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gpatlas.plotting.automl_values import MANY
from gpatlas.plotting.style import BLUE, GREEN, GREY, ORANGE, class_colours, plain, styled, subplots

_MOST_GROUPS, _LABELS, _TICK_ROOM = 8, 5, 0.022
_SMALLEST_P = 1e-300


@styled
def plot_manhattan(effects: pd.DataFrame, causal: Set[str] = frozenset()) -> Figure:
    """Plot -log10 p of association along the genome; dashed: 5 % after Bonferroni's correction.

    Parameters
    ----------
    effects
        Columns locus_id, chromosome, position, p (NaN where it was not tested).
    causal
        Loci that are known to be causal, to be marked.
    """
    figure, axes = subplots(1, 1, 9.2, 3.2)
    axis = axes[0, 0]
    strength = -np.log10(np.maximum(effects.p.to_numpy(dtype=float), _SMALLEST_P))
    x = _along_genome(axis, effects, strength)
    tested = np.isfinite(strength)
    line = -np.log10(0.05 / max(tested.sum(), 1))
    axis.axhline(line, color=ORANGE, linestyle="--", linewidth=1.2)
    order = np.argsort(np.where(tested, -strength, np.inf), kind="stable")
    for k in order[: min(_LABELS, int((strength[tested] > line).sum()))]:
        right = x[k] > 0.85 * x.max()
        axis.annotate(plain(effects.locus_id.iloc[k]), (x[k], strength[k]), (-5 if right else 5, 0),
                      textcoords="offset points", ha="right" if right else "left", va="center", fontsize=8)  # fmt: skip
    here = effects.locus_id.isin(causal).to_numpy() & tested
    if here.any():
        axis.scatter(x[here], strength[here], s=70, facecolors="none", edgecolors=GREEN, linewidths=1.8, zorder=4,
                     label="causal")  # fmt: skip
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower left", fontsize=8)
    axis.set_ylim(0, 1.08 * max(strength[tested].max(initial=0), line))
    axis.set_ylabel("−log₁₀ p")
    return figure


@styled
def plot_model_effects(effects: pd.DataFrame, column: str = "model_effect") -> Figure:
    """Plot the model's own effects, of all loci together, along the genome."""
    figure, axes = subplots(1, 1, 9.2, 2.8)
    axis = axes[0, 0]
    _along_genome(axis, effects, effects[column].to_numpy(dtype=float))
    axis.axhline(0, color=GREY, linewidth=0.8)
    axis.set_ylabel("effect in the model")
    return figure


@styled
def plot_breeding_values(gebv: pd.DataFrame) -> Figure:
    """Plot the distribution of breeding values, and their reliabilities.

    Parameters
    ----------
    gebv
        Columns gebv, reliability; class where there are several.
    """
    figure, axes = subplots(2, 1, 4.6, 4.1, sharex=True, height_ratios=[1, 1.5])
    above, axis = axes[:, 0]
    classes = list(dict.fromkeys(gebv["class"])) if "class" in gebv else [""]
    colours = class_colours(classes) if classes != [""] else {"": BLUE}
    bins = np.histogram_bin_edges(gebv.gebv, 30)
    for name in classes:
        part = gebv if name == "" else gebv[gebv["class"] == name]
        above.hist(part.gebv, bins=bins, color=colours[name], alpha=0.85 if name == "" else 0.5, label=plain(name))
        axis.scatter(part.gebv, part.reliability, s=9, color=colours[name], alpha=0.5, linewidths=0,
                     rasterized=len(gebv) > MANY)  # fmt: skip
    above.set_ylabel("samples")
    axis.set_ylabel("reliability")
    axis.set_ylim(bottom=0)
    axis.set_xlabel("GEBV (deviation from the mean)")
    if classes != [""]:
        above.legend(fontsize=8)
    return figure


@styled
def plot_components(
    structure: pd.DataFrame, shares: Sequence[float], colour_by: str, classes: Sequence[str] = ()
) -> Figure:
    """Plot the first two components, coloured by phenotype or group.

    Parameters
    ----------
    structure
        Columns pc1, pc2 and `colour_by`.
    shares
        Of the variance, of the components.
    colour_by
        Column: numbers are shown on a scale, text as groups, of which the largest have colours.
    classes
        All classes, in the order of their colours in other figures, where these are the groups.
    """
    figure, axes = subplots(1, 1, 4.6, 4.1)
    axis = axes[0, 0]
    second = structure.pc2 if "pc2" in structure else np.zeros(len(structure))
    values, many = structure[colour_by], len(structure) > MANY
    if pd.api.types.is_numeric_dtype(values):
        points = axis.scatter(structure.pc1, second, c=values, cmap="viridis", s=13, linewidths=0, rasterized=many)
        figure.colorbar(points, ax=axis, shrink=0.8, aspect=28, pad=0.02)
    else:
        largest = values.value_counts().index[:_MOST_GROUPS].tolist()
        if values.nunique() > _MOST_GROUPS:
            rest = ~values.isin(largest)
            label = f"{values.nunique() - _MOST_GROUPS} others"
            axis.scatter(structure.pc1[rest], second[rest], s=10, color="#c4c8cf", linewidths=0, label=label)
        for name, colour in class_colours(classes if set(largest) <= set(classes) else sorted(largest)).items():
            here = values == name
            axis.scatter(structure.pc1[here], second[here], s=13, color=colour, alpha=0.75, linewidths=0,
                         label=plain(name), rasterized=many)  # fmt: skip
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower left", ncols=3, fontsize=8, markerscale=1.5)
    for k, label in enumerate((axis.set_xlabel, axis.set_ylabel)):
        label(f"PC {k + 1} ({shares[k]:.1%} of variance)" if k < len(shares) else "")
    return figure


def _along_genome(axis: Axes, effects: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Plot values at places along the genome, chromosome after chromosome; return the places."""
    chromosomes = sorted(dict.fromkeys(effects.chromosome.astype(str)), key=_natural)
    position = effects.position.to_numpy(dtype=float)
    x, start, ticks = np.zeros(len(effects)), 0.0, []
    mapped = np.nanmax(position, initial=0.0) > 0
    for k, name in enumerate(chromosomes):
        here = (effects.chromosome.astype(str) == name).to_numpy()
        within = position[here] if mapped else np.arange(here.sum(), dtype=float)
        within = within - within.min() if len(chromosomes) > 1 else within
        x[here] = start + within
        axis.scatter(x[here], values[here], s=9, color=(BLUE, "#7d8794")[k % 2], linewidths=0, zorder=3,
                     rasterized=len(effects) > MANY)  # fmt: skip
        ticks.append(start + (within.max() + within.min()) / 2)
        start = x[here].max() + max(0.01 * np.ptp(within), 1e-9) + (0 if mapped else 1)
    axis.grid(axis="x", visible=False)
    axis.margins(x=0.01)
    if len(chromosomes) > 1:
        shown, last = [], -np.inf
        for tick, name in zip(ticks, chromosomes, strict=True):
            if tick - last >= _TICK_ROOM * x.max():  # names of short chromosomes would lie on each other
                shown.append((tick, plain(name)))
                last = tick
        axis.set_xticks([tick for tick, _ in shown], [name for _, name in shown], fontsize=8)
        axis.set_xlabel("chromosome")
    else:
        axis.set_xlabel(
            f"position on chromosome {plain(chromosomes[0])}"
            if mapped and chromosomes[0]
            else "locus, in the file's order"
        )
        axis.xaxis.set_major_formatter("{x:,.6g}")
    return x


def _natural(name: str) -> tuple[int, float, str]:
    """Sort 1, 2, 10, X, and 1A, 1B, 2A."""
    found = re.match(r"(?:chr)?(\d+)(.*)", name, flags=re.IGNORECASE)
    return (0, float(found[1]), found[2]) if found else (1, 0.0, name)
