"""LASSO and elastic net: most loci have no effect. Exact, with a cross-validated penalty."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from gpatlas.models.fixed_effects import FixedEffects
from gpatlas.models.inputs import complete_parts, fill_missing
from gpatlas.models.lasso_path import DENSE_LOCI
from gpatlas.models.linear import LinearModel
from gpatlas.models.products import times
from gpatlas.models.selection import cross_validated_lasso
from gpatlas.models.space import Range
from gpatlas.models.work import CLASSICAL_PROCESS, Work


class Lasso(LinearModel):
    """LASSO with a cross-validated penalty, trait by trait, exactly sparse.

    Loci are centred and scaled to standard deviation 1 over the training samples before they are penalised, so that
    rare and common alleles are treated alike; effects are reported per copy of the allele.

    Parameters
    ----------
    n_folds : int, default=5
        Folds of the cross-validation, within the samples that `fit` is given.
    n_penalties : int, default=100
        Penalties on the path, evenly on a log scale.
    smallest_penalty : float, default=0.001
        End of the path, as a share of the penalty at which no locus is left.
    rule : {"min", "1se"}, default="min"
        Penalty of the least error, or the largest within one standard error of it, which keeps fewer loci.
    random_state : int, RandomState or None, default=0
        Of the folds.
    l1_ratio : float, default=1.0
        Share of the absolute values in the penalty; below 1 an elastic net, which keeps linked loci together.
    n_covariates : int, default=0
        How many of the last columns of X are covariates, whose effects nothing shrinks.

    Attributes
    ----------
    marker_effects_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Effect of one more copy of allele "1", in trait units; exactly 0 for loci that are not kept.
    intercept_ : float or ndarray of shape (n_traits,)
        Prediction at dosage 0 (and covariates 0).
    covariate_effects_ : ndarray of shape (n_covariates,) or (n_covariates, n_traits)
        Effect of one unit of each covariate; of least length where covariates say the same.
    selected_ : ndarray of bool, as marker_effects_
        Which loci are kept; where none is, the prediction is the trait's mean.
    penalty_ : float or ndarray of shape (n_traits,)
        λ of ½/n ‖y - Xb‖² + λ‖b‖₁ (+ ½λ(1/l1_ratio - 1)‖b‖²) with standardised loci, in trait units.

    Notes
    -----
    A missing phenotype (NaN) takes its sample out of that trait only. A missing genotype (NaN) is replaced by the
    locus' training mean. With covariates, what they explain is taken from trait and loci before, which is the same
    as leaving them unpenalised; loci are then standardised as they remain. See `gpatlas.models.lasso_path` for the
    algebra.

    References
    ----------
    Tibshirani (1996) J R Stat Soc B 58:267; Friedman, Hastie & Tibshirani (2010) J Stat Softw 33(1);
    Zou & Hastie (2005) J R Stat Soc B 67:301.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 2, (200, 50))
    >>> model = make("lasso", rule="1se").fit(X, X[:, 3] - 2.0 * X[:, 7])
    >>> np.flatnonzero(model.selected_)
    array([3, 7])
    """

    uses_validation: ClassVar[bool] = False
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {}  # the penalty is chosen by cross-validation within
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "n_folds": [Interval(Integral, 2, None, closed="left")],
        "n_penalties": [Interval(Integral, 2, None, closed="left")],
        "smallest_penalty": [Interval(Real, 0, 1, closed="neither")],
        "rule": [StrOptions({"min", "1se"})],
        "random_state": ["random_state"],
        "l1_ratio": [Interval(Real, 0, 1, closed="right")],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_folds: int = 5,
        n_penalties: int = 100,
        smallest_penalty: float = 0.001,
        rule: str = "min",
        random_state: Any = 0,
        l1_ratio: float = 1.0,
        n_covariates: int = 0,
    ):
        self.n_folds = n_folds
        self.n_penalties = n_penalties
        self.smallest_penalty = smallest_penalty
        self.rule = rule
        self.random_state = random_state
        self.l1_ratio = l1_ratio
        self.n_covariates = n_covariates

    def fit(self, X: ArrayLike, y: ArrayLike) -> "Lasso":
        """Choose the penalty of every trait and estimate effects.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage; integers are fastest. NaN is missing.
        y : array-like of shape (n_samples,) or (n_samples, n_traits)
            Phenotypes; NaN is missing.

        Raises
        ------
        ValueError
            A trait has fewer phenotyped samples than there are folds, or values that are not finite numbers.
        """
        dosage, Y = self._validated(X, y, minimum=self.n_folds)
        x, means = fill_missing(dosage)
        self._mean_x = x.mean(axis=0, dtype=np.float64) if means is None else means
        q, n_traits = self.n_covariates, Y.shape[1]
        effects, of_covariates = np.zeros((x.shape[1] - q, n_traits)), np.zeros((q, n_traits))
        intercept, penalty = np.zeros((2, n_traits))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        for both, y_here, traits in complete_parts(x, Y):
            x_here, w = self._cut(both)
            fixed = None if w is None else FixedEffects.of(w)
            fit = cross_validated_lasso(
                x_here if fixed is None else fixed.project(x_here),
                y_here if fixed is None else fixed.project(y_here),
                self.n_folds,
                self.n_penalties,
                self.smallest_penalty,
                self.rule,  # type: ignore[arg-type]
                seed,
                self.l1_ratio,
            )
            effects[:, traits], intercept[traits], penalty[traits] = fit.effects, fit.intercept, fit.penalty
            if fixed is not None:
                rest = y_here - times(x_here, fit.effects)
                intercept[traits], of_covariates[:, traits] = fixed.estimate(rest)
        one_trait = np.asarray(y).ndim == 1
        self.marker_effects_: NDArray = effects[:, 0] if one_trait else effects
        self.covariate_effects_: NDArray = of_covariates[:, 0] if one_trait else of_covariates
        self.intercept_, self.penalty_ = (row[0] if one_trait else row for row in (intercept, penalty))
        self.selected_ = self.marker_effects_ != 0
        return self

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs."""
        return lasso_work(n_samples, n_loci, n_traits, self.n_folds)


def lasso_work(n_samples: int, n_loci: int, n_traits: int, n_folds: int) -> Work:
    """Cost of cross-validated paths: columns of X'X once, then descent on each trait and fold."""
    working_set = min(n_loci, 2500 + n_loci // 8)
    checks = 0 if n_loci <= DENSE_LOCI else 50 * n_traits
    return Work(
        flops=2.0 * n_samples * working_set * (working_set if checks else n_loci),
        memory=CLASSICAL_PROCESS
        + 5.0 * n_samples * n_loci
        + 4.0 * n_samples * working_set
        + 8.0 * (2 * n_folds + 1) * working_set**2,
        traffic=n_traits * (n_folds + 1) * (1e8 + 100 * 4.0 * working_set * min(n_loci, 1000))
        + (16.0 + 4.0 * checks) * n_samples * n_loci,
    )
