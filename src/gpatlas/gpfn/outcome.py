"""What training leaves: a checkpoint, tables of its curves and their picture."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path

from gpatlas import __version__
from gpatlas.config.pretrain import PretrainSpec
from gpatlas.gpfn.calibration import interval_factor
from gpatlas.gpfn.schedule import Schedule
from gpatlas.io.checkpoints import Checkpoint, write_checkpoint
from gpatlas.io.tables import write_table
from gpatlas.priors import Task
from gpatlas.train.state import State

CHECKPOINT = "checkpoint.safetensors"
Report = Callable[[int, int], None]


def write_trained(
    state: State, spec: PretrainSpec, folder: Path, report: Report = lambda done, total: None
) -> tuple[Path, float]:
    """Write the averaged weights with all that is needed to use and to remake them; return the file, and the factor.

    Intervals are adjusted first, `report` being told of every population that this takes.
    """
    network, schedule = copy.deepcopy(state.network), Schedule(spec)
    network.load_state_dict(state.average)
    factor = interval_factor(network.eval(), _told(schedule, report))
    about = {
        "network": network.settings | {"interval_factor": network.settings["interval_factor"] * factor},
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
    return path, factor


def _told(schedule: Schedule, report: Report) -> Iterator[Task]:
    total = schedule.spec.n_calibration * len(schedule.weights)
    for done, task in enumerate(schedule.calibration(), start=1):
        yield task
        report(done, total)


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
