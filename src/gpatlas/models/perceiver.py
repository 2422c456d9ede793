"""The perceiver: a network that learnt a genome's structure from genotypes, finetuned on those with phenotypes."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from gpatlas.models.perceiver_fit import CLASSES
from gpatlas.models.perceiver_model import FinetunedModel
from gpatlas.models.space import Choice, Float, Range


class Perceiver(FinetunedModel):
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
    max_epochs : int, default=150
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
    patience : int, default=10
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
    alleles : array-like of shape (n_loci, 2), default=None
        Names of the other and of the counted allele; a locus that counts the other one than the checkpoint's panel is
        turned round.
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
    n_turned_ : int
        Markers at which the data count the other allele than the checkpoint's panel.
    n_epochs_ : int
        Epochs trained until patience ended.
    epochs_ : tuple of int
        Epochs of either phase that predicted the validation samples best.
    solved_ : bool
        Whether a linear readout was solved in place of the first phase.
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
        "alleles": ["array-like", None],
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
        max_epochs: int = 150,
        free: Sequence[str] = ("all",),
        learning_rate: float = 0.001,
        free_learning_rate: float = 0.0001,
        weight_decay: float = 0.01,
        dropout: float = 0.1,
        batch_size: int = 32,
        patience: int = 10,
        refit: bool = True,
        validation_fraction: float = 0.15,
        ploidy: int | None = None,
        n_alleles: int | None = None,
        locus_id: Sequence[Any] | None = None,
        chromosome: Sequence[Any] | None = None,
        position: Sequence[float] | None = None,
        alleles: Sequence[Sequence[str]] | None = None,
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
        self.alleles = alleles
        self.precision = precision
        self.device = device
        self.random_state = random_state

    def _validate_params(self) -> None:
        super()._validate_params()
        if self.checkpoint is not None and (self.pretrain is not None or self.network is not None):
            other = "pretrain" if self.pretrain is not None else "network"
            raise ValueError(f"a checkpoint says which network it is and is pretrained; leave {other} out")
        if self.network is not None and "network" in (self.pretrain or {}):
            raise ValueError("network is given twice: for itself, and in pretrain; leave one out")
