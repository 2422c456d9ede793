"""The bilinear network: additive effects and pairs of loci, sparse."""

from collections.abc import Callable
from dataclasses import replace
from math import log, sqrt
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from gpatlas.models.network import NetworkRegressor, Size
from gpatlas.models.pairs import n_pairs
from gpatlas.models.space import Choice, Float, Range
from gpatlas.models.work import Work

if TYPE_CHECKING:
    from torch import nn

    from gpatlas.train import TrainSettings
    from gpatlas.train.precision import Arithmetic
    from gpatlas.train.regression import TrainedNetwork

_FEW_LOCI = 300  # beyond, a weight for every pair memorises samples before it is sparse, and costs more than factors
_FACTOR_SHARE = 0.1  # a pair's weight is a product of three numbers, of which two are shrunken: shrink less
_USUAL_LOCI = 142  # where factors were tuned
_AUTO_SPARSITY = (0.03, 0.15, 0.6)


class Bilinear(NetworkRegressor):
    """Additive effects and pairwise interactions, with an L1 penalty on the interactions.

    y = b + Σ a_i x_i + Σ_{i<j} W_ij x_i x_j on standardised dosage; W has a weight for every pair, or low rank.

    Parameters
    ----------
    rank : int, "auto" or None, default="auto"
        None gives every pair a weight; an integer makes W a factorization machine with that many factors for each
        trait, which all traits share; "auto" is None up to 300 loci and 64 beyond.
    sparsity : float or "auto", default="auto"
        Weight of the L1 penalty, as a multiple of 2√(2 ln P / n) for P pairs and n samples (Donoho & Johnstone 1994):
        the standard deviation of what loci do not explain, in units of the trait's, is about right. "auto" trains with
        0.03, 0.15 and 0.6 and keeps what predicts the validation samples best.
    dominance : bool, default=False
        Whether the squared dosage of each locus has an effect, too; haploids have none.
    learning_rate : float, default=0.01
        Of AdamW for 10,000 pairs, as their number's root is the smaller the more there are, but at most thrice that;
        the maximum of the one-cycle schedule.
    weight_decay : float, default=0.0
        Of AdamW; shrinks additive effects, too.
    schedule : {"one_cycle", "plateau", "constant"}, default="one_cycle"
        Course of the learning rate.
    batch_size : int, default=128
        Samples per step.
    max_epochs : int, default=60
        Passes over the training samples.
    patience : int, default=60
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
    marker_effects_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Effects per copy of allele "1" where all other loci are at their mean dosage.
    sparsity_ : float
        The sparsity that was used.
    network_ : gpatlas.train.regression.TrainedNetwork
        The trained network, from raw dosage to traits.
    history_ : gpatlas.train.History
        Losses of every epoch, and the best epoch.
    n_epochs_ : int
        Epochs trained, of the network that was kept.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 2, (400, 8))
    >>> model = make("bilinear").fit(X, X[:, 0] ^ X[:, 1])  # = x0 + x1 - 2 x0 x1
    >>> model.interactions()[0, 1].round(1)
    np.float64(-2.0)
    """

    input_coding: ClassVar[str] = "standardised"
    standardise_targets: ClassVar[bool] = True
    presets: ClassVar[dict[str, dict[str, Any]]] = {"factorization_machine": {"rank": 64}}
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {
        "default": {"sparsity": Float(0.01, 1.0, log=True), "learning_rate": Float(3e-3, 3e-2, log=True)},
        "rank": {"rank": Choice((8, 16, 32, 64, 128)), "sparsity": Float(0.01, 1.0, log=True)},
    }
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "rank": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "sparsity": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "dominance": ["boolean"],
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
        rank: int | str | None = "auto",
        sparsity: float | str = "auto",
        dominance: bool = False,
        learning_rate: float = 0.01,
        weight_decay: float = 0.0,
        schedule: str = "one_cycle",
        batch_size: int = 128,
        max_epochs: int = 60,
        patience: int = 60,
        validation_fraction: float = 0.15,
        precision: str = "auto",
        device: str = "auto",
        random_state: Any = 0,
    ):
        self.rank = rank
        self.sparsity = sparsity
        self.dominance = dominance
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

    @property
    def marker_effects_(self) -> NDArray[np.float64]:
        """Slopes at the mean dosage, `(n_loci,)` or `(n_loci, n_traits)`."""
        check_is_fitted(self)
        encoder, bilinear = self.network_.network
        per_copy = (bilinear.additive.detach() * encoder.inverse_scale).T.cpu().numpy().astype(np.float64)
        return (per_copy * self.network_.target_scale).reshape(-1, *self._y_shape)

    def interactions(self, trait: int = 0) -> NDArray[np.float64]:
        """Return what a trait gains per copy at one locus and copy at another, beyond the sum of their effects.

        Parameters
        ----------
        trait : int, default=0
            Column of y.

        Returns
        -------
        ndarray of shape (n_loci, n_loci)
            In trait units; symmetric, 0 on the diagonal.

        Raises
        ------
        ValueError
            No such trait.
        """
        check_is_fitted(self)
        n_traits = len(self.network_.target_scale)
        if not 0 <= trait < n_traits:
            raise ValueError(f"trait {trait} is not one of the {n_traits} that were fitted, 0 to {n_traits - 1}")
        encoder, bilinear = self.network_.network
        per_copy = encoder.inverse_scale.cpu().numpy().astype(np.float64)
        weights = bilinear.pairs.matrix(trait).cpu().numpy().astype(np.float64)
        return weights * np.outer(per_copy, per_copy) * self.network_.target_scale[trait]

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs."""
        once, times = super().work(n_samples, n_loci, n_traits), len(self._sparsities())
        return replace(once, flops=once.flops * times, steps=once.steps * times, traffic=once.traffic * times)

    def _sparsities(self) -> tuple[float, ...]:
        return (self.sparsity,) if isinstance(self.sparsity, Real) else _AUTO_SPARSITY

    def _rank_for(self, n_features: int) -> int | None:
        if self.rank == "auto":
            return None if n_features <= _FEW_LOCI else 64
        return None if self.rank is None else int(self.rank)

    def _build(self, n_features: int, n_traits: int) -> "nn.Module":
        from gpatlas.nn.bilinear import Bilinear as Network

        return Network(n_features, n_traits, rank=self._rank_for(n_features), squares=self.dominance)

    def _size(self, n_features: int, n_traits: int) -> Size:
        rank = self._rank_for(n_features)
        linear = n_features * n_traits
        if rank is None:  # inputs need no gradient
            return Size(4.0 * linear * (n_features + 1), linear * (n_features + 1), 2 * linear)
        factors = rank * n_traits
        parameters = 2 * factors * n_features + factors * n_traits + linear
        return Size(4.0 * parameters, parameters, 3 * factors)

    def _settings(self, seed: int) -> "TrainSettings":
        from gpatlas.train import TrainSettings

        return TrainSettings(
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
        """Train with each sparsity, and keep the network of the lowest validation loss."""
        (n_samples, n_loci), n_traits = training[0].shape, training[1].shape[1]
        features = max(n_pairs(n_loci), 2)
        # what the loop descends has the mean loss of traits, but the sum of their weights
        unit = 2 * sqrt(2 * log(features) / n_samples) / n_traits
        # AdamW moves every weight by about its rate, and the prediction by that times the root of their number
        pace = min(3.0, 100 / sqrt(features))
        if self._rank_for(n_loci) is not None:
            unit *= _FACTOR_SHARE
            pace = 3 * min(1.0, sqrt(_USUAL_LOCI / n_loci))
        settings = replace(settings, learning_rate=pace * settings.learning_rate)
        best: tuple[float, float, TrainedNetwork] | None = None
        for number, sparsity in enumerate(self._sparsities()):
            step = progress and _later(progress, number * self.max_epochs, len(self._sparsities()) * self.max_epochs)
            trained = super()._train(training, stopping, replace(settings, l1=sparsity * unit), arithmetic, step)
            loss = min(trained.history.validation_loss)
            if best is None or loss < best[0]:
                best = loss, sparsity, trained
        assert best is not None
        self.sparsity_ = best[1]
        return best[2]


def _later(progress: Callable[[int, int, float], None], before: int, total: int) -> Callable[[int, int, float], None]:
    """Report epochs of one of several trainings as part of all."""
    return lambda epoch, _, loss: progress(before + epoch, total, loss)
