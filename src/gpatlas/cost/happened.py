"""What a run did cost, from what its jobs wrote beside their products."""

import json
from dataclasses import dataclass
from pathlib import Path

from gpatlas.design import Design, dataset_path, imputed_path, predictions_path, tuned_path
from gpatlas.errors import StoreError


@dataclass(frozen=True)
class Happened:
    """Cost of the finished jobs of one stage: CPU seconds of their processes (wall on a GPU), largest memory, bytes."""

    jobs: int
    seconds: float
    memory: float
    disk: float


def what_happened(design: Design, results: Path) -> tuple[dict[str, Happened], float]:
    """Gather what the jobs of an experiment did cost.

    Parameters
    ----------
    design
        The experiment.
    results
        Folder that holds results of experiments.

    Returns
    -------
    dict
        Name of a stage, as in `estimate`, to what happened; only stages of which a job has finished.
    float
        Seconds from the first product to the last; more than the experiment took if the run was interrupted, or
        did jobs of other experiments in between.

    Raises
    ------
    StoreError
        Nothing of the experiment is there.
    """
    folder = results / design.config.experiment
    products: dict[str, list[Path]] = {"simulate": [folder / dataset_path(row) for row in design.rows]}
    if design.imputed_panels:
        products["impute"] = [folder / imputed_path(panel) for panel in design.imputed_panels]
    if design.pretrained:
        products["pretrain"] = [folder / path for path in design.pretrained]
    for label in design.config.models:
        jobs = [job for job in design.jobs if label in design.models(job)]
        products[f"tune {label}"] = [
            folder / tuned_path(row, label) for job in jobs for row in design.tuned_rows(job, label)
        ]
        products[f"fit {label}"] = [folder / predictions_path(job, label) for job in jobs]
    return sum_up(products, folder)


def sum_up(products: dict[str, list[Path]], folder: Path) -> tuple[dict[str, Happened], float]:
    """Sum what the jobs of each stage did cost, as `what_happened`, from the products of all jobs."""
    happened, times = {}, []
    for stage, paths in products.items():
        there = [path for path in paths if path.exists() and path.with_suffix(".runtime.json").exists()]
        if there:
            happened[stage] = _sum(there)
            times += [path.stat().st_mtime for path in there]
    if not happened:
        raise StoreError(f"{folder} holds no finished job of {folder.name}; run it, then compare")
    ends = [path.stat().st_mtime for path in (folder / "config.json", folder / "report.html") if path.exists()]
    return happened, max(times + ends) - min(times + ends)


def _sum(products: list[Path]) -> Happened:
    records = [json.loads(path.with_suffix(".runtime.json").read_text(encoding="utf-8")) for path in products]
    on_gpu = [record.get("device", "cpu") != "cpu" for record in records]
    return Happened(
        len(records),
        sum(r["process_seconds" if gpu else "process_cpu_seconds"] for r, gpu in zip(records, on_gpu, strict=True)),
        max(record["max_rss_mb"] for record in records) * 1e6,
        sum(path.stat().st_size for path in products),
    )
