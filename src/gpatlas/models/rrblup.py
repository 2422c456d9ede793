"""rrBLUP: every marker has a small effect; exact ridge regression, equivalently GBLUP."""

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from gpatlas.models.fixed_effects import FixedEffects
from gpatlas.models.inputs import complete_parts, fill_missing
from gpatlas.models.linear import LinearModel
from gpatlas.models.marker_knowledge import MarkerKnowledge
from gpatlas.models.products import Genotypes, times, transposed_times
from gpatlas.models.ridge import (
    PUBLISHED_PENALTIES,
    Criterion,
    Moments,
    Spectrum,
    best_penalty,
    centre_traits,
    dual_spectrum,
    left_out_errors,
    primal_spectrum,
    variance_components,
)
from gpatlas.models.space import Range
from gpatlas.models.work import CLASSICAL_PROCESS, Work
from gpatlas.packed import Bits


class RRBLUP(LinearModel):
    """Ridge regression BLUP of marker effects (GBLUP), exact, for all traits from one eigendecomposition.

    Parameters
    ----------
    penalty : {"reml", "loo", "gcv"}, default="reml"
        How the ratio λ = σ²_e/σ²_u is chosen for each trait: by restricted maximum likelihood (anywhere), or by
        leave-one-out or generalised cross-validation (on the grid `penalties`). `"loo"` chooses what scikit-learn's
        `RidgeCV` chooses on centred genotypes; it needs every sample's leverage, 2·n·p² operations beside the n·p² of
        the rest (at a million samples × 6 326 loci 25 minutes of one core), where "gcv" and "reml" need none.
    penalties : array-like of shape (n_penalties,), default=None
        Grid for "loo" and "gcv"; None is the published grid, 100 values from 1e-5 to 1e5, evenly on a log scale.
    n_covariates : int, default=0
        How many of the last columns of X are covariates: fixed effects, which nothing shrinks.
    reliability : bool, default=False
        Whether `predict` can give reliabilities, for which the model keeps its training genotypes (or, with fewer loci
        than samples, as many numbers as there are pairs of loci).
    left_out : bool, default=False
        Whether `fit` keeps each training sample's prediction by the other samples.

    Attributes
    ----------
    marker_effects_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Effect of one more copy of allele "1", in trait units.
    intercept_ : float or ndarray of shape (n_traits,)
        Prediction at dosage 0 (and covariates 0).
    covariate_effects_ : ndarray of shape (n_covariates,) or (n_covariates, n_traits)
        Effect of one unit of each covariate; of least length where covariates say the same.
    left_out_ : ndarray of shape (n_samples,) or (n_samples, n_traits)
        With `left_out`: leave-one-out predictions, exact at the penalty of all samples; NaN without a phenotype.
    penalty_, var_u_, var_e_, h2_ : float or ndarray of shape (n_traits,)
        λ, variance of a marker effect, error variance, and genomic heritability (with covariates: of what they leave).

    Notes
    -----
    A missing phenotype (NaN) takes its sample out of that trait only. A missing genotype (NaN) is replaced by the
    locus' training mean, that is, it says nothing. See `gpatlas.models.ridge` for the algebra.

    References
    ----------
    Meuwissen, Hayes & Goddard (2001) Genetics 157:1819; Endelman (2011) Plant Genome 4:250.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.array([[0, 1], [1, 0], [1, 1], [0, 0], [1, 1], [0, 1]])
    >>> make("rrblup", penalty="gcv").fit(X, X @ [1.0, 0.5]).predict(X[:2]).round(2)
    array([0.5, 1. ])
    """

    streams: ClassVar[bool] = True
    uses_validation: ClassVar[bool] = False
    presets: ClassVar[dict[str, dict[str, Any]]] = {"published": {"penalty": "loo"}}
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {}  # the penalty is estimated, by the model itself
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "penalty": [StrOptions({"reml", "loo", "gcv"})],
        "penalties": ["array-like", None],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
        "reliability": ["boolean"],
        "left_out": ["boolean"],
    }

    def __init__(
        self,
        penalty: Criterion = "reml",
        penalties: Sequence[float] | None = None,
        n_covariates: int = 0,
        reliability: bool = False,
        left_out: bool = False,
    ):
        self.penalty = penalty
        self.penalties = penalties
        self.n_covariates = n_covariates
        self.reliability = reliability
        self.left_out = left_out

    def fit(self, X: ArrayLike | Bits, y: ArrayLike) -> "RRBLUP":
        """Estimate marker effects.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage; integers are fastest. NaN is missing. `gpatlas.packed.Bits` are read in blocks, also from disk.
        y : array-like of shape (n_samples,) or (n_samples, n_traits)
            Phenotypes; NaN is missing.

        Raises
        ------
        ValueError
            Fewer than two phenotyped samples for a trait, or values that are not finite numbers.
        """
        dosage, Y = self._validated(X, y, minimum=2)
        grid = PUBLISHED_PENALTIES if self.penalties is None else np.asarray(self.penalties, dtype=np.float64)
        n_traits, q = Y.shape[1], self.n_covariates
        effects, intercept = np.zeros((dosage.shape[1] - q, n_traits)), np.zeros(n_traits)
        of_covariates, parameters = np.zeros((q, n_traits)), np.zeros((4, n_traits))
        left_out = np.full(Y.shape, np.nan) if self.left_out else None
        self._known: list[MarkerKnowledge] = []
        for x_here, y_known, traits in complete_parts(dosage, Y):
            x, w = self._cut(x_here if isinstance(x_here, Bits) else fill_missing(x_here)[0])
            y_here, mean_y = centre_traits(y_known)
            fixed = None if w is None else FixedEffects.of(w)
            contrasts = y_here if fixed is None else fixed.project(y_here)
            spectrum = decompose(x, contrasts, fixed)
            penalty = best_penalty(spectrum, self.penalty, grid, x, contrasts)
            effects[:, traits] = spectrum.effects(penalty, x)
            if fixed is None:
                mean, self._mean_x = mean_y + spectrum.mean_y, spectrum.mean_x
            else:
                values = times(x, effects[:, traits]) - spectrum.mean_x @ effects[:, traits]
                mean, of_covariates[:, traits] = fixed.estimate(y_here - values)
                mean, self._mean_x = mean + mean_y, np.append(spectrum.mean_x, fixed.mean)
            intercept[traits] = mean - spectrum.mean_x @ effects[:, traits]
            parameters[:, traits] = penalty, *variance_components(spectrum, penalty)
            if left_out is not None:
                rows = np.flatnonzero(~np.isnan(Y[:, traits[0]]))
                left_out[np.ix_(rows, traits)] = y_known - left_out_errors(spectrum, penalty, x, contrasts)
            if self.reliability:
                self._known.append(MarkerKnowledge.of(spectrum, x, penalty, traits))
        one_trait = np.asarray(y).ndim == 1
        self.marker_effects_: NDArray = effects[:, 0] if one_trait else effects
        self.covariate_effects_: NDArray = of_covariates[:, 0] if one_trait else of_covariates
        self.intercept_ = intercept[0] if one_trait else intercept
        self.penalty_, self.var_u_, self.var_e_, self.h2_ = (row[0] if one_trait else row for row in parameters)
        if left_out is not None:
            self.left_out_: NDArray = left_out[:, 0] if one_trait else left_out
        return self

    def predict(self, X: ArrayLike | Bits, return_reliability: bool = False) -> Any:
        """Predict in trait units: mean, covariates and breeding values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            As in `fit`.
        return_reliability : bool, default=False
            Whether to return the reliabilities too, which needs `reliability=True`.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_traits)
        reliabilities : ndarray of the same shape
            Only if asked for: 1 - PEV / prior variance of a sample's breeding value as a deviation from the training
            samples' mean, at the variances estimated; the expected squared correlation of GEBV and breeding value.

        Raises
        ------
        ValueError
            Reliabilities of a model that was fitted without.
        """
        x = self._new_dosage(X)
        values = self._linear(x)
        if not return_reliability:
            return values
        if not self._known:
            raise ValueError("this rrblup was fitted without reliabilities; fit it with reliability=True")
        found = np.zeros((len(x), self.marker_effects_.reshape(-1, np.size(self.intercept_)).shape[1]))
        for known in self._known:
            found[:, known.traits] = known.reliability(self._cut(x)[0])
        return values, found.reshape(values.shape)

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs."""
        small, large = sorted((n_samples, n_loci))
        loo = 2.0 * n_samples * small * (small + 100 * (1 + n_traits)) if self.penalty == "loo" else 0.0
        return Work(
            flops=2.0 * small**2 * large,
            memory=CLASSICAL_PROCESS + n_samples * n_loci + 8.0 * (5 * small**2 + 4 * n_samples * n_traits),
            traffic=8.0 * n_samples * n_loci,
            flops64=loo,
            eigen=float(small) ** 3,
            dense=1.0 * n_samples * n_loci,
        )


def decompose(x: Genotypes, y: NDArray[np.float64], fixed: FixedEffects | None = None) -> Spectrum:
    """Decompose by loci or by samples, whichever are fewer; with covariates, traits are projected already."""
    if x.shape[1] >= x.shape[0]:
        return dual_spectrum(x, y, fixed)
    if isinstance(x, Bits) or x.dtype.kind != "f":
        return primal_spectrum(Moments.of(x, y), fixed, None if fixed is None else transposed_times(x, fixed.basis).T)
    shift = x.mean(axis=0)  # features that are no dosage may be far from 0, and their moments would lose digits
    near = x - shift
    ax = None if fixed is None else transposed_times(near, fixed.basis).T
    spectrum = primal_spectrum(Moments.of(near, y), fixed, ax)
    return replace(spectrum, mean_x=spectrum.mean_x + shift)
