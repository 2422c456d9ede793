"""`gpatlas simulate`: one simulated population to one dataset file."""

import time
from pathlib import Path
from typing import Annotated

import typer

from gpatlas.cli import app
from gpatlas.cli.measure import write_runtime
from gpatlas.config import EngineSpec, parse_experiment, read_yaml
from gpatlas.config.simulation import SimulationSpec
from gpatlas.design import Design
from gpatlas.engines import make_dataset
from gpatlas.errors import ConfigError
from gpatlas.io import write_dataset


@app.command()
def simulate(
    config: Annotated[Path, typer.Argument(help="Experiment YAML, or the YAML of one population.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Dataset file to write (HDF5).")],
    row: Annotated[str | None, typer.Option(help="Design row of an experiment, as `gpatlas design` prints it.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of a single population (an experiment has its own).")] = 1,
    engine: Annotated[str, typer.Option(help="native or alphasimr, for a single population.")] = "native",
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Simulate a population.

    Genotypes, traits, phenotypes, folds and the truth go to one dataset file.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas simulate config/scaling.yaml --row 'n_samples~1000,qtl_scaling~1,heritability~0.999/rep~1' --out d.h5
    """
    section = read_yaml(config)
    if "experiment" in section:
        design = Design(parse_experiment(section, str(config)))
        if row is None:
            raise ConfigError(f"{config} is an experiment: say which --row, e.g. '{design.rows[0].name}'")
        chosen = design.row(row)
        spec, columns = design.simulation(chosen), chosen.columns
        engine_spec, seed = design.config.engine, design.seed(chosen, "simulate")
    else:
        spec, columns = SimulationSpec.parse(section, str(config)), {"rep": 1}
        engine_spec = EngineSpec.parse({"name": engine}, "--engine")
    start, cpu_start = time.perf_counter(), time.process_time()
    dataset = make_dataset(spec, engine_spec, seed, columns)
    write_dataset(dataset, out)
    write_runtime(
        runtime,
        stage="simulate",
        n_rows=1,
        seconds=time.perf_counter() - start,
        cpu_seconds=time.process_time() - cpu_start,
    )
    print(f"{out}: {dataset.n_samples} samples × {dataset.n_loci} loci, {dataset.n_traits} traits")
