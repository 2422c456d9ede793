"""Scores that stay: a line of JSON for each model and case in a folder, so that work goes on where it stopped.

A network's scores lie in a folder that is named after its weights; those of the other models serve every checkpoint.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from gpatlas.cli.progress import progress
from gpatlas.errors import StoreError
from gpatlas.io.checkpoints import find_checkpoint
from tests.benchmarks.gpfn_gates.cases import COHORTS, how_many, make_case
from tests.benchmarks.gpfn_gates.judge import BASELINES, EVIDENCE, judge

UNTRAINED = "untrained"
_CASES_AT_ONCE = 10

Job = tuple[str, int, dict[str, dict[str, Any]]]  # group, number, label → settings


def models_of(group: str, checkpoint: str | None) -> dict[str, dict[str, Any]]:
    """Return what a group is predicted by: label → settings."""
    models: dict[str, dict[str, Any]] = {name: {} for name in BASELINES}
    if group in COHORTS:
        models[EVIDENCE] = {}
    return models if checkpoint is None else models | {label_of(checkpoint): _settings(checkpoint)}


def label_of(checkpoint: str) -> str:
    """Return `gpfn-` and eight digits of the hash of the checkpoint's file."""
    if checkpoint == UNTRAINED:
        return f"gpfn-{UNTRAINED}"
    return f"gpfn-{hashlib.sha256(find_checkpoint(checkpoint).read_bytes()).hexdigest()[:8]}"


def fill(folder: Path, groups: Sequence[str], populations: int, checkpoint: str | None, processes: int) -> None:
    """Judge what has not been judged yet."""
    jobs = [job for group in groups for job in _missing(folder, group, populations, checkpoint)]
    with progress("cases") as report:
        for done, (group, number, scores) in enumerate(_judged(jobs, processes), start=1):
            for label, row in scores.items():
                file = _file(folder, label, group)
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("a") as lines:
                    lines.write(json.dumps({"number": number, **row}) + "\n")
            report(done, len(jobs), group)


def load(folder: Path, groups: Sequence[str], populations: int, checkpoint: str | None) -> pd.DataFrame:
    """Return all scores of the cases that every model has, a row for each model and case; a network is `gpfn`.

    Raises
    ------
    StoreError
        A case is not the same for all: the priors or the cohorts have changed since the folder was begun.
    """
    tables = []
    for group in groups:
        labels = models_of(group, checkpoint)
        found = {label: _rows(_file(folder, label, group)) for label in labels}
        everywhere = set.intersection(*(set(rows) for rows in found.values()))
        everywhere &= set(range(how_many(group, populations)))
        first = next(iter(found.values()))
        for label, rows in found.items():
            for number in everywhere:
                if any(rows[number].get(key) != first[number].get(key) for key in ("n", "m", "h2")):
                    raise StoreError(
                        f"{folder}: case {number} of {group} is another one for {label} than for {next(iter(found))}; "
                        "judge into an empty folder"
                    )
            kept = [{"model": label.split("-")[0], "group": group, **rows[number]} for number in sorted(everywhere)]
            tables.append(pd.DataFrame(kept))
    return pd.concat(tables, ignore_index=True)


def _settings(checkpoint: str) -> dict[str, Any]:
    return {"checkpoint": None if checkpoint == UNTRAINED else str(find_checkpoint(checkpoint))}


def _missing(folder: Path, group: str, populations: int, checkpoint: str | None) -> list[Job]:
    models = models_of(group, checkpoint)
    done = {label: _rows(_file(folder, label, group)) for label in models}
    numbers = range(how_many(group, populations))
    todo = ({label: s for label, s in models.items() if number not in done[label]} for number in numbers)
    return [(group, number, settings) for number, settings in zip(numbers, todo, strict=True) if settings]


def _judged(jobs: list[Job], processes: int) -> Iterator[tuple[str, int, dict[str, Any]]]:
    chunks = [jobs[start : start + _CASES_AT_ONCE] for start in range(0, len(jobs), _CASES_AT_ONCE)]
    if processes == 1:
        for chunk in chunks:
            yield from _judge_all(chunk)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(_judge_all, chunk) for chunk in chunks]):
            yield from future.result()


def _judge_all(jobs: list[Job]) -> list[tuple[str, int, dict[str, Any]]]:
    found = []
    for group, number, models in jobs:
        case = make_case(group, number)
        scores = {label: case.about | judge(label.split("-")[0], settings, case) for label, settings in models.items()}
        found.append((group, number, scores))
    return found


def _file(folder: Path, label: str, group: str) -> Path:
    return folder / label / f"{group}.jsonl"


def _rows(file: Path) -> dict[int, dict[str, Any]]:
    if not file.exists():
        return {}
    return {row["number"]: row for row in map(json.loads, file.read_text().splitlines())}
