"""Work that processes share: flows ask for jobs, every job is done once, and its result is kept in a journal.

A flow is a generator that yields jobs and is sent their results. What it asks for next may depend on results alone, so
that every process follows the same flows, whoever does the jobs, and a run that was killed goes on where it stopped.
"""

import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from gpatlas.errors import StoreError
from gpatlas.tuning.study import INDEX, POLL_SECONDS, SharedStudy

RESULT = "result"  # attribute of a trial that holds what a job returned

Result = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """Something to do: `key` says what, completely; `run` does it and returns what JSON can hold."""

    key: str
    run: Callable[[], Result]


Flow = Generator[Sequence[Job], Mapping[str, Result], Any]
OnResult = Callable[[Mapping[str, Result]], None]


def key_of(*parts: Any) -> str:
    """Return the key of a job from what it is."""
    return json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)


def run_flows(
    flows: Mapping[str, Flow], journal: Path, identity: Mapping[str, Any], on_result: OnResult | None = None
) -> dict[str, Any]:
    """Run flows to their ends, with whichever other processes run the same ones on the same journal.

    Parameters
    ----------
    flows
        By name; earlier ones have their jobs done first.
    journal
        File of results; an existing one is gone on with.
    identity
        What makes results the same; a journal of something else is refused.
    on_result
        Called after every job, here or elsewhere, with all results so far.

    Returns
    -------
    dict
        What each flow returned.

    Raises
    ------
    ConfigError, StoreError
        See `SharedStudy`.
    """
    study = SharedStudy(journal, identity, seed=0)
    waiting: dict[str, Sequence[Job]] = {}
    returned: dict[str, Any] = {}
    try:
        with closing(study):
            results = _results(study)
            while True:
                for name, flow in flows.items():
                    if name not in returned and all(job.key in results for job in waiting.get(name, ())):
                        _advance(name, flow, waiting, returned, results)
                if len(returned) == len(flows):
                    return returned
                jobs = {job.key: job for asked in waiting.values() for job in asked if job.key not in results}
                trial = study.claim(jobs)
                if trial is None:  # the rest is being done elsewhere
                    time.sleep(POLL_SECONDS)
                else:
                    try:
                        trial.set_user_attr(RESULT, jobs[trial.user_attrs[INDEX]].run())
                        study.tell(trial, TrialState.COMPLETE, 0.0)
                    finally:
                        study.release(trial)
                known, results = len(results), _results(study)
                if on_result is not None and len(results) > known:
                    on_result(results)
    except OSError as error:
        if isinstance(error, StoreError) or error.errno is None:  # not of a file but of a library
            raise
        raise StoreError(f"cannot write {journal}: {error.strerror}") from None


def _advance(
    name: str,
    flow: Flow,
    waiting: dict[str, Sequence[Job]],
    returned: dict[str, Any],
    results: Mapping[str, Result],
) -> None:
    """Send a flow what it waits for, until it waits for something that is not done."""
    try:
        while all(job.key in results for job in waiting.get(name, ())):
            if name in waiting:
                waiting[name] = flow.send({job.key: results[job.key] for job in waiting[name]})
            else:
                waiting[name] = next(flow)
    except StopIteration as end:
        returned[name] = end.value
        waiting.pop(name, None)


def _results(study: SharedStudy) -> dict[str, Result]:
    return {trial.user_attrs[INDEX]: trial.user_attrs[RESULT] for trial in study.finished()}
