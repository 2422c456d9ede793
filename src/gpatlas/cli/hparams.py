"""`gpatlas hparams`: the settings of a model, complete."""

from pathlib import Path
from typing import Annotated

import typer

from gpatlas.cli import app
from gpatlas.cli.settings import write_hparams
from gpatlas.config import ModelEntry, parse_mapping, read_experiment
from gpatlas.errors import ConfigError


@app.command()
def hparams(
    model: Annotated[str, typer.Option(help="Name of an entry under `models`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="JSON file to write.")],
    config: Annotated[Path | None, typer.Argument(help="Experiment YAML.")] = None,
    entry: Annotated[str | None, typer.Option(help="The workflow's way: the entry itself, as JSON.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Of a model with `init_from`: the checkpoint of that recipe.")
    ] = None,
) -> None:
    """Write the hyperparameters of a model.

    Complete: presets and defaults are filled in.

    \b
    Example:
      gpatlas hparams config/scaling.yaml --model mlp --out mlp.json
    """
    from gpatlas.models import make, search_space

    if (config is None) == (entry is None):
        raise ConfigError("say which settings: an experiment YAML, or --entry")
    if config is None:
        chosen = ModelEntry.parse(parse_mapping(str(entry), "--entry"), "--entry")
    else:
        models = read_experiment(config).models
        if model not in models:
            raise ConfigError(f"{config} has no model '{model}'; it has {', '.join(models)}")
        chosen = models[model]
    if chosen.tune is not None:
        search_space(chosen.model or model, chosen.tune.space)  # a misspelt one is said before anything is fitted
    if (chosen.init_from is None) != (checkpoint is None):
        needed = f"model {model} is made from recipe {chosen.init_from}: give its --checkpoint"
        raise ConfigError(needed if checkpoint is None else f"--checkpoint: model {model} has no key init_from")
    given = chosen.hyperparameters | ({} if checkpoint is None else {"checkpoint": str(checkpoint)})
    estimator = make(chosen.model or model, preset=chosen.preset, **given)
    settings = {k: v for k, v in estimator.get_params().items() if k != "random_state" or k in given}
    record = {"label": model, "model": chosen.model or model, "hyperparameters": settings}
    write_hparams(out, record)
