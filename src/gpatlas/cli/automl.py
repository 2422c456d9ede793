"""`gpatlas automl`: which model predicts a trait best, by how much, and a model to predict with."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gpatlas.cli import app
from gpatlas.cli.measure import cpu_seconds, write_runtime
from gpatlas.cli.progress import progress
from gpatlas.cli.words import listed
from gpatlas.errors import ConfigError, did_you_mean


@app.command()
def automl(
    genotypes: Annotated[Path, typer.Argument(help="Dataset file, VCF, PLINK, HapMap or table of dosages.")],
    trait: Annotated[str, typer.Option(help="Trait to predict, or one that several environments share.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of results.")],
    phenotypes: Annotated[Path | None, typer.Option(help="Table of phenotypes, joined by the samples' names.")] = None,
    covariates: Annotated[Path | None, typer.Option(help="Table of covariates, joined by name.")] = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option(
            help="Covariate to use, also a column of --phenotypes; repeatable. By default all of the file and table."
        ),
    ] = None,
    family: Annotated[str | None, typer.Option(help="Column of --phenotypes with families, to keep together.")] = None,
    kind: Annotated[
        Literal["continuous", "binary", "multiclass"] | None, typer.Option(help="By default what the values tell.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="Score to select by: auc, log_loss, … or r, mse, …; auc or r by default.")
    ] = None,
    candidates: Annotated[
        str | None, typer.Option(help="Names, comma-separated, such as rrblup,lasso; all but the slow by default.")
    ] = None,
    budget_fits: Annotated[int, typer.Option(min=1, help="Model fits of one search; reproducible.")] = 100,
    budget_seconds: Annotated[
        float | None, typer.Option(help="Instead: seconds of fitting in all, added over processes.")
    ] = None,
    outer: Annotated[str, typer.Option(help="Folds × repeats that judge the whole search.")] = "5x2",
    inner: Annotated[int, typer.Option(min=2, help="Folds that a search compares by.")] = 5,
    stack: Annotated[bool, typer.Option("--stack/--no-stack", help="Average models where that is better.")] = True,
    one_se: Annotated[
        bool, typer.Option("--one-se", help="Take the cheapest within a standard error of the best.")
    ] = False,
    permutations: Annotated[int, typer.Option(min=0, help="Runs with permuted phenotypes.")] = 20,
    families: Annotated[
        bool, typer.Option("--families/--no-families", help="Keep families together, where they are named.")
    ] = True,
    seed: Annotated[int, typer.Option(min=0, help="Root of random numbers.")] = 1,
    explained: Annotated[
        bool, typer.Option("--explain/--no-explain", help="Importance, SHAP values, effects, breeding values.")
    ] = True,
    cores: Annotated[int, typer.Option(min=1, help="Processes that work together.")] = 1,
    journal: Annotated[Path | None, typer.Option(help="Journal of results, to share; by default one in --out.")] = None,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Find the best predictor of a trait.

    Candidates, their hyperparameters and averages of them compete; the whole search is judged on samples that it
    never saw. A killed run goes on where it was, and several may work on one journal. Writes tables, a report and
    the model.

    \b
    Example:
      gpatlas simulate-cohort --out clinic.h5
      gpatlas automl clinic.h5 --trait Status --candidates lasso,rrblup --budget-fits 10 --outer 3x1 --out status
    """
    from gpatlas.automl.ceiling import ceiling
    from gpatlas.automl.explain import explain, write_explanation
    from gpatlas.automl.folder import MODEL, write_model, write_outcome
    from gpatlas.automl.outcome import automl as run_automl
    from gpatlas.automl.outcome import study_identity, units_done, units_in_all
    from gpatlas.automl.settings import Settings
    from gpatlas.automl.task import make_task
    from gpatlas.report.automl import write_automl_report
    from gpatlas.seeding import stable_seed

    folds, repeats = _outer(outer)
    settings = Settings(
        candidates=() if candidates is None else tuple(listed(candidates)) or ("",),  # none named
        metric=metric,
        budget_fits=budget_fits,
        budget_seconds=budget_seconds,
        outer_folds=folds,
        outer_repeats=repeats,
        inner_folds=inner,
        stack=stack,
        one_se=one_se,
        permutations=permutations,
        seed=seed,
    )
    dataset, said = _read(genotypes, phenotypes, covariates, covariate or [], family, trait, kind)
    task = make_task(dataset, trait, kind=kind, covariates=covariate, grouped=families)
    for _, text in [*said, *(("task", text) for text in task.account)]:
        print(text)
    mark = stable_seed(0, study_identity(task, settings), bits=32)
    _announce(task, settings, cores)
    start, cpu_start = time.perf_counter(), cpu_seconds()
    total = units_in_all(task, settings)
    unit = "fits" if budget_seconds is None else "seconds of fitting"
    with progress(f"automl {trait}") as report:
        outcome = run_automl(
            task,
            settings,
            journal or out / f"results-{mark:08x}.journal",
            processes=cores,
            on_result=lambda results: report(round(units_done(results, settings)), round(total), unit),
        )
    known, after = ceiling(dataset, task), []
    shutil.rmtree(out / "explanation", ignore_errors=True)  # that of an earlier run in this folder
    if explained:
        with progress(f"explain {trait}") as report:
            explanation = explain(outcome.estimator, task, seed, report)
        write_explanation(explanation, out / "explanation")
        after = [("explain", text) for text in explanation.methods.values()]
    write_outcome(outcome, out, known, said, after)
    write_model(outcome, dataset, covariate, out / MODEL)
    write_automl_report(out, out / "report.html")
    seconds = time.perf_counter() - start
    write_runtime(
        runtime, stage="automl", model="automl", n_rows=1, seconds=seconds, cpu_seconds=cpu_seconds() - cpu_start
    )
    for step in outcome.narrative():
        if step["step"] != "task":
            print(step["text"])
    _show(outcome, known)
    print(f"{out}: report.html, {MODEL} and tables, in {seconds:.0f} s")


def _outer(text: str) -> tuple[int, int]:
    from gpatlas.config.automl import folds_and_repeats

    try:
        return folds_and_repeats(text)
    except ValueError as error:
        raise ConfigError(f"--outer: {error}") from None


def _read(
    genotypes: Path,
    phenotypes: Path | None,
    covariates: Path | None,
    covariate: list[str],
    family: str | None,
    trait: str,
    kind: str | None,
) -> tuple[Any, list[tuple[str, str]]]:
    """Read and join; returns the dataset and what there is to say of it: (step, text)."""
    from gpatlas.dataset import as_text
    from gpatlas.io.genotypes import read_genotypes
    from gpatlas.io.phenotypes import column_names, read_covariates, read_phenotypes
    from gpatlas.joins import attach

    dataset = read_genotypes(genotypes)
    said = [("read", _sentence(text)) for text in dataset.provenance.get("account", [])]
    said += [("munge", text) for text in _munged(dataset.provenance.get("munge", {}))]
    said.append(("read", f"{genotypes.name}: {dataset.n_samples:,} samples × {dataset.n_loci:,} loci."))
    tables = []
    if phenotypes is not None:
        there = column_names(phenotypes)
        known = {*as_text(dataset.trait_id).tolist(), *(base for base, _ in dataset.environments.values())}
        if trait not in {*there, *known}:
            raise ConfigError(f"{phenotypes}: no column '{trait}'{did_you_mean(trait, there)}")
        alone = [trait] if trait in there else None
        elsewhere = set() if covariates is None else set(column_names(covariates))
        beside = [name for name in covariate if name in there and name not in elsewhere and name != trait]
        meant = {"multiclass": "categorical", "continuous": "numeric"}.get(str(kind))
        as_said: dict[str, Any] = {meant: alone} if meant and alone else {}
        tables.append(read_phenotypes(phenotypes, traits=alone, covariates=beside, family=family, **as_said))
    elif family is not None:
        raise ConfigError(f"--family {family} is a column of --phenotypes; give that, too")
    if covariates is not None:
        tables.append(read_covariates(covariates))
    if tables:
        dataset, account = attach(dataset, *tables)
        said += [("join", _sentence(text)) for text in account.sentences]
    return dataset, said


def _munged(record: dict[str, Any]) -> Iterator[str]:
    """Say what `gpatlas munge` dropped before."""
    for step in record.get("steps", []):
        yield f"{step['of'].capitalize()}, {step['what']}: {step['dropped']:,} dropped, {step['left']:,} left."


def _sentence(text: str) -> str:
    word = text.split(" ")[0]
    text = text[0].upper() + text[1:] if word.isalpha() and word.islower() else text  # but no file's name
    return text if text.endswith((".", "!")) else f"{text}."


def _announce(task: Any, settings: Any, cores: int) -> None:
    """Say what will be done, and about how long it takes."""
    from gpatlas.automl.nested import outer_folds
    from gpatlas.automl.price import seconds_of_run
    from gpatlas.cost import duration
    from gpatlas.wording import several

    names, folds = settings.competing(task.kind), outer_folds(task, settings)
    budget = f"{several(settings.budget_fits, 'fit')} in each search"
    if settings.budget_seconds is not None:
        budget = f"{settings.budget_seconds:g} s in all"
    print(f"{several(len(names), 'candidate')}, {budget}; {len(folds)} searches are judged, and one is of all samples.")
    print(folds.text)
    seconds = seconds_of_run(task.n_samples, task.X.shape[1], task.kind, len(folds), settings)
    print(f"Estimate: about {duration(seconds / cores)}, to the order of magnitude.")


def _show(outcome: Any, ceiling: dict[str, float] | None) -> None:
    """Print the leaderboard."""
    from rich.console import Console
    from rich.table import Table

    board, score = outcome.tables["leaderboard"], outcome.score
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("model", score.name, "95 % interval", "inner", "p", "weight", "fits", "s"):
        grid.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
    for row in board.itertuples():
        grid.add_row(
            row.model + " *" * row.chosen,
            f"{row.score:.3f}",
            f"{row.lower:.3f} to {row.upper:.3f}",
            "" if row.inner_score != row.inner_score else f"{row.inner_score:.3f}",
            "" if row.p_null != row.p_null else f"{row.p_null:.2g}",
            "" if not row.weight > 0 else f"{row.weight:.2f}",
            str(row.n_fits),
            f"{row.seconds:.1f}",
        )
    console = Console(highlight=False, soft_wrap=True)
    console = console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=140)
    console.print()
    console.print(grid)
    print(f"automl is the whole search, redone in every outer fold; * is what all samples chose: {outcome.chosen}.")
    if ceiling and score.name in ceiling:
        print(f"The best possible {score.text} of these data is {ceiling[score.name]:.3f}.")
