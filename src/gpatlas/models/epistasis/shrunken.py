"""Shrunken effects of all loci and all pairs that a screen lets through, and predictions from them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gpatlas.models.epistasis.joint import Estimates, JointModel
from gpatlas.models.epistasis.panel import Panel
from gpatlas.models.epistasis.posterior import Posterior, fit_posterior
from gpatlas.models.epistasis.screen import Engine, screen
from gpatlas.models.pairs import n_pairs
from gpatlas.models.products import Genotypes
from gpatlas.packed import Bits

FEATURES_HELD = 1 << 27  # numbers (float32) of the features of candidates, all samples; twice as many at most
FEWEST_PAIRS = 1000  # that make twice as many worth while
LEAST_ROOM = 500  # candidates besides loci
_NEGLIGIBLE = 1e-5  # share of the pairs' variance that the effects left out of predictions may have


@dataclass(frozen=True)
class Effects:
    """A predictor: mean, effects of loci and of products of pairs, of dosages less `shift`.

    Parameters
    ----------
    constant
        Prediction where every shifted dosage is 0.
    loci
        `(n_loci,)`.
    pairs
        `(n_pairs, 2)`.
    of_pairs
        `(n_pairs,)`.
    shift
        See `Panel`.
    """

    constant: float
    loci: NDArray[np.float64]
    pairs: NDArray[np.intp]
    of_pairs: NDArray[np.float64]
    shift: int

    def predict(self, x: Genotypes) -> NDArray[np.float64]:
        """Predict from complete dosages `(n, n_loci)` or bits, in blocks of samples."""
        predicted = np.full(len(x), self.constant)
        step = max(1, (1 << 24) // max(1, len(self.pairs) + len(self.loci)))
        for start in range(0, len(x), step):
            rows = slice(start, min(start + step, len(x)))
            block = (x.unpack(rows) if isinstance(x, Bits) else x[rows]).T.astype(np.float32) - np.float32(self.shift)
            predicted[start : start + step] += self.loci @ block
            if len(self.pairs):
                predicted[start : start + step] += self.of_pairs @ (block[self.pairs[:, 0]] * block[self.pairs[:, 1]])
        return predicted

    def average_effects(self, mean: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each locus' average effect at linkage equilibrium: of one more copy, partners at their mean dosage."""
        effects = self.loci.copy()
        first, second = self.pairs.T
        np.add.at(effects, first, self.of_pairs * (mean[second] - self.shift))
        np.add.at(effects, second, self.of_pairs * (mean[first] - self.shift))
        return effects


@dataclass(frozen=True)
class Candidates:
    """Loci and pairs whose effects are estimated, their features, and how pairs were freed of main effects."""

    loci: NDArray[np.intp]
    pairs: NDArray[np.intp]
    of_loci: NDArray[np.float32]
    of_pairs: NDArray[np.float32]
    taken_out: NDArray[np.float64]  # (3, n_pairs): constant and slopes on the two shifted dosages


def least_squares_effects(model: JointModel, fitted: Estimates) -> Effects:
    """Write a joint model as a predictor."""
    panel = model.panel
    loci = np.zeros(panel.n_loci)
    loci[model.loci] = fitted.effects[: len(model.loci)]
    of_pairs = fitted.effects[len(model.loci) :]
    explained = loci @ panel.mean
    if len(model.pairs):
        explained += of_pairs @ model.features(model.loci[:0], model.pairs).mean(axis=1, dtype=np.float64)
    return Effects(model.mean - float(explained), loci, model.pairs, of_pairs, panel.shift)


def shrunken_effects(
    panel: Panel,
    trait: NDArray[np.float64],
    model: JointModel,
    fitted: Estimates,
    *,
    engine: Engine,
    n_jobs: int | None,
    seed: int,
) -> tuple[Effects, Candidates, Posterior]:
    """Estimate effects of all loci and of the pairs that matter most, from where a joint model stands.

    Returns
    -------
    effects : Effects
    candidates : Candidates
        The loci and pairs whose inclusion probabilities the posterior holds.
    posterior : Posterior
    """
    candidates = choose_candidates(panel, trait, model, fitted, engine=engine, n_jobs=n_jobs)
    start = _start(candidates, model, fitted) if len(model.pairs) else None
    n_possible = (float(panel.n_loci), float(n_pairs(panel.n_loci)))
    posterior = fit_posterior(
        trait - trait.mean(), candidates.of_loci, candidates.of_pairs, n_possible, start=start, seed=seed
    )
    return _as_effects(panel, float(trait.mean()), candidates, posterior), candidates, posterior


def choose_candidates(
    panel: Panel,
    trait: NDArray[np.float64],
    model: JointModel,
    fitted: Estimates,
    *,
    engine: Engine,
    n_jobs: int | None,
) -> Candidates:
    """Take all loci and all pairs where their features fit; else the strongest, alone and given the model."""
    n, p = panel.n_samples, panel.n_loci
    held = features_held(n, p)
    loci = np.arange(p)
    if p > held - LEAST_ROOM:
        strength = np.empty(p)
        for chosen in panel.locus_blocks():
            strength[chosen] = np.abs(panel.dosage(chosen).astype(np.float32) @ fitted.residual)
        strength[model.loci] = np.inf
        loci = np.sort(np.argsort(-strength, kind="stable")[: held // 2])
    room = held - len(loci)
    if n_pairs(p) <= room:
        pairs = np.column_stack(np.triu_indices(p, 1))
    else:
        additive = JointModel(panel, trait, model.loci)
        views = [(additive, additive.fit()), (model, fitted)] if len(model.pairs) else [(model, fitted)]
        found = [model.pairs]
        for _, estimates in views:
            most = room // len(views)
            cut = 0.95 * float(stats.norm.isf(most / n_pairs(p) / 2))
            k = min(n - estimates.degrees_of_freedom, n - 5)
            hits = screen(
                panel, estimates.residual, cut, n_covariates=max(k, 3), limit=most, engine=engine, n_jobs=n_jobs
            )
            found.append(hits.pairs)
        pairs = np.unique(np.concatenate(found), axis=0)
    of_loci = panel.dosage(loci) - panel.mean[loci, None].astype(np.float32)
    return Candidates(loci, pairs, of_loci, *_free_of_main_effects(panel, pairs))


def features_held(n_samples: int, n_loci: int) -> int:
    """Return how many loci and pairs are candidates at most; more for samples so many that loci alone would fill it."""
    usual = FEATURES_HELD // n_samples
    return max(usual, min(n_loci + FEWEST_PAIRS, 2 * usual))


def posterior_fits(n_samples: int, n_loci: int) -> bool:
    """Whether features of all loci, and candidates besides, are held; they must be where all loci are in the model."""
    return n_loci + LEAST_ROOM <= features_held(n_samples, n_loci)


def beyond_chance(predicted: NDArray[np.float64], additive: NDArray[np.float64], trait: NDArray[np.float64]) -> float:
    """Return the one-sided p value of what pairs add to predictions of samples that did not make them."""
    left = trait - additive
    added = predicted - additive
    if len(left) < 4 or not added.std() > 0 or not left.std() > 0:
        return 1.0
    r = float(np.corrcoef(added, left)[0, 1])
    return float(stats.t.sf(r * np.sqrt((len(left) - 2) / max(1 - r**2, 1e-15)), len(left) - 2))


def _free_of_main_effects(panel: Panel, pairs: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    n, mean = panel.n_samples, panel.mean
    features = np.empty((len(pairs), n), dtype=np.float32)
    taken_out = np.empty((3, len(pairs)))
    for start in range(0, len(pairs), step := max(1, (1 << 22) // n)):
        chosen = slice(start, start + step)
        i, j = pairs[chosen].T
        a, b = (panel.dosage(k) - mean[k, None].astype(np.float32) for k in (i, j))
        w = a * b
        average = w.mean(axis=1, dtype=np.float64)
        w -= average[:, None].astype(np.float32)
        aa, bb, ab, wa, wb = (np.einsum("ij,ij->i", *two) for two in ((a, a), (b, b), (a, b), (w, a), (w, b)))
        main = aa * bb - ab**2
        usable = main > 1e-6 * aa * bb
        main = np.where(usable, main, 1.0)
        on_a, on_b = (np.where(usable, value / main, 0) for value in (wa * bb - wb * ab, wb * aa - wa * ab))
        raw = np.einsum("ij,ij->i", w, w)
        w -= on_a[:, None] * a + on_b[:, None] * b
        left = np.einsum("ij,ij->i", w, w)
        w[~usable | (left <= 1e-5 * raw)] = 0
        features[chosen] = w
        # w = (a - ā)(b - b̄) - average - on_a (a - ā) - on_b (b - b̄), in shifted dosages a, b
        slopes = mean[j] + on_a, mean[i] + on_b
        constant = average - mean[i] * mean[j] - on_a * mean[i] - on_b * mean[j]
        taken_out[:, chosen] = constant, *slopes
    return features, taken_out


def _start(
    candidates: Candidates, model: JointModel, fitted: Estimates
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Effects of a joint model in terms of features free of main effects."""
    place = {tuple(pair): k for k, pair in enumerate(candidates.pairs.tolist())}
    at = np.array([place[tuple(pair)] for pair in model.pairs.tolist()], dtype=np.intp)
    of_pairs = np.zeros(len(candidates.pairs))
    of_pairs[at] = fitted.effects[len(model.loci) :]
    loci = np.zeros(model.panel.n_loci)
    loci[model.loci] = fitted.effects[: len(model.loci)]
    for side in (0, 1):
        np.add.at(loci, candidates.pairs[:, side], of_pairs * candidates.taken_out[1 + side])
    return loci[candidates.loci], of_pairs


def _as_effects(panel: Panel, mean_trait: float, candidates: Candidates, posterior: Posterior) -> Effects:
    share = posterior.pairs**2 * np.einsum("ij,ij->i", candidates.of_pairs, candidates.of_pairs)
    order = np.argsort(-share, kind="stable")
    kept = np.sort(order[: int(np.searchsorted(np.cumsum(share[order]), (1 - _NEGLIGIBLE) * share.sum())) + 1])
    if not share.sum() > 0:
        kept = kept[:0]
    of_pairs, pairs, taken_out = posterior.pairs[kept], candidates.pairs[kept], candidates.taken_out[:, kept]
    loci = np.zeros(panel.n_loci)
    loci[candidates.loci] = posterior.loci
    constant = mean_trait - float(loci @ panel.mean) - float(of_pairs @ taken_out[0])
    for side in (0, 1):
        np.add.at(loci, pairs[:, side], -of_pairs * taken_out[1 + side])
    return Effects(constant, loci, pairs, of_pairs, panel.shift)
