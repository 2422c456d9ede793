"""One model on one case: accuracy, predictive ability, and how many intervals hold what they should."""

import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from gpatlas.evaluate.intervals import interval_coverage
from gpatlas.evaluate.metrics import correlation
from gpatlas.models import make
from gpatlas.models.inputs import fill_missing
from gpatlas.models.kernels import squared_distances
from gpatlas.models.ridge import kernel_spectrum, reml_deviance, reml_penalties
from gpatlas.models.rkhs import median_distance
from tests.benchmarks.gpfn_gates.cases import Case

BASELINES = ("rrblup", "bayes_cpi", "rkhs")
EVIDENCE = "evidence_kernels"
R_HAT, LONGER = 1.1, {"n_iter": 10_000, "burn_in": 2500}  # of chains that disagree, as their warning asks for


class EvidenceKernels:
    """The mean of GBLUP and two Gaussian kernels, each by REML, weighted by their restricted likelihoods.

    Bandwidths are in medians of the squared distance between training samples' standardised genotypes.
    """

    def __init__(self, bandwidths: tuple[float, ...] = (1.0, 4.0)):
        self.bandwidths = bandwidths

    def fit(self, x: NDArray, y: NDArray) -> "EvidenceKernels":
        x, means = fill_missing(x)
        self.filled, self.sd = (x.mean(axis=0) if means is None else means), x.std(axis=0)
        self.z, self.mean = self._coded(x), y.mean()
        self.width = median_distance(self.z)
        contrasts, deviance, self.duals = (y - self.mean)[:, None], [], []
        for kernel in self._kernels(self.z):
            spectrum = kernel_spectrum(self._centred(kernel, kernel.mean(axis=0)), contrasts)
            penalty = reml_penalties(spectrum)
            deviance.append(reml_deviance(spectrum, penalty)[0])
            self.duals.append(spectrum.basis @ (spectrum.z[:, 0] / (spectrum.d + penalty)))
        self.weights = np.exp((min(deviance) - np.array(deviance)) / 2)
        self.weights /= self.weights.sum()
        return self

    def predict(self, x: NDArray) -> NDArray:
        ours, theirs = self._kernels(self.z), self._kernels(self._coded(fill_missing(x, self.filled)[0]))
        parts = zip(self.weights, ours, theirs, self.duals, strict=True)
        return self.mean + sum(w * (self._centred(new, old.mean(axis=0)) @ dual) for w, old, new, dual in parts)

    def _coded(self, x: NDArray) -> NDArray:
        varies = self.sd > 0
        return (x[:, varies] - self.filled[varies]) / self.sd[varies]

    def _kernels(self, z: NDArray) -> list[NDArray]:
        distances = squared_distances(z, self.z) / self.width
        return [z @ self.z.T, *(np.exp(-distances / b) for b in self.bandwidths)]

    @staticmethod
    def _centred(cross: NDArray, means: NDArray) -> NDArray:
        return cross - means - cross.mean(axis=1, keepdims=True) + means.mean()


def judge(model: str, settings: dict[str, Any], case: Case) -> dict[str, Any]:
    """Fit and predict as a user would; a constant prediction has an accuracy of 0 and is marked.

    BayesCπ whose chains disagree is fitted anew with five times the sweeps.
    """
    x, told = case.x, case.told
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator = _estimator(model, settings, case).fit(x[told], case.y[told])
        if model == "bayes_cpi" and _r_hat(estimator) > R_HAT:
            estimator = _estimator(model, settings | LONGER, case).fit(x[told], case.y[told])
        by_interval = model == "gpfn"
        found = estimator.predict(x[~told], return_std=True) if by_interval else estimator.predict(x[~told])
    mean, sd = found if by_interval else (found, None)
    observed = case.y[~told]
    scores: dict[str, Any] = {"r_y": float(np.nan_to_num(correlation(mean, observed)))}
    scores["constant"] = bool(np.ptp(mean) <= 1e-12 * max(1.0, np.abs(mean).max()))
    if case.truth is not None:
        truth = case.truth[~told]
        scores["varies"] = bool(np.ptp(truth) > 1e-9 * case.truth.std())
        scores["r_g"] = 0.0 if scores["constant"] else float(np.nan_to_num(correlation(mean, truth)))
        if sd is not None:
            scores["cover_g"] = interval_coverage(mean, sd, truth)["coverage_90"]
    if sd is not None:
        scores["cover_y"] = interval_coverage(mean, np.sqrt(sd**2 + estimator.var_e_), observed)["coverage_90"]
    if model == "bayes_cpi":
        scores |= {"r_hat": _r_hat(estimator), "sweeps": estimator.n_iter}
    return scores | {"seconds": time.process_time() - start}


def _r_hat(estimator: Any) -> float:
    found = estimator.diagnostics_  # nothing where nothing varies
    return max(found[name]["r_hat"] for name in ("var_g", "var_e")) if found else 1.0


def _estimator(model: str, settings: dict[str, Any], case: Case) -> Any:
    if model == EVIDENCE:
        return EvidenceKernels()
    if model == "gpfn":
        settings = settings | {"chromosome": case.chromosome}
    return make(model, **settings)
