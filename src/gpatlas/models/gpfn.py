"""GPFN: a network that learnt from simulated breeding populations how to predict, conditioned on a real one."""

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from gpatlas.errors import ConfigError, StoreError
from gpatlas.models.conditioning import Conditioning
from gpatlas.models.dosage_model import DosageModel
from gpatlas.models.fixed_effects import FixedEffects
from gpatlas.models.inputs import complete_parts, fill_missing, locus_means
from gpatlas.models.kernels import refuse_beyond_memory
from gpatlas.models.ridge import centre_traits
from gpatlas.models.space import Range
from gpatlas.models.work import TORCH_PROCESS, Work

if TYPE_CHECKING:
    import torch
    from torch import nn

Array = NDArray[np.float64]
LEAST_SAMPLES = 10
_EXPERTS = 8  # of the default network, for prices


class GPFN(DosageModel):
    """Genomic prior-data fitted network: exact genomic prediction whose markers are weighed by a pretrained network.

    Parameters
    ----------
    checkpoint : str or None, default="default"
        The network: one that comes with gpatlas, or a file of `gpatlas gpfn train`. None is a network that was never
        trained, which is GBLUP with its heritability integrated out.
    chromosome : array-like of shape (n_loci,), default=None
        On which chromosome each locus lies, in any labels; loci are taken to be in order. None lets linkage
        disequilibrium alone say which of the loci beside each other are neighbours.
    n_covariates : int, default=0
        How many of the last columns of X are covariates: fixed effects, which nothing shrinks.
    device : str, default="cpu"
        "auto" takes a GPU when there is one; or "cpu", "cuda", "cuda:1".

    Attributes
    ----------
    mean_ : float or ndarray of shape (n_traits,)
        Prediction for the average training sample.
    covariate_effects_ : ndarray of shape (n_covariates,) or (n_covariates, n_traits)
        Effect of one unit of each covariate.
    var_e_ : float or ndarray of shape (n_traits,)
        Error variance.
    marker_weights_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Prior variance of each locus' effect after the last round, relative to the mean over loci; 0 for loci that do
        not vary. Large where the network suspects QTL.
    expert_weights_ : ndarray of shape (n_experts,) or (n_experts, n_traits)
        Share of each expert in predictions: the rounds (of which the first is GBLUP), then Gaussian kernels.
    n_ignored_ : int
        Loci that do not vary among the training samples, or have no call at all.

    Notes
    -----
    `fit` trains nothing: it conditions the network on the training samples, of which at least 10 need phenotypes. A
    missing phenotype (NaN) takes its sample out of that trait only. A missing genotype (NaN) is replaced by the locus'
    training mean. A trait that does not vary is predicted as it is, without error. A model that was saved and read
    solves its equations anew at its first prediction.

    References
    ----------
    Ubbens, Stavness & Sharpe (2023), GPFN: prior-data fitted networks for genomic prediction. bioRxiv.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 3, (80, 100))
    >>> y = X[:, 5] + 0.1 * X[:, 9]
    >>> model = make("gpfn", checkpoint=None).fit(X[:70], y[:70])
    >>> value, sd = model.predict(X[70:], return_std=True)
    >>> value.shape, bool((sd > 0).all())
    ((10,), True)
    """

    uses_validation: ClassVar[bool] = False
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {}  # all there is to choose was learnt
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "checkpoint": [str, None],
        "chromosome": ["array-like", None],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
        "device": [str],
    }

    def __init__(
        self,
        checkpoint: str | None = "default",
        chromosome: Sequence[Any] | None = None,
        n_covariates: int = 0,
        device: str = "cpu",
    ):
        self.checkpoint = checkpoint
        self.chromosome = chromosome
        self.n_covariates = n_covariates
        self.device = device

    def fit(self, X: ArrayLike, y: ArrayLike) -> "GPFN":
        """Condition the network on a training population.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage. NaN is missing.
        y : array-like of shape (n_samples,) or (n_samples, n_traits)
            Phenotypes; NaN is missing.

        Raises
        ------
        ValueError
            Fewer than ten phenotyped samples for a trait, values that are not finite numbers, chromosomes of another
            number of loci, or more samples than this machine's memory takes.
        StoreError
            There is no such checkpoint, or it is of something else.
        """
        dosage, Y = self._validated(X, y, minimum=LEAST_SAMPLES)
        n_loci, n_traits, q = dosage.shape[1] - self.n_covariates, Y.shape[1], self.n_covariates
        refuse_beyond_memory(
            f"gpfn of {len(dosage):,} samples × {n_loci:,} loci",
            self.work(len(dosage), n_loci, n_traits).memory,
            "fit fewer samples, or take a model that holds no matrix of them: rrblup",
        )
        self._config, self._arrays = _network_state(self.checkpoint)
        self._mean_x = locus_means(dosage)
        x, chromosome = fill_missing(dosage, self._mean_x)[0], _numbered(self.chromosome, n_loci)
        self._parts: list[Conditioning] = []
        self._one_trait = np.asarray(y).ndim == 1
        mean, var_e, effects = np.zeros(n_traits), np.zeros(n_traits), np.zeros((q, n_traits))
        weights, experts = np.zeros((n_loci, n_traits)), {}
        network, device = self._network()
        for x_here, y_here, traits in complete_parts(x, Y):
            loci, w = self._cut(x_here)
            centred, mean[traits] = centre_traits(y_here)
            fixed = FixedEffects.of(np.empty((len(loci), 0)) if w is None else w)
            part = Conditioning.of(loci, centred, fixed, traits, chromosome)
            self._parts.append(part)
            for trait, sd, solved in zip(traits, part.sd, part.solve(network, device), strict=True):
                experts[int(trait)] = solved.weights[0].cpu().numpy()
                var_e[trait] = float(solved.noise[0]) * sd**2
                weights[:, trait] = solved.marker_weights[0].cpu().numpy()
            if w is not None:
                shift, effects[:, traits] = fixed.estimate(centred - part.predict(network, loci, device)[0])
                mean[traits] += shift + self._mean_x[-q:] @ effects[:, traits]
        self.n_ignored_ = int((weights == 0).all(axis=1).sum())
        self.mean_ = mean[0] if self._one_trait else mean
        self.var_e_ = var_e[0] if self._one_trait else var_e
        self.covariate_effects_: Array = self._shaped(effects)
        self.marker_weights_: Array = self._shaped(weights)
        self.expert_weights_: Array = self._shaped(np.column_stack([experts[trait] for trait in range(n_traits)]))
        return self

    def predict(self, X: ArrayLike, return_std: bool = False) -> Any:
        """Predict genetic values in trait units: mean, covariates and genomic value.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            As in `fit`.
        return_std : bool, default=False
            Whether to return the standard deviations of the genetic values too.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_traits)
        std : ndarray of the same shape
            Only if asked for. An individual's phenotype has a variance of `std**2 + var_e_` about the value.
        """
        x, w = self._cut(self._new_dosage(X))
        network, device = self._network()
        values, variances = np.zeros((2, len(x), np.size(self.mean_)))
        for part in self._parts:
            values[:, part.traits], variances[:, part.traits] = part.predict(network, x, device)
        values += np.atleast_1d(self.mean_)
        if w is not None:
            values += (w - self._mean_x[-self.n_covariates :]) @ self.covariate_effects_.reshape(self.n_covariates, -1)
        values = self._shaped(values)
        return (values, self._shaped(np.sqrt(variances))) if return_std else values

    def predict_quantiles(
        self, X: ArrayLike, quantiles: Sequence[float] = (0.05, 0.5, 0.95), phenotype: bool = False
    ) -> Array:
        """Predict quantiles of genetic values, or of phenotypes, in trait units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            As in `fit`.
        quantiles : sequence of float, default=(0.05, 0.5, 0.95)
            Which, between 0 and 1; two of them are an interval.
        phenotype : bool, default=False
            Whether of an individual's phenotype instead of its genetic value.

        Returns
        -------
        ndarray of shape (n_quantiles, n_samples) or (n_quantiles, n_samples, n_traits)
        """
        from scipy.special import ndtri

        at = np.asarray(quantiles, dtype=np.float64)
        if at.ndim != 1 or not ((at > 0) & (at < 1)).all():
            raise ValueError(f"quantiles must be numbers between 0 and 1, not {quantiles}")
        value, sd = self.predict(X, return_std=True)
        sd = np.sqrt(sd**2 + phenotype * np.asarray(self.var_e_))
        return value + np.multiply.outer(ndtri(at), sd)

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs."""
        return Work(
            flops=0.0,
            flops64=n_traits * 16.0 * n_samples**2 * n_loci,
            eigen=n_traits * _EXPERTS * 1.0 * n_samples**3,
            memory=TORCH_PROCESS + 8.0 * n_samples * n_loci + 24.0 * _EXPERTS * n_samples**2 * max(1, n_traits / 2),
            traffic=n_traits * 100.0 * n_samples * n_loci,
        )

    def _shaped(self, values: Array) -> Array:
        return values[..., 0] if self._one_trait else values

    def _network(self) -> "tuple[nn.Module, torch.device]":
        from gpatlas.nn.gpfn.networks import network_of
        from gpatlas.train.precision import choose_arithmetic

        device = choose_arithmetic(self.device, "f32").device
        return network_of(self._config, self._arrays).double().to(device), device


def _network_state(checkpoint: str | None) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return a network's settings and weights, which a saved model carries."""
    from gpatlas.nn.gpfn.networks import make_network, network_of
    from gpatlas.nn.weights import state_of

    if checkpoint is None:
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = make_network()
        return network.settings, state_of(network)
    from gpatlas.io.checkpoints import find_checkpoint, read_checkpoint

    path = find_checkpoint(checkpoint)
    found = read_checkpoint(path)
    settings = found.config.get("network")
    if settings is None:
        raise StoreError(f"{path}: a checkpoint, but not of a prior-fitted network (`gpatlas gpfn train` makes one)")
    try:
        network_of(settings, found.arrays)
    except ConfigError as error:
        raise StoreError(f"{path}: {error}") from None
    return settings, found.arrays


def _numbered(chromosome: Sequence[Any] | None, n_loci: int) -> NDArray[np.int64] | None:
    """Return chromosomes as numbers.

    Raises
    ------
    ValueError
        Of another number of loci.
    """
    if chromosome is None:
        return None
    labels = np.asarray(chromosome)
    if labels.shape != (n_loci,):
        raise ValueError(f"chromosome must name one chromosome for each of {n_loci} loci, but has shape {labels.shape}")
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
