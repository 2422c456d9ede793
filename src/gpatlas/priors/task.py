"""`Task`: one draw of a prior, a population with a trait; a model is told a part of it and predicts the rest."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["random", "family", "generation"]


@dataclass(frozen=True, repr=False)
class Task:
    """One population with one trait; a model conditions on the context rows and predicts the others.

    Parameters
    ----------
    genotypes
        int8 `(n, m)`, dosage 0..2 of the panel; hidden QTL are not in it. Every locus varies among the context rows.
    chromosome, position
        int32 `(m,)`, ascending, and float64 `(m,)`, Morgan.
    phenotype, genetic_value
        float64 `(n,)`; both in units in which genetic values have mean 0 and variance `h2`, and errors are expected
        to have variance 1 - `h2`.
    context
        bool `(n,)`; True for rows whose phenotype the model is told.
    scheme
        Name of the prior.
    law
        How the trait's effects are distributed, e.g. "infinitesimal", "gamma", "normal+dominance+epistasis".
    h2
        Broad-sense heritability among the rows of the task, var(g) / (var(g) + σ²_e).
    n_qtl
        Loci that have effects, in the panel or not.
    hidden
        Whether the QTL were kept out of the panel.
    split
        How context and query differ: random rows, other families, or the next generation.
    seed
        What the draw was made from.
    """

    genotypes: NDArray[np.int8]
    chromosome: NDArray[np.int32]
    position: NDArray[np.float64]
    phenotype: NDArray[np.float64]
    genetic_value: NDArray[np.float64]
    context: NDArray[np.bool_]
    scheme: str
    law: str
    h2: float
    n_qtl: int
    hidden: bool
    split: Split
    seed: int

    @property
    def n_samples(self) -> int:
        """Rows, context and query together."""
        return len(self.phenotype)

    @property
    def n_markers(self) -> int:
        """Loci of the panel."""
        return len(self.position)

    def __repr__(self) -> str:
        told = int(self.context.sum())
        return (
            f"Task({self.scheme}, {told} + {self.n_samples - told} rows ({self.split}), {self.n_markers} markers, "
            f"{self.law}, {self.n_qtl}{' hidden' if self.hidden else ''} QTL, h2 = {self.h2:.2f}, seed {self.seed})"
        )
