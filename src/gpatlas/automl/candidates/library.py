"""Learners of scikit-learn and LightGBM, as candidates: features are completed and standardised within the fit."""

from typing import Any

from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline

from gpatlas.automl.candidates.candidate import CONTINUOUS, MULTICLASS, Request
from gpatlas.automl.candidates.discriminant import RegularisedDiscriminant
from gpatlas.automl.candidates.features import Components, Features
from gpatlas.automl.candidates.one_vs_rest import CalibratedOneVsRest
from gpatlas.models import make

# Standard deviation of covariates where features share one penalty or one distance: a handful of them would drown
# among thousands of loci.
_WEIGHT = 5.0


def lasso(request: Request) -> Any:
    """LASSO with a cross-validated penalty; for classes, L1 logistic regression."""
    if request.kind == CONTINUOUS:
        return make("lasso", n_covariates=request.n_covariates, random_state=request.seed)
    from sklearn.multiclass import OneVsRestClassifier

    from gpatlas.automl.candidates.sparse_logistic import SparseLogistic

    one = SparseLogistic(random_state=request.seed)
    features = Features(request.n_covariates, _WEIGHT)
    return make_pipeline(features, OneVsRestClassifier(one) if request.kind == MULTICLASS else one)


def elastic_net(request: Request, l1_ratio: float = 0.3, C: float = 0.02) -> Any:
    """Elastic net; for classes, multinomial logistic regression with both penalties."""
    if not request.classes:
        options: dict[str, Any] = {"n_covariates": request.n_covariates, "random_state": request.seed}
        return make("lasso", l1_ratio=l1_ratio, **options)
    from sklearn.linear_model import LogisticRegression

    learner = LogisticRegression(
        C=C, l1_ratio=l1_ratio, solver="saga", max_iter=300, tol=1e-3, random_state=request.seed
    )
    return make_pipeline(Features(request.n_covariates, _WEIGHT), learner)


def svm(request: Request, C: float = 1.0, covariate_weight: float = _WEIGHT) -> Any:
    """Support vectors with a Gaussian kernel."""
    from sklearn.svm import SVC, SVR

    learner = SVC(C=C, cache_size=500) if request.classes else SVR(C=C, epsilon=0.1, cache_size=500)
    pipeline = make_pipeline(Features(request.n_covariates, covariate_weight), learner)
    if request.classes:
        return CalibratedOneVsRest(pipeline, request.seed)
    return _of_standardised(pipeline)


def knn(request: Request, n_neighbors: int = 20, covariate_weight: float = _WEIGHT) -> Any:
    """Nearest neighbours, weighted by inverse distance."""
    learner = NeighborsClassifier if request.classes else NeighborsRegressor
    features = Features(request.n_covariates, covariate_weight)
    return make_pipeline(features, learner(n_neighbors, weights="distance", n_jobs=1))


def random_forest(request: Request, max_features: float = 0.1, min_samples_leaf: int = 3) -> Any:
    """Random forest."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    learner = RandomForestClassifier if request.classes else RandomForestRegressor
    return _trees(request, learner, max_features=max_features, min_samples_leaf=min_samples_leaf, n_estimators=300)


def extra_trees(request: Request, max_features: float = 0.1, min_samples_leaf: int = 3) -> Any:
    """Trees with random thresholds."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    learner = ExtraTreesClassifier if request.classes else ExtraTreesRegressor
    return _trees(request, learner, max_features=max_features, min_samples_leaf=min_samples_leaf, n_estimators=300)


def bagging(request: Request, max_features: float = 0.3) -> Any:
    """Full-grown trees of bootstrap samples, each of some of the features."""
    from sklearn.ensemble import BaggingClassifier, BaggingRegressor

    learner = BaggingClassifier if request.classes else BaggingRegressor
    return _trees(request, learner, n_estimators=100, max_features=max_features)


def adaboost(request: Request, n_estimators: int = 100, learning_rate: float = 0.3) -> Any:
    """Boosted stumps (classes), or shallow trees."""
    from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
    from sklearn.tree import DecisionTreeRegressor

    options: dict[str, Any] = {"n_estimators": n_estimators, "learning_rate": learning_rate}
    if request.classes:
        learner: Any = AdaBoostClassifier(**options, random_state=request.seed)
    else:
        tree = DecisionTreeRegressor(max_depth=4, max_features=0.3)
        learner = AdaBoostRegressor(tree, **options, random_state=request.seed)
    return make_pipeline(Features(request.n_covariates), learner)


def lightgbm(
    request: Request,
    n_estimators: int = 200,
    learning_rate: float = 0.05,
    num_leaves: int = 15,
    min_child_samples: int = 10,
    colsample_bytree: float = 0.3,
) -> Any:
    """Gradient boosting of trees (LightGBM); a missing value is a value of its own there."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    learner = LGBMClassifier if request.classes else LGBMRegressor
    return make_pipeline(
        Features(request.n_covariates),
        learner(
            n_estimators=n_estimators,
            learning_rate=learning_rate,
            num_leaves=num_leaves,
            min_child_samples=min_child_samples,
            colsample_bytree=colsample_bytree,
            subsample=0.8,
            subsample_freq=1,
            random_state=request.seed,
            deterministic=True,
            force_row_wise=True,
            n_jobs=1,
            verbose=-1,
        ),
    )


def lda(request: Request, n_components: int = 20) -> Any:
    """Linear discriminants of principal components and covariates, with a shrunken covariance matrix."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return make_pipeline(
        Features(request.n_covariates),
        Components(n_components, request.n_covariates),
        Features(),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    )


def qda(request: Request, n_components: int = 10, common: float = 0.3) -> Any:
    """Quadratic discriminants of principal components and covariates."""
    components = Components(n_components, request.n_covariates)
    scaled = [Features(request.n_covariates), components, Features()]
    return make_pipeline(*scaled, RegularisedDiscriminant(common))


def sgd(request: Request, alpha: float = 0.1, l1_ratio: float = 0.5) -> Any:
    """Linear models by stochastic gradients."""
    from sklearn.linear_model import SGDClassifier, SGDRegressor

    options: dict[str, Any] = {
        "penalty": "elasticnet",
        "alpha": alpha,
        "l1_ratio": l1_ratio,
        "learning_rate": "adaptive",
        "eta0": 1e-3,  # small enough for thousands of standardised features
        "max_iter": 100,
        "random_state": request.seed,
    }
    features = Features(request.n_covariates, _WEIGHT)
    if request.classes:
        return make_pipeline(features, SGDClassifier(loss="log_loss", **options))
    return _of_standardised(make_pipeline(features, SGDRegressor(**options)))


def mlp(request: Request, hidden: int = 64, penalty: float = 0.1) -> Any:
    """A multilayer perceptron: ours for numbers, scikit-learn's for classes."""
    features = Features(request.n_covariates, _WEIGHT)
    if not request.classes:
        options: dict[str, Any] = {"hidden": (hidden,), "weight_decay": penalty, "device": "cpu"}
        return make_pipeline(features, make("mlp", **options, random_state=request.seed))
    from sklearn.neural_network import MLPClassifier

    learner = MLPClassifier(
        (hidden,),
        alpha=10 * penalty,
        learning_rate_init=0.003,
        max_iter=300,
        tol=1e-3,
        n_iter_no_change=5,
        random_state=request.seed,
    )
    return make_pipeline(features, learner)


class NeighborsClassifier(KNeighborsClassifier):
    """Nearest neighbours; all samples where they are fewer than asked for."""

    def kneighbors(self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """Find the neighbours of X `(n_samples, n_features)`."""
        return super().kneighbors(X, min(n_neighbors or self.n_neighbors, self.n_samples_fit_), return_distance)


class NeighborsRegressor(KNeighborsRegressor):
    """Nearest neighbours; all samples where they are fewer than asked for."""

    def kneighbors(self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """Find the neighbours of X `(n_samples, n_features)`."""
        return super().kneighbors(X, min(n_neighbors or self.n_neighbors, self.n_samples_fit_), return_distance)


def _trees(request: Request, learner: Any, **options: Any) -> Any:
    return make_pipeline(Features(request.n_covariates), learner(**options, random_state=request.seed, n_jobs=1))


def _of_standardised(regressor: Any) -> Any:
    """Let a regressor whose hyperparameters have the trait's unit see the standardised trait."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(regressor, transformer=StandardScaler())
