"""The perceiver: a network that learnt a genome's structure from genotypes, finetuned on those with phenotypes."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from gpatlas.models.dosage_model import DosageModel
from gpatlas.models.inputs import validated_genotypes, validated_phenotypes
from gpatlas.models.network import hold_out
from gpatlas.models.perceiver_panel import (
    arrange_codes,
    codes_of_features,
    layout_of_loci,
    layout_state,
    match_loci,
)
from gpatlas.models.rrblup import RRBLUP
from gpatlas.models.space import Choice, Float, Range
from gpatlas.models.work import TORCH_PROCESS, Work
from gpatlas.wording import some_names

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gpatlas.nn.perceiver.heads import Head
    from gpatlas.nn.perceiver.layout import Layout
    from gpatlas.train.finetuning import Finetuned, FinetuneSettings
    from gpatlas.train.outcomes import Outcome
    from gpatlas.train.precision import Arithmetic

_Samples = tuple[NDArray[np.int16], NDArray[np.float64]]  # codes of a network's markers, and phenotypes
CLASSES = ("binary", "focal", "multiclass", "ordinal")  # losses of phenotypes that are classes
LEAST_SAMPLES = 3  # with a phenotype: two to train on, one to stop by
_MOST_CLASSES = 100  # more are not classes, but numbers
_FROZEN = 100  # epochs of a head on a pretrained encoder
_WIDTH, _WINDOW, _LAYERS = 96, 20, 3  # of the default network, for prices
_RUN = 0.4  # share of the epochs that run before patience ends


class Perceiver(DosageModel):
    """Perceiver: a genotype encoder that may have learnt from any genotypes, and a head that learns from phenotypes.

    All environments (columns of y) are predicted by one encoder; a phenotype that is not known says nothing. Missing
    genotypes stay missing, the network has a way to read them.

    Parameters
    ----------
    checkpoint : str or None, default=None
        A file of `gpatlas perceiver pretrain`. Markers are matched by `locus_id`; those that the data lack are missing.
    pretrain : dict or None, default=None
        Keys of a recipe (`config/README.md`): pretrain on the genotypes given to `fit`, with and without phenotypes,
        before finetuning. Without it and a checkpoint the network starts from scratch.
    network : dict or None, default=None
        Architecture and settings of a network that does not come from a checkpoint, e.g. {architecture: published}.
    head : {"pool", "latent", "windows"}, default="windows"
        pool: the mean of latents beside an embedding of the environment, through a hidden layer; latent: a query of
        each environment attends to the latents; windows: a linear readout of all latents for each environment. With
        loss="mse" and an encoder that is frozen first, the latter is solved, not descended to: ridge regression with
        the penalty of restricted likelihood.
    loss : {"mse", "mae", "binary", "focal", "multiclass", "ordinal", "poisson", "ranking"}, default="mse"
        What the phenotype is: a number, two classes, classes, ordered classes, a count, or an order of samples.
    frozen_epochs : int or None, default=None
        Passes over the training samples in which the head learns alone; None: 100 after pretraining, 0 from scratch.
    max_epochs : int, default=200
        Passes in all.
    free : sequence of str, default=("all",)
        Parts of the network that learn after frozen_epochs: "all", or names of its parts.
    learning_rate : float, default=0.001
        Of AdamW for the head while the encoder is frozen, and for everything from scratch.
    free_learning_rate : float, default=0.0001
        Of everything after frozen_epochs.
    weight_decay : float, default=0.01
        Of AdamW.
    dropout : float, default=0.1
        Share of a head's units that are left out in a step.
    batch_size : int, default=32
        Samples per step.
    patience : int, default=20
        Epochs without improvement of the validation loss after which a phase stops.
    refit : bool, default=True
        Whether, once validation samples have said how many epochs to train, all is trained anew with them.
    validation_fraction : float, default=0.15
        Share of the phenotyped samples that decides when to stop, unless `fit` is given a validation set.
    ploidy : int or None, default=None
        None: the checkpoint's, or the largest dosage seen.
    n_alleles : int or None, default=None
        Alleles of a locus. X is dosage of loci with two, and allele codes of loci with more. None: the checkpoint's, or
        2.
    locus_id, chromosome, position : array-like of shape (n_loci,), default=None
        Names of loci, and where they lie. Loci without are taken to lie on one chromosome, in order.
    precision : {"auto", "f32", "bf16", "f16"}, default="auto"
        Number format of matrix products; "auto" follows the device.
    device : str, default="auto"
        "auto" takes a GPU when there is one; or "cpu", "cuda", "cuda:1".
    random_state : int, RandomState or None, default=0
        Of initial weights, pretraining, and the order of samples.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Of losses of classes, ascending.
    n_ignored_ : int
        Loci of the data that the checkpoint's panel does not have; they are not used.
    n_absent_ : int
        Markers of the checkpoint's panel that the data lack; they are missing.
    n_epochs_ : int
        Epochs trained until patience ended.
    epochs_ : tuple of int
        Epochs of either phase that predicted the validation samples best.
    train_loss_, validation_loss_ : ndarray of shape (n_epochs_,)
        Of every epoch.

    Notes
    -----
    `predict` returns means (mse), medians (mae), expected counts (poisson), the probability of the second class
    (binary, focal), the most probable class (multiclass), the expected class (ordinal), or scores whose order is all
    that they mean (ranking).

    References
    ----------
    Jaegle et al. (2021) Perceiver IO. arXiv:2107.14795.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 3, (40, 30))
    >>> make("perceiver", max_epochs=2, device="cpu").fit(X, X[:, :2]).predict(X[:3]).shape
    (3, 2)
    """

    uses_validation: ClassVar[bool] = True
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "published": {"network": {"architecture": "published"}, "head": "latent", "refit": False}
    }
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {
        "default": {
            "head": Choice(("pool", "latent", "windows")),
            "learning_rate": Float(1e-4, 1e-2, log=True),
            "weight_decay": Float(1e-4, 1.0, log=True),
        }
    }
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "checkpoint": [str, None],
        "pretrain": [dict, None],
        "network": [dict, None],
        "head": [StrOptions({"pool", "latent", "windows"})],
        "loss": [StrOptions({"mse", "mae", "poisson", "ranking", *CLASSES})],
        "frozen_epochs": [Interval(Integral, 0, None, closed="left"), None],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "free": ["array-like"],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "free_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "refit": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "ploidy": [Interval(Integral, 1, None, closed="left"), None],
        "n_alleles": [Interval(Integral, 2, None, closed="left"), None],
        "locus_id": ["array-like", None],
        "chromosome": ["array-like", None],
        "position": ["array-like", None],
        "precision": [StrOptions({"auto", "f32", "bf16", "f16"})],
        "device": [str],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        checkpoint: str | None = None,
        pretrain: dict[str, Any] | None = None,
        network: dict[str, Any] | None = None,
        head: str = "windows",
        loss: str = "mse",
        frozen_epochs: int | None = None,
        max_epochs: int = 200,
        free: Sequence[str] = ("all",),
        learning_rate: float = 0.001,
        free_learning_rate: float = 0.0001,
        weight_decay: float = 0.01,
        dropout: float = 0.1,
        batch_size: int = 32,
        patience: int = 20,
        refit: bool = True,
        validation_fraction: float = 0.15,
        ploidy: int | None = None,
        n_alleles: int | None = None,
        locus_id: Sequence[Any] | None = None,
        chromosome: Sequence[Any] | None = None,
        position: Sequence[float] | None = None,
        precision: str = "auto",
        device: str = "auto",
        random_state: Any = 0,
    ):
        self.checkpoint = checkpoint
        self.pretrain = pretrain
        self.network = network
        self.head = head
        self.loss = loss
        self.frozen_epochs = frozen_epochs
        self.max_epochs = max_epochs
        self.free = free
        self.learning_rate = learning_rate
        self.free_learning_rate = free_learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.batch_size = batch_size
        self.patience = patience
        self.refit = refit
        self.validation_fraction = validation_fraction
        self.ploidy = ploidy
        self.n_alleles = n_alleles
        self.locus_id = locus_id
        self.chromosome = chromosome
        self.position = position
        self.precision = precision
        self.device = device
        self.random_state = random_state

    def _validate_params(self) -> None:
        super()._validate_params()
        if self.checkpoint is not None and (self.pretrain is not None or self.network is not None):
            other = "pretrain" if self.pretrain is not None else "network"
            raise ValueError(f"a checkpoint says which network it is and is pretrained; leave {other} out")

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        progress: Callable[[int, int, float], None] | None = None,
        unlabelled: ArrayLike | None = None,
    ) -> "Perceiver":
        """Pretrain if asked to, then finetune on the samples with phenotypes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage, or allele codes where loci have more than two alleles; NaN is missing.
        y : array-like of shape (n_samples,) or (n_samples, n_environments)
            Phenotypes; NaN is missing.
        validation : (X, y), default=None
            Samples that decide when to stop; None takes `validation_fraction` of the phenotyped samples away.
        progress : callable, default=None
            Called after every epoch of finetuning with (epoch, max_epochs, validation loss).
        unlabelled : array-like of shape (n_others, n_loci), default=None
            More genotypes for pretraining, such as of the samples to predict.

        Raises
        ------
        ValueError
            Fewer than three samples with a phenotype, values that are no dosages or codes, a panel or ploidy other than
            the checkpoint's.
        FloatingPointError
            Training diverged.
        StoreError
            There is no such checkpoint, or it is of something else.
        """
        from gpatlas.train.finetuning import finetune

        self._validate_params()
        x = validated_genotypes(self, X, reset=True, minimum=LEAST_SAMPLES)
        Y = validated_phenotypes(x, y, minimum=2)
        self._one_environment = np.asarray(y).ndim == 1
        others = [part for part in (None if validation is None else validation[0], unlabelled) if part is not None]
        genotypes = [x, *(validated_genotypes(self, part, reset=False) for part in others)]
        stop_y = None if validation is None else validated_phenotypes(genotypes[1], validation[1], minimum=0)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        arithmetic = self._arithmetic()
        codes, network = self._read(genotypes, seed, arithmetic)
        training = _with_phenotypes(codes[0], Y)
        stopping = None if stop_y is None else _with_phenotypes(codes[1], stop_y)
        self.classes_ = _classes(self.loss, training, stopping)
        if stopping is None or not len(stopping[1]):
            training, stopping = self._held_out(training, seed)
        head, outcome = self._made(network, codes[0][:1], np.concatenate([training[1], stopping[1]]), seed, arithmetic)
        settings = self._settings(seed)
        solved = self.head == "windows" and self.loss == "mse" and settings.frozen_epochs > 0
        found = finetune(
            network,
            head,
            outcome,
            training,
            stopping,
            settings,
            arithmetic,
            solve=_solve_ridge if solved else None,
            progress=progress,
        )
        return self._keep(found, arithmetic)

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return predictions, `(n_samples,)` or `(n_samples, n_environments)`, of every sample in every environment.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            As in `fit`.
        """
        outcome, output = self._outputs(X)
        return self._shaped(outcome.values(output).cpu().numpy())

    @available_if(lambda self: self.loss in CLASSES)
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities of `classes_`, `(n_samples, n_classes)` or `(n_samples, n_environments, n_classes)`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            As in `fit`.
        """
        outcome, output = self._outputs(X)
        return self._shaped(outcome.probabilities(output).cpu().numpy())

    def latents(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return what the finetuned encoder makes of genotypes, `(n_samples, n_latents, width)`."""
        from gpatlas.train.finetuning import encode

        check_is_fitted(self)
        codes = self._codes(validated_genotypes(self, X, reset=False))
        return encode(self._modules()[0], codes, self._arithmetic()).cpu().numpy()

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs, of the default network; how early patience ends is a guess."""
        settings, recipe = self._settings(0), self.pretrain or {}
        width = int((self.network or {}).get("width", _WIDTH))
        tokens = n_loci / _WINDOW
        attended = _LAYERS * tokens * (24.0 * width**2 + 4.0 * tokens * width)
        encoded = 2.0 * n_loci * width * (self.n_alleles or 2) + attended
        frozen, free = _RUN * settings.frozen_epochs, _RUN * settings.free_epochs
        steps = -(-n_samples // self.batch_size)
        batches, size = (recipe.get("n_steps", 2_000), recipe.get("batch_size", 32)) if recipe else (0, 0)
        passes = (1 + self.refit) * n_samples * (1 + 3 * free) + 4.0 * batches * size
        latents = tokens * width
        return Work(
            flops=encoded * passes + 6.0 * latents * n_traits * n_samples * frozen,
            memory=TORCH_PROCESS
            + 4.0 * n_samples * (n_loci + latents)
            + 48.0 * n_loci * width
            + 80.0 * latents * _LAYERS * max(self.batch_size, size),
            steps=(1 + self.refit) * steps * (frozen + 6.0 * free) + 8.0 * batches,
            traffic=40.0 * latents * _LAYERS * passes,
        )

    def _settings(self, seed: int) -> "FinetuneSettings":
        from gpatlas.train.finetuning import FinetuneSettings

        pretrained = self.checkpoint is not None or self.pretrain is not None
        frozen = self.frozen_epochs if self.frozen_epochs is not None else _FROZEN * pretrained
        frozen = min(frozen, self.max_epochs)
        return FinetuneSettings(
            frozen_epochs=frozen,
            free_epochs=self.max_epochs - frozen,
            free=tuple(self.free),
            learning_rate=self.learning_rate,
            free_learning_rate=self.free_learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            patience=self.patience,
            refit=self.refit,
            seed=seed,
        )

    def _arithmetic(self) -> "Arithmetic":
        from gpatlas.train.precision import choose_arithmetic

        return choose_arithmetic(self.device, self.precision)  # type: ignore[arg-type]

    def _read(
        self, genotypes: Sequence[NDArray], seed: int, arithmetic: "Arithmetic"
    ) -> tuple[list[NDArray[np.int16]], "nn.Module"]:
        """Return genotypes as codes of a network's markers, and the network, pretrained if it is to be."""
        n_loci = genotypes[0].shape[1]
        if self.checkpoint is not None:
            from gpatlas.perceiver.pretrained import read_pretrained

            network, layout = read_pretrained(self.checkpoint)
            self._refuse_other_calls(layout)
            self._columns = match_loci(layout, self.locus_id, n_loci)
        else:
            network, layout = self._new_network(genotypes, seed)
        self._layout = layout_state(layout)
        self.n_absent_ = int((self._columns < 0).sum())
        self.n_ignored_ = n_loci - (layout.n_loci - self.n_absent_)
        codes = [self._codes(part) for part in genotypes]
        if self.pretrain is not None:
            network = self._pretrained(network, np.concatenate(codes), seed, arithmetic)
        return codes, network

    def _new_network(self, genotypes: Sequence[NDArray], seed: int) -> tuple["nn.Module", "Layout"]:
        from gpatlas.nn.mlp import seeded
        from gpatlas.nn.perceiver import make_network

        n_alleles, ploidy = self.n_alleles or 2, self.ploidy
        if ploidy is None:
            if n_alleles > 2:
                raise ValueError(f"allele codes of {n_alleles} alleles need their ploidy; give ploidy")
            ploidy = max(1, *(int(np.nanmax(part, initial=1)) for part in genotypes))
        layout, self._columns = layout_of_loci(
            genotypes[0].shape[1], ploidy, n_alleles, self.locus_id, self.chromosome, self.position
        )
        return seeded(make_network, seed, layout, **(self.network or {})), layout

    def _pretrained(
        self, network: "nn.Module", codes: NDArray[np.int16], seed: int, arithmetic: "Arithmetic"
    ) -> "nn.Module":
        from gpatlas.config import PerceiverRecipe
        from gpatlas.perceiver.pretraining import pretrain

        ours = {"seed": seed, "network": self.network or {}}
        recipe = PerceiverRecipe.parse(ours | (self.pretrain or {}), "pretrain")
        return pretrain(codes, network.layout, recipe, arithmetic).network

    def _refuse_other_calls(self, layout: "Layout") -> None:
        for what, ours, theirs in (
            ("ploidy", self.ploidy, layout.ploidy),
            ("n_alleles", self.n_alleles, layout.n_alleles),
        ):
            if ours not in (None, theirs):
                raise ValueError(f"the data have {what} {ours}, but checkpoint {self.checkpoint} was made for {theirs}")

    def _codes(self, x: NDArray) -> NDArray[np.int16]:
        codes = codes_of_features(x, self._layout["ploidy"], self._layout["n_alleles"])
        return arrange_codes(codes, self._columns)

    def _held_out(self, samples: _Samples, seed: int) -> tuple[_Samples, _Samples]:
        codes, y = samples
        if len(y) < LEAST_SAMPLES:
            raise ValueError(f"{len(y)} samples have a phenotype, but at least {LEAST_SAMPLES} are needed to fit")
        out = hold_out(len(y), self.validation_fraction, seed)
        return (codes[~out], y[~out]), (codes[out], y[out])

    def _made(
        self, network: "nn.Module", one: NDArray[np.int16], y: NDArray[np.float64], seed: int, arithmetic: "Arithmetic"
    ) -> "tuple[Head, Outcome]":
        """Return a head and an outcome to train."""
        from gpatlas.nn.mlp import seeded
        from gpatlas.nn.perceiver.heads import make_head
        from gpatlas.train.finetuning import encode
        from gpatlas.train.outcomes import make_outcome

        outcome = make_outcome(self.loss, y.shape[1], self.classes_.tolist())
        outcome.learn_scale(y)
        size = encode(network, one, arithmetic).shape[1:]
        return seeded(make_head, seed, self.head, *size, y.shape[1], outcome.n_outputs, self.dropout), outcome

    def _keep(self, found: "Finetuned", arithmetic: "Arithmetic") -> "Perceiver":
        from gpatlas.nn.perceiver import state_of

        self._network_settings = dict(found.network.settings)
        self._head_size = (*found.head.centre_LD.shape, found.head.n_environments, found.head.n_outputs)
        parts = {"network": found.network, "head": found.head, "outcome": found.outcome}
        self._weights = {name: state_of(part) for name, part in parts.items()}
        self.train_loss_ = np.array(found.history.train_loss)
        self.validation_loss_ = np.array(found.history.validation_loss)
        self.n_epochs_, self.epochs_ = len(self.train_loss_), found.epochs
        self.device_ = arithmetic.describe()
        return self

    def _modules(self) -> "tuple[nn.Module, Head, Outcome]":
        """Make the modules of the weights that are kept."""
        from gpatlas.nn.perceiver import Layout, network_of
        from gpatlas.nn.perceiver.heads import make_head
        from gpatlas.train.finetuning import load_weights
        from gpatlas.train.outcomes import make_outcome

        network = network_of(self._network_settings, Layout.of_config(self._layout), self._weights["network"])
        head = make_head(self.head, *self._head_size)
        outcome = make_outcome(self.loss, self._head_size[2], self.classes_.tolist())
        load_weights(head, self._weights["head"])
        load_weights(outcome, self._weights["outcome"])
        return network, head, outcome

    def _outputs(self, X: ArrayLike) -> "tuple[Outcome, Tensor]":
        from gpatlas.train.finetuning import outputs

        check_is_fitted(self)
        codes = self._codes(validated_genotypes(self, X, reset=False))
        network, head, outcome = self._modules()
        arithmetic = self._arithmetic()
        return outcome.to(arithmetic.device), outputs(network, head, codes, arithmetic)

    def _shaped(self, values: NDArray) -> NDArray:
        return values[:, 0] if self._one_environment else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.categorical = True  # dosages and codes are whole numbers
        return tags


def _with_phenotypes(codes: NDArray[np.int16], y: NDArray[np.float64]) -> _Samples:
    known = ~np.isnan(y).all(axis=1)
    return codes[known], y[known]


def _classes(loss: str, *samples: _Samples | None) -> NDArray[np.float64]:
    """Return the classes that phenotypes have, ascending; none of a loss without classes.

    Raises
    ------
    ValueError
        Too few or too many of them, or counts that are negative.
    """
    y = np.concatenate([part[1].ravel() for part in samples if part is not None])
    found = np.unique(y[~np.isnan(y)])
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


def _solve_ridge(head: Any, latents: "Tensor", y: NDArray[np.float64]) -> None:
    """Set a linear readout to rrBLUP of latents; y are standardised phenotypes."""
    import torch

    features = head.features(latents).cpu().numpy().astype(np.float64)
    solved = RRBLUP().fit(features, y.astype(np.float64))
    with torch.no_grad():
        head.weight_EOF.copy_(torch.from_numpy(solved.marker_effects_.T[:, None]))
        head.bias_EO.copy_(torch.from_numpy(np.asarray(solved.intercept_)[:, None]))
