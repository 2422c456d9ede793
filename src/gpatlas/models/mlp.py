"""The multilayer perceptron."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from gpatlas.models.network import NetworkRegressor, Size, perceptron_size
from gpatlas.models.space import Choice, Float, Range

if TYPE_CHECKING:
    from torch import nn

    from gpatlas.train import TrainSettings


class MLP(NetworkRegressor):
    """Multilayer perceptron on dosage, all traits jointly.

    The defaults are ours: one wide hidden layer, a linear path beside it for additive effects, and a one-cycle
    learning rate. The preset `"published"` is the study's network (two layers of 4096 on one-hot loci).

    Parameters
    ----------
    hidden : sequence of int, default=(1024,)
        Widths of the hidden layers.
    activation : {"silu", "gelu", "leaky_relu", "relu", "tanh"}, default="silu"
        Non-linearity.
    batch_norm_momentum : float, default=0.1
        Weight of the newest batch in the running means and variances.
    output_norm : bool, default=False
        Whether the output is batch-normalised, too.
    linear_skip : bool, default=True
        Whether a linear model of the inputs is added to the output.
    input_coding : {"standardised", "allele_counts"}, default="standardised"
        One standardised input per locus, or the copies of each allele (one-hot in haploids).
    standardise_targets : bool, default=True
        Whether traits are scaled to mean 0 and variance 1 for training.
    loss : {"mse", "l1"}, default="mse"
        Squared or absolute error.
    learning_rate : float, default=0.01
        Of AdamW; the maximum of the one-cycle schedule.
    weight_decay : float, default=0.01
        Of AdamW.
    schedule : {"one_cycle", "plateau", "constant"}, default="one_cycle"
        Course of the learning rate.
    batch_size : int, default=128
        Samples per step.
    max_epochs : int, default=60
        Passes over the training samples.
    patience : int, default=20
        Epochs without improvement of the validation loss after which training stops.
    min_delta : float, default=0.0
        Fall of the validation loss that counts as improvement.
    validation_fraction : float, default=0.15
        Share of the training samples that decides when to stop, unless `fit` is given a validation set.
    precision : {"auto", "f32", "bf16", "f16"}, default="auto"
        Number format of matrix products; "auto" follows the device, on a CPU also the size of the network.
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

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 2, (200, 8))
    >>> model = make("mlp", hidden=[32], max_epochs=20).fit(X, X[:, 0] ^ X[:, 1])
    >>> model.predict(X[:3]).shape
    (3,)
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "published": {
            "hidden": (4096, 4096),
            "activation": "leaky_relu",
            "batch_norm_momentum": 0.8,
            "output_norm": True,
            "linear_skip": False,
            "input_coding": "allele_counts",
            "standardise_targets": False,
            "loss": "l1",
            "learning_rate": 0.01,
            "weight_decay": 1e-5,
            "schedule": "plateau",
            "batch_size": 128,
            "max_epochs": 100,
            "patience": 10,
            "min_delta": 0.003,
        }
    }
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {
        "default": {
            "learning_rate": Float(1e-3, 3e-2, log=True),
            "weight_decay": Float(1e-4, 0.3, log=True),
            "hidden": Choice(((256,), (512,), (1024,), (2048,), (512, 512))),
        },
        "published": {"learning_rate": Choice((0.5, 0.1, 0.05, 0.01, 0.005, 0.001, 0.0001))},
    }
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "hidden": ["array-like"],
        "activation": [StrOptions({"silu", "gelu", "leaky_relu", "relu", "tanh"})],
        "batch_norm_momentum": [Interval(Real, 0, 1, closed="right")],
        "output_norm": ["boolean"],
        "linear_skip": ["boolean"],
        "input_coding": [StrOptions({"standardised", "allele_counts"})],
        "standardise_targets": ["boolean"],
        "loss": [StrOptions({"mse", "l1"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "schedule": [StrOptions({"one_cycle", "plateau", "constant"})],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "min_delta": [Interval(Real, 0, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "precision": [StrOptions({"auto", "f32", "bf16", "f16"})],
        "device": [str],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        hidden: Sequence[int] = (1024,),
        activation: str = "silu",
        batch_norm_momentum: float = 0.1,
        output_norm: bool = False,
        linear_skip: bool = True,
        input_coding: str = "standardised",
        standardise_targets: bool = True,
        loss: str = "mse",
        learning_rate: float = 0.01,
        weight_decay: float = 0.01,
        schedule: str = "one_cycle",
        batch_size: int = 128,
        max_epochs: int = 60,
        patience: int = 20,
        min_delta: float = 0.0,
        validation_fraction: float = 0.15,
        precision: str = "auto",
        device: str = "auto",
        random_state: Any = 0,
    ):
        self.hidden = hidden
        self.activation = activation
        self.batch_norm_momentum = batch_norm_momentum
        self.output_norm = output_norm
        self.linear_skip = linear_skip
        self.input_coding = input_coding
        self.standardise_targets = standardise_targets
        self.loss = loss
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.min_delta = min_delta
        self.validation_fraction = validation_fraction
        self.precision = precision
        self.device = device
        self.random_state = random_state

    def _build(self, n_features: int, n_traits: int) -> "nn.Module":
        from gpatlas.nn.mlp import Perceptron

        return Perceptron(
            n_features,
            n_traits,
            hidden=[int(width) for width in self.hidden],
            activation=self.activation,
            batch_norm_momentum=self.batch_norm_momentum,
            output_norm=self.output_norm,
            linear_skip=self.linear_skip,
        )

    def _size(self, n_features: int, n_traits: int) -> Size:
        return perceptron_size(n_features, self.hidden, n_traits)

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
            min_delta=self.min_delta,
            seed=seed,
        )
