"""A picture of a design table: which sample sizes, how many QTL, how many replicates."""

from matplotlib.figure import Figure

from gpatlas.design import Design
from gpatlas.plotting.style import log_axis, sample_size_colours, styled, subplots


@styled
def plot_design(design: Design) -> Figure:
    """Plot the cells of a design along its numbers of loci or phenotyped samples: a line for each sample size or panel,
    with its replicates.
    """
    along, panel = design.config.drawn_along, design.config.panel_column
    column = panel or "n_samples"
    sizes = list(dict.fromkeys(row.columns[column] for row in design.rows))
    sizes = sizes if panel else sorted(sizes)
    colours = dict(zip(sizes, sample_size_colours(list(range(len(sizes)))).values(), strict=True))
    figure, axes = subplots(1, 1, 6.4, 0.55 * len(sizes) + 1.2)
    axis = axes[0, 0]
    labels = []
    for height, size in enumerate(sizes):
        rows = [row for row in design.rows if row.columns[column] == size]
        values = sorted({row.columns[along] for row in rows})
        axis.plot(values, [height] * len(values), "o-", color=colours[size], markersize=6, linewidth=0.8)
        counts = {sum(row.cell == cell for row in rows) for cell in {row.cell for row in rows}}
        replicates = "–".join(str(count) for count in sorted({min(counts), max(counts)}))
        name = f"{size}, {rows[0].columns['n_samples']:,}" if panel else f"{size:,}"
        labels.append(f"{name}\n{replicates} replicate{'s' * (counts != {1})}")
    axis.set_yticks(range(len(sizes)), labels)
    axis.set_ylim(-0.5, len(sizes) - 0.5)
    axis.set_ylabel("panel, samples" if panel else "samples")
    cells = len({row.cell for row in design.rows})
    axis.set_title(f"{design.config.experiment}: {len(design.rows)} populations in {cells} cells", loc="left")
    log_axis(axis, {"n_qtl": "QTL", "n_markers": "markers", "n_phenotyped": "phenotyped samples"}[along])
    return figure
