"""Models of genetics as candidates: covariates are fixed effects; classes are indicators with calibrated values."""

from typing import Any

from gpatlas.automl.candidates.average import AverageClassifier, AverageRegressor
from gpatlas.automl.candidates.candidate import Request
from gpatlas.automl.candidates.covariates_first import CovariatesFirst
from gpatlas.automl.candidates.library import lightgbm
from gpatlas.automl.candidates.one_vs_rest import CalibratedOneVsRest
from gpatlas.models import make


def rrblup(request: Request) -> Any:
    """RrBLUP, equivalently GBLUP, with reliabilities of its GEBVs."""
    return _of_kind(request, make("rrblup", n_covariates=request.n_covariates, reliability=not request.classes))


def bayes_cpi(request: Request) -> Any:
    """BayesCπ: a share of the loci has effects."""
    n_iter, burn_in = (1000, 250) if request.classes else (2000, 500)  # classes take six fits
    options: dict[str, Any] = {"n_covariates": request.n_covariates, "random_state": request.seed}
    return _of_kind(request, make("bayes_cpi", n_iter=n_iter, burn_in=burn_in, **options))


def rkhs(request: Request) -> Any:
    """Gaussian kernels averaged by their evidence."""
    return _of_kind(request, make("rkhs", n_covariates=request.n_covariates))


def gpfn(request: Request) -> Any:
    """A network that learnt from simulated breeding populations how to weigh loci."""
    return make("gpfn", n_covariates=request.n_covariates)


def perceiver(request: Request) -> Any:
    """A network that learns the genome's structure from the genotypes of its own training samples first."""
    recipe = {"n_steps": 200, "validation": 0.0}
    head_alone: dict[str, Any] = {
        "frozen_epochs": 100,
        "max_epochs": 100,
    }  # solved, where freeing the network takes most of the time
    network = make("perceiver", pretrain=recipe, device="cpu", random_state=request.seed, **head_alone)
    return _of_kind(request, CovariatesFirst(network, request.n_covariates))


def egblup(request: Request) -> Any:
    """Additive and additive × additive effects."""
    return _of_kind(request, make("egblup", n_covariates=request.n_covariates))


def kernel_tree(request: Request) -> Any:
    """The mean of GBLUP, RKHS and boosted trees: three views of the genotype that err differently."""
    members = [rrblup(request), rkhs(request), lightgbm(request)]
    return AverageClassifier(members) if request.classes else AverageRegressor(members)


def interaction_screening(request: Request, alpha: float = 0.05) -> Any:
    """Pairs of loci that interact, found among all."""
    screening = make("interaction_screening", alpha=alpha, n_jobs=1, random_state=request.seed)
    return _of_kind(request, CovariatesFirst(screening, request.n_covariates))


def _of_kind(request: Request, regressor: Any) -> Any:
    return CalibratedOneVsRest(regressor, request.seed) if request.classes else regressor
