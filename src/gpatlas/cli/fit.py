"""`gpatlas hparams` and `gpatlas fit`: which model with which settings, and its predictions."""

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from gpatlas.cli import app
from gpatlas.cli.measure import write_runtime
from gpatlas.cli.progress import progress
from gpatlas.config import EvaluationSpec, ModelEntry, parse_mapping, read_experiment
from gpatlas.dataset import Dataset, as_text
from gpatlas.errors import ConfigError, StoreError
from gpatlas.io import read_dataset
from gpatlas.io.atomic import atomic_path
from gpatlas.predictions import FitResult
from gpatlas.seeding import stable_seed


@app.command()
def hparams(
    model: Annotated[str, typer.Option(help="Name of an entry under `models`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="JSON file to write.")],
    config: Annotated[Path | None, typer.Argument(help="Experiment YAML.")] = None,
    entry: Annotated[str | None, typer.Option(help="The workflow's way: the entry itself, as JSON.")] = None,
) -> None:
    """Write the hyperparameters of a model.

    Complete: presets and defaults are filled in.

    \b
    Example:
      gpatlas hparams config/scaling.yaml --model mlp --out mlp.json
    """
    from gpatlas.models import make

    if (config is None) == (entry is None):
        raise ConfigError("say which settings: an experiment YAML, or --entry")
    if config is None:
        chosen = ModelEntry.parse(parse_mapping(str(entry), "--entry"), "--entry")
    else:
        models = read_experiment(config).models
        if model not in models:
            raise ConfigError(f"{config} has no model '{model}'; it has {', '.join(models)}")
        chosen = models[model]
    given = chosen.hyperparameters
    estimator = make(chosen.model or model, preset=chosen.preset, **given)
    settings = {k: v for k, v in estimator.get_params().items() if k != "random_state" or k in given}
    record = {"label": model, "model": chosen.model or model, "hyperparameters": settings}
    with atomic_path(out) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


@app.command()
def fit(
    datasets: Annotated[list[Path], typer.Argument(help="Dataset files, e.g. the replicates of a cell.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Predictions file to write (HDF5).")],
    model: Annotated[str | None, typer.Option(help="Model name: rrblup, rrblup_multitrait, mlp, linear_sgd.")] = None,
    preset: Annotated[str | None, typer.Option(help="Named hyperparameters, e.g. published.")] = None,
    hparams: Annotated[
        Path | None, typer.Option(help="JSON of `gpatlas hparams`, instead of --model and --preset.")
    ] = None,
    evaluation: Annotated[
        str, typer.Option(help="Protocol, holdout or published; or the section `evaluation` as JSON.")
    ] = "holdout",
    seed: Annotated[int, typer.Option(min=0, help="Root of random numbers.")] = 1,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Fit a model and predict test samples.

    Several datasets are fitted one by one; test samples are predicted once.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas fit population.h5 --model rrblup --out predictions.h5
    """
    from gpatlas.fitting import fit_dataset
    from gpatlas.io.predictions import read_part, write_predictions

    chosen = _model(model, preset, hparams)
    protocol = EvaluationSpec.parse(
        parse_mapping(evaluation, "--evaluation") if evaluation.startswith("{") else {"protocol": evaluation},
        "--evaluation",
    )
    chosen |= {"evaluation": protocol.model_dump(mode="json"), "seed": seed}
    parts = out.with_name(f".{out.name}.parts")  # finished fits, so that a killed job goes on where it was
    fits: dict[str, FitResult] = {}
    with progress(f"fit {chosen['label']}") as report:
        for done, path in enumerate(datasets):
            dataset = read_dataset(path)
            _say_missing(dataset, path)
            part = parts / f"{dataset.content_hash}.h5"
            result = read_part(part, chosen)
            if result is None:

                def say(epoch: int, epochs: int, loss: float, done: int = done) -> None:
                    total = len(datasets) * epochs
                    report(done * epochs + epoch, total, f"epochs, validation loss {loss:.4g}")

                of_dataset = stable_seed(seed, dataset.content_hash, chosen["label"], bits=31)
                result = fit_dataset(dataset, chosen["model"], chosen["hyperparameters"], protocol, of_dataset, say)
                write_predictions(part, {dataset.content_hash: result}, chosen)
            fits[dataset.content_hash] = result
    write_predictions(out, fits, chosen)
    write_runtime(
        runtime,
        stage="fit",
        model=chosen["label"],
        n_rows=len(datasets),
        seconds=sum(result.seconds for result in fits.values()),
        cpu_seconds=sum(result.cpu_seconds for result in fits.values()),
        device=next(iter(fits.values())).device,
    )
    shutil.rmtree(parts)
    print(f"{out}: {chosen['label']} fitted to {len(datasets)} dataset{'s' * (len(datasets) != 1)}")


def _model(model: str | None, preset: str | None, hparams: Path | None) -> dict[str, Any]:
    if (model is None) == (hparams is None):
        raise ConfigError("say which model: either --model or --hparams")
    if hparams is None:
        from gpatlas.models import make

        made = make(str(model), preset=preset)
        parameters = {k: v for k, v in made.get_params().items() if k != "random_state"}
        return {"label": model, "model": model, "hyperparameters": parameters}
    try:
        record = json.loads(hparams.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"cannot read {hparams}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{hparams}, line {error.lineno}: not valid JSON: {error.msg}") from None
    absent = [key for key in ("label", "model", "hyperparameters") if key not in record]
    if absent:
        raise ConfigError(f"{hparams}: key '{absent[0]}' is missing; make the file with `gpatlas hparams`")
    return record


def _say_missing(dataset: Dataset, path: Path) -> None:
    for name, count in zip(as_text(dataset.trait_id), np.isnan(dataset.phenotypes).sum(axis=0), strict=True):
        if count:
            print(f"{path}: {name}: {count} of {dataset.n_samples} phenotypes are missing and left out")
