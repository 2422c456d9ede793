"""`gpatlas tune`: hyperparameters chosen on validation samples."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gpatlas.cli import app
from gpatlas.cli.configure import FIGURE_FORMATS
from gpatlas.cli.measure import write_runtime
from gpatlas.cli.progress import progress
from gpatlas.cli.settings import chosen_model, write_hparams
from gpatlas.errors import ConfigError
from gpatlas.io import read_dataset

_SHOWN = 5


@app.command()
def tune(
    dataset: Annotated[Path, typer.Argument(help="Dataset file; its test samples are not looked at.")],
    study: Annotated[Path, typer.Option(help="Journal of the trials. An existing one is gone on with.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="JSON file to write, for `gpatlas fit --hparams`.")],
    model: Annotated[str | None, typer.Option(help="Model name, e.g. mlp.")] = None,
    preset: Annotated[str | None, typer.Option(help="Named hyperparameters that the space varies around.")] = None,
    hparams: Annotated[
        Path | None, typer.Option(help="JSON of `gpatlas hparams`, instead of --model and --preset.")
    ] = None,
    space: Annotated[str, typer.Option(help="What to vary, see config/README.md.")] = "default",
    n_trials: Annotated[int, typer.Option(min=1, help="Trials in all, with those that the journal holds.")] = 20,
    pruner: Annotated[
        Literal["median", "none"], typer.Option(help="Stop trials that do worse than the median, or none.")
    ] = "median",
    seed: Annotated[int, typer.Option(min=0, help="Root of random numbers.")] = 1,
    figure: Annotated[Path | None, typer.Option(help="Also draw the trials (.svg, .png or .pdf).")] = None,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Search for good hyperparameters.

    Trials are fitted to training samples and compared on validation samples. A killed run goes on where it was, and
    several may work on one journal.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas tune population.h5 --model linear_sgd --n-trials 3 --study study.journal --out tuned.json
    """
    from gpatlas.models import search_space

    if figure is not None and figure.suffix not in FIGURE_FORMATS:
        raise ConfigError(f"--figure {figure}: the name must end in {', '.join(FIGURE_FORMATS)}")
    chosen = chosen_model(model, preset, hparams)
    ranges = search_space(chosen["model"], space)

    import pandas as pd

    from gpatlas.io.tables import write_table
    from gpatlas.tuning import tune_dataset

    view = read_dataset(dataset).without_test()
    _announce(chosen, ranges, view, n_trials)
    finished = ran = 0
    with progress(f"tune {chosen['label']}") as report:

        def after_epoch(epoch: int, epochs: int, loss: float) -> None:
            report(finished, n_trials, f"trials; epoch {epoch} of {epochs}, validation loss {loss:.4g}")

        def after_trial(row: dict[str, Any], in_all: int) -> None:
            nonlocal finished, ran
            finished, ran = in_all, ran + 1
            report(finished, n_trials, "trials")
            drawn = ", ".join(f"{key} {_text(row[key])}" for key in ranges)
            value = _text(row["value"]) if row["state"] == "complete" else row["state"]
            print(f"trial {row['trial']}: {value}  ({drawn}; {row['epochs']} epochs, {row['fit_seconds']:.1f} s)")

        result = tune_dataset(
            view, chosen["model"], chosen["hyperparameters"], ranges, n_trials, seed, study,
            pruner=pruner, progress=after_epoch, on_trial=after_trial,
        )  # fmt: skip
    trials = pd.DataFrame(result.trials)
    table = study.with_suffix(".trials.csv")
    write_table(trials, table)
    tuned = {"space": space, "n_trials": len(trials), "predictive_ability": result.value, "seed": seed}
    write_hparams(out, chosen | {"hyperparameters": result.hyperparameters, "tuned": tuned})
    if figure is not None:
        from gpatlas.plotting.style import save
        from gpatlas.plotting.tuning import plot_tuning
        from gpatlas.tuning import importances

        save(plot_tuning(trials, importances(result.trials, ranges)), figure)
    write_runtime(
        runtime, stage="tune", model=chosen["label"], n_rows=1, n_trials=ran,
        seconds=result.seconds, fit_seconds=result.fit_seconds, cpu_seconds=result.cpu_seconds,
    )  # fmt: skip
    _show(trials, list(ranges))
    if ran:
        ratio = result.seconds / max(result.fit_seconds, 1e-9)
        print(f"{result.seconds:.1f} s, of which {result.fit_seconds:.1f} s fitting models ({ratio:.2f} times)")
    if len(trials) > ran:
        print(f"{len(trials) - ran} of {len(trials)} trials were in {study} or came from other processes")
    written = ", ".join(str(path) for path in (out, table, figure) if path is not None)
    print(f"{written}: {chosen['label']}, predictive ability {result.value:.3f} on validation")


def _announce(chosen: dict[str, Any], ranges: dict[str, Any], view: Any, n_trials: int) -> None:
    """Say what will be done, and what it may cost."""
    from gpatlas.config.experiment import VALIDATION_SHARE
    from gpatlas.cost import calibrate, duration, seconds_of_fit
    from gpatlas.dataset import Fold
    from gpatlas.models import make
    from gpatlas.tuning.search import selection_rows

    train, stop = selection_rows(view)
    print(f"tune {chosen['label']}: up to {n_trials} trials, {len(train)} samples to fit, {len(stop)} to compare")
    if not len(view.rows(Fold.validation)):
        print(f"no validation fold: the last {VALIDATION_SHARE:.0%} of the training samples take its place")
    for key, range_ in ranges.items():
        print(f"  {key}: {range_.describe()}")
    machine = calibrate(1, processes=False, torch=False)
    estimator = make(chosen["model"], **chosen["hyperparameters"])
    one = seconds_of_fit(estimator, len(train), view.n_loci, view.n_traits, machine)
    print(
        f"Estimate: {duration(n_trials * one)}, were all trials as large as the given hyperparameters and none stopped"
    )


def _show(trials: Any, keys: list[str]) -> None:
    """Print the best trials."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, header_style="bold")
    columns = ["trial", "value", "validation_loss", "epochs", *keys]
    for name in columns:
        grid.add_column(name, justify="right", no_wrap=True)
    best = trials[trials.state == "complete"].sort_values("value", ascending=False, kind="stable").head(_SHOWN)
    for row in best[columns].to_dict("records"):
        grid.add_row(*(_text(row[name]) for name in columns))
    counts = ", ".join(f"{count} {state}" for state, count in trials.state.value_counts().items())
    console = Console(highlight=False, soft_wrap=True)
    console = console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=140)
    console.print(f"\nBest of {len(trials)} trials ({counts}):")
    console.print(grid)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
