"""The scaling experiment: sample size × QTL pairs per sample × replicate, one trait per level of epistasis."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from gpatlas.config.grid import GridConfig, NonNegative
from gpatlas.config.simulation import FoundersSpec, PhenotypeSpec, SimulationSpec, TraitSpec


class ScalingConfig(GridConfig):
    """When does a network beat a linear model as sample size, number of QTL and epistasis change?

    Every locus is a QTL; loci are unlinked with allele frequency 1/2; traits share the genotypes but have
    effects and pairings of their own.
    """

    lists: ClassVar[tuple[str, ...]] = ("n_samples", "qtl_scaling", "heritability", "rel_aa")
    cell_columns: ClassVar[tuple[str, ...]] = ("n_samples", "qtl_scaling", "heritability")
    # rows that differ in these alone share genotypes, effects and the direction of every error
    noise_columns: ClassVar[tuple[str, ...]] = ("heritability",)
    drawn_along: ClassVar[str] = "n_qtl"

    experiment: Literal["scaling"] = Field("scaling", description="which experiment this file configures")
    qtl_scaling: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        min_length=1, description="possible QTL pairs per sample; with n_samples it sets the number of QTL"
    )
    rel_aa: tuple[NonNegative, ...] = Field(
        (0.0, 0.1, 0.5, 1.0, 3.0),
        min_length=1,
        description="one trait for each: epistatic over additive variance (AlphaSimR relAA)",
    )

    def rows(self) -> list[dict[str, Any]]:
        """Expand the lists to design rows, sorted by sample size, scaling, heritability and replicate."""
        return [
            {
                "n_samples": n_samples,
                "qtl_scaling": qtl_scaling,
                "heritability": heritability,
                "n_qtl": n_qtl_at(n_samples, qtl_scaling),
                "rep": rep,
            }
            for n_samples in sorted(self.n_samples)
            for qtl_scaling in sorted(self.qtl_scaling)
            for heritability in sorted(self.heritability, reverse=True)
            for rep in self.reps(n_samples)
        ]

    def trait_columns(self, row: Mapping[str, Any]) -> dict[str, list[float]]:
        """Design columns that differ among the traits of a row."""
        return {"rel_aa": list(self.rel_aa)}

    def simulation(self, row: Mapping[str, Any]) -> SimulationSpec:
        """What to simulate for one design row."""
        n_qtl = row["n_qtl"]
        return SimulationSpec(
            founders=FoundersSpec(n_individuals=row["n_samples"], loci_per_chromosome=n_qtl, ploidy=self.ploidy),
            traits=tuple(
                TraitSpec(type="AE", qtl_per_chromosome=n_qtl, rel_aa=rel_aa, use_var_a=False) for rel_aa in self.rel_aa
            ),
            phenotypes=PhenotypeSpec(h2_broad=row["heritability"]),
            folds=self.evaluation.folds,
        )


def n_qtl_at(n_samples: int, qtl_scaling: float) -> int:
    """Number of QTL q whose q(q-1)/2 possible pairs are `qtl_scaling` per sample, rounded and made even.

    As published: round((1 + √(1 + 8·s·n))/2), plus one when odd.
    """
    n_qtl = round((1 + math.sqrt(1 + 8 * qtl_scaling * n_samples)) / 2)
    return n_qtl + n_qtl % 2
