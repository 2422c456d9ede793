"""Batches of draws as files: a folder of them is a cache that stays, or a queue that is consumed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gpatlas.errors import ConfigError
from gpatlas.gpfn.schedule import Schedule
from gpatlas.io.arrays import read_arrays, write_arrays
from gpatlas.io.locks import ByteLocks
from gpatlas.io.tables import read_entry, write_json
from gpatlas.packed import PackedDosages
from gpatlas.priors import Task

_ARRAYS = ("chromosome", "position", "phenotype", "genetic_value", "context")
_PER_FOLDER = 1000
_MARK = 1 << 41  # byte of the lock of who says whose batches they are


class BatchFiles:
    """A folder that holds numbered batches of one schedule.

    Parameters
    ----------
    folder
        Made if absent.
    schedule
        Whose batches they are.
    replace
        Delete batches of another recipe; whoever comes first does it.

    Raises
    ------
    ConfigError
        The folder holds draws of another recipe, and is not to be replaced.
    """

    def __init__(self, folder: Path, schedule: Schedule, replace: bool = False):
        self.folder, self.schedule = folder, schedule
        if not replace:
            self._claim()
            return
        with ByteLocks(folder / "locks").holding(_MARK):
            self._claim(replace=True)

    def _claim(self, replace: bool = False) -> None:
        mark = self.folder / "draws.json"
        if mark.exists():
            found = read_entry(mark, "mark", str)
            if found == self.schedule.mark:
                return
            if not replace:
                raise ConfigError(
                    f"{self.folder} holds draws of another recipe or version ({found}, not {self.schedule.mark}); "
                    "use another folder, or delete it"
                )
            self.delete(self.present())
        write_json({"mark": self.schedule.mark, "draws": self.schedule.of_draws}, mark)

    def path(self, batch: int) -> Path:
        """Where a batch lies."""
        return self.folder / f"{batch // _PER_FOLDER:04d}" / f"{batch:07d}.safetensors"

    def has(self, batch: int) -> bool:
        """Whether a batch is there, whole."""
        return self.path(batch).exists()

    def present(self) -> list[int]:
        """Numbers of the batches that are there, ascending."""
        return sorted(int(path.stem) for path in self.folder.glob("[0-9]*/[0-9]*.safetensors"))

    def unfinished(self) -> list[tuple[int, Path]]:
        """Files that a maker has not finished, with the number of the batch."""
        return [(int(path.name[1:].split(".")[0]), path) for path in self.folder.glob("[0-9]*/.[0-9]*.part")]

    def make(self, batch: int) -> None:
        """Draw a batch and write it."""
        tasks = self.schedule.tasks(batch)
        arrays = {name: np.stack([getattr(task, name) for task in tasks]) for name in _ARRAYS}
        arrays["genotypes"] = np.stack([PackedDosages.pack(task.genotypes).bits for task in tasks])
        described = [
            {key: value for key, value in vars(task).items() if key not in (*_ARRAYS, "genotypes")} for task in tasks
        ]
        write_arrays(self.path(batch), arrays, {"batch": batch, "tasks": described})

    def read(self, batch: int, members: range) -> list[Task]:
        """Read some members of a batch.

        Raises
        ------
        StoreError
            It is not there.
        """
        arrays, record = read_arrays(self.path(batch))
        return [_task(arrays, record["tasks"][member], member) for member in members]

    def delete(self, batches: Sequence[int]) -> None:
        """Delete batches; those that are gone already are passed over."""
        for batch in batches:
            self.path(batch).unlink(missing_ok=True)


def _task(arrays: dict, described: dict, number: int) -> Task:
    n_markers = arrays["position"].shape[1]
    return Task(
        genotypes=PackedDosages(arrays["genotypes"][number], n_markers).unpack(),
        **{name: arrays[name][number] for name in _ARRAYS},
        **described,
    )
