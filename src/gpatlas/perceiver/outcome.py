"""What pretraining leaves: checkpoints, tables of its curves and of its accuracy, and their picture."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpatlas import __version__
from gpatlas.config import PerceiverRecipe
from gpatlas.io.tables import write_table
from gpatlas.perceiver.pretrained import CHECKPOINT, write_pretrained
from gpatlas.perceiver.state import PerceiverState

LAST = "last.safetensors"


def write_networks(
    state: PerceiverState, recipe: PerceiverRecipe, folder: Path, about: Mapping[str, Any] | None = None
) -> Path:
    """Write the best weights (checkpoint.safetensors) and the last (last.safetensors); return the former's path.

    Parameters
    ----------
    about
        JSON-like: what else a checkpoint should say.
    """
    last = copy.deepcopy(state.network)
    last.load_state_dict(state.average)
    for network, row, name in ((last, state.validations[-1:], LAST), (state.network, state.best_row, CHECKPOINT)):
        training = {
            "gpatlas": __version__,
            "recipe": recipe.model_dump(mode="json"),
            "steps": state.batch,
            "digest": state.digest,
            "validation": row,
        }
        write_pretrained(network, {**(about or {}), "training": training}, folder / name)
    return folder / CHECKPOINT


def write_curves(state: PerceiverState, folder: Path) -> None:
    """Write training.csv, validation.csv and their picture, curves.svg."""
    import pandas as pd

    from gpatlas.plotting.perceiver_training import plot_pretraining
    from gpatlas.plotting.style import save

    losses = pd.DataFrame(state.losses, columns=["step", "loss"])
    validations = pd.DataFrame(state.validations, columns=["step", "loss", "accuracy"])
    write_table(losses, folder / "training.csv")
    write_table(validations, folder / "validation.csv")
    save(plot_pretraining(losses, validations), folder / "curves.svg")


def write_imputation(table: list[dict[str, Any]], folder: Path) -> None:
    """Write imputation.csv, see `gpatlas.perceiver.accuracy.imputation_table`."""
    import pandas as pd

    write_table(pd.DataFrame(table, columns=["class", "n_calls", "model", "accuracy"]), folder / "imputation.csv")
