"""The scaling experiment: sample size × QTL pairs per sample × replicate, one trait per level of epistasis."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from gpatlas.config.experiment import ExperimentConfig, Heritability
from gpatlas.config.simulation import FoundersSpec, PhenotypeSpec, SimulationSpec, TraitSpec

Samples = Annotated[int, Field(ge=10)]


class ScalingConfig(ExperimentConfig):
    """When does a network beat a linear model as sample size, number of QTL and epistasis change?

    Every locus is a QTL; loci are unlinked with allele frequency 1/2; traits share the genotypes but have
    effects and pairings of their own.
    """

    cell_columns: ClassVar[tuple[str, ...]] = ("n_samples", "qtl_scaling", "heritability")
    # rows that differ in these alone share genotypes, effects and the direction of every error
    noise_columns: ClassVar[tuple[str, ...]] = ("heritability",)

    experiment: Literal["scaling"] = Field("scaling", description="which experiment this file configures")
    n_samples: tuple[Samples, ...] = Field(min_length=1, description="population sizes")
    qtl_scaling: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        min_length=1, description="possible QTL pairs per sample; with n_samples it sets the number of QTL"
    )
    heritability: tuple[Heritability, ...] = Field((0.999,), description="broad-sense heritabilities H², in (0, 1]")
    replicates: Annotated[int, Field(ge=1)] | dict[Samples, Annotated[int, Field(ge=1)]] = Field(
        description="replicates of every design cell: one number, or one for each n_samples"
    )
    ploidy: int = Field(1, ge=1, le=8, description="chromosome sets per individual; 1 is haploid, as published")
    rel_aa: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (0.0, 0.1, 0.5, 1.0, 3.0),
        min_length=1,
        description="one trait for each: epistatic over additive variance (AlphaSimR relAA)",
    )

    @field_validator("n_samples", "qtl_scaling", "heritability", "rel_aa", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, int | float) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("n_samples", "qtl_scaling", "heritability", "rel_aa"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} lists a value twice: {list(values)}")
        if isinstance(self.replicates, dict):
            absent = [n for n in self.n_samples if n not in self.replicates]
            if absent:
                raise ValueError(f"replicates has no entry for n_samples {absent[0]}")
        return self

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
            for rep in range(1, self._n_replicates(n_samples) + 1)
        ]

    def trait_columns(self) -> dict[str, list[float]]:
        """Design columns that differ among the traits of one row."""
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

    def _n_replicates(self, n_samples: int) -> int:
        return self.replicates if isinstance(self.replicates, int) else self.replicates[n_samples]


def n_qtl_at(n_samples: int, qtl_scaling: float) -> int:
    """Number of QTL q whose q(q-1)/2 possible pairs are `qtl_scaling` per sample, rounded and made even.

    As published: round((1 + √(1 + 8·s·n))/2), plus one when odd.
    """
    n_qtl = round((1 + math.sqrt(1 + 8 * qtl_scaling * n_samples)) / 2)
    return n_qtl + n_qtl % 2
