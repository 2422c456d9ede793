"""`gpatlas perceiver finetune`: predictions of every sample in every environment."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from gpatlas.cli.measure import cpu_seconds, write_runtime
from gpatlas.cli.perceiver import perceiver
from gpatlas.cli.progress import progress
from gpatlas.cli.words import listed, say
from gpatlas.config import read_yaml
from gpatlas.errors import ConfigError, did_you_mean
from gpatlas.wording import several


@perceiver.command()
def finetune(
    dataset: Annotated[Path, typer.Argument(help="Dataset file, with phenotypes and folds.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table to write (.csv, or .tsv).")],
    checkpoint: Annotated[
        str | None, typer.Option(help="File or folder of `gpatlas perceiver pretrain`; none: from scratch.")
    ] = None,
    params: Annotated[
        Path | None, typer.Option(help="Hyperparameters of model perceiver, as YAML or JSON; options here win.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Named hyperparameters, e.g. published; --params win.")] = None,
    trait: Annotated[
        list[str] | None, typer.Option(help="Trait, or trait in one environment; repeatable. Default: all.")
    ] = None,
    head: Annotated[
        str | None, typer.Option(help="pool, latent or windows (good with few samples, and solved).")
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="mse, mae, binary, focal, multiclass, ordinal, poisson or ranking.")
    ] = None,
    frozen_epochs: Annotated[int | None, typer.Option(help="Epochs in which the head learns alone.")] = None,
    max_epochs: Annotated[int | None, typer.Option(help="Epochs in all.")] = None,
    free: Annotated[
        str | None, typer.Option(help="Parts of the network that learn after that, comma-separated.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the head, and of all from scratch.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root of random numbers.")] = 1,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="Also write the model (.gpatlas), for `gpatlas predict`; of one trait.")
    ] = None,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Finetune a pretrained network on phenotypes, in several environments at once.

    Training samples with a phenotype in any environment are learnt from, validation samples decide when to stop, and
    every sample is predicted in every environment. Markers are matched to the checkpoint's by name. Test samples are
    scored; without any, validation samples are, which then are not trained on.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas perceiver finetune population.h5 --head pool --max-epochs 5 --out predictions.csv
    """
    import pandas as pd

    from gpatlas.dataset import as_text
    from gpatlas.finetuning import finetune_dataset, predictor_of
    from gpatlas.io import read_dataset
    from gpatlas.io.tables import write_table
    from gpatlas.models import make
    from gpatlas.predictor import save_predictor

    start, cpu_start = time.perf_counter(), cpu_seconds()
    asked = {
        "checkpoint": checkpoint,
        "head": head,
        "loss": loss,
        "frozen_epochs": frozen_epochs,
        "max_epochs": max_epochs,
        "free": listed(free),
        "learning_rate": learning_rate,
        "device": device,
    }
    chosen = _chosen(preset, params) | {name: value for name, value in asked.items() if value is not None}
    make("perceiver", **chosen)  # before the data, which may take long
    data = read_dataset(dataset)
    if model is not None and len(trait or data.trait_id) != 1:
        raise ConfigError(
            f"--model: a model file predicts one trait, and {dataset} has {data.n_traits}; choose --trait"
        )
    with progress("finetune") as report:
        found = finetune_dataset(
            data,
            chosen,
            traits=trait,
            seed=seed,
            announce=_announce,
            progress=lambda epoch, epochs, loss: report(epoch, epochs, f"epochs, validation loss {loss:.4g}"),
        )
    table = pd.DataFrame(found.table)
    write_table(table, out)
    if model is not None:
        save_predictor(predictor_of(found.estimator, data, trait[0] if trait else as_text(data.trait_id)[0]), model)
    print(f"{out}: {several(data.n_samples, 'sample')} in {several(len(table) // data.n_samples, 'environment')}")
    say(found.sentences)
    seconds = {"seconds": time.perf_counter() - start, "cpu_seconds": cpu_seconds() - cpu_start}
    write_runtime(runtime, stage="finetune", n_rows=1, device=found.estimator.device_, **seconds)


def _announce(estimator: Any, n_samples: int, n_loci: int, n_traits: int) -> None:
    """Say what is learnt from, and what it may cost."""
    from gpatlas.cost import calibrate, duration, seconds_of_fit

    machine = calibrate(1, processes=False, torch=False)
    cost = duration(seconds_of_fit(estimator, n_samples, n_loci, n_traits, machine))
    of = f"{several(n_samples, 'sample')} with phenotypes × {several(n_loci, 'marker')} × {several(n_traits, 'trait')}"
    print(f"finetune: {of}; estimate: {cost} on one core", flush=True)


def _chosen(preset: str | None, params: Path | None) -> dict[str, Any]:
    from gpatlas.models import model_class

    presets = model_class("perceiver").presets
    if preset is not None and preset not in presets:
        raise ConfigError(f"--preset: unknown preset '{preset}'{did_you_mean(preset, presets)}")
    return (presets[preset] if preset else {}) | (read_yaml(params) if params else {})
