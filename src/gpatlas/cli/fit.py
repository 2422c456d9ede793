"""`gpatlas fit`: a model's predictions of the test samples."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from gpatlas.cli import app
from gpatlas.cli.measure import write_runtime
from gpatlas.cli.progress import progress
from gpatlas.cli.settings import chosen_model
from gpatlas.config import EvaluationSpec, parse_mapping
from gpatlas.dataset import Dataset, as_text
from gpatlas.errors import ConfigError
from gpatlas.io import read_dataset
from gpatlas.predictions import FitResult
from gpatlas.seeding import stable_seed


@app.command()
def fit(
    datasets: Annotated[list[Path], typer.Argument(help="Dataset files, e.g. the replicates of a cell.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Predictions file to write (HDF5).")],
    model: Annotated[str | None, typer.Option(help="Model name, e.g. rrblup, lasso, mlp.")] = None,
    preset: Annotated[str | None, typer.Option(help="Named hyperparameters, e.g. published.")] = None,
    hparams: Annotated[
        list[Path] | None,
        typer.Option(
            help="JSON of `gpatlas hparams` or `tune`, instead of --model and --preset; once, or once for each dataset."
        ),
    ] = None,
    genotypes: Annotated[
        Path | None,
        typer.Option(help="Genotypes of the same samples and loci to read instead, e.g. of `gpatlas impute`."),
    ] = None,
    evaluation: Annotated[
        str, typer.Option(help="Protocol, holdout or published; or the section `evaluation` as JSON.")
    ] = "holdout",
    seed: Annotated[int, typer.Option(min=0, help="Root of random numbers.")] = 1,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Fit a model and predict test samples.

    Several datasets are fitted one by one; test samples are predicted once. Networks train on several GPUs, or in
    several processes, by `torchrun --nproc_per_node N -m gpatlas fit …`.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas fit population.h5 --model rrblup --out predictions.h5
    """
    from gpatlas.fitting import fit_dataset
    from gpatlas.io.predictions import read_part, write_predictions

    chosen = _chosen(model, preset, hparams or [], len(datasets))
    label = chosen[0]["label"]
    protocol = EvaluationSpec.parse(
        parse_mapping(evaluation, "--evaluation") if evaluation.startswith("{") else {"protocol": evaluation},
        "--evaluation",
    )
    shared: dict[str, Any] = {"evaluation": protocol.model_dump(mode="json"), "seed": seed}
    if genotypes is not None:
        from gpatlas.io.genotypes import read_genotypes
        from gpatlas.joins import with_genotypes_of

        other = read_genotypes(genotypes)
        shared["genotypes"] = other.content_hash
    parts = out.with_name(f".{out.name}.parts")  # finished fits, so that a killed job goes on where it was
    writes = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun starts, the first
    fits: dict[str, FitResult] = {}
    settings: dict[str, dict[str, Any]] = {}
    ready: dict[str, FitResult] = {}
    if genotypes is None:
        ready = _fitted_together(
            datasets, chosen, protocol, seed, lambda d: read_part(_part(parts, d), chosen[0] | shared)
        )
    with progress(f"fit {label}") as report:
        for done, (path, of_path) in enumerate(zip(datasets, chosen, strict=True)):
            dataset = read_dataset(path, lazy=True)
            _say_missing(dataset, path)
            part = _part(parts, dataset)
            result = read_part(part, of_path | shared)
            together = ready.get(dataset.content_hash)
            if result is None:

                def say(step: int, steps: int, note: str, done: int = done) -> None:
                    report(done * steps + step, len(datasets) * steps, note)

                of_dataset = stable_seed(seed, dataset.content_hash, label, bits=31)
                name, hyperparameters = of_path["model"], of_path["hyperparameters"]
                read = dataset if genotypes is None else with_genotypes_of(dataset, str(genotypes), other)
                result = together or fit_dataset(read, name, hyperparameters, protocol, of_dataset, say)
                if writes:
                    write_predictions(part, {dataset.content_hash: result}, of_path | shared)
            fits[dataset.content_hash] = result
            settings[dataset.content_hash] = of_path["hyperparameters"]
    if not writes:
        return
    same = all(of_path == chosen[0] for of_path in chosen)
    write_predictions(out, fits, chosen[0] | shared | ({} if same else {"hyperparameters": settings}))
    write_runtime(
        runtime,
        stage="fit",
        model=label,
        n_rows=len(datasets),
        seconds=sum(result.seconds for result in fits.values()),
        cpu_seconds=sum(result.cpu_seconds for result in fits.values()),
        device=next(iter(fits.values())).device,
    )
    shutil.rmtree(parts)
    print(f"{out}: {label} fitted to {len(datasets)} dataset{'s' * (len(datasets) != 1)}")


def _part(parts: Path, dataset: Dataset) -> Path:
    return parts / f"{dataset.content_hash}.h5"


def _fitted_together(
    paths: list[Path],
    chosen: list[dict[str, Any]],
    protocol: EvaluationSpec,
    seed: int,
    finished: Callable[[Dataset], FitResult | None],
) -> dict[str, FitResult]:
    """Fit at once what is faster at once: replicates with equal settings, small networks on a GPU."""
    from gpatlas.fitting import fit_datasets, fits_together
    from gpatlas.models import make

    name, hyperparameters = chosen[0]["model"], chosen[0]["hyperparameters"]
    network = make(name, **hyperparameters).uses_validation
    if not network or len(paths) < 2 or any(other != chosen[0] for other in chosen):
        return {}
    if not fits_together(read_dataset(paths[0]), name, hyperparameters):
        return {}
    left = [dataset for dataset in map(read_dataset, paths) if finished(dataset) is None]
    seeds = [stable_seed(seed, dataset.content_hash, chosen[0]["label"], bits=31) for dataset in left]
    results = fit_datasets(left, name, hyperparameters, protocol, seeds) if len(left) > 1 else None
    return {result.dataset_hash: result for result in results or []}


def _chosen(model: str | None, preset: str | None, hparams: list[Path], n_datasets: int) -> list[dict[str, Any]]:
    """Return the settings for every dataset."""
    if len(hparams) not in (0, 1, n_datasets):
        raise ConfigError(f"--hparams is given {len(hparams)} times for {n_datasets} datasets; once, or once for each")
    paths: list[Path | None] = [*hparams] or [None]
    chosen = [chosen_model(model, preset, path) for path in paths]
    for path, other in zip(hparams, chosen, strict=False):
        if (other["label"], other["model"]) != (chosen[0]["label"], chosen[0]["model"]):
            raise ConfigError(
                f"--hparams {path} is of {other['label']}, {hparams[0]} of {chosen[0]['label']}; "
                f"a predictions file is of one model"
            )
    return chosen * (n_datasets // len(chosen))


def _say_missing(dataset: Dataset, path: Path) -> None:
    for name, count in zip(as_text(dataset.trait_id), np.isnan(dataset.phenotypes).sum(axis=0), strict=True):
        if count:
            print(f"{path}: {name}: {count} of {dataset.n_samples} phenotypes are missing and left out")
