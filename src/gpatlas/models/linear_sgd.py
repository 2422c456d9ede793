"""The published linear models by stochastic gradient descent: kept beside the exact ones to replay the study."""

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from gpatlas.models.network import NetworkRegressor, Size, perceptron_size
from gpatlas.models.space import Float, Range

if TYPE_CHECKING:
    from torch import nn

    from gpatlas.train import TrainSettings


class LinearSGD(NetworkRegressor):
    """One linear layer on the copies of each allele, absolute error + l2·½‖θ‖² + l1·‖w‖₁, plain SGD.

    The published study's stand-in for ridge regression at sample sizes where it did not run ridge and, as preset
    `"lasso"`, its LASSO. Use `rrblup` and `lasso`, which are exact and faster; this model is kept so that the
    published figures can be replayed and the agreement be seen.

    Parameters
    ----------
    l2 : float, default=0.1
        Weight of ½‖θ‖², the study's divergence from a N(0, 1) prior on all parameters.
    l1 : float, default=0.0
        Weight of the sum of |weights|, the study's Laplace prior. SGD makes weights small by it, not zero.
    input_coding : {"allele_counts", "standardised"}, default="allele_counts"
        Copies of each allele (one-hot in haploids), or one standardised input per locus.
    standardise_targets : bool, default=False
        Whether traits are scaled to mean 0 and variance 1 for training.
    loss : {"l1", "mse"}, default="l1"
        Absolute or squared error.
    learning_rate : float, default=0.1
        Of SGD.
    schedule : {"plateau", "one_cycle", "constant"}, default="plateau"
        Course of the learning rate.
    batch_size : int, default=128
        Samples per step.
    max_epochs : int, default=200
        Passes over the training samples.
    patience : int, default=20
        Epochs without improvement of the validation loss after which training stops.
    min_delta : float, default=0.001
        Fall of the validation loss that counts as improvement.
    validation_fraction : float, default=0.15
        Share of the training samples that decides when to stop, unless `fit` is given a validation set.
    precision : {"auto", "f32", "bf16", "f16"}, default="f32"
        Number format of matrix products.
    device : str, default="cpu"
        Steps are too small for a GPU to help; "auto" takes one when there is one.
    random_state : int, RandomState or None, default=0
        Of initial weights and the order of samples.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 2, (200, 8))
    >>> model = make("linear_sgd", max_epochs=20).fit(X, X @ np.arange(8.0))
    >>> model.predict(X[:3]).shape
    (3,)
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = {"published": {}, "lasso": {"l2": 0.0, "l1": 0.001}}
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {
        "default": {"learning_rate": Float(1e-3, 0.3, log=True), "l2": Float(1e-4, 1.0, log=True)},
    }
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "l2": [Interval(Real, 0, None, closed="left")],
        "l1": [Interval(Real, 0, None, closed="left")],
        "input_coding": [StrOptions({"standardised", "allele_counts"})],
        "standardise_targets": ["boolean"],
        "loss": [StrOptions({"mse", "l1"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
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
        l2: float = 0.1,
        l1: float = 0.0,
        input_coding: str = "allele_counts",
        standardise_targets: bool = False,
        loss: str = "l1",
        learning_rate: float = 0.1,
        schedule: str = "plateau",
        batch_size: int = 128,
        max_epochs: int = 200,
        patience: int = 20,
        min_delta: float = 0.001,
        validation_fraction: float = 0.15,
        precision: str = "f32",
        device: str = "cpu",
        random_state: Any = 0,
    ):
        self.l2 = l2
        self.l1 = l1
        self.input_coding = input_coding
        self.standardise_targets = standardise_targets
        self.loss = loss
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.min_delta = min_delta
        self.validation_fraction = validation_fraction
        self.precision = precision
        self.device = device
        self.random_state = random_state

    @property
    def locus_weights_(self) -> NDArray[np.float64]:
        """The largest |weight| among a locus' inputs, `(n_loci, n_traits)`."""
        check_is_fitted(self)
        encoder, perceptron = self.network_.network
        weights = encoder.by_locus(perceptron.layers[0].weight.detach().abs())
        return weights.amax(dim=2).T.cpu().numpy().astype(np.float64)

    def _build(self, n_features: int, n_traits: int) -> "nn.Module":
        from gpatlas.nn.mlp import Perceptron

        return Perceptron(n_features, n_traits, hidden=[])

    def _size(self, n_features: int, n_traits: int) -> Size:
        return perceptron_size(n_features, [], n_traits)

    def _settings(self, seed: int) -> "TrainSettings":
        from gpatlas.train import TrainSettings

        return TrainSettings(
            loss=self.loss,  # type: ignore[arg-type]
            optimizer="sgd",
            learning_rate=self.learning_rate,
            weight_decay=self.l2,  # for plain SGD the same thing
            l1=self.l1,
            schedule=self.schedule,  # type: ignore[arg-type]
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            patience=self.patience,
            min_delta=self.min_delta,
            seed=seed,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # the strong l2 suits traits of unit variance, not any regression
        return tags
