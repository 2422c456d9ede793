"""Where training gets its batches from: worker processes, a cache, or a queue. All give the same batches."""

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Protocol

from gpatlas.errors import StoreError
from gpatlas.gpfn.batch_files import BatchFiles
from gpatlas.gpfn.queue import Queue
from gpatlas.gpfn.schedule import Schedule
from gpatlas.priors import Task

_AHEAD = 3  # batches per worker that are drawn before training asks for them


class Draws(Protocol):
    """A source of numbered batches."""

    def batches(self, start: int, members: range) -> Iterator[list[Task]]:
        """Yield some members of each batch, from `start` to the last."""
        ...

    def commit(self, position: int) -> None:
        """Take note that a checkpoint has seen all batches before `position`."""
        ...


class Here:
    """Draws made by worker processes while training goes on; without workers, by training itself.

    Parameters
    ----------
    schedule
        Which batches.
    workers
        Processes that draw.
    """

    def __init__(self, schedule: Schedule, workers: int = 0):
        self._schedule, self._workers = schedule, workers

    def batches(self, start: int, members: range) -> Iterator[list[Task]]:
        """Yield some members of each batch, from `start` to the last."""
        last = self._schedule.spec.n_batches
        if not self._workers:
            yield from (self._schedule.tasks(batch, members) for batch in range(start, last))
            return
        # a forked process would share locks with threads that it lacks
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self._workers, mp_context=context) as pool:
            waiting: deque[Future[list[Task]]] = deque()
            try:
                for batch in range(start, last):
                    waiting.append(pool.submit(self._schedule.tasks, batch, members))
                    if len(waiting) == _AHEAD * self._workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def commit(self, position: int) -> None:
        """Do nothing: draws are made again at will."""


class Cached:
    """Draws that lie in a folder, for any number of trainings.

    Parameters
    ----------
    folder
        Filled by `gpatlas gpfn draw`.
    schedule
        Which batches.

    Raises
    ------
    StoreError
        The cache lacks batches.
    """

    def __init__(self, folder: Path, schedule: Schedule):
        if not (folder / "draws.json").exists():
            raise StoreError(f"{folder}: no cache of draws; make one with `gpatlas gpfn draw`")
        self._files = BatchFiles(folder, schedule)
        self._n = schedule.spec.n_batches
        absent = sorted(set(range(self._n)) - set(self._files.present()))
        if absent:
            raise StoreError(
                f"{folder}: {len(absent)} of {self._n} batches are absent, the first is {absent[0]}; "
                "finish the cache with `gpatlas gpfn draw`"
            )

    def batches(self, start: int, members: range) -> Iterator[list[Task]]:
        """Yield some members of each batch, from `start` to the last."""
        return (self._files.read(batch, members) for batch in range(start, self._n))

    def commit(self, position: int) -> None:
        """Do nothing: a cache stays."""


class Queued:
    """Draws from a queue, which generators fill as long as training takes from it.

    Parameters
    ----------
    queue
        The queue.
    leads
        Whether this process moves the queue's position; of several that train together, the first one does.
    """

    def __init__(self, queue: Queue, leads: bool = True):
        self._queue, self._leads = queue, leads

    def batches(self, start: int, members: range) -> Iterator[list[Task]]:
        """Yield some members of each batch, from `start` to the last, waiting for each batch."""
        if self._leads:
            self._queue.lead(start)
        return self._queue.consume(start, members)

    def commit(self, position: int) -> None:
        """Let go of the batches before `position`."""
        self._queue.commit(position)
