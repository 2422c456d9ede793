"""BayesCπ: a share of the loci has effects, and how many is estimated; Gibbs sampling."""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from gpatlas.models.chains import effective_sample_size, potential_scale_reduction
from gpatlas.models.fixed_effects import FixedEffects
from gpatlas.models.inputs import complete_parts, fill_missing
from gpatlas.models.linear import LinearModel
from gpatlas.models.products import times
from gpatlas.models.ridge import centre_traits
from gpatlas.models.space import Range
from gpatlas.models.work import CLASSICAL_PROCESS, Work

Array = NDArray[np.float64]
_DEGREES = 5.0  # of freedom of both variances' priors
_PRIOR_H2 = 0.5  # at their modes
_STARTS = (0.5, 0.95, 0.2, 0.8)  # π of the chains, far apart
_CACHE = 8e6  # bytes of genotypes that stay in a core's reach
_CONVERGED = 1.1  # R̂
_TRACES = ("var_g", "var_e", "pi", "var_u")


class BayesCPi(LinearModel):
    """BayesCπ: effects are exactly zero with probability π, else normal, all of one variance; π is estimated.

    Parameters
    ----------
    pi : float, default=None
        Prior probability that a locus has no effect; None is estimated, with a uniform prior.
    var_u, var_e : float, default=None
        Variances of effects that are not zero, and of errors; None are estimated, with scaled inverse χ² priors of 5
        degrees of freedom whose modes let loci explain half of the phenotypic variance.
    n_chains : int, default=4
        Chains, which start at different π.
    n_iter, burn_in : int, default=2000 and 500
        Sweeps over all loci in each chain, and how many of them are not kept.
    n_covariates : int, default=0
        How many of the last columns of X are covariates: fixed effects, which nothing shrinks.
    random_state : int, RandomState or None, default=0
        Of the chains.

    Attributes
    ----------
    marker_effects_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Posterior mean effect of one more copy of allele "1", in trait units.
    inclusion_ : ndarray, as marker_effects_
        Posterior probability that the effect is not zero; 0 for a locus that does not vary.
    intercept_ : float or ndarray of shape (n_traits,)
        Prediction at dosage 0 (and covariates 0).
    covariate_effects_ : ndarray of shape (n_covariates,) or (n_covariates, n_traits)
        Effect of one unit of each covariate; of least length where covariates say the same.
    pi_, var_u_, var_e_, h2_ : float or ndarray of shape (n_traits,)
        Posterior means; h2 is the share of the values' variance over the training samples in its sum with var_e.
    diagnostics_ : dict or list of dict
        "var_g", "var_e", "pi", "var_u" → {"r_hat", "ess"}: split R̂ and effective number of draws over all chains.

    Notes
    -----
    A missing phenotype (NaN) takes its sample out of that trait only. A missing genotype (NaN) is replaced by the
    locus' training mean. Two traits are two analyses. See `gpatlas.models.spike_and_slab` for the sampler; it is
    compiled when it is first used.

    References
    ----------
    Habier, Fernando, Kizilkaya & Garrick (2011) BMC Bioinformatics 12:186.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 3, (200, 50))
    >>> y = X[:, 3] - 2.0 * X[:, 7] + np.random.default_rng(2).normal(size=200)
    >>> model = make("bayes_cpi").fit(X, y)
    >>> np.flatnonzero(model.inclusion_ > 0.9)
    array([3, 7])
    """

    uses_validation: ClassVar[bool] = False
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {}  # all there is to choose is estimated
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "pi": [Interval(Real, 0, 1, closed="left"), None],
        "var_u": [Interval(Real, 0, None, closed="neither"), None],
        "var_e": [Interval(Real, 0, None, closed="neither"), None],
        "n_chains": [Interval(Integral, 1, None, closed="left")],
        "n_iter": [Interval(Integral, 10, None, closed="left")],
        "burn_in": [Interval(Integral, 0, None, closed="left")],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        pi: float | None = None,
        var_u: float | None = None,
        var_e: float | None = None,
        n_chains: int = 4,
        n_iter: int = 2000,
        burn_in: int = 500,
        n_covariates: int = 0,
        random_state: Any = 0,
    ):
        self.pi = pi
        self.var_u = var_u
        self.var_e = var_e
        self.n_chains = n_chains
        self.n_iter = n_iter
        self.burn_in = burn_in
        self.n_covariates = n_covariates
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> "BayesCPi":
        """Sample the posterior.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage. NaN is missing.
        y : array-like of shape (n_samples,) or (n_samples, n_traits)
            Phenotypes; NaN is missing.

        Raises
        ------
        ValueError
            Fewer than two phenotyped samples for a trait, values that are not finite numbers, or no sweep left after
            the burn-in.

        Warns
        -----
        sklearn.exceptions.ConvergenceWarning
            Chains disagree about a variance that predictions follow from.
        """
        dosage, Y = self._validated(X, y, minimum=2)
        if self.n_iter - self.burn_in < 4:
            raise ValueError(f"n_iter {self.n_iter} leaves fewer than 4 sweeps after a burn_in of {self.burn_in}")
        x, means = fill_missing(dosage)
        self._mean_x = x.mean(axis=0, dtype=np.float64) if means is None else means
        n_traits, q = Y.shape[1], self.n_covariates
        effects, inclusion = np.zeros((2, x.shape[1] - q, n_traits))
        of_covariates, intercept, parameters = np.zeros((q, n_traits)), np.zeros(n_traits), np.zeros((4, n_traits))
        diagnostics: list[dict[str, dict[str, float]]] = [{} for _ in range(n_traits)]
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        for both, y_here, traits in complete_parts(x, Y):
            loci, w = self._cut(both)
            fixed = None if w is None else FixedEffects.of(w)
            centred, mean_y = centre_traits(y_here)
            contrasts = centred if fixed is None else fixed.project(centred)
            mean_x = loci.mean(axis=0, dtype=np.float64)
            projected = loci - mean_x if fixed is None else fixed.project(loci.astype(np.float64))
            genotypes = np.ascontiguousarray(projected.T, dtype=np.float32)
            n_contrasts = len(loci) - (1 if fixed is None else fixed.rank)
            for column, trait in enumerate(traits):
                found = self._sample(genotypes, contrasts[:, column], n_contrasts, [seed, int(trait)])
                effects[:, trait], inclusion[:, trait], parameters[:, trait], diagnostics[trait] = found
            values = times(loci, effects[:, traits]) - mean_x @ effects[:, traits]
            if fixed is None:
                intercept[traits] = mean_y - mean_x @ effects[:, traits]
            else:
                mean, of_covariates[:, traits] = fixed.estimate(centred - values)
                intercept[traits] = mean + mean_y - mean_x @ effects[:, traits]
        one_trait = np.asarray(y).ndim == 1
        self.marker_effects_, self.inclusion_, self.covariate_effects_ = (
            table[:, 0] if one_trait else table for table in (effects, inclusion, of_covariates)
        )
        self.intercept_, self.pi_, self.var_u_, self.var_e_, self.h2_ = (
            row[0] if one_trait else row for row in (intercept, *parameters)
        )
        self.diagnostics_: Any = diagnostics[0] if one_trait else diagnostics
        return self

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs: each sweep reads all genotypes, and changes residuals by about half of them."""
        sweeps = float(self.n_chains * self.n_iter * n_traits)
        if 4 * n_samples * n_loci < _CACHE:  # they are read from there, so much faster
            sweeps /= 6
        return Work(
            flops=0.0,
            memory=CLASSICAL_PROCESS + 1.2e8 + 13.0 * n_samples * n_loci,
            traffic=sweeps * 12.0 * n_samples * n_loci,
        )

    def _sample(
        self, x: NDArray[np.float32], y: Array, n_contrasts: int, seed: list[int]
    ) -> tuple[Array, Array, Array, dict[str, dict[str, float]]]:
        """Return effects, inclusion, (π, var_u, var_e, h2) and diagnostics of a projected trait."""
        from gpatlas.models.spike_and_slab import sample

        effects, inclusion = np.zeros((2, len(x)))
        squares = np.einsum("ij,ij->i", x, x, dtype=np.float64)
        squares[squares <= 1e-9 * squares.max(initial=0.0)] = 0.0
        variance = float(y @ y) / n_contrasts
        if not variance > 0 or not squares.any():  # nothing to explain, or nothing to explain it with
            return effects, inclusion, np.array([1.0, 0.0, variance, 0.0]), {}
        start_pi = 0.5 if self.pi is None else self.pi
        per_effect = variance * _PRIOR_H2 * n_contrasts / squares.sum()
        modes = per_effect / (1 - start_pi), variance * (1 - _PRIOR_H2)
        scales = [mode * (_DEGREES + 2) / _DEGREES for mode in modes]
        prior = np.array([_DEGREES, scales[0], _DEGREES, scales[1]])
        known = np.array([self.var_u is not None, self.var_e is not None, self.pi is not None])
        traces = []
        for chain in range(self.n_chains):
            pi = _STARTS[chain % len(_STARTS)] if self.pi is None else self.pi
            start = np.array([self.var_u or per_effect / (1 - pi), self.var_e or modes[1], pi])
            rng = np.random.default_rng([*seed, chain])
            traces.append(
                sample(
                    x, squares, y, n_contrasts, self.n_iter, self.burn_in, rng, prior, start, known, effects, inclusion
                )
            )
        draws = np.array(traces).transpose(1, 0, 2)
        diagnostics = {
            name: {"r_hat": potential_scale_reduction(chains), "ess": effective_sample_size(chains)}
            for name, chains in zip(_TRACES, draws, strict=True)
        }
        self._warn_unless_converged(diagnostics)
        var_g, var_e, pi_drawn, var_u = draws
        parameters = np.array([pi_drawn.mean(), var_u.mean(), var_e.mean(), (var_g / (var_g + var_e)).mean()])
        kept = draws[0].size
        return effects / kept, inclusion / kept, parameters, diagnostics

    def _warn_unless_converged(self, diagnostics: dict[str, dict[str, float]]) -> None:
        worst = max(("var_g", "var_e"), key=lambda name: np.nan_to_num(diagnostics[name]["r_hat"]))
        if diagnostics[worst]["r_hat"] > _CONVERGED:
            warnings.warn(
                f"chains of bayes_cpi disagree about {worst}: R-hat is {diagnostics[worst]['r_hat']:.2f}, above "
                f"{_CONVERGED}; raise n_iter (now {self.n_iter}) and burn_in (now {self.burn_in})",
                ConvergenceWarning,
                stacklevel=4,
            )
