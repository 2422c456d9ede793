"""A picture of a design table: which sample sizes, how many QTL, how many replicates."""

from matplotlib.figure import Figure

from gpatlas.design import Design
from gpatlas.plotting.style import log_axis, sample_size_colours, styled, subplots


@styled
def plot_design(design: Design) -> Figure:
    """Plot the cells of a design: sample size against number of loci, with the replicates of each sample size."""
    along = design.config.drawn_along
    sizes = sorted({row.columns["n_samples"] for row in design.rows})
    colours = sample_size_colours(sizes)
    figure, axes = subplots(1, 1, 6.4, 0.55 * len(sizes) + 1.2)
    axis = axes[0, 0]
    labels = []
    for height, size in enumerate(sizes):
        rows = [row for row in design.rows if row.columns["n_samples"] == size]
        values = sorted({row.columns[along] for row in rows})
        axis.plot(values, [height] * len(values), "o-", color=colours[size], markersize=6, linewidth=0.8)
        counts = {sum(row.cell == cell for row in rows) for cell in {row.cell for row in rows}}
        replicates = "–".join(str(count) for count in sorted({min(counts), max(counts)}))
        labels.append(f"{size:,}\n{replicates} replicate{'s' * (counts != {1})}")
    axis.set_yticks(range(len(sizes)), labels)
    axis.set_ylim(-0.5, len(sizes) - 0.5)
    axis.set_ylabel("samples")
    cells = len({row.cell for row in design.rows})
    axis.set_title(f"{design.config.experiment}: {len(design.rows)} populations in {cells} cells", loc="left")
    log_axis(axis, {"n_qtl": "QTL", "n_markers": "markers", "n_phenotyped": "phenotyped samples"}[along])
    return figure
