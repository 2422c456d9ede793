"""Batches by number: which individuals, and which of their calls are hidden, follows from seed and number alone.

A training that goes on after an interruption therefore uses the batches that it would have used.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import MISSING_CODE
from gpatlas.config import PerceiverRecipe
from gpatlas.config.perceiver_recipe import SHARE_TO_MEASURE
from gpatlas.nn.perceiver import Layout
from gpatlas.perceiver.sampling import allele_frequencies, draw_loci, rarity
from gpatlas.seeding import stable_seed


@dataclass(frozen=True)
class Batch:
    """Calls as a network sees them, and what it is asked for.

    Parameters
    ----------
    shown
        Allele codes `(B, N)`; 0 where a call is missing or hidden.
    loci
        int64 `(B, Q)`, asked for.
    known
        bool `(B, Q)`: whether that was asked for indeed; loci are fillers elsewhere, and count for nothing.
    codes
        `(B, Q)`, the calls asked for: none of them is missing where `known`.
    other_shown, other_codes
        Of the contrastive objective: those of the second individual of each pair, at the same loci.
    """

    shown: NDArray[np.int16]
    loci: NDArray[np.int64]
    known: NDArray[np.bool_]
    codes: NDArray[np.int64]
    other_shown: NDArray[np.int16] | None = None
    other_codes: NDArray[np.int64] | None = None

    def arrays(self) -> dict[str, Any]:
        """Return the fields that there are, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def part(self, rank: int, count: int) -> "Batch":
        """Return the share of one of several processes."""
        rows = np.array_split(np.arange(len(self.shown)), count)[rank]
        return Batch(**{name: value[rows] for name, value in self.arrays().items()})

    @property
    def digest(self) -> str:
        """Hash of all of it."""
        digest = hashlib.blake2b(digest_size=8)
        for value in self.arrays().values():
            digest.update(np.ascontiguousarray(value).data)
        return digest.hexdigest()


@dataclass(frozen=True)
class Batches:
    """The batches of a recipe.

    Parameters
    ----------
    codes
        Allele codes `(n_samples, n_loci)`, in the order of the layout.
    training, validation
        Rows of `codes`: to train on, and held out.
    """

    recipe: PerceiverRecipe
    layout: Layout
    codes: NDArray[np.int16]
    training: NDArray[np.intp]
    validation: NDArray[np.intp]

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        rows = self._rows(step)
        return self._hide(rows, np.random.default_rng(stable_seed(self.recipe.seed, "perceiver", "batch", step)))

    def held_out(self) -> Iterator[Batch]:
        """Yield the batches that progress is measured on, always the same.

        A tenth of the loci are asked for, all alike likely, whatever training asks for.
        """
        size, rows = self.recipe.batch_size, self.validation
        if self.recipe.objective == "contrastive":
            rows = np.stack([rows, np.roll(rows, 1)], axis=1).ravel()
            size *= 2
        for start in range(0, len(rows), size):
            rng = np.random.default_rng(stable_seed(self.recipe.seed, "perceiver", "validation", start))
            here = rows[start : start + size]
            if self.recipe.objective == "contrastive":  # pairs stand beside each other: first all firsts
                here = here.reshape(-1, 2).T.ravel()
            yield self._hide(here, rng, uniform=True)

    @cached_property
    def n_shown(self) -> int:
        """Loci of a batch that are shown, or would be if none were hidden."""
        return max(1, round(self.recipe.prop_x * self.layout.n_loci))

    def n_asked(self, share: float) -> int:
        """Loci that are asked for, of each individual."""
        return max(1, round(share * self.n_shown))

    @cached_property
    def _rarity(self) -> NDArray[np.float32]:
        return rarity(allele_frequencies(self.codes[self.training], self.layout), self.layout)

    def _rows(self, step: int) -> NDArray[np.intp]:
        """Rows go round and round, shuffled anew in every round."""
        size, n = self.recipe.batch_size, len(self.training)
        places = np.arange(step * size, (step + 1) * size)
        rounds = {number: _shuffled(self.recipe.seed, int(number), n) for number in np.unique(places // n)}
        return self.training[[rounds[place // n][place % n] for place in places]]

    def _hide(self, rows: NDArray[np.intp], rng: np.random.Generator, uniform: bool = False) -> Batch:
        codes, n_asked = self.codes[rows], self.n_asked(SHARE_TO_MEASURE if uniform else self.recipe.prop_y)
        if self.recipe.objective == "masked":
            weights = self._weights(codes, uniform)
            shown = self._thin(weights, codes, rng)
            loci, known = draw_loci(weights, n_asked, rng)
            asked = np.take_along_axis(codes, loci, axis=1).astype(np.int64)
            return Batch(_without(shown, loci, known), loci, known, asked)
        pairs = len(codes) // 2
        one, other = codes[:pairs], codes[pairs : 2 * pairs]
        # the mean over the copies of both
        weights = np.sqrt(self._weights(one, uniform) * self._weights(other, uniform))
        both = self._thin(weights, np.concatenate([one, other], axis=1), rng)
        loci, known = draw_loci(weights, n_asked, rng)
        halves = (both[:, : self.layout.n_loci], both[:, self.layout.n_loci :])
        shown, other_shown = (_without(half, loci, known) for half in halves)
        asked, other_asked = (np.take_along_axis(half, loci, axis=1).astype(np.int64) for half in (one, other))
        return Batch(shown, loci, known, asked, other_shown, other_asked)

    def _weights(self, codes: NDArray[np.int16], uniform: bool) -> NDArray[np.float32]:
        if uniform or self.recipe.sampling == "uniform":
            return (codes != MISSING_CODE).astype(np.float32)
        return self._rarity[np.arange(codes.shape[1]), codes]

    def _thin(
        self, weights: NDArray[np.float32], codes: NDArray[np.int16], rng: np.random.Generator
    ) -> NDArray[np.int16]:
        """Return the codes of the loci that are shown; the others are neither shown nor, in `weights`, asked for."""
        n_loci = self.layout.n_loci
        codes = codes.copy()
        if self.n_shown < n_loci:
            keys = rng.random((len(codes), n_loci), dtype=np.float32)
            absent = np.argpartition(keys, self.n_shown, axis=1)[:, self.n_shown :]
            np.put_along_axis(weights, absent, 0, axis=1)
            for start in range(0, codes.shape[1], n_loci):  # of one individual, or of two
                np.put_along_axis(codes[:, start : start + n_loci], absent, MISSING_CODE, axis=1)
        return codes


def _without(codes: NDArray[np.int16], loci: NDArray[np.int64], known: NDArray[np.bool_]) -> NDArray[np.int16]:
    hidden = np.ascontiguousarray(codes)
    row, place = np.nonzero(known)
    hidden[row, loci[row, place]] = MISSING_CODE
    return hidden


@lru_cache(maxsize=4)
def _shuffled(seed: int, number: int, n: int) -> NDArray[np.intp]:
    return np.random.default_rng(stable_seed(seed, "perceiver", "round", number)).permutation(n)
