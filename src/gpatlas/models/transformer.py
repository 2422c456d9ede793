"""The transformer: loci as tokens, attention across loci."""

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from gpatlas.models.network import NetworkRegressor, Size
from gpatlas.models.space import Choice, Float, Range

if TYPE_CHECKING:
    from torch import nn

    from gpatlas.train import TrainSettings
    from gpatlas.train.precision import Arithmetic
    from gpatlas.train.regression import TrainedNetwork

_FEW_LOCI = 50  # beyond, a step that moves every token moves the prediction too far


class Transformer(NetworkRegressor):
    """Attention across loci, all traits jointly: a token for each locus, a read-out of each, a linear path beside.

    Parameters
    ----------
    attention : {"locus", "genotype", "stacked"}, default="locus"
        What decides which locus attends to which: the loci themselves, so that one learnt map serves all samples;
        their genotypes, for every sample anew; or the layers of Rijal et al. (2025), which are attention and nothing
        else.
    width : int, default=32
        Numbers in a token.
    n_layers : int, default=1
        Layers of attention.
    n_heads : int, default=4
        Heads in a layer; they share the width. Of no effect for attention="stacked".
    feed_forward : float, default=2.0
        Hidden layer behind attention, as a multiple of the width. Of no effect for attention="stacked".
    loss : {"mse", "l1"}, default="mse"
        Squared or absolute error.
    learning_rate : float, default=0.01
        Of AdamW for up to 50 loci, and as the root of their number smaller for more; the maximum of the one-cycle
        schedule. attention="stacked" takes it as it is.
    weight_decay : float, default=0.01
        Of AdamW.
    schedule : {"one_cycle", "plateau", "constant"}, default="one_cycle"
        Course of the learning rate.
    batch_size : int, default=128
        Samples per step.
    max_epochs : int, default=35
        Passes over the training samples.
    patience : int, default=20
        Epochs without improvement of the validation loss after which training stops.
    validation_fraction : float, default=0.15
        Share of the training samples that decides when to stop, unless `fit` is given a validation set.
    precision : {"auto", "f32", "bf16", "f16"}, default="auto"
        Number format of matrix products; "auto" follows the device.
    device : str, default="auto"
        "auto" takes a GPU when there is one; or "cpu", "cuda", "cuda:1".
    random_state : int, RandomState or None, default=0
        Of initial weights and the order of samples.

    Attributes
    ----------
    network_ : gpatlas.train.regression.TrainedNetwork
        The trained network, from raw dosage to traits.
    history_ : gpatlas.train.History
        Losses of every epoch, and the best epoch.
    n_epochs_ : int
        Epochs trained.

    Notes
    -----
    The preset "published" is the model of Rijal et al. for one environment, with the width, initial weights and
    training by which a public reimplementation (Arcadia Science 2025, 2025-geno-pheno-attention) reproduced their
    Figure 3. They trained on 10⁵ segregants; with a thousand samples it learns additive effects and little else.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 2, (200, 8))
    >>> model = make("transformer", max_epochs=5).fit(X, X[:, 0] ^ X[:, 1])
    >>> model.predict(X[:3]).shape
    (3,)
    """

    input_coding: ClassVar[str] = "standardised"
    standardise_targets: ClassVar[bool] = True
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "published": {
            "attention": "stacked",
            "width": 13,
            "n_layers": 3,
            "learning_rate": 0.001,
            "weight_decay": 0.0,
            "schedule": "constant",
            "batch_size": 64,
            "max_epochs": 200,
            "patience": 200,
        }
    }
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {
        "default": {
            "learning_rate": Float(2e-3, 2e-2, log=True),
            "weight_decay": Float(1e-3, 1.0, log=True),
            "width": Choice((16, 32, 48)),
            "n_layers": Choice((1, 2)),
        }
    }
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "attention": [StrOptions({"locus", "genotype", "stacked"})],
        "width": [Interval(Integral, 2, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "feed_forward": [Interval(Real, 0, None, closed="neither")],
        "loss": [StrOptions({"mse", "l1"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "schedule": [StrOptions({"one_cycle", "plateau", "constant"})],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "precision": [StrOptions({"auto", "f32", "bf16", "f16"})],
        "device": [str],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        attention: str = "locus",
        width: int = 32,
        n_layers: int = 1,
        n_heads: int = 4,
        feed_forward: float = 2.0,
        loss: str = "mse",
        learning_rate: float = 0.01,
        weight_decay: float = 0.01,
        schedule: str = "one_cycle",
        batch_size: int = 128,
        max_epochs: int = 35,
        patience: int = 20,
        validation_fraction: float = 0.15,
        precision: str = "auto",
        device: str = "auto",
        random_state: Any = 0,
    ):
        self.attention = attention
        self.width = width
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.feed_forward = feed_forward
        self.loss = loss
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.precision = precision
        self.device = device
        self.random_state = random_state

    def _validate_params(self) -> None:
        super()._validate_params()
        if self.attention != "stacked" and self.width % self.n_heads:
            raise ValueError(f"width {self.width} is not a multiple of n_heads {self.n_heads}, which share it")

    def _build(self, n_features: int, n_traits: int) -> "nn.Module":
        from gpatlas.nn.transformer import LocusTransformer, StackedAttention

        if self.attention == "stacked":
            return StackedAttention(n_features, n_traits, width=self.width, n_layers=self.n_layers)
        return LocusTransformer(
            n_features,
            n_traits,
            width=self.width,
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            feed_forward=self.feed_forward,
            attention=self.attention,  # type: ignore[arg-type]
        )

    def _size(self, n_features: int, n_traits: int) -> Size:
        tokens, stacked = n_features * self.width, self.attention == "stacked"
        hidden, heads = (0.0, 1) if stacked else (self.feed_forward, self.n_heads)
        by_sample = self.attention != "locus"  # queries, keys and maps are computed for every sample
        dense = (4.0 if by_sample else 2.0) + 2 * hidden
        multiplications = tokens * (self.width * dense + n_features * (1 + by_sample)) * self.n_layers
        held = tokens * (6 + hidden) * self.n_layers + by_sample * heads * n_features**2 * self.n_layers
        parameters = tokens * (2 - stacked + n_traits) + self.n_layers * self.width**2 * (4 - stacked + 2 * hidden)
        return Size(6.0 * (multiplications + tokens * n_traits), parameters, held)

    def _settings(self, seed: int) -> "TrainSettings":
        from gpatlas.train import TrainSettings

        return TrainSettings(
            loss=self.loss,  # type: ignore[arg-type]
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            schedule=self.schedule,  # type: ignore[arg-type]
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            patience=self.patience,
            seed=seed,
        )

    def _train(
        self,
        training: tuple[NDArray, NDArray[np.float64]],
        stopping: tuple[NDArray, NDArray[np.float64]],
        settings: "TrainSettings",
        arithmetic: "Arithmetic",
        progress: Callable[[int, int, float], None] | None,
    ) -> "TrainedNetwork":
        if self.attention != "stacked":
            pace = min(1.0, (_FEW_LOCI / training[0].shape[1]) ** 0.5)
            settings = replace(settings, learning_rate=pace * settings.learning_rate)
        return super()._train(training, stopping, settings, arithmetic, progress)
