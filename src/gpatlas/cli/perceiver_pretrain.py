"""`gpatlas perceiver pretrain`: a checkpoint from genotypes and a recipe."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gpatlas.cli.measure import cpu_seconds, write_runtime
from gpatlas.cli.perceiver import perceiver
from gpatlas.cli.progress import progress
from gpatlas.cli.words import say
from gpatlas.config import PerceiverRecipe, parse_mapping, read_yaml
from gpatlas.errors import ConfigError
from gpatlas.wording import several

if TYPE_CHECKING:
    from gpatlas.perceiver.state import PerceiverState
    from gpatlas.train.precision import Arithmetic

_FIRST_STEPS = 5  # that an estimate of the time is made from


@perceiver.command()
def pretrain(
    file: Annotated[Path, typer.Argument(help="Genotypes: a dataset file, or any format that `gpatlas import` reads.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the checkpoint, its curves and its state.")],
    recipe: Annotated[Path | None, typer.Option(help="YAML or JSON of a recipe; without one, the defaults.")] = None,
    recipe_text: Annotated[str | None, typer.Option(help="The recipe itself, as JSON or YAML.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE of the recipe instead of the file's; repeatable, e.g. network.width=64."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Start anew where the folder is of another recipe or of other genotypes."),
    ] = False,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Pretrain a network on genotypes: it learns to say which calls were hidden.

    Phenotypes are not read: samples of every fold serve. Some individuals are held out to measure progress on, and
    hidden calls that the network gets right are counted there, beside nearest neighbours in a window and the most
    frequent call. The same recipe and genotypes give the same checkpoint on any CPU; start an interrupted command
    again and it goes on. Several processes share every batch by
    `torchrun --nproc_per_node N -m gpatlas perceiver pretrain …`.

    The example shows the command alone: that population has no linkage disequilibrium, so that nobody can know its
    hidden calls.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas perceiver pretrain population.h5 --set n_steps=200 --out pretrained
    """
    from gpatlas.cost import duration
    from gpatlas.dataset import as_text
    from gpatlas.io.genotypes import read_genotypes
    from gpatlas.nn.perceiver.layout import Layout, account_of_places
    from gpatlas.perceiver.accuracy import imputation_table, overall
    from gpatlas.perceiver.outcome import write_curves, write_imputation, write_networks
    from gpatlas.perceiver.pretraining import pretrain as by_recipe

    spec = read_recipe(recipe, recipe_text, set_ or [])
    arithmetic = _arithmetic(device)
    dataset = read_genotypes(file)
    layout, order = Layout.of(dataset)
    codes = dataset.allele_codes()[:, order]
    leads = os.environ.get("RANK", "0") == "0"
    start, cpu_start = time.perf_counter(), cpu_seconds()
    if leads:
        print(
            f"{file}: {several(len(codes), 'sample')} × {several(layout.n_loci, 'marker')} on "
            f"{several(int(layout.number[-1]) + 1, 'chromosome')}, "
            f"ploidy {layout.ploidy}, {layout.n_alleles} alleles, {(codes == 0).mean():.1%} of calls missing"
        )
        say(account_of_places(dataset))
    first: list[tuple[int, float]] = []

    def report(state: "PerceiverState") -> None:
        if not leads:
            return
        if len(first) <= _FIRST_STEPS:
            first.append((state.batch, time.perf_counter()))
        if len(first) == 1 and state.batch > 1:
            print(f"{out}: goes on after step {state.batch - 1:,} of {spec.n_steps:,}", flush=True)
        if len(first) == _FIRST_STEPS + 1 and first[-1][0] == state.batch:
            per_step = (first[-1][1] - first[0][1]) / _FIRST_STEPS
            print(
                f"{out}: {several(spec.n_steps - state.batch, 'step')} to go, at most "
                f"{duration(per_step * (spec.n_steps - state.batch))} on {arithmetic.describe()}",
                flush=True,
            )
        tell(state.batch, spec.n_steps, _note(state))
        if state.losses and state.losses[-1][0] == state.batch:
            write_curves(state, out)

    with progress("pretrain") as tell:
        state = by_recipe(codes, layout, spec, arithmetic, out, report, replace=replace)
    if not leads:
        return
    if not first:
        print(f"{out}: had been trained before; --replace trains anew only another recipe or other genotypes")
    about: dict[str, Any] = {}
    if dataset.alleles is not None:
        about["alleles"] = as_text(dataset.alleles[order]).tolist()
    path = write_networks(state, spec, out, about)
    write_curves(state, out)
    n_weights = sum(p.numel() for p in state.network.parameters())
    ended = "" if state.batch == spec.n_steps else ", when progress had ended"
    print(f"{path}: {n_weights:,} weights, {state.batch:,} steps{ended}, {duration(state.seconds)}; {_note(state)}")
    told = spec.objective == "masked" or spec.allele_weight > 0  # a network that tells numbers shared tells no alleles
    table = imputation_table({"perceiver": state.network}, codes, layout, spec) if told else []
    write_imputation(table, out)
    if right := overall(table):
        say(
            [
                f"hidden calls of held-out samples that are right: {right['perceiver']:.3f} by the network, "
                f"{right['knn']:.3f} by nearest neighbours in a window, {right['most_frequent']:.3f} by the most "
                f"frequent call ({out / 'imputation.csv'}: by allele frequency; {out / 'curves.svg'}: the course)"
            ]
        )
    seconds = {"seconds": time.perf_counter() - start, "cpu_seconds": cpu_seconds() - cpu_start}
    write_runtime(runtime, stage="pretrain", n_rows=1, device=arithmetic.describe(), **seconds)


def read_recipe(file: Path | None, text: str | None, changes: list[str]) -> PerceiverRecipe:
    """Read a recipe, and change what the command line says otherwise.

    Raises
    ------
    ConfigError
        Both a file and a text are given, or the recipe is wrong.
    """
    if file is not None and text is not None:
        raise ConfigError("a recipe comes from --recipe or from --recipe-text, not from both")
    source = str(file) if file is not None else "--recipe-text" if text is not None else "--set"
    section = read_yaml(file) if file is not None else parse_mapping(text or "{}", source)
    if len(changes) == 1:
        source = f"--set {changes[0]}" if source == "--set" else f"{source}, --set {changes[0]}"
    for change in changes:
        key, equals, _ = change.partition("=")
        if not equals:
            raise ConfigError(f"--set {change}: expected KEY=VALUE, such as n_steps=500")
        place = section
        *parents, last = key.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise ConfigError(f"--set {change}: {parent} has no keys of its own")
        place[last] = parse_mapping(f"value: {change.partition('=')[2]}", f"--set {change}")["value"]
    return PerceiverRecipe.parse(section, source)


def _arithmetic(device: str) -> "Arithmetic":
    """Choose bf16 where a GPU multiplies it, and float32 elsewhere: on CPUs the same numbers everywhere."""
    from gpatlas.train.precision import choose_arithmetic

    try:
        chosen = choose_arithmetic(device, "f32")
        return choose_arithmetic(device, "auto") if chosen.device.type == "cuda" else chosen
    except ValueError as error:
        raise ConfigError(f"--device: {error}") from None


def _note(state: "PerceiverState") -> str:
    if not state.validations:
        return "steps"
    row = state.best_row[0]
    return f"best at step {row['step']:,}: loss {row['loss']:.4f}, {row['accuracy']:.3f} of what was asked for right"
