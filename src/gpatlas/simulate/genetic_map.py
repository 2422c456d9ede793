"""`GeneticMap`: where the chromosomes of a row of loci begin, and how far each locus lies along its own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError


@dataclass(frozen=True)
class GeneticMap:
    """Positions on chromosomes.

    Parameters
    ----------
    first
        int64 `(n_chromosomes + 1,)`: chromosome c holds loci `first[c] … first[c + 1] - 1`.
    position
        float64 `(n_loci,)`, Morgan from the chromosome's first locus, ascending within a chromosome; ties are loci that
        are never separated.
    guide
        int64 `(n_loci,)`, a guide table (Chen & Asau 1974) for finding positions without bisection: a chromosome of n
        loci is cut into n equal lengths, and entry `first[c] + j` is the first locus that lies in the j-th or beyond.
    """

    first: NDArray[np.int64]
    position: NDArray[np.float64]
    guide: NDArray[np.int64]

    @classmethod
    def of(cls, chromosome: NDArray, position: NDArray) -> "GeneticMap":
        """Make a map from the chromosome `(n_loci,)` and the position `(n_loci,)` of every locus.

        Raises
        ------
        DataError
            There are no loci, or positions descend, do not start at 0, or are not finite.
        """
        position = np.ascontiguousarray(position, dtype=np.float64)
        if not len(position):
            raise DataError("genetic map: there are no loci")
        change = np.flatnonzero(chromosome[1:] != chromosome[:-1]) + 1
        first = np.concatenate([[0], change, [len(position)]]).astype(np.int64)
        steps = np.diff(position)
        steps[change - 1] = 0
        wrong = ~np.isfinite(position)
        wrong[1:] |= ~(steps >= 0)
        if wrong.any():
            worst = int(wrong.argmax())
            behind = f" behind one at {position[worst - 1]:g}" if worst else ""
            raise DataError(
                f"genetic map: locus {worst + 1} lies at {position[worst]:g} Morgan{behind} on chromosome "
                f"{chromosome[worst]}; positions must be finite and ascend"
            )
        if position[first[:-1]].any():
            worst = int(np.flatnonzero(position[first[:-1]])[0])
            raise DataError(
                f"genetic map: chromosome {chromosome[first[worst]]} starts at {position[first[worst]]:g} Morgan; "
                "subtract its first position, as `from_haplotypes` does"
            )
        return cls(first, position, _guide(first, position))

    @property
    def n_chromosomes(self) -> int:
        """Number of chromosomes."""
        return len(self.first) - 1


def _guide(first: NDArray[np.int64], position: NDArray[np.float64]) -> NDArray[np.int64]:
    sizes = np.diff(first)
    length = position[first[1:] - 1]
    per_morgan = np.divide(sizes, length, out=np.zeros(len(sizes)), where=length > 0)
    piece = (position * np.repeat(per_morgan, sizes)).astype(np.int64)  # the same expression as in `gametes`
    np.minimum(piece, np.repeat(sizes - 1, sizes), out=piece)
    until = np.cumsum(np.bincount(piece + np.repeat(first[:-1], sizes), minlength=len(position)))
    return np.concatenate([[0], until[:-1]])
