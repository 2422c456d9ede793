"""Hidden calls that perceivers get right, beside nearest neighbours in a window and the most frequent call."""

import time

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from gpatlas.alleles import codes_of_dosage
from gpatlas.config import PerceiverRecipe, parse_mapping
from gpatlas.evaluate.imputation import knn_window_impute
from gpatlas.nn.perceiver import Layout
from gpatlas.perceiver.accuracy import hide_calls, imputation_table, overall
from gpatlas.perceiver.pretraining import pretrain
from gpatlas.simulate.founders import even_map
from gpatlas.simulate.mosaic import mosaic
from gpatlas.train.precision import choose_arithmetic

PANELS = {"inbred": 1, "diploid": 2, "tetraploid": 4}  # ploidy of what is stored
N_SAMPLES, N_CHROMOSOMES, N_MARKERS, N_ANCESTORS = 2_000, 10, 2_000, 24
PIECE = 40.0  # markers that a haplotype has from one ancestor, on average
NAMES = {"knn": "nearest neighbours in a window, tuned", "most_frequent": "most frequent call"}
K, WINDOW = 15, 20  # the imputer that was named as the goal
_WARM, _TIMED = 2, 4  # steps
_VALIDATIONS = 10
# the published form, narrower: at its own width a step of 32 individuals takes half a minute on a core
NARROW = {
    "latent_dim": 50, "output_dim": 96, "projection_dim": 96, "feedforward_dim": 192, "allele_embed_dim": 96,
    "position_embed_dim": 96,
}  # fmt: skip


PUBLISHED = {"learning_rate": 1e-3, "prop_y": 0.1, "batch_size": 32}


def population(panel: str, seed: int = 1) -> tuple[NDArray[np.int16], Layout]:
    """Draw a panel of mosaics of ancestors: allele codes, and its layout."""
    rng, ploidy = np.random.default_rng(seed), PANELS[panel]
    per_chromosome = N_MARKERS // N_CHROMOSOMES
    chromosome, position = even_map([per_chromosome] * N_CHROMOSOMES)
    lines = mosaic(
        N_SAMPLES, N_ANCESTORS, chromosome, position, rng,
        switch_rate=per_chromosome / PIECE, frequency=(0.8, 0.8), ploidy=ploidy,
    )  # fmt: skip
    codes = codes_of_dosage(lines.dosage(slice(0, N_SAMPLES)).astype(np.int8))
    names = np.array([f"m{i}" for i in range(N_MARKERS)])
    return codes, Layout(ploidy, 2, names, chromosome.astype(str), position, "Morgan")


def steps_within(seconds: float, codes: NDArray, layout: Layout, recipe: PerceiverRecipe) -> int:
    """Return how many steps take so long here, validations included."""
    times: list[float] = []
    few = recipe.model_copy(update={"n_steps": _WARM + _TIMED, "validation": 0.0})
    arithmetic = choose_arithmetic("cpu", "f32")
    pretrain(codes, layout, few, arithmetic, report=lambda state: times.append(time.perf_counter()))
    per_step = (times[-1] - times[_WARM - 1]) / _TIMED
    of_validations = _VALIDATIONS * 0.4 * recipe.validation * len(codes) / recipe.batch_size  # without gradients
    return max(_VALIDATIONS, int(seconds / per_step - of_validations))


def compare(panel: str, minutes: float, recipe_text: str = "{}") -> None:
    """Pretrain each architecture for some minutes; print what each model gets right on the same calls."""
    codes, layout = population(panel)
    changes = {"patience": 1_000, **parse_mapping(recipe_text, "--recipe-text")}
    rows, accuracy = [], {}
    for architecture in ("windowed", "published"):
        settings = changes.get("network", {}) if architecture == "windowed" else NARROW
        of_form = {} if architecture == "windowed" else PUBLISHED
        recipe = PerceiverRecipe.parse(
            changes | of_form | {"network": {"architecture": architecture, **settings}}, "benchmark"
        )
        n_steps = steps_within(60 * minutes, codes, layout, recipe)
        recipe = recipe.model_copy(update={"n_steps": n_steps, "validate_every": n_steps // _VALIDATIONS})
        start, cpu = time.perf_counter(), time.process_time()
        state = pretrain(codes, layout, recipe, choose_arithmetic("cpu", "f32"))
        rows.append((f"perceiver, {architecture}, {n_steps:,} steps", time.perf_counter() - start))
        print(f"{rows[-1][0]}: {time.process_time() - cpu:.0f} CPU s, {state.best_row}", flush=True)
        table = imputation_table({rows[-1][0]: state.network}, codes, layout, recipe)
        accuracy |= overall(table)
    hidden, fixed = hide_calls(codes, layout, recipe), f"nearest neighbours, {K} of them, ± {WINDOW} markers"
    said = knn_window_impute(
        hidden.training, hidden.shown, hidden.row, hidden.locus, layout.number, layout.ploidy, 2, k=K, window=WINDOW
    )
    accuracy[fixed] = float((said == hidden.truth).mean())
    shown = Table(title=f"{panel}: {N_SAMPLES:,} × {N_MARKERS:,}, a tenth hidden", box=None)
    for column in ("", "accuracy", "wall s"):
        shown.add_column(column, justify="left" if not column else "right")
    seconds = dict(rows)
    for name, right in accuracy.items():
        shown.add_row(NAMES.get(name, name), f"{right:.3f}", f"{seconds[name]:.0f}" if name in seconds else "")
    Console().print(shown)
