"""Prices of networks that are trained before models are fitted, and of the panels that some are trained on."""

import math

from gpatlas.config.gpfn import GpfnConfig
from gpatlas.config.perceiver import PerceiverConfig
from gpatlas.config.perceiver_recipe import SHARE_TO_MEASURE, PerceiverRecipe
from gpatlas.config.pretrain import PretrainSpec
from gpatlas.config.real_data import DataEntry
from gpatlas.config.trials import PanelSpec
from gpatlas.cost.machine import Machine
from gpatlas.cost.prices import DATASET_OVERHEAD, GENOTYPES_OF_PRIOR_PER_SECOND, START_SIMULATE, JobCost
from gpatlas.design import Design
from gpatlas.evaluate.imputation import seconds_of_imputing
from gpatlas.models.work import TORCH_PROCESS

# of training on a draw: eigendecompositions and products of its samples' kernels, forward and back, and what is beside
EIGEN_OF_STEP, PRODUCTS_OF_STEP, SECONDS_OF_DRAW, SHARE_OF_VALIDATION = 5.0, 60.0, 0.02, 0.1
# of pretraining on a panel: products for a marker and a unit of the network's width, operations that are too small to
# matter, in optimiser steps, and bytes of activations
FLOPS_OF_MARKER, SMALL_OPERATIONS, BYTES_OF_MARKER = 160.0, 20.0, 40.0
UNKNOWN_SHARE = 0.1  # of calls that are missing in files that nobody has read
WIDTH = 96  # of a network whose recipe says nothing


def price_panel(panel: PanelSpec | DataEntry, machine: Machine) -> JobCost:
    """Price the writing of a panel's genotypes."""
    size = float(panel.n_samples * panel.n_markers)
    seconds = START_SIMULATE + size / GENOTYPES_OF_PRIOR_PER_SECOND
    return JobCost(seconds * machine.pace, 2.5e8 + 4 * size, size + DATASET_OVERHEAD, panel.n_samples)


def price_imputing(panel: PanelSpec | DataEntry, machine: Machine) -> JobCost:
    """Price the filling in of a panel's missing calls."""
    n, m, missing = panel.n_samples, panel.n_markers, getattr(panel, "missing", UNKNOWN_SHARE)
    taken = machine.start_torch + seconds_of_imputing(n, n, m, missing) * machine.pace
    return JobCost(taken, TORCH_PROCESS + 30.0 * n * m, float(n * m) + DATASET_OVERHEAD, n)


def price_pretraining(design: Design, path: str, machine: Machine) -> JobCost:
    """Price one checkpoint of a design, by where it lies."""
    recipe, panel = design.pretrained[path]
    config = design.config
    if isinstance(config, GpfnConfig):
        return price_gpfn(config.pretrain[recipe], machine)
    assert isinstance(config, PerceiverConfig)
    return price_perceiver(config.pretrain[recipe], config.panel(str(panel)), machine)


def price_gpfn(spec: PretrainSpec, machine: Machine) -> JobCost:
    """Price the training of a network by a recipe: draws, steps and validations."""
    n, m = (math.sqrt(low * high) for low, high in (spec.n_samples, spec.n_markers))
    steps = spec.n_batches * (1 + SHARE_OF_VALIDATION)
    of_draw = EIGEN_OF_STEP * n**3 / machine.eigen + PRODUCTS_OF_STEP * n**2 * m / machine.flops
    drawn = n * m / GENOTYPES_OF_PRIOR_PER_SECOND * machine.pace
    taken = machine.start_torch + steps * spec.batch_size * (of_draw + drawn + SECONDS_OF_DRAW * machine.pace)
    return JobCost(taken, TORCH_PROCESS + 8e1 * spec.batch_size * n * m + 1e9, 3e6)


def price_perceiver(recipe: PerceiverRecipe, panel: PanelSpec | DataEntry, machine: Machine) -> JobCost:
    """Price the pretraining of a network on a panel: steps, validations, and the imputer that it is held against."""
    n, m, width = panel.n_samples, panel.n_markers, recipe.network.get("width", WIDTH)
    rows = recipe.batch_size * (2 if recipe.objective == "contrastive" else 1)
    step = 3 * FLOPS_OF_MARKER * m * width * rows / machine.flops + SMALL_OPERATIONS * machine.step
    validations = recipe.n_steps / recipe.validate_every * recipe.validation * n / rows / 3
    imputed = seconds_of_imputing(recipe.validation * n, n, m, SHARE_TO_MEASURE) * machine.pace
    taken = machine.start_torch + (recipe.n_steps + validations) * step + imputed
    held = TORCH_PROCESS + BYTES_OF_MARKER * m * width * rows + 16.0 * n * m
    return JobCost(taken, held, 12.0 * m * width, n)
