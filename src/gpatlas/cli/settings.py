"""Which model with which settings: from a name and a preset, or from the JSON of `gpatlas hparams` and `tune`."""

import json
from pathlib import Path
from typing import Any

from gpatlas.errors import ConfigError, StoreError
from gpatlas.io.atomic import atomic_path

_KEYS = ("label", "model", "hyperparameters")


def chosen_model(model: str | None, preset: str | None, hparams: Path | None) -> dict[str, Any]:
    """Return label, model and hyperparameters of what a user asked for.

    Raises
    ------
    ConfigError
        Neither or both of a name and a file, an unknown model or preset, or a file that is something else.
    StoreError
        The file cannot be read.
    """
    if (model is None) == (hparams is None):
        raise ConfigError("say which model: either --model or --hparams")
    if hparams is not None:
        if preset is not None:
            raise ConfigError(f"--preset {preset} goes with --model; {hparams} holds all hyperparameters")
        return read_hparams(hparams)
    from gpatlas.models import make

    made = make(str(model), preset=preset)
    parameters = {k: v for k, v in made.get_params(deep=False).items() if k != "random_state"}
    return {"label": model, "model": model, "hyperparameters": parameters}


def read_hparams(path: Path) -> dict[str, Any]:
    """Read label, model and hyperparameters; how they were tuned is left out.

    Raises
    ------
    ConfigError
        Not JSON, or not what `gpatlas hparams` writes.
    StoreError
        The file cannot be read.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        where, what = (f", line {error.lineno}", error.msg) if isinstance(error, json.JSONDecodeError) else ("", error)
        raise ConfigError(f"{path}{where}: not valid JSON: {what}") from None
    absent = [key for key in _KEYS if not isinstance(record, dict) or key not in record]
    if absent:
        raise ConfigError(f"{path}: key '{absent[0]}' is missing; make the file with `gpatlas hparams`")
    return {key: record[key] for key in _KEYS}


def write_hparams(path: Path, record: dict[str, Any]) -> None:
    """Write label, model and hyperparameters as JSON.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
