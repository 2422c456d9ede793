"""What a finetuned network does as an estimator: fit, predict, say its price. `Perceiver` has the hyperparameters."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from gpatlas.models.dosage_model import DosageModel
from gpatlas.models.inputs import validated_genotypes, validated_phenotypes
from gpatlas.models.perceiver_fit import (
    CLASSES,
    LEAST_SAMPLES,
    classes_of,
    held_out,
    kept,
    modules_of,
    new_head,
    solve_ridge,
    with_phenotypes,
)
from gpatlas.models.perceiver_panel import (
    arrange_codes,
    codes_of_features,
    largest_dosage,
    layout_of_loci,
    match_loci,
    refuse_other_calls,
    turned_loci,
)
from gpatlas.models.work import TORCH_PROCESS, Work

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gpatlas.nn.perceiver.layout import Layout
    from gpatlas.train.finetuning import FinetuneSettings
    from gpatlas.train.outcomes import Outcome
    from gpatlas.train.precision import Arithmetic

_FROZEN = 100  # epochs of a head on a pretrained encoder
_WIDTH, _HIDDEN, _WINDOW, _SHOWN = 96, 192, 20, 60  # of the default network, for prices
_RUN = 0.15  # share of the epochs that run before patience ends


class FinetunedModel(DosageModel):
    """Base of the perceiver; a subclass has its hyperparameters."""

    uses_validation: ClassVar[bool] = True

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        progress: Callable[[int, int, float], None] | None = None,
        unlabelled: ArrayLike | None = None,
    ) -> Self:
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
        training = with_phenotypes(codes[0], Y)
        stopping = None if stop_y is None else with_phenotypes(codes[1], stop_y)
        if stopping is None or not len(stopping[1]):
            training, stopping = held_out(training, self.validation_fraction, seed)
        phenotyped = np.concatenate([training[0], stopping[0]]), np.concatenate([training[1], stopping[1]])
        self.classes_ = classes_of(self.loss, phenotyped[1])
        head, outcome = new_head(
            self.head, self.loss, self.classes_, network, phenotyped, self.dropout, seed, arithmetic
        )
        settings = self._settings(seed)
        found = finetune(
            network,
            head,
            outcome,
            training,
            stopping,
            settings,
            arithmetic,
            solve=solve_ridge if self._is_solved(settings) else None,
            progress=progress,
        )
        self._kept = kept(found, self.head, self.loss, self.classes_)
        self.train_loss_ = np.array(found.history.train_loss)
        self.validation_loss_ = np.array(found.history.validation_loss)
        self.n_epochs_, self.epochs_ = len(self.train_loss_), found.epochs
        self.solved_ = self._is_solved(settings)
        self.device_ = arithmetic.describe()
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return predictions, `(n_samples,)` or `(n_samples, n_environments)`, of every sample in every environment.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            As in `fit`.
        """
        outcome, output = self._outputs(X)
        return self._shaped(outcome.values(output))

    @available_if(lambda self: self.loss in CLASSES)
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities of `classes_`, `(n_samples, n_classes)` or `(n_samples, n_environments, n_classes)`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            As in `fit`.
        """
        outcome, output = self._outputs(X)
        return self._shaped(outcome.probabilities(output))

    def latents(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return what the finetuned encoder makes of genotypes, `(n_samples, n_latents, width)`."""
        from gpatlas.train.finetuning import encode

        check_is_fitted(self)
        codes = self._codes(validated_genotypes(self, X, reset=False))
        return encode(modules_of(self._kept)[0], codes, self._arithmetic()).cpu().numpy()

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs, of the default network; how early patience ends is a guess."""
        from gpatlas.config import PerceiverRecipe

        settings, recipe = self._settings(0), self.pretrain or {}
        network = {"width": _WIDTH, "hidden": _HIDDEN} | (self.network or recipe.get("network", {}))
        windows, features = n_loci / _WINDOW, _SHOWN * (self.n_alleles or 2)
        of_window = network["hidden"] * (features + network["width"])  # weights, each of which is used once
        encoded = windows * (2.0 * of_window + 24.0 * network["width"] ** 2)
        frozen, free = _RUN * settings.frozen_epochs, _RUN * settings.free_epochs
        if self._is_solved(settings):
            frozen = 0.0
        batches, size = (
            recipe.get(key, PerceiverRecipe.model_fields[key].default) for key in ("n_steps", "batch_size")
        )
        if self.pretrain is None:
            batches = size = 0
        fits, steps = 1 + self.refit, -(-n_samples // self.batch_size)
        passes = fits * n_samples * (1 + 3 * free) + 4.0 * batches * size
        latents = windows * network["width"]
        learning = fits * steps * free + batches  # steps in which all weights move
        return Work(
            flops=encoded * passes + 6.0 * latents * n_traits * n_samples * fits * frozen,
            memory=TORCH_PROCESS
            + 4.0 * n_samples * (n_loci + 3 * latents)
            + 40.0 * windows * of_window
            + 60.0 * latents * max(self.batch_size, size),
            steps=fits * steps * frozen + 6.0 * learning,
            traffic=28.0 * windows * of_window * learning + 60.0 * latents * passes,
        )

    def _is_solved(self, settings: "FinetuneSettings") -> bool:
        """Whether the first phase is ridge regression, which is solved."""
        return self.head == "windows" and self.loss == "mse" and settings.frozen_epochs > 0

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

        return choose_arithmetic(self.device, self.precision)

    def _read(
        self, genotypes: Sequence[NDArray], seed: int, arithmetic: "Arithmetic"
    ) -> tuple[list[NDArray[np.int16]], "nn.Module"]:
        """Return genotypes as codes of a network's markers, and the network, pretrained if it is to be."""
        from gpatlas.nn.mlp import seeded
        from gpatlas.nn.perceiver import make_network

        n_loci = genotypes[0].shape[1]
        if self.checkpoint is not None:
            from gpatlas.perceiver.pretrained import read_alleles, read_pretrained

            network, layout = read_pretrained(self.checkpoint)
            refuse_other_calls(layout, self.ploidy, self.n_alleles)
            self._columns = match_loci(layout, self.locus_id, n_loci)
            self._turned = turned_loci(layout, read_alleles(self.checkpoint), self.alleles, self._columns, n_loci)
        else:
            n_alleles = self.n_alleles or 2
            if self.ploidy is None and n_alleles > 2:
                raise ValueError(f"allele codes of {n_alleles} alleles need their ploidy; give ploidy")
            ploidy = self.ploidy or max(largest_dosage(part) for part in genotypes)
            layout, self._columns = layout_of_loci(
                n_loci, ploidy, n_alleles, self.locus_id, self.chromosome, self.position
            )
            self._turned = np.zeros(n_loci, dtype=bool)
            network = None if self.pretrain is not None else seeded(make_network, seed, layout, **(self.network or {}))
        self._calls = layout.ploidy, layout.n_alleles
        self.n_absent_ = int((self._columns < 0).sum())
        self.n_ignored_ = n_loci - (layout.n_loci - self.n_absent_)
        self.n_turned_ = int(self._turned.sum())
        codes = [self._codes(part) for part in genotypes]
        if self.pretrain is not None:
            network = self._pretrained(layout, np.concatenate(codes), seed, arithmetic)
        return codes, network

    def _pretrained(
        self, layout: "Layout", codes: NDArray[np.int16], seed: int, arithmetic: "Arithmetic"
    ) -> "nn.Module":
        from gpatlas.config import PerceiverRecipe
        from gpatlas.perceiver.pretraining import pretrain

        ours = {"seed": seed, "network": self.network or {}}
        recipe = PerceiverRecipe.parse(ours | (self.pretrain or {}), "pretrain")
        return pretrain(codes, layout, recipe, arithmetic).network

    def _codes(self, x: NDArray) -> NDArray[np.int16]:
        return arrange_codes(codes_of_features(x, *self._calls), self._columns, self._turned, self._calls[0])

    def _outputs(self, X: ArrayLike) -> "tuple[Outcome, Tensor]":
        from gpatlas.train.finetuning import outputs

        check_is_fitted(self)
        codes = self._codes(validated_genotypes(self, X, reset=False))
        network, head, outcome = modules_of(self._kept)
        arithmetic = self._arithmetic()
        return outcome.to(arithmetic.device), outputs(network, head, codes, arithmetic)

    def _shaped(self, values: "Tensor") -> NDArray[np.float64]:
        found = values.detach().cpu().numpy()
        return found[:, 0] if self._one_environment else found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.categorical = True  # dosages and codes are whole numbers
        return tags
