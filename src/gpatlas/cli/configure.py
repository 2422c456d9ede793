"""`gpatlas config`, `gpatlas design` and `gpatlas cost`: what would be run, before it is run."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gpatlas.cli import app
from gpatlas.config import ExperimentConfig, parse_experiment, parse_mapping, read_experiment
from gpatlas.design import Design
from gpatlas.errors import ConfigError
from gpatlas.io.atomic import atomic_path

FIGURE_FORMATS = (".svg", ".png", ".pdf")


@app.command()
def config(
    file: Annotated[Path | None, typer.Argument(help="Experiment YAML.")] = None,
    text: Annotated[str | None, typer.Option(help="The same as JSON or YAML text, instead of a file.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write there instead of printing.")] = None,
    docs: Annotated[bool, typer.Option(help="Print the reference of all keys (config/README.md).")] = False,
) -> None:
    """Check a configuration and print it complete.

    Defaults are filled in; the first problem is said in one line.

    \b
    Example:
      gpatlas config config/scaling.yaml
    """
    if docs:
        from gpatlas.config.docs import reference

        content = reference()
    else:
        if (file is None) == (text is None):
            raise ConfigError("give either a file or --text")
        experiment = read_experiment(file) if file else parse_experiment(parse_mapping(str(text), "--text"), "--text")
        _check_models(experiment, str(file or "--text"))
        content = json.dumps(experiment.model_dump(mode="json"), indent=2) + "\n"
    if out is None:
        print(content, end="")
        return
    with atomic_path(out) as temporary:
        temporary.write_text(content, encoding="utf-8")


@app.command()
def design(
    file: Annotated[Path, typer.Argument(help="Experiment YAML.")],
    figure: Annotated[
        Path | None, typer.Option(help="Also draw the design, to this file (.svg, .png or .pdf).")
    ] = None,
    rows: Annotated[bool, typer.Option(help="Print every row's name instead of one line per cell.")] = False,
) -> None:
    """Print the design table, and draw it.

    Nothing is run.

    \b
    Example:
      gpatlas design config/scaling.yaml --figure design.svg
    """
    from rich.console import Console
    from rich.table import Table

    if figure is not None and figure.suffix not in FIGURE_FORMATS:
        raise ConfigError(f"--figure {figure}: the name must end in {', '.join(FIGURE_FORMATS)}")
    table = Design(read_experiment(file))
    if rows:
        for row in table.rows:
            print(row.name)
    else:
        grid = Table(box=None, pad_edge=False, header_style="bold")
        names = [name for name in table.rows[0].columns if name != "rep"]
        for name in (*names, "replicates", "genotypes"):
            grid.add_column(name, justify="right", no_wrap=True)
        cells: dict[str, list] = {}
        for row in table.rows:
            cells.setdefault(row.cell, []).append(row)
        for cell in cells.values():
            values = [_shown(cell[0].columns[name]) for name in names]
            grid.add_row(*values, str(len(cell)), f"{table.genotypes(cell[0]) * len(cell):,}")
        console = Console(highlight=False, soft_wrap=True)
        if not console.is_terminal:  # a pipe takes any width
            console = Console(highlight=False, soft_wrap=True, width=140)
        console.print(grid)
        of_traits = table.config.trait_columns(table.rows[0].columns)
        traits = ", ".join(f"{name} = {list(dict.fromkeys(values))}" for name, values in of_traits.items())
        models = ", ".join(table.config.models)
        console.print(f"\n{len(table.rows)} rows in {len(cells)} cells; traits: {traits}; models: {models}")
    if figure is not None:
        from gpatlas.plotting.design import plot_design
        from gpatlas.plotting.style import save

        save(plot_design(table), figure)
        print(f"drawn to {figure}")


@app.command()
def cost(
    files: Annotated[list[Path], typer.Argument(help="Experiment YAML files.")],
    results: Annotated[
        Path | None, typer.Option(help="Results folder; rows that it already holds are left out.")
    ] = None,
    cores: Annotated[int | None, typer.Option(min=1, help="Cores that jobs may use; all by default.")] = None,
    compare: Annotated[bool, typer.Option(help="Show what jobs in --results did cost beside the estimate.")] = False,
    elsewhere: Annotated[bool, typer.Option(help="Jobs run on a cluster: this machine's memory is no limit.")] = False,
    anyway: Annotated[bool, typer.Option(help="Say what does not fit, but do not refuse it.")] = False,
) -> None:
    """Estimate time, memory and disk; refuse what does not fit.

    For this machine, from a calibration of a few seconds.

    \b
    Example:
      gpatlas cost config/scaling.yaml
    """
    from gpatlas import cost as pricing

    designs = [Design(read_experiment(file)) for file in files]
    if compare and results is None:
        raise ConfigError("--compare needs --results, the folder of what was run")
    happened = [pricing.what_happened(design, results) for design in designs] if compare and results else []
    machine = pricing.calibrate(cores, torch=pricing.needs_torch(designs))
    if elsewhere:
        machine = replace(machine, memory=float("inf"), gpu_memory=float("inf"))
    stages = [pricing.estimate(design, machine, None if compare else results) for design in designs]
    if compare:
        for expected, (real, wall) in zip(stages, happened, strict=True):
            pricing.print_comparison(expected, real, wall, machine)
        return
    every = [stage for experiment in stages for stage in experiment]
    pricing.print_estimate(every, machine)
    found = pricing.obstacles(every, machine, results or Path("results"))
    for line in found:
        print(f"gpatlas: {'warning' if anyway else 'error'}: {line}", file=sys.stderr)
    if found and not anyway:
        raise typer.Exit(2)


def _check_models(experiment: ExperimentConfig, source: str) -> None:
    """Make every model once, for hyperparameters are the models' own to check."""
    from gpatlas.models import make, search_space

    for label, entry in experiment.models.items():
        name = entry.model or label
        try:
            make(name, preset=entry.preset, **entry.hyperparameters)
            if entry.tune is not None:
                search_space(name, entry.tune.space)
        except ConfigError as error:
            raise ConfigError(f"{source}: {error}") from None


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)
