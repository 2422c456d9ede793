"""EGBLUP: every locus and every pair of loci has a small effect; variances by REML."""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval

from gpatlas.models.average_information import Estimate, estimate_variances
from gpatlas.models.fixed_effects import FixedEffects
from gpatlas.models.inputs import complete_parts, fill_missing
from gpatlas.models.kernel_model import KernelModel
from gpatlas.models.kernels import bytes_held, refuse_beyond_memory
from gpatlas.models.loci_and_pairs import FittedEffects, LociAndPairs
from gpatlas.models.pairs import n_pairs
from gpatlas.models.products import row_blocks
from gpatlas.models.ridge import centre_traits
from gpatlas.models.space import Range
from gpatlas.models.work import CLASSICAL_PROCESS, Work

Array = NDArray[np.float64]


class EGBLUP(KernelModel):
    """Extended GBLUP: additive and additive×additive effects of all loci and pairs, dominance if wanted, by REML.

    Parameters
    ----------
    epistasis : bool, default=True
        Whether all pairs of loci have effects.
    dominance : bool, default=False
        Whether loci have dominance effects: deviations from the line through their genotypes. For diploids and above.
    standardise : bool, default=False
        Whether effects are drawn per standard deviation of a locus, which gives rare alleles larger ones, instead of
        per copy of the allele.
    max_iter : int, default=100
        Largest number of iterations of a trait's likelihood maximisation.
    tol : float, default=1e-7
        Fall of -2 log-likelihood that a step promises, below which it has converged.
    n_covariates : int, default=0
        How many of the last columns of X are covariates: fixed effects, which nothing shrinks.
    left_out : bool, default=False
        Whether `fit` keeps each training sample's prediction by the other samples.

    Attributes
    ----------
    marker_effects_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Additive effect of one more copy of allele "1", in trait units.
    mean_ : float or ndarray of shape (n_traits,)
        Prediction for the average training sample.
    covariate_effects_ : ndarray of shape (n_covariates,) or (n_covariates, n_traits)
        Effect of one unit of each covariate; of least length where covariates say the same.
    left_out_ : ndarray of shape (n_samples,) or (n_samples, n_traits)
        With `left_out`: leave-one-out predictions, exact at the variances of all samples; NaN without a phenotype.
    var_a_, var_d_, var_aa_, var_e_ : float or ndarray of shape (n_traits,)
        Variances of additive, dominance and pair values, of an average training sample, and of errors.
    h2_, h2_broad_ : float or ndarray of shape (n_traits,)
        Share of the additive variance, and of all genetic variances, in their sum with the error's.
    n_iter_ : int or ndarray of shape (n_traits,)
        Iterations of each trait's maximisation.

    Notes
    -----
    Pairs are products of dosages centred on the training samples' means: all p(p-1)/2 of two different loci, exactly
    (`gpatlas.models.kernels`). Traits are fitted one by one; those phenotyped in the same samples share all
    decompositions. A missing phenotype (NaN) takes its sample out of that trait only. A missing genotype (NaN) is
    replaced by the locus' training mean, that is, it says nothing. Computing is by samples or by pairs, whichever are
    fewer, with the same result; by samples it holds three matrices of n_samples × n_samples. See
    `gpatlas.models.mixed` and `gpatlas.models.average_information` for the algebra.

    References
    ----------
    Henderson (1985) J. Anim. Sci. 60:111; Jiang & Reif (2015) Genetics 201:759.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 2, (400, 12))
    >>> y = X[:, 0] + 2.0 * (X[:, 1] - 0.5) * (X[:, 2] - 0.5)
    >>> model = make("egblup").fit(X[:300], y[:300])
    >>> values, reliabilities = model.predict(X[300:], return_reliability=True)
    >>> float(np.corrcoef(values, y[300:])[0, 1].round(2)), model.components(X[300:])["additive"].shape
    (1.0, (100,))
    """

    uses_validation: ClassVar[bool] = False
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {}  # variances are estimated, by the model itself
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "epistasis": ["boolean"],
        "dominance": ["boolean"],
        "standardise": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
        "left_out": ["boolean"],
    }

    def __init__(
        self,
        epistasis: bool = True,
        dominance: bool = False,
        standardise: bool = False,
        max_iter: int = 100,
        tol: float = 1e-7,
        n_covariates: int = 0,
        left_out: bool = False,
    ):
        self.epistasis = epistasis
        self.dominance = dominance
        self.standardise = standardise
        self.max_iter = max_iter
        self.tol = tol
        self.n_covariates = n_covariates
        self.left_out = left_out

    def fit(self, X: ArrayLike, y: ArrayLike) -> "EGBLUP":
        """Estimate variances and predict what the training samples say of all effects.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage. NaN is missing.
        y : array-like of shape (n_samples,) or (n_samples, n_traits)
            Phenotypes; NaN is missing.

        Raises
        ------
        ValueError
            Fewer than two phenotyped samples for a trait, values that are not finite numbers, dominance where no
            locus has three genotypes, or more samples than this machine's memory takes.

        Warns
        -----
        sklearn.exceptions.ConvergenceWarning
            A trait's likelihood was still rising after `max_iter` iterations.
        """
        dosage, Y = self._validated(X, y, minimum=2)
        n_samples, n_loci, n_traits = len(dosage), dosage.shape[1] - self.n_covariates, Y.shape[1]
        refuse_beyond_memory(
            f"egblup of {n_samples:,} samples × {n_loci:,} loci",
            self.work(n_samples, n_loci, n_traits).memory,
            "fit fewer samples or loci, or take a model that holds no matrix of them: rrblup",
        )
        x, means = fill_missing(dosage)
        self._mean_x = x.mean(axis=0, dtype=np.float64) if means is None else means
        self._parts: list[FittedEffects] = []
        variances, effects = np.zeros((4, n_traits)), np.zeros((n_loci, n_traits))
        mean, n_iter = np.zeros(n_traits), np.zeros(n_traits, dtype=int)
        of_covariates, left_out = np.zeros((self.n_covariates, n_traits)), np.full(Y.shape, np.nan)
        for both_here, y_here, traits in complete_parts(x, Y):
            x_here, w = self._cut(both_here)
            centred, mean[traits] = centre_traits(y_here)
            fixed = None if w is None else FixedEffects.of(w)
            contrasts = centred if fixed is None else fixed.project(centred)
            features = LociAndPairs.of(x_here, contrasts, self.epistasis, self.dominance, self.standardise, fixed)
            estimates = estimate_variances(features.model, self.max_iter, self.tol)
            _warn_unless_converged(estimates, traits)
            part = FittedEffects.of(features, traits, np.column_stack([found.variances for found in estimates]))
            self._parts.append(part)
            rows = np.array([0, 1, 2, 3] if self.dominance else [0, 2, 3])
            variances[np.ix_(rows, traits)] = part.variances
            effects[:, traits] = part.marker_effects()
            n_iter[traits] = [max(found.n_iter, 1) for found in estimates]
            if fixed is not None:
                of_covariates[:, traits] = fixed.estimate(centred - sum(part.components(x_here)))[1]
                mean[traits] += (self._mean_x[n_loci:] - fixed.mean) @ of_covariates[:, traits]
            if self.left_out:
                rows = np.flatnonzero(~np.isnan(Y[:, traits[0]]))
                left_out[np.ix_(rows, traits)] = y_here - part.left_out_errors(x_here, contrasts)
        one_trait = np.asarray(y).ndim == 1
        total = variances.sum(axis=0)
        shares = np.divide(variances, total, out=np.zeros_like(variances), where=total > 0)
        self.mean_, self.n_iter_, self.h2_, self.h2_broad_ = (
            row[0] if one_trait else row for row in (mean, n_iter, shares[0], shares[:3].sum(axis=0))
        )
        self.var_a_, self.var_d_, self.var_aa_, self.var_e_ = (self._shaped(row) for row in variances)
        self.marker_effects_: NDArray = self._shaped(effects)
        self.covariate_effects_ = self._shaped(of_covariates)
        if self.left_out:
            self.left_out_: Array = self._shaped(left_out)
        return self

    def components(self, X: ArrayLike) -> dict[str, Array]:
        """Predict each kind of genetic value apart.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage; NaN is missing.

        Returns
        -------
        dict of ndarray of shape (n_samples,) or (n_samples, n_traits)
            "additive" (breeding values) and, as far as fitted, "dominance" and "epistatic", as deviations from the
            training mean: with `mean_` (and what covariates do) they add up to `predict(X)`, the total value.
        """
        x = self._cut(self._new_dosage(X))[0]
        return {name: self._shaped(values) for name, values in self._components(x).items()}

    def breeding_value_reliability(self, X: ArrayLike) -> Array:
        """Return reliabilities of breeding values, of the shape of `predict(X)`; see there."""
        return self._shaped(self._over_parts(self._cut(self._new_dosage(X))[0], additive_only=True))

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs."""
        size = self._matrix_size(n_samples, n_loci)
        f = min(n_loci, n_samples) * (1 + self.dominance)
        gram = 2.0 * n_samples * (size * min(size, n_loci) if size == n_samples else size**2)
        evaluations = 40 + 15.0 * n_traits
        reml = evaluations * (2.0 * size * f**2 + f**3)
        return Work(
            flops=0.0,
            flops64=gram + reml,
            eigen=float(size) ** 3,
            memory=CLASSICAL_PROCESS + bytes_held(size) + 8.0 * (2 * n_samples * n_loci + 3 * size * f),
            traffic=40.0 * size**2 + 16.0 * n_samples * n_loci,
        )

    def _matrix_size(self, n_samples: int, n_loci: int) -> int:
        """Rows of the largest matrix that is decomposed."""
        pairs = n_pairs(n_loci) if self.epistasis else 0
        return min(n_samples, max(pairs, n_loci))

    def _values(self, x: NDArray) -> Array:
        return np.atleast_1d(self.mean_) + sum(self._components(x).values())

    def _components(self, x: NDArray) -> dict[str, Array]:
        names = ["additive", *["dominance"] * self.dominance, *["epistatic"] * self.epistasis]
        values = {name: np.zeros((len(x), np.size(self.mean_))) for name in names}
        for part in self._parts:
            for name, found in zip(names, part.components(x), strict=True):
                values[name][:, part.traits] = found
        return values

    def _reliability(self, x: NDArray) -> Array:
        return self._over_parts(x, additive_only=False)

    def _over_parts(self, x: NDArray, additive_only: bool) -> Array:
        found = np.zeros((len(x), np.size(self.mean_)))
        for part in self._parts:
            for rows in row_blocks(x, part.features.model.n):
                found[rows, part.traits] = part.reliability(x[rows], additive_only)
        return found


def _warn_unless_converged(estimates: list[Estimate], traits: NDArray[np.intp]) -> None:
    for trait, found in zip(traits, estimates, strict=True):
        if not found.converged:
            warnings.warn(
                f"REML of trait {trait} did not converge in {found.n_iter} iterations; raise max_iter or tol",
                ConvergenceWarning,
                stacklevel=3,
            )
