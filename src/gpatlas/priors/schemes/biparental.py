"""Populations of two inbred parents."""

from typing import ClassVar

import numpy as np

from gpatlas.priors.breeding import self_repeatedly
from gpatlas.priors.founders import draw_parents
from gpatlas.priors.prior import Lines, Prior, Size
from gpatlas.simulate import Population, backcross, make_cross, make_dh


class Biparental(Prior):
    """What all crosses of two inbred parents share: only loci at which the parents differ are simulated."""

    spare: ClassVar[float] = 1.05

    def parents(self, rng: np.random.Generator, size: Size) -> Population:
        """Draw two inbred parents."""
        return draw_parents(rng, size.n_sites)

    def f1(self, parents: Population, rng: np.random.Generator) -> Population:
        """Cross them; F1 plants are all alike."""
        return make_cross(parents, np.array([[0, 1]]), rng)


class F2(Biparental):
    """An F2: the selfed progeny of one F1 plant."""

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Self the F1."""
        f1 = self.f1(self.parents(rng, size), rng)
        return Lines(self_repeatedly(f1.take(np.zeros(size.n_samples, dtype=np.intp)), 1, rng))


class DoubledHaploid(Biparental):
    """Doubled haploids of one F1 plant: homozygous everywhere after one meiosis."""

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Double gametes of the F1."""
        return Lines(make_dh(self.f1(self.parents(rng, size), rng), rng, size.n_samples))


class Backcross(Biparental):
    """Progeny of an F1 crossed one to three times to one of its parents."""

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Cross again and again to the first parent."""
        parents = self.parents(rng, size)
        recurrent = parents.take(np.zeros(1, dtype=np.intp))
        plants = self.f1(parents, rng).take(np.zeros(size.n_samples, dtype=np.intp))
        for _ in range(rng.integers(1, 4)):
            plants = backcross(plants, recurrent, rng)
        return Lines(plants)


class Ril(Biparental):
    """Recombinant inbred lines of one cross: four to eight selfings by single seed descent (published)."""

    generations: ClassVar[tuple[int, int]] = (4, 8)

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Self lines of the F1 on and on."""
        f1 = self.f1(self.parents(rng, size), rng).take(np.zeros(size.n_samples, dtype=np.intp))
        return Lines(self_repeatedly(f1, int(rng.integers(*self.generations, endpoint=True)), rng))
