"""Selection of loci by what they say about the phenotype: trees, LASSO, or one locus at a time."""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import f_classif, f_regression
from sklearn.linear_model import LassoCV, LogisticRegressionCV
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_consistent_length, column_or_1d

from gpatlas.munge.transformers.base import LocusSelector, filled, known_means


class SelectLoci(LocusSelector):
    """Keep the loci that rank first for a trait among the training samples, and all covariates.

    Parameters
    ----------
    method : {"univariate", "extra_trees", "lasso"}, default="univariate"
        F test of one locus at a time (a GWAS without structure; two classes or more: analysis of variance);
        importance in extremely randomised trees; or size of the effect in a LASSO (classes: an L1 logistic
        regression) whose penalty cross-validation within the training samples chooses.
    n_loci : int or None, default=None
        How many to keep at most; None: those with p ≤ `p_value`, with an importance above the mean, or with an effect.
    p_value : float, default=0.001
        Largest p value to keep, for "univariate" without `n_loci`; at least the first locus is kept.
    n_trees : int, default=500
        Trees, for "extra_trees".
    kind : {"auto", "continuous", "classes"}, default="auto"
        What y is; "auto" takes whole numbers and text for classes.
    seed : int, default=0
        Of trees and of cross-validation.
    n_covariates : int, default=0
        Columns at the end that are covariates: trees and LASSO see them beside the loci.

    Attributes
    ----------
    kept_ : ndarray of bool of shape (n_loci,)
    score_ : ndarray of shape (n_loci,)
        -log10 p, importance or size of the standardised effect; 0 for loci that do not vary.
    ranking_ : ndarray of shape (n_loci,)
        Loci from the best to the last; equal scores in the order of the columns.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "method": [StrOptions({"univariate", "extra_trees", "lasso"})],
        "n_loci": [Interval(Integral, 1, None, closed="left"), None],
        "p_value": [Interval(Real, 0, 1, closed="right")],
        "n_trees": [Interval(Integral, 1, None, closed="left")],
        "kind": [StrOptions({"auto", "continuous", "classes"})],
        "seed": [Interval(Integral, 0, None, closed="left")],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        method: Literal["univariate", "extra_trees", "lasso"] = "univariate",
        n_loci: int | None = None,
        p_value: float = 0.001,
        n_trees: int = 500,
        kind: Literal["auto", "continuous", "classes"] = "auto",
        seed: int = 0,
        n_covariates: int = 0,
    ):
        self.method = method
        self.n_loci = n_loci
        self.p_value = p_value
        self.n_trees = n_trees
        self.kind = kind
        self.seed = seed
        self.n_covariates = n_covariates

    def fit(self, X: ArrayLike, y: ArrayLike) -> "SelectLoci":
        """Rank loci; a missing dosage counts as its training mean."""
        x = self._fitting(X, minimum=2)
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        target = column_or_1d(y, warn=True)
        check_consistent_length(x, target)
        classes = self.kind == "classes" or (self.kind == "auto" and _is_classes(target))
        target = np.unique(target, return_inverse=True)[1] if classes else target.astype(np.float64)
        x = filled(x, known_means(x))
        sd = x.std(axis=0)
        varies = sd > 1e-12 * np.maximum(1, np.abs(x).max(axis=0))
        z = np.divide(x - x.mean(axis=0), sd, out=np.zeros_like(x), where=varies)
        if self.method == "univariate":
            score = _univariate(z, target, classes)
        elif self.method == "extra_trees":
            score = _extra_trees(z, target, classes, self.n_trees, self.seed)
        else:
            score = _lasso(z, target, classes, self.seed)
        self.score_: NDArray = np.where(varies, score, 0)[: self._n_loci]
        self.ranking_: NDArray = np.argsort(-self.score_, kind="stable")
        self.kept_ = np.zeros(self._n_loci, dtype=bool)
        if self.n_loci is not None:
            self.kept_[self.ranking_[: self.n_loci]] = True
        else:
            limits = {"univariate": -np.log10(self.p_value), "extra_trees": self.score_.mean(), "lasso": 1e-10}
            exact = self.method == "univariate"  # the others need more than their limit
            self.kept_ = self.score_ >= limits[self.method] if exact else self.score_ > limits[self.method]
            self.kept_[self.ranking_[:1]] = True
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _is_classes(y: NDArray) -> bool:
    return type_of_target(y) in ("binary", "multiclass")


def _univariate(z: NDArray, y: NDArray, classes: bool) -> NDArray:
    """Return -log10 of the p values of F tests."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p = (f_classif if classes else f_regression)(z, y)[1]
        return np.nan_to_num(-np.log10(p), nan=0, posinf=400)  # p below float64's smallest


def _extra_trees(z: NDArray, y: NDArray, classes: bool, n_trees: int, seed: int) -> NDArray:
    """Return the mean decrease in impurity."""
    trees = ExtraTreesClassifier if classes else ExtraTreesRegressor
    return trees(n_trees, random_state=seed, min_samples_leaf=2).fit(z, y).feature_importances_


def _lasso(z: NDArray, y: NDArray, classes: bool, seed: int) -> NDArray:
    """Return the largest size of the standardised effects over classes."""
    folds = int(min(5, np.bincount(y).min())) if classes else min(5, len(y))
    if folds < 2:
        raise ValueError(f"a LASSO needs at least two samples of each class, but one has {folds}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a ranking needs no further digits
        if not classes:
            return np.abs(LassoCV(cv=folds, alphas=30, tol=1e-3, random_state=seed).fit(z, y).coef_)
        model = LogisticRegressionCV(
            Cs=np.logspace(-2.5, 0.5, 7), cv=folds, l1_ratios=(1.0,), scoring="neg_log_loss", tol=1e-3,
            solver="saga" if len(np.unique(y)) > 2 else "liblinear", random_state=seed, use_legacy_attributes=False,
        )  # fmt: skip
        return np.abs(model.fit(z, y).coef_).max(axis=0)
