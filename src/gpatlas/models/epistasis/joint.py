"""The joint model of a cascade: least squares on a mean, loci and pairs, kept as sums of products as terms come and go.

With centred features F and trait y, G = F'F: effects b = G⁻¹F'y, σ² = RSS/(n - k), and z_j = b_j / √(σ² (G⁻¹)_jj),
which is Student's t with n - k degrees of freedom, k counting the mean. A term that is not in the model is tested
given all of it: with d = w'w - w'F G⁻¹ F'w and N = w'(y - Fb),  ρ² = N²/(d·RSS), t² = ρ²(n - k - 1)/(1 - ρ²).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, cholesky

from gpatlas.models.epistasis.panel import Panel

_BLOCK = 1 << 24  # numbers of features held at once
_REDUNDANT = 1e-6
MOST_TERMS = 0.8  # of a model, per sample


@dataclass(frozen=True)
class Estimates:
    """Effects of a model's terms, their standard errors, t, and the trait that is left, with its degrees of freedom."""

    effects: NDArray[np.float64]
    standard_errors: NDArray[np.float64]
    t: NDArray[np.float64]
    residual: NDArray[np.float64]
    rss: float
    degrees_of_freedom: int


class JointModel:
    """Least squares of a trait on loci and products of pairs of loci.

    Parameters
    ----------
    panel
        Genotypes.
    trait
        `(n_samples,)`.
    loci
        Loci that are in the model from the start. None is all: it then holds every locus, but for those that do not
        vary or that others span, and stays so.
    """

    def __init__(self, panel: Panel, trait: NDArray[np.float64], loci: NDArray[np.intp] | None):
        self.panel = panel
        self.holds_all_loci = loci is None
        self.mean = float(trait.mean())
        self.trait = trait - self.mean
        self.loci = np.empty(0, dtype=np.intp)
        self.pairs = np.empty((0, 2), dtype=np.intp)
        self._gram = np.empty((0, 0))
        self._sums, self._with_trait = np.empty(0), np.empty(0)
        self._on_loci = np.empty(0, dtype=bool)  # which rows of the Gram matrix are loci, in order of arrival
        self.add(np.arange(panel.n_loci) if loci is None else loci, self.pairs)

    @property
    def n_terms(self) -> int:
        """Loci and pairs in the model."""
        return len(self.loci) + len(self.pairs)

    @property
    def room(self) -> int:
        """How many more terms it may take in."""
        return int(MOST_TERMS * self.panel.n_samples) - self.n_terms

    def add(self, loci: NDArray[np.intp], pairs: NDArray[np.intp]) -> None:
        """Take in more terms; those that the model already spans are left out."""
        for new_loci, new_pairs in ((loci, self.pairs[:0]), (self.loci[:0], pairs)):
            if len(new_loci) + len(new_pairs):
                self._extend(new_loci, new_pairs)

    def _extend(self, loci: NDArray[np.intp], pairs: NDArray[np.intp]) -> None:
        n_old, n_new = self.n_terms, len(loci) + len(pairs)
        old_to_new, sums, with_trait = np.zeros((n_old, n_new)), np.zeros(n_new), np.zeros(n_new)
        new_to_new = np.zeros((n_new, n_new)) if len(pairs) else self.panel.gram(loci)
        for samples in self._blocks(n_old + n_new):
            new = self.features(loci, pairs, samples)
            if len(pairs):
                new_to_new += new @ new.T
            if n_old:
                old_to_new += self._own_features(samples) @ new.T
            sums += new.sum(axis=1, dtype=np.float64)
            with_trait += new.astype(np.float64) @ self.trait[samples]
        n = self.panel.n_samples
        old_to_new -= np.outer(self._sums, sums) / n
        new_to_new -= np.outer(sums, sums) / n
        gram = np.block([[self._gram, old_to_new], [old_to_new.T, new_to_new]])
        kept = _independent(gram, n_old)
        self._gram = gram[np.ix_(kept, kept)]
        arrived = kept[n_old:] - n_old
        self._sums = np.concatenate([self._sums, sums[arrived]])
        self._with_trait = np.concatenate([self._with_trait, with_trait[arrived]])
        self._on_loci = np.concatenate([self._on_loci, np.full(len(arrived), len(loci) > 0)])
        if len(loci):
            self.loci = np.concatenate([self.loci, loci[arrived]])
        else:
            self.pairs = np.concatenate([self.pairs, pairs[arrived]])

    def drop(self, loci: NDArray[np.bool_], pairs: NDArray[np.bool_]) -> None:
        """Take out the terms that are marked."""
        kept = np.empty(self.n_terms, dtype=bool)
        kept[self._on_loci], kept[~self._on_loci] = ~loci, ~pairs
        self._gram = self._gram[np.ix_(kept, kept)]
        self._sums, self._with_trait, self._on_loci = self._sums[kept], self._with_trait[kept], self._on_loci[kept]
        self.loci, self.pairs = self.loci[~loci], self.pairs[~pairs]

    def fit(self) -> Estimates:
        """Estimate all effects, loci first, then pairs."""
        n, k = self.panel.n_samples, self.n_terms
        effects = standard = np.empty(0)
        if k:
            factor = cho_factor(self._gram, lower=True)
            effects = cho_solve(factor, self._with_trait)
            standard = np.sqrt(np.diag(cho_solve(factor, np.eye(k))))
        residual = self.trait.copy()
        constant = float(self._sums @ effects) / n
        for samples in self._blocks(k):
            residual[samples] -= self._own_features(samples).T @ effects - constant
        freedom = max(1, n - k - 1)
        rss = float(residual @ residual)
        standard = standard * np.sqrt(rss / freedom)
        order = np.concatenate([np.flatnonzero(self._on_loci), np.flatnonzero(~self._on_loci)])
        effects, standard = effects[order], standard[order]
        t = np.divide(effects, standard, out=np.zeros_like(effects), where=standard > 0)
        return Estimates(effects, standard, t, residual, rss, freedom)

    def test(
        self, fitted: Estimates, loci: NDArray[np.intp], pairs: NDArray[np.intp], given: Sequence[NDArray[np.intp]] = ()
    ) -> NDArray[np.float64]:
        """Test terms that are not in the model, each given all of it, `(n_loci + n_pairs,)` t.

        Parameters
        ----------
        fitted
            What `fit` returned.
        loci, pairs
            The terms.
        given
            For every term, loci that it is tested given, too.
        """
        t = np.zeros(len(loci) + len(pairs))
        factor = cho_factor(self._gram, lower=True) if self.n_terms else None
        step = max(1, min(256, _BLOCK // self.panel.n_samples))
        for start in range(0, len(t), step):
            stop = min(start + step, len(t))
            own = (loci[start:stop], pairs[max(0, start - len(loci)) : max(0, stop - len(loci))])
            near = np.unique(np.concatenate([loci[:0], *given[start:stop]]))
            raw, squares, with_residual = self._left_of(*own, near, fitted.residual, factor)
            for k in range(stop - start):
                local = given[start + k] if len(given) else loci[:0]
                chosen = np.concatenate([[k], stop - start + np.searchsorted(near, local)]).astype(np.intp)
                t[start + k] = _tested(raw[k], squares[np.ix_(chosen, chosen)], with_residual[chosen], fitted)
        return t

    def _left_of(
        self, loci: NDArray, pairs: NDArray, near: NDArray, residual: NDArray[np.float64], factor: tuple | None
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Sums of squares of terms; their products, and those with the residual, when the model is out of them."""
        terms = np.concatenate([self.features(loci, pairs), self.features(near, pairs[:0])])
        terms -= terms.mean(axis=1, keepdims=True, dtype=np.float64)
        squares = (terms @ terms.T).astype(np.float64)
        raw = np.diag(squares).copy()
        if factor is not None:
            cross = np.zeros((self.n_terms, len(terms)))
            for samples in self._blocks(self.n_terms):
                cross += self._own_features(samples) @ terms[:, samples].T
            squares -= cross.T @ cho_solve(factor, cross)
        return raw, squares, terms @ residual

    def features(
        self, loci: NDArray[np.intp], pairs: NDArray[np.intp], samples: slice = slice(None)
    ) -> NDArray[np.float32]:
        """Return loci, then products of pairs, float32 `(n_terms, n_samples)`."""
        dosage = self.panel.dosage
        made = np.empty((len(loci) + len(pairs), len(range(*samples.indices(self.panel.n_samples)))), dtype=np.float32)
        made[: len(loci)] = dosage(loci, samples)
        np.multiply(dosage(pairs[:, 0], samples), dosage(pairs[:, 1], samples), out=made[len(loci) :], casting="unsafe")
        return made

    def _own_features(self, samples: slice) -> NDArray[np.float32]:
        made = self.features(self.loci, self.pairs, samples)
        arranged = np.empty_like(made)
        arranged[self._on_loci], arranged[~self._on_loci] = made[: len(self.loci)], made[len(self.loci) :]
        return arranged

    def _blocks(self, n_terms: int) -> list[slice]:
        n = self.panel.n_samples
        step = max(64, _BLOCK // max(1, n_terms) // 64 * 64)
        return [slice(start, min(start + step, n)) for start in range(0, n, step)]


def _independent(gram: NDArray[np.float64], n_old: int) -> NDArray[np.intp]:
    """Return the old terms, and the new ones that those before them do not span."""
    kept = list(range(n_old))
    own = np.diag(gram)
    new = np.arange(n_old, len(gram))
    rest = gram[np.ix_(new, new)]
    if n_old:
        cross = gram[:n_old, n_old:]
        rest = rest - cross.T @ cho_solve(cho_factor(gram[:n_old, :n_old], lower=True), cross)
    if len(new) and (own[new] > 0).all():
        try:
            pivots = np.diag(cholesky(rest, lower=True)) ** 2
            if (pivots > _REDUNDANT * own[new]).all():
                return np.arange(len(gram))
        except LinAlgError:
            pass
    for k, term in enumerate(new):  # elimination, passing over terms with nothing left
        pivot = rest[k, k]
        if own[term] <= 0 or pivot <= _REDUNDANT * own[term]:
            continue
        kept.append(int(term))
        column = rest[k + 1 :, k].copy()
        rest[k + 1 :, k + 1 :] -= np.outer(column, column / pivot)
    return np.array(kept, dtype=np.intp)


def _tested(raw: float, squares: NDArray[np.float64], with_residual: NDArray[np.float64], fitted: Estimates) -> float:
    """Return t of the first of some terms given the others, the model being out of all of them."""
    rss, freedom = fitted.rss, fitted.degrees_of_freedom - 1
    own, own_residual = float(squares[0, 0]), float(with_residual[0])
    if len(squares) > 1:
        others = np.linalg.pinv(squares[1:, 1:], rcond=1e-8, hermitian=True)
        rss -= float(with_residual[1:] @ others @ with_residual[1:])
        own -= float(squares[0, 1:] @ others @ squares[1:, 0])
        own_residual -= float(squares[0, 1:] @ others @ with_residual[1:])
        freedom -= len(squares) - 1
    if own <= _REDUNDANT * raw or rss <= 0 or freedom < 1:
        return 0.0
    share = min(own_residual**2 / (own * rss), 1 - 1e-15)
    return float(np.sign(own_residual) * np.sqrt(share * freedom / (1 - share)))
