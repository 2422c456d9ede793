"""Lines of several crosses of inbred parents."""

from typing import ClassVar

import numpy as np

from gpatlas.priors.breeding import even_sizes, lines_of_crosses, random_pairs, self_repeatedly
from gpatlas.priors.founders import draw_founders
from gpatlas.priors.prior import Lines, Prior, Size
from gpatlas.priors.task import Split
from gpatlas.simulate import Population, make_cross, make_cross2, make_dh


class Nam(Prior):
    """Nested association mapping: 25 to 85 inbred parents crossed to a common one, lines of 2 to 5 selfings of the F2.

    Published; the split is between families.
    """

    splits: ClassVar[tuple[Split, ...]] = ("family",)
    families: ClassVar[tuple[int, int]] = (25, 85)
    selfings: ClassVar[tuple[int, int]] = (2, 5)

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Cross parents 1, 2, … to parent 0."""
        n_families = min(int(rng.integers(*self.families, endpoint=True)), size.n_samples)
        parents = draw_founders(rng, n_families + 1, size.n_sites, inbred=True)
        others = np.arange(1, n_families + 1)
        family = even_sizes(size.n_samples, n_families, rng)
        generations = 1 + int(rng.integers(*self.selfings, endpoint=True))
        pairs = np.column_stack([np.zeros_like(others), others])
        return Lines(lines_of_crosses(parents, pairs, family, generations, rng), family)


class MultiParental(Prior):
    """A breeder's lines: 3 to 40 crosses among 4 to 20 inbred parents, lines by doubled haploidy or 1 to 6 selfings."""

    splits: ClassVar[tuple[Split, ...]] = ("random", "family")

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Cross parents at random."""
        parents = draw_founders(rng, int(rng.integers(4, 21)), size.n_sites, inbred=True)
        n_families = min(int(rng.integers(3, 41)), size.n_samples)
        pairs = random_pairs(parents.n_individuals, n_families, rng)
        family = even_sizes(size.n_samples, n_families, rng)
        generations = 0 if rng.random() < 0.5 else int(rng.integers(1, 7))
        lines = lines_of_crosses(parents, pairs, family, generations, rng)
        return Lines(lines, family)


class Magic(Prior):
    """Multi-parent advanced generation intercross: four or eight parents, lines by doubled haploidy or 3 to 6 selfings.

    The ways that lead to a line are its own: pairs of parents, and pairs of pairs, are drawn for every line.
    """

    spare: ClassVar[float] = 1.1

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Cross two by two until a plant descends from all parents."""
        n_parents = 4 if rng.random() < 0.5 else 8
        parents = draw_founders(rng, n_parents, size.n_sites, inbred=True)
        funnels = rng.permuted(np.tile(np.arange(n_parents), (size.n_samples, 1)), axis=1)
        crosses = [make_cross(parents, pair, rng) for pair in np.split(funnels, n_parents // 2, axis=1)]
        plan = np.column_stack([np.arange(size.n_samples)] * 2)
        while len(crosses) > 1:
            crosses = [
                make_cross2(mothers, fathers, plan, rng)
                for mothers, fathers in zip(crosses[::2], crosses[1::2], strict=True)
            ]
        return Lines(self._fix(crosses[0], rng))

    def _fix(self, plants: Population, rng: np.random.Generator) -> Population:
        if rng.random() < 0.5:
            return make_dh(plants, rng)
        return self_repeatedly(plants, int(rng.integers(3, 7)), rng)
