"""RKHS regression: any smooth function of the genotype, by Gaussian kernels averaged by their evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, solve_triangular
from sklearn.utils._param_validation import Interval

from gpatlas.models.fixed_effects import FixedEffects
from gpatlas.models.inputs import complete_parts, fill_missing
from gpatlas.models.kernel_model import KernelModel, reliability
from gpatlas.models.kernels import (
    CentredKernel,
    Coding,
    GaussianKernel,
    bytes_held,
    refuse_beyond_memory,
    squared_distances,
)
from gpatlas.models.products import row_blocks
from gpatlas.models.ridge import (
    centre_traits,
    kernel_spectrum,
    left_out_errors,
    reml_deviance,
    reml_penalties,
    variance_components,
)
from gpatlas.models.space import Range
from gpatlas.models.work import CLASSICAL_PROCESS, Work

Array = NDArray[np.float64]
BANDWIDTHS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_SAMPLES_OF_MEDIAN = 1000  # whose distances give it
_SMALLEST_WEIGHT = 1e-8  # below it a kernel is left out of predictions


class RKHS(KernelModel):
    """Gaussian-kernel regression (RKHS) with bandwidths averaged by evidence, variances by REML.

    Parameters
    ----------
    bandwidths : array-like of shape (n_bandwidths,), default=None
        Candidates b of the kernel exp(-distance²/b), in medians of the squared distance between training samples.
        Narrow ones let all orders of epistasis act, the widest is nearly additive. None is 0.5, 1, 2, 4, 8, 16.
    standardise : bool, default=False
        Whether distances count standard deviations of a locus, instead of copies of the allele.
    n_covariates : int, default=0
        How many of the last columns of X are covariates: fixed effects, which nothing shrinks.
    left_out : bool, default=False
        Whether `fit` keeps each training sample's prediction by the other samples.

    Attributes
    ----------
    bandwidths_ : ndarray of shape (n_bandwidths,)
        Bandwidths in squared dosages, or squared standard deviations.
    weights_ : ndarray of shape (n_bandwidths,) or (n_bandwidths, n_traits)
        Posterior probability of each bandwidth.
    mean_ : float or ndarray of shape (n_traits,)
        Mean of the training samples: prediction for the average one.
    covariate_effects_ : ndarray of shape (n_covariates,) or (n_covariates, n_traits)
        Effect of one unit of each covariate, averaged over bandwidths.
    left_out_ : ndarray of shape (n_samples,) or (n_samples, n_traits)
        With `left_out`: leave-one-out predictions, exact at the variances and weights of all samples; NaN without a
        phenotype.
    var_g_, var_e_, h2_broad_ : float or ndarray of shape (n_traits,)
        Variance of genetic values in an average training sample, of errors, and the first one's share in their sum,
        averaged over bandwidths (with covariates: of what they leave).

    Notes
    -----
    Each bandwidth is a mixed model of its own, with variances at the maximum of its restricted likelihood L_b; the
    prediction is the mean over them with weights L_b/ΣL (a uniform prior; all have as many parameters, so none is
    favoured). A missing phenotype (NaN) takes its sample out of that trait only. A missing genotype (NaN) is replaced
    by the locus' training mean. It holds three matrices of n_samples × n_samples.

    References
    ----------
    Gianola & van Kaam (2008) Genetics 178:2289; de los Campos et al. (2010) Genet. Res. 92:295.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 2, (200, 6))
    >>> y = np.where(X[:, 0] == X[:, 1], 1.0, -1.0) * X[:, 2]
    >>> model = make("rkhs").fit(X[:150], y[:150])
    >>> float(np.corrcoef(model.predict(X[150:]), y[150:])[0, 1].round(1))
    1.0
    """

    uses_validation: ClassVar[bool] = False
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {}  # bandwidths are averaged, by the model itself
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "bandwidths": ["array-like", None],
        "standardise": ["boolean"],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
        "left_out": ["boolean"],
    }

    def __init__(
        self,
        bandwidths: Sequence[float] | None = None,
        standardise: bool = False,
        n_covariates: int = 0,
        left_out: bool = False,
    ):
        self.bandwidths = bandwidths
        self.standardise = standardise
        self.n_covariates = n_covariates
        self.left_out = left_out

    def fit(self, X: ArrayLike, y: ArrayLike) -> "RKHS":
        """Estimate variances at every bandwidth, and the bandwidths' weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage. NaN is missing.
        y : array-like of shape (n_samples,) or (n_samples, n_traits)
            Phenotypes; NaN is missing.

        Raises
        ------
        ValueError
            Fewer than two phenotyped samples for a trait, values that are not finite numbers, bandwidths that are
            not positive, or more samples than this machine's memory takes.
        """
        dosage, Y = self._validated(X, y, minimum=2)
        relative = _checked(self.bandwidths)
        n_samples, n_loci = len(dosage), dosage.shape[1] - self.n_covariates
        refuse_beyond_memory(
            f"rkhs of {n_samples:,} samples × {n_loci:,} loci",
            self.work(n_samples, n_loci, Y.shape[1]).memory,
            "fit fewer samples, or take a model that holds no matrix of them: rrblup",
        )
        x, means = fill_missing(dosage)
        self._mean_x = x.mean(axis=0, dtype=np.float64) if means is None else means
        loci = self._cut(x)[0]
        self.bandwidths_: Array = relative * median_distance(Coding.of(loci, self.standardise)(loci))
        self._parts: list[_Part] = []
        weights, (mean, *variances) = np.zeros((len(relative), Y.shape[1])), np.zeros((4, Y.shape[1]))
        effects, left_out = np.zeros((self.n_covariates, Y.shape[1])), np.full(Y.shape, np.nan)
        for x_here, y_here, traits in complete_parts(x, Y):
            loci, w = self._cut(x_here)
            centred, mean[traits] = centre_traits(y_here)
            part, errors = _Part.of(Coding.of(loci, self.standardise), loci, w, centred, traits, self.bandwidths_)
            self._parts.append(part)
            weights[:, traits] = part.weights
            left_out[np.ix_(np.flatnonzero(~np.isnan(Y[:, traits[0]])), traits)] = y_here - errors
            if part.fixed is not None:
                effects[:, traits] = (part.weights[:, None] * part.covariate_effects).sum(axis=0)
                mean[traits] += (self._mean_x[-self.n_covariates :] - part.fixed.mean) @ effects[:, traits]
            for row, of_bandwidth in zip(variances, (part.var_g, part.var_e, part.h2), strict=True):
                row[traits] = (part.weights * of_bandwidth).sum(axis=0)
        one_trait = np.asarray(y).ndim == 1
        self.mean_, self.var_g_, self.var_e_, self.h2_broad_ = (
            row[0] if one_trait else row for row in (mean, *variances)
        )
        self.weights_: Array = self._shaped(weights)
        self.covariate_effects_ = self._shaped(effects)
        if self.left_out:
            self.left_out_: Array = self._shaped(left_out)
        return self

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs."""
        n_bandwidths = len(BANDWIDTHS if self.bandwidths is None else self.bandwidths)
        return Work(
            flops=0.0,
            flops64=n_bandwidths * 2.0 * n_samples**2 * n_loci,
            eigen=n_bandwidths * float(n_samples) ** 3,
            memory=CLASSICAL_PROCESS + bytes_held(n_samples) + 8.0 * n_samples * (2 * n_loci + n_bandwidths * n_traits),
            traffic=n_bandwidths * 100.0 * n_samples**2,
        )

    def _values(self, x: NDArray) -> Array:
        values = np.tile(np.atleast_1d(self.mean_), (len(x), 1))
        for part in self._parts:
            for rows in row_blocks(x, len(part.x)):
                values[rows, part.traits] += sum(weight * value for _, weight, value in part.predictions(x[rows]))
        return values

    def _reliability(self, x: NDArray) -> Array:
        found = np.zeros((len(x), np.size(self.mean_)))
        for part in self._parts:
            found[:, part.traits] = part.reliability(x)
        return found


@dataclass(frozen=True)
class _Part:
    """Traits phenotyped in the same samples, `(n_bandwidths, n_traits)` each, of kernels as they are (k(x, x) = 1).

    `kernels` are in the order of bandwidths, `duals` V⁻¹y times the kernel's variance, `(n, n_traits)` each,
    `covariate_effects` `(n_bandwidths, n_covariates, n_traits)`.
    """

    x: NDArray
    fixed: FixedEffects | None
    traits: NDArray[np.intp]
    kernels: list[CentredKernel]
    duals: list[Array]
    weights: Array
    var_k: Array
    var_g: Array
    var_e: Array
    h2: Array
    covariate_effects: Array

    @classmethod
    def of(
        cls, coding: Coding, x: NDArray, w: NDArray | None, y: Array, traits: NDArray[np.intp], bandwidths: Array
    ) -> tuple["_Part", Array]:
        """Fit centred traits y `(n, n_traits)` at every bandwidth; returns errors of samples left out, too."""
        fixed = None if w is None else FixedEffects.of(w)
        contrasts = y if fixed is None else fixed.project(y)
        kernels, duals, errors, effects = [], [], [], []
        deviance, var_k, var_g, var_e, h2 = np.zeros((5, len(bandwidths), y.shape[1]))
        for k, bandwidth in enumerate(bandwidths):
            kernel, matrix = CentredKernel.of(GaussianKernel(float(bandwidth)), coding, x)
            spectrum = kernel_spectrum(matrix, contrasts, fixed)  # projecting copies: `matrix` stays as it is
            penalty = reml_penalties(spectrum)
            var_k[k], var_e[k], h2[k] = variance_components(spectrum, penalty)
            var_g[k] = var_k[k] * spectrum.d.sum() / spectrum.n_contrasts
            varies = spectrum.yy > 0
            deviance[k, varies] = reml_deviance(
                replace(spectrum, z=spectrum.z[:, varies], yy=spectrum.yy[varies]), penalty[varies]
            )
            kernels.append(kernel)
            duals.append(spectrum.basis @ (spectrum.z / (spectrum.d[:, None] + penalty)))
            errors.append(left_out_errors(spectrum, penalty, x, contrasts))
            if fixed is not None:
                effects.append(fixed.estimate(y - matrix @ duals[-1])[1])
        weights = np.exp((deviance.min(axis=0) - deviance) / 2)
        weights /= weights.sum(axis=0)
        part = cls(x, fixed, traits, kernels, duals, weights, var_k, var_g, var_e, h2, np.array(effects))
        return part, sum(weight * error for weight, error in zip(weights, errors, strict=True))

    def predictions(self, x: NDArray) -> list[tuple[int, Array, Array]]:
        """Number, weights `(n_traits,)` and predicted deviations `(n_new, n_traits)` of bandwidths that have weight."""
        kept = np.flatnonzero((self.weights > _SMALLEST_WEIGHT).any(axis=1))
        return [(k, self.weights[k], self.kernels[k].between(x)[0] @ self.duals[k]) for k in kept.tolist()]

    def reliability(self, x: NDArray) -> Array:
        """Reliabilities `(n_new, n_traits)`; the variance among bandwidths' predictions is error too."""
        predictions = self.predictions(x)
        average = sum(weight * value for _, weight, value in predictions)
        explained, prior = np.zeros((2, len(x), len(self.traits)))
        for k, weight, value in predictions:
            kernel, matrix = CentredKernel.of(self.kernels[k].kernel, self.kernels[k].coding, self.x)
            cross, own = kernel.between(x)
            if self.fixed is not None:
                matrix, cross = self.fixed.project_kernel(matrix), self.fixed.project(cross.T).T
            for trait in np.flatnonzero(self.var_k[k] > 0):
                v = matrix + np.eye(len(matrix)) * (self.var_e[k, trait] / self.var_k[k, trait])
                half = solve_triangular(cho_factor(v, lower=True, overwrite_a=True)[0], cross.T, lower=True)
                known = self.var_k[k, trait] * (half**2).sum(axis=0) - (value - average)[:, trait] ** 2
                explained[:, trait] += weight[trait] * known
                prior[:, trait] += weight[trait] * self.var_k[k, trait] * own
        return reliability(explained, prior)


def median_distance(z: Array) -> float:
    """Return the median squared distance of different samples (some of them where there are many)."""
    some = z[np.linspace(0, len(z) - 1, min(len(z), _SAMPLES_OF_MEDIAN)).astype(int)]
    distances = squared_distances(some, some)[np.triu_indices(len(some), 1)]
    apart = distances[distances > 1e-12 * (some**2).sum(axis=1).max()]
    return float(np.median(apart)) if len(apart) else 1.0


def _checked(bandwidths: Sequence[float] | None) -> Array:
    """Return relative bandwidths.

    Raises
    ------
    ValueError
        They are not one or more positive numbers.
    """
    relative = np.asarray(BANDWIDTHS if bandwidths is None else bandwidths, dtype=np.float64)
    if relative.ndim != 1 or not len(relative) or not (np.isfinite(relative) & (relative > 0)).all():
        raise ValueError(f"bandwidths must be one or more positive numbers, not {bandwidths}")
    return relative
