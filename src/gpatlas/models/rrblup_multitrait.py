"""Multi-trait rrBLUP: marker effects that are correlated among traits, errors too."""

import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval

from gpatlas.models.covariances import estimate_covariances, uncorrelated_traits
from gpatlas.models.inputs import fill_missing
from gpatlas.models.linear import LinearModel
from gpatlas.models.ridge import H2_BOUNDS, centre_traits
from gpatlas.models.rrblup import decompose
from gpatlas.models.space import Range
from gpatlas.models.work import CLASSICAL_PROCESS, Work


class MultiTraitRRBLUP(LinearModel):
    """Multi-trait ridge regression BLUP (multi-trait GBLUP) with unstructured covariances by REML.

    Y = 1μ' + XU + E: a locus' effects on the traits are N(0, G₀), a sample's errors N(0, R₀). Traits lend each other
    information through both correlations.

    Parameters
    ----------
    max_iter : int, default=200
        Largest number of iterations of the likelihood's maximisation.
    tol : float, default=1e-6
        Change of -2 log-likelihood below which it has converged.

    Attributes
    ----------
    marker_effects_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Effect of one more copy of allele "1", in trait units.
    intercept_ : float or ndarray of shape (n_traits,)
        Prediction at dosage 0.
    h2_ : float or ndarray of shape (n_traits,)
        Genomic heritability; 0 for a trait that does not vary.
    genetic_covariance_, residual_covariance_ : ndarray of shape (n_traits, n_traits)
        Covariance of genomic values in a sample of average diagonal of XX' (the effects' G₀ times that diagonal),
        and of errors, in trait units.
    genetic_correlation_ : ndarray of shape (n_traits, n_traits)
        Of genomic values; NaN for a trait without genetic variance.
    n_complete_ : int
        Samples that were fitted to: those with all traits phenotyped.
    n_iter_ : int
        Iterations of the maximisation.

    Notes
    -----
    The algebra needs complete phenotypes. A sample with any phenotype missing (NaN) is left out for all traits, and a
    `UserWarning` says how many; where that leaves little, `rrblup` uses more of the data. A missing genotype (NaN) is
    replaced by the locus' training mean. See `gpatlas.models.covariances` for the algebra. A trait that is a linear
    combination of others follows exactly from them.

    References
    ----------
    Henderson & Quaas (1976) J. Anim. Sci. 43:1188; Meyer (1985) Biometrics 41:153.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> rng = np.random.default_rng(1)
    >>> X = rng.integers(0, 3, (200, 10))
    >>> Y = X @ rng.normal(size=(10, 1)) @ [[1.0, -1.0]] + rng.normal(size=(200, 2))
    >>> make("rrblup_multitrait").fit(X, Y).genetic_correlation_.round(1)
    array([[ 1., -1.],
           [-1.,  1.]])
    """

    uses_validation: ClassVar[bool] = False
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {}  # covariances are estimated, by the model itself
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, max_iter: int = 200, tol: float = 1e-6):
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: ArrayLike, y: ArrayLike) -> "MultiTraitRRBLUP":
        """Estimate covariances and marker effects.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage; integers are fastest. NaN is missing.
        y : array-like of shape (n_samples,) or (n_samples, n_traits)
            Phenotypes; NaN is missing, see Notes.

        Raises
        ------
        ValueError
            Not more samples with all traits phenotyped than there are traits, or values that are not finite numbers.

        Warns
        -----
        UserWarning
            Samples were left out because a phenotype is missing.
        sklearn.exceptions.ConvergenceWarning
            The likelihood was still rising after `max_iter` iterations.
        """
        dosage, Y = self._validated(X, y, minimum=2)
        dosage, Y = _complete(dosage, Y)
        x, _ = fill_missing(dosage)
        centred, mean_y = centre_traits(Y)
        uncorrelated, on_uncorrelated = uncorrelated_traits(centred)
        spectrum = decompose(x, uncorrelated)
        found = estimate_covariances(spectrum, self.max_iter, self.tol)
        if not found.converged:
            warnings.warn(
                f"REML of {Y.shape[1]} traits did not converge in {found.n_iter} iterations; raise max_iter or tol",
                ConvergenceWarning,
                stacklevel=2,
            )
        h = found.heritability
        loadings: NDArray = np.linalg.solve(found.weights, on_uncorrelated)  # on the canonical traits
        penalty = spectrum.d.sum() / (spectrum.n - 1) * (1 / np.maximum(h, H2_BOUNDS[0]) - 1)
        effects = replace(spectrum, z=spectrum.z @ found.weights).effects(penalty, x) @ loadings
        intercept = mean_y + spectrum.mean_y @ found.weights @ loadings - spectrum.mean_x @ effects
        self.genetic_covariance_: NDArray = loadings.T @ (h[:, None] * loadings)
        self.residual_covariance_: NDArray = loadings.T @ ((1 - h)[:, None] * loadings)
        var_g, var_e = np.diag(self.genetic_covariance_), np.diag(self.residual_covariance_)
        h2 = np.divide(var_g, var_g + var_e, out=np.zeros_like(var_g), where=var_g > 0)
        sd: NDArray[np.float64] = np.where(var_g > 0, np.sqrt(var_g), np.nan)
        self.genetic_correlation_: NDArray = self.genetic_covariance_ / np.multiply.outer(sd, sd)
        self.n_complete_, self.n_iter_, self._mean_x = len(x), max(found.n_iter, 1), spectrum.mean_x
        one_trait = np.asarray(y).ndim == 1
        self.marker_effects_: NDArray = effects[:, 0] if one_trait else effects
        self.intercept_, self.h2_ = (row[0] if one_trait else row for row in (intercept, h2))
        return self

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs; float64 counts twice."""
        small, large = sorted((n_samples, n_loci))
        traits = 4.0 * n_samples * n_traits**2 + 30 * (14.0 * small * n_traits**2 + 30.0 * n_traits**3)
        return Work(
            flops=2.0 * small**2 * large,
            memory=CLASSICAL_PROCESS + n_samples * n_loci + 8.0 * (4 * small**2 + 4 * n_samples * n_traits),
            traffic=8.0 * n_samples * n_loci,
            flops64=traits,
            eigen=float(small) ** 3,
        )


def _complete(dosage: NDArray, Y: NDArray[np.float64]) -> tuple[NDArray, NDArray[np.float64]]:
    """Leave out samples with a missing phenotype, and say so."""
    n_samples, n_traits = Y.shape
    complete = ~np.isnan(Y).any(axis=1)
    n_complete = int(complete.sum())
    if n_complete <= n_traits:
        raise ValueError(
            f"{n_complete} of {n_samples} samples have all {n_traits} traits phenotyped, but at least {n_traits + 1} "
            "are needed to fit them jointly; rrblup fits trait by trait"
        )
    if n_complete == n_samples:
        return dosage, Y
    warnings.warn(
        f"{n_samples - n_complete} of {n_samples} samples lack a phenotype of some trait and are left out",
        UserWarning,
        stacklevel=3,
    )
    return dosage[complete], Y[complete]
