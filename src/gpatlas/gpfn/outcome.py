"""What training leaves: a checkpoint, tables of its curves and their picture."""

from pathlib import Path

from gpatlas import __version__
from gpatlas.config.pretrain import PretrainSpec
from gpatlas.gpfn.state import State
from gpatlas.io.checkpoints import Checkpoint, write_checkpoint
from gpatlas.io.tables import write_table

CHECKPOINT = "checkpoint.safetensors"


def write_trained(state: State, spec: PretrainSpec, folder: Path) -> Path:
    """Write the averaged weights with all that is needed to use and to remake them; return the file."""
    about = {
        "network": state.network.settings,
        "training": {
            "gpatlas": __version__,
            "recipe": spec.model_dump(mode="json"),
            "draws": state.batch * spec.batch_size,
            "draws_digest": state.digest,
            "validation": [row for row in state.validations if row["batch"] == state.batch],
        },
    }
    path = folder / CHECKPOINT
    write_checkpoint(Checkpoint({name: v.cpu().numpy() for name, v in state.average.items()}, about), path)
    return path


def write_curves(state: State, spec: PretrainSpec, folder: Path) -> None:
    """Write training.csv, validation.csv and their picture, curves.svg."""
    import pandas as pd

    from gpatlas.plotting.gpfn_training import plot_training
    from gpatlas.plotting.style import save

    losses = pd.DataFrame(
        [{"step": step, "draws": step * spec.batch_size, "loss": loss} for step, loss in state.losses]
    )
    validations = pd.DataFrame(state.validations).rename(columns={"batch": "step"})
    validations.insert(1, "draws", validations["step"] * spec.batch_size)
    write_table(losses, folder / "training.csv")
    write_table(validations, folder / "validation.csv")
    save(plot_training(losses, validations), folder / "curves.svg")
