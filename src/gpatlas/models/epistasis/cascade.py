"""The cascade: screen all pairs against what the model has left, take in those beyond the cut-off, fit, and again.

Every pair that comes in lowers the noise for the others. The null hypothesis of a stage's first hit is that of the
whole screen, so that with family-wise control the share of data sets without interactions in which any pair is
declared is at most `alpha`, whatever the number of stages; and every pair that is declared in the end is significant
at that level given all the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gpatlas.models.epistasis.joint import Estimates, JointModel
from gpatlas.models.epistasis.screen import Engine, screen
from gpatlas.models.pairs import n_pairs

Progress = Callable[[str], None]
_SLACK = 0.92  # of the cut-off, that a screen asks for: its statistic is approximate, the next one exact
_CANDIDATES = 5000
_NEIGHBOURS = 8
_LINKED = 0.05  # r² above which a locus is a neighbour


@dataclass(frozen=True)
class Rules:
    """What is declared, and how it is looked for: see `InteractionScreening`."""

    control: Literal["fwer", "fdr"] = "fwer"
    alpha: float = 0.05
    least: float = 5.0
    max_stages: int = 40
    engine: Engine = "auto"
    n_jobs: int | None = None

    def declared(self, t: NDArray[np.float64], freedom: int, n_tests: float) -> NDArray[np.bool_]:
        """Say which of the strongest of `n_tests` statistics are declared (Bonferroni; Benjamini & Hochberg 1995)."""
        p = 2 * stats.t.sf(np.abs(t), freedom)
        if self.control == "fwer":
            return p <= self.alpha / n_tests
        order = np.argsort(p)
        below = p[order] <= np.arange(1, len(p) + 1) * self.alpha / n_tests
        declared = np.zeros(len(p), dtype=bool)
        declared[order[: np.flatnonzero(below)[-1] + 1 if below.any() else 0]] = True
        return declared

    def cut(self, freedom: int, n_tests: float, candidates: int) -> float:
        """Return the |t| below which nothing can be declared."""
        strongest = 1 if self.control == "fwer" else candidates
        return float(stats.t.isf(min(0.5, self.alpha * strongest / n_tests / 2), freedom))


def cascade(model: JointModel, rules: Rules, progress: Progress | None = None) -> Estimates:
    """Take loci and pairs into a model until nothing more is beyond the cut-off; the model changes in place.

    Parameters
    ----------
    model
        With the terms to start from; to a model that holds all loci, only pairs come and go.
    rules
        Control and cut-offs.
    progress
        Called with a line about every stage.

    Returns
    -------
    Estimates
        Of the model as it is at the end.
    """
    panel = model.panel
    n_tests = max(1, n_pairs(panel.n_loci))
    dropped: dict[tuple[int, int], int] = {}
    fitted = _prune(model, rules, n_tests, dropped)
    for stage in range(1, rules.max_stages + 1):
        if model.room < 1 or fitted.rss <= 1e-20 * panel.n_samples * float(model.trait @ model.trait):
            break
        most = min(model.room, max(50, panel.n_samples // 20))
        loci = model.loci[:0] if model.holds_all_loci else _new_loci(model, fitted, rules, most)
        pairs = model.pairs[:0]
        if not len(loci):  # additive effects first: what they leave unexplained is noise for pairs
            pairs = _new_pairs(model, fitted, rules, n_tests, dropped)[:most]
        if progress is not None:
            progress(f"stage {stage}: loci {len(model.loci)}, pairs {len(model.pairs)}, new {len(loci) + len(pairs)}")
        if not len(loci) + len(pairs):
            break
        model.add(loci, pairs)
        fitted = _prune(model, rules, n_tests, dropped)
    return fitted


def _new_loci(model: JointModel, fitted: Estimates, rules: Rules, most: int) -> NDArray[np.intp]:
    panel, n = model.panel, model.panel.n_samples
    loose = _SLACK * rules.cut(fitted.degrees_of_freedom, panel.n_loci, most)
    with_residual, squares = np.zeros((2, panel.n_loci))
    for chosen in panel.locus_blocks():
        block = panel.dosage(chosen).astype(np.float32)
        with_residual[chosen] = block @ fitted.residual
        squares[chosen] = np.einsum("ij,ij->i", block, block) - n * block.mean(axis=1) ** 2
    share = with_residual**2 / (np.maximum(squares, 1e-12) * fitted.rss) * (n / fitted.degrees_of_freedom)
    t2 = np.where(squares > rules.least, share, 0) * fitted.degrees_of_freedom
    t2[model.loci] = 0
    candidates = np.flatnonzero(t2 > loose**2)
    candidates = candidates[np.argsort(-t2[candidates])][: 2 * most]
    t = model.test(fitted, candidates, model.pairs[:0])
    declared = rules.declared(t, fitted.degrees_of_freedom - 1, panel.n_loci)
    return candidates[declared][np.argsort(-np.abs(t[declared]), kind="stable")][:most]


def _new_pairs(
    model: JointModel, fitted: Estimates, rules: Rules, n_tests: int, dropped: dict[tuple[int, int], int]
) -> NDArray[np.intp]:
    freedom = fitted.degrees_of_freedom - 1
    hits = screen(
        model.panel,
        fitted.residual,
        _SLACK * rules.cut(freedom, n_tests, _CANDIDATES),
        n_covariates=max(3, model.panel.n_samples - fitted.degrees_of_freedom),  # both main effects, in any case
        least=rules.least,
        limit=_CANDIDATES,
        engine=rules.engine,
        n_jobs=rules.n_jobs,
    )
    known = {tuple(pair) for pair in model.pairs.tolist()} | {pair for pair, times in dropped.items() if times > 1}
    pairs = np.array([pair for pair in hits.pairs.tolist() if tuple(pair) not in known], dtype=np.intp).reshape(-1, 2)
    t = model.test(fitted, model.loci[:0], pairs, _neighbourhoods(model, pairs))
    declared = rules.declared(t, freedom, n_tests)
    return pairs[declared][np.argsort(-np.abs(t[declared]), kind="stable")]


def _neighbourhoods(model: JointModel, pairs: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Loci that a pair is tested given: its own two and those linked to them, unless the model holds all.

    Two loci on either side of a third tag its additive effect by their product, too (Wood et al. 2014, Nature 514:E3).
    """
    if model.holds_all_loci:
        return []
    held = set(model.loci.tolist())
    n = model.panel.n_samples
    near = {}
    for locus in np.unique(pairs):
        own = model.panel.dosage(np.array([locus]))[0].astype(np.float32)
        own -= own.mean()
        linked = np.zeros(model.panel.n_loci)
        for chosen in model.panel.locus_blocks():
            block = model.panel.dosage(chosen).astype(np.float32)
            spread = np.einsum("ij,ij->i", block, block) - n * block.mean(axis=1) ** 2
            linked[chosen] = (block @ own) ** 2 / np.maximum(spread * float(own @ own), 1e-12)
        strongest = np.argsort(-linked, kind="stable")[: _NEIGHBOURS + 1]
        near[int(locus)] = {int(locus), *strongest[linked[strongest] > _LINKED].tolist()}
    return [np.array(sorted((near[int(i)] | near[int(j)]) - held), dtype=np.intp) for i, j in pairs]


def _prune(model: JointModel, rules: Rules, n_tests: int, dropped: dict[tuple[int, int], int]) -> Estimates:
    """Fit, and take out what is not significant given all the rest, until everything is."""
    while True:
        fitted = model.fit()
        freedom = fitted.degrees_of_freedom
        of_loci, of_pairs = fitted.t[: len(model.loci)], fitted.t[len(model.loci) :]
        weak_loci = np.zeros(len(of_loci), dtype=bool)
        if not model.holds_all_loci:
            weak_loci = ~rules.declared(of_loci, freedom, model.panel.n_loci)
        weak_pairs = ~rules.declared(of_pairs, freedom, n_tests)
        if not weak_loci.any() and not weak_pairs.any():
            return fitted
        for pair in model.pairs[weak_pairs].tolist():
            dropped[tuple(pair)] = dropped.get(tuple(pair), 0) + 1
        model.drop(weak_loci, weak_pairs)
