"""`gpatlas simulate`: one simulated population to one dataset file."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from gpatlas.cli import app
from gpatlas.cli.measure import write_runtime
from gpatlas.config import EngineSpec, PanelSpec, PriorSpec, TrialSpec, parse_experiment, parse_mapping, read_yaml
from gpatlas.config.real_data import DataSpec
from gpatlas.config.simulation import SimulationSpec
from gpatlas.design import Design
from gpatlas.engines import make_dataset
from gpatlas.errors import ConfigError
from gpatlas.io import write_dataset
from gpatlas.priors.populations import make_population
from gpatlas.simulate.trials import simulate_panel, simulate_trial


@app.command()
def simulate(
    out: Annotated[Path, typer.Option("--out", "-o", help="Dataset file to write (HDF5).")],
    config: Annotated[
        Path | None, typer.Argument(help="YAML of one population, or of an experiment with --row.")
    ] = None,
    row: Annotated[
        str | None, typer.Option(help="Design row of an experiment, as `gpatlas design --rows` prints it.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of a single population (an experiment has its own).")] = 1,
    engine: Annotated[str, typer.Option(help="native or alphasimr, for a single population.")] = "native",
    job: Annotated[str | None, typer.Option(help="The workflow's way: all of the above, as JSON.")] = None,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Simulate a population.

    Genotypes, traits, phenotypes, folds and the truth go to one dataset file.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas simulate config/scaling.yaml --row 'n_samples~1000+qtl_scaling~1+heritability~0.999/rep~1' --out d.h5
    """
    what = _job(config, row, seed, engine, job)
    columns, seed = what["row"], int(what["seed"])
    start, cpu_start = time.perf_counter(), time.process_time()
    source = str(config or "--job")
    if "prior" in what:
        dataset = make_population(PriorSpec.parse(what["prior"], source), seed)
    elif "panel" in what:
        dataset = simulate_panel(PanelSpec.parse(what["panel"], source), seed)
    elif "trial" in what:
        dataset = simulate_trial(TrialSpec.parse(what["trial"], source), seed)
    else:
        spec = SimulationSpec.parse(what["simulation"], source)
        dataset = make_dataset(spec, EngineSpec.parse(what["engine"], "--engine"), seed, columns)
    write_dataset(dataset, out)
    write_runtime(
        runtime,
        stage="simulate",
        n_rows=1,
        seconds=time.perf_counter() - start,
        cpu_seconds=time.process_time() - cpu_start,
    )
    print(f"{out}: {dataset.n_samples} samples × {dataset.n_loci} loci, {dataset.n_traits} traits")


def _job(config: Path | None, row: str | None, seed: int, engine: str, job: str | None) -> dict[str, Any]:
    """What to simulate, from whichever of the three ways it was given."""
    if (config is None) == (job is None):
        raise ConfigError("say what to simulate: a YAML file, or --job")
    if config is None:
        return parse_mapping(str(job), "--job")
    section = read_yaml(config)
    if "experiment" not in section:
        return {"simulation": section, "engine": {"name": engine}, "row": {"rep": 1}, "seed": seed}
    design = Design(parse_experiment(section, str(config)))
    if row is None:
        raise ConfigError(f"{config} is an experiment: say which --row, e.g. '{design.rows[0].name}'")
    found = design.row(row)
    if isinstance(design.simulation(found), DataSpec):
        raise ConfigError(f"{row} is a split of real data, which `gpatlas split` makes")
    return design.simulation_job(found)
