"""More processes on the same journal: each follows the same flows, and does the jobs that no other is doing."""

import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gpatlas.automl.board import run_flows
from gpatlas.automl.nested import flows
from gpatlas.automl.settings import Settings
from gpatlas.automl.task import Task
from gpatlas.errors import GpatlasError


@contextmanager
def helpers(count: int, task: Task, settings: Settings, journal: Path, identity: Mapping[str, Any]) -> Iterator[None]:
    """Have so many processes help for as long as a block of code lasts."""
    context = multiprocessing.get_context("spawn")  # a fork would inherit threads and locks of libraries
    started = [
        context.Process(target=_help, args=(task, settings, journal, dict(identity)), daemon=True) for _ in range(count)
    ]
    for process in started:
        process.start()
    try:
        yield
    finally:
        for process in started:  # what they were doing is done by now, or not wanted any more
            process.terminate()
            process.join()


def _help(task: Task, settings: Settings, journal: Path, identity: Mapping[str, Any]) -> None:
    try:
        run_flows(flows(task, settings), journal, identity)
    except (GpatlasError, KeyboardInterrupt):
        return  # the first process says it
