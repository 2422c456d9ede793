"""What the perceiver does below scikit-learn's surface: phenotypes, its head and outcome, weights as plain arrays."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.network import hold_out
from gpatlas.models.perceiver_panel import layout_state
from gpatlas.models.rrblup import RRBLUP
from gpatlas.wording import some_names

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gpatlas.nn.perceiver.heads import Head
    from gpatlas.train.finetuning import Finetuned
    from gpatlas.train.outcomes import Outcome
    from gpatlas.train.precision import Arithmetic

Samples = tuple[NDArray[np.int16], NDArray[np.float64]]  # codes of a network's markers, and phenotypes
CLASSES = ("binary", "focal", "multiclass", "ordinal")  # losses of phenotypes that are classes
LEAST_SAMPLES = 3  # with a phenotype: two to train on, one to stop by
_MOST_CLASSES = 100  # more are not classes, but numbers


def with_phenotypes(codes: NDArray[np.int16], y: NDArray[np.float64]) -> Samples:
    """Return the samples that have a phenotype in some environment."""
    known = ~np.isnan(y).all(axis=1)
    return codes[known], y[known]


def held_out(samples: Samples, fraction: float, seed: int) -> tuple[Samples, Samples]:
    """Cut samples into those to train on and those to stop by.

    Raises
    ------
    ValueError
        Fewer than three.
    """
    codes, y = samples
    if len(y) < LEAST_SAMPLES:
        raise ValueError(f"{len(y)} samples have a phenotype, but at least {LEAST_SAMPLES} are needed to fit")
    out = hold_out(len(y), fraction, seed)
    return (codes[~out], y[~out]), (codes[out], y[out])


def classes_of(loss: str, *phenotypes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the classes that phenotypes have, ascending; none of a loss without classes.

    Raises
    ------
    ValueError
        Too few or too many of them, or counts that are negative.
    """
    values = np.concatenate([y.ravel() for y in phenotypes])
    found = np.unique(values[~np.isnan(values)])
    shown = some_names([f"{value:g}" for value in found])
    if loss == "poisson" and found[0] < 0:
        raise ValueError(f"loss poisson is of counts, but a phenotype is {found[0]:g}")
    if loss in ("binary", "focal") and len(found) != 2:
        raise ValueError(f"loss {loss} is of two classes, but phenotypes have {len(found)} values: {shown}")
    if loss in CLASSES and not 2 <= len(found) <= _MOST_CLASSES:
        raise ValueError(
            f"loss {loss} is of 2 to {_MOST_CLASSES} classes, but phenotypes have {len(found)} values: {shown}"
        )
    return found if loss in CLASSES else np.empty(0)


def new_head(
    name: str,
    loss: str,
    classes: NDArray[np.float64],
    network: "nn.Module",
    samples: Samples,
    dropout: float,
    seed: int,
    arithmetic: "Arithmetic",
) -> "tuple[Head, Outcome]":
    """Return an untrained head, and an outcome that knows the scale of the samples' phenotypes."""
    from gpatlas.nn.mlp import seeded
    from gpatlas.nn.perceiver.heads import make_head
    from gpatlas.train.finetuning import encode
    from gpatlas.train.outcomes import make_outcome

    codes, y = samples
    outcome = make_outcome(loss, y.shape[1], classes.tolist())
    outcome.learn_scale(y)
    size = encode(network, codes[:1], arithmetic).shape[1:]
    return seeded(make_head, seed, name, *size, y.shape[1], outcome.n_outputs, dropout), outcome


def solve_ridge(head: Any, latents: "Tensor", y: NDArray[np.float64]) -> None:
    """Set a linear readout to rrBLUP of latents; y are standardised phenotypes."""
    import torch

    features = head.features(latents).cpu().numpy().astype(np.float64)
    solved = RRBLUP().fit(features, y.astype(np.float64))
    with torch.no_grad():
        head.weight_EOF.copy_(torch.from_numpy(solved.marker_effects_.T[:, None]))
        head.bias_EO.copy_(torch.from_numpy(np.asarray(solved.intercept_)[:, None]))


def kept(found: "Finetuned", head: str, loss: str, classes: NDArray[np.float64]) -> dict[str, Any]:
    """Return what `modules_of` makes the modules of again, in numbers, text and arrays only."""
    from gpatlas.nn.weights import state_of

    return {
        "layout": layout_state(found.network.layout),
        "network": dict(found.network.settings),
        "head": (head, *found.head.centre_LD.shape, found.head.n_environments, found.head.n_outputs),
        "outcome": (loss, found.head.n_environments, classes.tolist()),
        "weights": {name: state_of(getattr(found, name)) for name in ("network", "head", "outcome")},
    }


def modules_of(state: dict[str, Any]) -> "tuple[nn.Module, Head, Outcome]":
    """Return network, head and outcome of what `kept` returned."""
    from gpatlas.nn.perceiver import Layout, network_of
    from gpatlas.nn.perceiver.heads import make_head
    from gpatlas.nn.weights import load_weights
    from gpatlas.train.outcomes import make_outcome

    weights = state["weights"]
    network = network_of(state["network"], Layout.of_config(state["layout"]), weights["network"])
    head, outcome = make_head(*state["head"]), make_outcome(*state["outcome"])
    load_weights(head, weights["head"], "head")
    load_weights(outcome, weights["outcome"], "outcome")
    return network, head, outcome
