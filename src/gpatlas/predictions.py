"""`Prediction` and `FitResult`: what fitting hands to scoring."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

TEST = "test"


@dataclass(frozen=True)
class FoundPairs:
    """Interacting pairs that a model found for one trait.

    Parameters
    ----------
    loci
        int `(n_pairs, 2)`, indices of loci, the lower first.
    effect, z
        `(n_pairs,)` effects and z scores; NaN where the model has none.
    """

    loci: NDArray[np.intp]
    effect: NDArray[np.float64]
    z: NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """Test samples predicted by one fitted model.

    Parameters
    ----------
    fold
        "test", or the name of a random split.
    rows
        Indices of the predicted samples in the dataset.
    traits
        Indices of the predicted traits.
    predicted
        `(n_rows, n_traits)`, trait units.
    std
        `(n_rows, n_traits)` standard deviations of the genetic values, for models that know them.
    n_train
        Phenotyped samples that set parameters, `(n_traits,)`.
    marker_effects
        `(n_loci, n_traits)`, for models that have them.
    selected
        bool `(n_loci, n_traits)`, for models that select loci: which are kept.
    pairs
        For models that find interacting pairs: those of every trait.
    parameters
        What the fit settled on, each `(n_traits,)`: penalty, h2, epochs.
    """

    fold: str
    rows: NDArray[np.intp]
    traits: NDArray[np.intp]
    predicted: NDArray[np.float64]
    n_train: NDArray[np.int64]
    std: NDArray[np.float64] | None = None
    marker_effects: NDArray[np.float64] | None = None
    selected: NDArray[np.bool_] | None = None
    pairs: tuple[FoundPairs, ...] | None = None
    parameters: dict[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class FitResult:
    """All predictions of one model on one dataset, and what they cost.

    Parameters
    ----------
    dataset_hash
        `content_hash` of the dataset that was fitted.
    predictions
        One per split; a single one under the holdout protocol.
    seconds, cpu_seconds
        Wall and processor time of fitting and predicting.
    device
        "cpu", or the GPU's name.
    """

    dataset_hash: str
    predictions: tuple[Prediction, ...]
    seconds: float
    cpu_seconds: float
    device: str = "cpu"
