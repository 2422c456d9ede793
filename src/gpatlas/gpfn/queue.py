"""A queue of batches in a folder, between processes that draw and one that trains.

Batches are numbered, and `position` is the first one that training may still need. Generators make what is missing of
the `capacity` batches from there on; who makes which is settled by locks, which the system drops with a process that
dies. Training takes batches in order. It moves the position, and deletes what lies before it, only after a checkpoint
that has seen them is on disk: whoever is killed, and whenever, no batch is lost and none is used twice, and there are
never more than `capacity` of them. Either side may start first.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from gpatlas.errors import ConfigError
from gpatlas.gpfn.batch_files import BatchFiles
from gpatlas.gpfn.schedule import Schedule
from gpatlas.io.locks import ByteLocks
from gpatlas.io.tables import read_entry, write_json
from gpatlas.priors import Task

_POLL_SECONDS = 0.1
_SAID_AFTER = 10.0  # seconds of waiting
# bytes of the locks: that of training, that of who says the capacity; a generator of batch k holds byte k + 1
_TRAINER, _CAPACITY = 0, 1 << 40
_USUAL_CAPACITY = 64


class Queue:
    """A bounded queue of numbered batches.

    Parameters
    ----------
    folder
        Where batches, position and locks lie.
    schedule
        Whose batches they are.
    capacity
        Most batches that lie in the folder. Who comes first says it for all: training must not wait for a batch that
        generators will not make before it has let go of others. None takes what was said, or 64.

    Raises
    ------
    ConfigError
        Another capacity was said before; or see `BatchFiles`.
    """

    def __init__(self, folder: Path, schedule: Schedule, capacity: int | None = None):
        self.files, self.schedule = BatchFiles(folder, schedule), schedule
        self._position = folder / "position.json"
        self._locks = ByteLocks(folder / "locks")
        self.capacity = self._agreed(folder / "capacity.json", capacity)

    def _agreed(self, path: Path, capacity: int | None) -> int:
        with self._locks.holding(_CAPACITY):
            if not path.exists():
                write_json({"capacity": capacity or _USUAL_CAPACITY}, path)
            found = read_entry(path, "capacity", int)
        if capacity not in (None, found):
            raise ConfigError(
                f"{path.parent} was made to hold {found} batches, not {capacity}; leave --capacity out, or use another "
                "folder"
            )
        return found

    @property
    def position(self) -> int:
        """First batch that training may still need."""
        return read_entry(self._position, "position", int) if self._position.exists() else 0

    def fill(self, made: Callable[[int], None] = lambda batch: None, wait: bool = True) -> int:
        """Make batches until training has all that it needs; return how many were made here.

        Parameters
        ----------
        made
            Called with every batch made.
        wait
            Whether to wait for room; False returns when there is none.
        """
        count = 0
        while (position := self.position) < self.schedule.spec.n_batches:
            batch = self._claim(position)
            if batch is None:
                if not wait:
                    break
                time.sleep(_POLL_SECONDS)
                continue
            try:
                if not self.files.has(batch) and batch >= self.position:  # another made it before the lock was ours
                    self.files.make(batch)
                    count += 1
                    made(batch)
            finally:
                self._locks.free(batch + 1)
        return count

    def _claim(self, position: int) -> int | None:
        """Return a missing batch whose lock is held now; None where all are there or being made."""
        for batch in range(position, min(position + self.capacity, self.schedule.spec.n_batches)):
            if not self.files.has(batch) and self._locks.hold(batch + 1, wait=False):
                return batch
        return None

    def lead(self, position: int) -> None:
        """Become the one that trains from this queue, from a position on.

        Raises
        ------
        ConfigError
            Another process is.
        """
        if not self._locks.hold(_TRAINER, wait=False):
            raise ConfigError(f"{self.files.folder}: another process trains from this queue; give each its own")
        self.commit(position)

    def consume(self, start: int, members: range) -> Iterator[list[Task]]:
        """Yield some members of each batch, from `start` on, waiting for each batch."""
        for batch in range(start, self.schedule.spec.n_batches):
            since, said = time.monotonic(), False
            while not self.files.has(batch):
                if not said and time.monotonic() - since > _SAID_AFTER:
                    warnings.warn(
                        f"waiting for batch {batch} of {self.files.folder}; `gpatlas gpfn draw --queue` fills it",
                        stacklevel=2,
                    )
                    said = True
                time.sleep(_POLL_SECONDS)
            yield self.files.read(batch, members)

    def commit(self, position: int) -> None:
        """Say that batches before `position` are used for good; they are deleted."""
        write_json({"position": position}, self._position)
        self.files.delete([batch for batch in self.files.present() if batch < position])
        for batch, path in self.files.unfinished():
            if not self._locks.held_by_another(batch + 1):  # its maker was killed
                path.unlink(missing_ok=True)
