"""LASSO selects, a network is trained on what is left."""

from typing import Any, ClassVar

from gpatlas.models.selected import SelectedRegressor
from gpatlas.models.space import Choice, Float, Integer, Range


class LassoMLP(SelectedRegressor):
    """LASSO selects loci, and multilayer perceptrons are trained on them.

    Parameters
    ----------
    selection : {"cv", "stability", "sgd"}, default="cv"
        Cross-validated LASSO; stability selection, which bounds the expected number of false loci; or the published
        way, the linear model by SGD with an L1 term.
    max_loci : int, default=None
        The strongest loci at most, per trait or, if joint, over all; None keeps all that are selected.
    joint : bool, default=False
        Whether one network of all traits sees every locus that was selected for any, as published; else every trait
        has a network on its own loci, which is better where traits have QTL of their own.
    mlp : dict, default=None
        Hyperparameters of the network (see `mlp`); a key `preset` names a preset.
    n_folds : int, default=5
        selection="cv": folds within the training samples.
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
        Which loci are inputs; where none is, the prediction is the trait's mean.
    n_epochs_ : int
        Epochs trained, summed over networks.

    Notes
    -----
    The LASSO sees additive effects: a locus that acts through its pair alone is lost to the network. Where markers are
    few, `mlp` on all of them, or rule="min", predicts better; where they are many, what the selection loses is less
    than what false loci cost. `gpatlas tune` decides between the rules on validation samples.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 2, (200, 50))
    >>> model = make("lasso_mlp", mlp={"hidden": [16], "max_epochs": 20}).fit(X, X[:, 3] - 2.0 * X[:, 7])
    >>> model.predict(X[:3]).shape
    (3,)
    """

    uses_validation: ClassVar[bool] = True
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "published": {
            "selection": "sgd",
            "joint": True,
            "max_loci": 1000,
            "mlp": {"preset": "published", "patience": 25},
        }
    }
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {
        "default": {
            "rule": Choice(("1se", "min")),
            "max_loci": Integer(20, 1000, log=True),
            "mlp.learning_rate": Float(1e-3, 3e-2, log=True),
        },
        "published": {
            "max_loci": Integer(100, 1000),
            "mlp.learning_rate": Choice((0.5, 0.1, 0.05, 0.01, 0.005, 0.001, 0.0001)),
        },
    }
    _parameter_constraints: ClassVar[dict[str, list]] = {
        **SelectedRegressor._selection_constraints,
        "mlp": [dict, None],
    }

    def __init__(
        self,
        selection: str = "cv",
        max_loci: int | None = None,
        joint: bool = False,
        mlp: dict[str, Any] | None = None,
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
        self.mlp = mlp
        self.n_folds = n_folds
        self.rule = rule
        self.max_false = max_false
        self.threshold = threshold
        self.n_pairs = n_pairs
        self.min_weight = min_weight
        self.random_state = random_state

    @property
    def device(self) -> str:
        """Where the network trains."""
        return self._refitted(0).device

    def _refitted(self, seed: int) -> Any:
        from gpatlas.models import make

        return make("mlp", **{"random_state": seed, **(self.mlp or {})})
