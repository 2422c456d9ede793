"""LASSO selects, a linear model is refitted."""

from typing import Any, ClassVar

from sklearn.utils._param_validation import StrOptions

from gpatlas.models.selected import SelectedRegressor
from gpatlas.models.space import Choice, Integer, Range


class LassoPruned(SelectedRegressor):
    """LASSO selects loci, and a linear model is refitted to them without the LASSO's shrinkage of what it keeps.

    Parameters
    ----------
    selection : {"cv", "stability", "sgd"}, default="cv"
        Cross-validated LASSO; stability selection, which bounds the expected number of false loci; or the published
        way, the linear model by SGD with an L1 term.
    max_loci : int, default=None
        The strongest loci at most, per trait (or together, if joint); None keeps all that are selected.
    joint : bool, default=False
        Whether a locus selected for one trait is used for all, as published.
    refit : {"rrblup", "linear_sgd"}, default="rrblup"
        Model of the second stage.
    refit_hparams : dict, default=None
        Its hyperparameters; a key `preset` names a preset.
    n_folds : int, default=5
        selection="cv": folds within the samples that `fit` is given.
    rule : {"1se", "min"}, default="1se"
        selection="cv": the largest penalty within one standard error of the least error, or that of the least error,
        which keeps more false loci.
    max_false : float, default=1.0
        selection="stability": bound on the expected number of false loci of a trait.
    threshold : float, default=0.98
        selection="stability": share of half-samples in which a locus must be kept. A high one lets each half keep more
        loci under the same bound, which finds more where causal loci are many.
    n_pairs : int, default=50
        selection="stability": complementary pairs of half-samples.
    min_weight : float, default=0.03
        selection="sgd": weight above which a locus is kept; loci are counted, not their one-hot columns.
    random_state : int, RandomState or None, default=0
        Of folds, halves and networks.

    Attributes
    ----------
    selected_ : ndarray of bool, shape (n_loci,) or (n_loci, n_traits)
        Which loci are kept; where none is, the prediction is the trait's mean.
    marker_effects_ : ndarray, as selected_
        Effects per copy of allele "1", 0 for the loci that are not kept; not for refit="linear_sgd".

    References
    ----------
    Meinshausen (2007) Comput Stat Data Anal 52:374 (refitting); Shah & Samworth (2013) J R Stat Soc B 75:55.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 2, (200, 50))
    >>> model = make("lasso_pruned", selection="stability").fit(X, X[:, 3] - 2.0 * X[:, 7])
    >>> np.flatnonzero(model.selected_)
    array([3, 7])
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "published": {
            "selection": "sgd",
            "joint": True,
            "max_loci": 1000,
            "refit": "linear_sgd",
            "refit_hparams": {"preset": "lasso"},
        },
        "stability": {"selection": "stability"},
    }
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {
        "default": {"max_loci": Integer(10, 1000, log=True), "rule": Choice(("1se", "min"))}
    }
    _parameter_constraints: ClassVar[dict[str, list]] = {
        **SelectedRegressor._selection_constraints,
        "refit": [StrOptions({"rrblup", "linear_sgd"})],
        "refit_hparams": [dict, None],
    }

    def __init__(
        self,
        selection: str = "cv",
        max_loci: int | None = None,
        joint: bool = False,
        refit: str = "rrblup",
        refit_hparams: dict[str, Any] | None = None,
        n_folds: int = 5,
        rule: str = "1se",
        max_false: float = 1.0,
        threshold: float = 0.98,
        n_pairs: int = 50,
        min_weight: float = 0.03,
        random_state: Any = 0,
    ):
        self.selection = selection
        self.max_loci = max_loci
        self.joint = joint
        self.refit = refit
        self.refit_hparams = refit_hparams
        self.n_folds = n_folds
        self.rule = rule
        self.max_false = max_false
        self.threshold = threshold
        self.n_pairs = n_pairs
        self.min_weight = min_weight
        self.random_state = random_state

    @property
    def uses_validation(self) -> bool:
        """Whether a stage stops early."""
        return self.selection == "sgd" or self.refit == "linear_sgd"

    def _refitted(self, seed: int) -> Any:
        from gpatlas.models import make

        hparams = {**({"random_state": seed} if self.refit == "linear_sgd" else {}), **(self.refit_hparams or {})}
        return make(self.refit, **hparams)
