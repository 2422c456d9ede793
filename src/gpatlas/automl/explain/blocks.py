"""What is permuted together: blocks of loci in linkage disequilibrium, and the columns of one categorical covariate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.automl.explain.structure import filled

LINKED = 0.5  # r² from which a locus can stand in for another
_LEADERS = 500  # of a chromosome's blocks, the last ones that a locus is compared with


@dataclass(frozen=True)
class Block:
    """Columns of X that say the same.

    Parameters
    ----------
    columns
        Into X.
    covariate
        The covariate's name; "" for loci.
    """

    columns: NDArray[np.intp]
    covariate: str = ""


def linkage_blocks(dosage: NDArray, chromosome: NDArray, position: NDArray) -> list[Block]:
    """Group loci by r²: in map order, each joins the block whose first locus it is most correlated with.

    Blocks are within chromosomes. A locus whose r² with the first loci of all blocks is below `LINKED` begins its own,
    so that loci of one block have an r² of at least that with its first one. Where the map is unknown, all loci are one
    chromosome. Loci that do not vary are in no block.

    Parameters
    ----------
    dosage
        `(n_samples, n_loci)`, NaN where missing, which becomes the locus' mean.
    chromosome, position
        `(n_loci,)`.
    """
    blocks: list[Block] = []
    for name in dict.fromkeys(chromosome.tolist()):
        here = np.flatnonzero(chromosome == name)
        here = here[np.argsort(position[here], kind="stable")]
        blocks += _of_chromosome(dosage[:, here], here)
    return blocks


def covariate_blocks(names: Sequence[str], first: int) -> list[Block]:
    """Group the columns of covariates: "site=Norwich" and "site=York" are both "site".

    Parameters
    ----------
    names
        Of the columns.
    first
        Where in X they begin.
    """
    columns: dict[str, list[int]] = {}
    for k, name in enumerate(names):
        columns.setdefault(name.split("=")[0], []).append(first + k)
    return [Block(np.array(found), name) for name, found in columns.items()]


def _of_chromosome(dosage: NDArray, here: NDArray[np.intp]) -> list[Block]:
    x = filled(dosage)
    x -= x.mean(axis=0)
    length = np.sqrt((x**2).sum(axis=0))
    varies = length > 1e-6
    z = np.ascontiguousarray((x[:, varies] / length[varies]).T)
    leaders = np.empty_like(z)
    members: list[list[int]] = []
    for locus, column in zip(z, here[varies].tolist(), strict=True):
        first = max(len(members) - _LEADERS, 0)
        r2 = (leaders[first : len(members)] @ locus) ** 2
        if len(r2) and r2.max() >= LINKED:
            members[first + int(r2.argmax())].append(column)
        else:
            leaders[len(members)] = locus
            members.append([column])
    return [Block(np.array(columns)) for columns in members]
