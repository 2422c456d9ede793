"""`gpatlas config`, `gpatlas design` and `gpatlas cost`: what would be run, before it is run."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gpatlas.cli import app
from gpatlas.config import AutomlConfig, ExperimentConfig, parse_any, parse_mapping, read_any
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
        experiment = read_any(file) if file else parse_any(parse_mapping(str(text), "--text"), "--text")
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
    experiment = read_any(file)
    if isinstance(experiment, AutomlConfig):
        if figure is not None:
            raise ConfigError(f"--figure {figure}: the data sets of {file} are listed, and have no picture")
        _print_runs(experiment, rows)
        return
    table = Design(experiment)
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
        traits = f"traits: {traits}; " if traits else ""
        console.print(f"\n{len(table.rows)} rows in {len(cells)} cells; {traits}models: {models}")
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
    from gpatlas.automl.stages import check_searches, estimate_runs, unpriced, what_happened_in_runs

    experiments = [read_any(file) for file in files]
    designs = {k: Design(config) for k, config in enumerate(experiments) if isinstance(config, ExperimentConfig)}
    searches = {k: config for k, config in enumerate(experiments) if isinstance(config, AutomlConfig)}
    for config in searches.values():
        check_searches(config)
    if compare and results is None:
        raise ConfigError("--compare needs --results, the folder of what was run")
    happened = []
    if compare and results:
        happened = [
            pricing.what_happened(designs[k], results) if k in designs else what_happened_in_runs(searches[k], results)
            for k in range(len(files))
        ]
    machine = pricing.calibrate(cores, torch=pricing.needs_torch(list(designs.values())))
    if elsewhere:
        machine = replace(machine, memory=float("inf"), gpu_memory=float("inf"))
    there = None if compare else results
    stages = [
        pricing.estimate(designs[k], machine, there) if k in designs else estimate_runs(searches[k], machine, there)
        for k in range(len(files))
    ]
    for config in searches.values():
        for name in unpriced(config):
            print(f"{config.experiment}: {name} is not in the estimate, for its files have not been read")
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


def _check_models(experiment: ExperimentConfig | AutomlConfig, source: str) -> None:
    """Make every model once, for hyperparameters are the models' own to check, and candidates the portfolio's."""
    from gpatlas.models import make, search_space

    if isinstance(experiment, AutomlConfig):
        from gpatlas.automl.stages import check_searches

        check_searches(experiment)
        return
    for label, entry in experiment.models.items():
        name = entry.model or label
        try:
            make(name, preset=entry.preset, **entry.hyperparameters)
            if entry.tune is not None:
                search_space(name, entry.tune.space)
        except ConfigError as error:
            raise ConfigError(f"{source}: {error}") from None


def _print_runs(experiment: AutomlConfig, names_only: bool) -> None:
    """Print the data sets of the AutoML experiment, or the names of its runs."""
    from gpatlas.cost.show import print_table
    from gpatlas.runs import runs_of

    runs = runs_of(experiment)
    if names_only:
        for run in runs:
            print(run.name)
        return
    rows = []
    for name, entry in experiment.datasets.items():
        size = [f"{n:,}" for n in entry.expected_size or ()] or ["?", "?"]
        budget = entry.search.budget_seconds
        search = f"{entry.search.budget_fits} fits" if budget is None else f"{budget:g} s"
        kind = entry.expected_kind or "?"
        rows.append((name, entry.source, entry.trait_name, kind, *size, str(entry.replicates), search))
    print_table(("data set", "source", "trait", "kind", "samples", "loci", "replicates", "budget"), rows, left=4)
    print(f"\n{len(runs)} run{'s' * (len(runs) != 1)} on {len(rows)} data set{'s' * (len(rows) != 1)}")


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)
