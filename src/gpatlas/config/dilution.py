"""The dilution experiment: the same QTL among ever more markers that do nothing."""

from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from gpatlas.config.grid import GridConfig, NonNegative
from gpatlas.config.simulation import FoundersSpec, PhenotypeSpec, SimulationSpec, TraitSpec

Count = Annotated[int, Field(ge=1)]


class DilutionConfig(GridConfig):
    """What do markers without effect do to a network, and does selecting loci first help?

    Loci are unlinked with allele frequency 1/2; every trait draws its own QTL among them, its own effects and
    pairing.
    """

    lists: ClassVar[tuple[str, ...]] = ("n_samples", "n_qtl", "n_markers", "heritability", "rel_aa")
    cell_columns: ClassVar[tuple[str, ...]] = ("n_samples", "n_qtl", "n_markers", "heritability")
    # rows that differ in these alone share genotypes, effects and the direction of every error
    noise_columns: ClassVar[tuple[str, ...]] = ("heritability",)
    drawn_along: ClassVar[str] = "n_markers"
    table_pattern: ClassVar[str] = "qhaplo_{n_qtl}qtl_{n_markers}marker_{n_samples}n_rep{rep}"

    experiment: Literal["dilution"] = Field("dilution", description="which experiment this file configures")
    n_qtl: tuple[Count, ...] = Field(min_length=1, description="QTL of each trait, drawn anew for each trait; even")
    n_markers: tuple[Count, ...] = Field(min_length=1, description="loci, QTL among them")
    rel_aa: tuple[NonNegative, ...] = Field(
        (0.0, 1.0), min_length=1, description="one trait for each: epistatic over additive variance (AlphaSimR relAA)"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if max(self.n_qtl) > min(self.n_markers):
            raise ValueError(
                f"n_qtl: {max(self.n_qtl)} QTL do not fit among n_markers {min(self.n_markers)}; QTL are markers, too"
            )
        odd = [n for n in self.n_qtl if n % 2]
        if odd:
            raise ValueError(f"n_qtl: {odd[0]} is odd, but QTL are paired up; use an even number")
        return self

    def rows(self) -> list[dict[str, Any]]:
        """Expand the lists to design rows, sorted by sample size, QTL, markers, heritability and replicate."""
        grid = product(
            sorted(self.n_samples), sorted(self.n_qtl), sorted(self.n_markers), sorted(self.heritability, reverse=True)
        )
        return [
            {"n_samples": n, "n_qtl": n_qtl, "n_markers": n_markers, "heritability": h2, "rep": rep}
            for n, n_qtl, n_markers, h2 in grid
            for rep in self.reps(n)
        ]

    def trait_columns(self, row: Mapping[str, Any]) -> dict[str, list[float]]:
        """Design columns that differ among the traits of a row."""
        return {"rel_aa": list(self.rel_aa)}

    def simulation(self, row: Mapping[str, Any]) -> SimulationSpec:
        """What to simulate for one design row."""
        return SimulationSpec(
            founders=FoundersSpec(
                n_individuals=row["n_samples"], loci_per_chromosome=row["n_markers"], ploidy=self.ploidy
            ),
            traits=tuple(
                TraitSpec(type="AE", qtl_per_chromosome=row["n_qtl"], rel_aa=rel_aa, use_var_a=False)
                for rel_aa in self.rel_aa
            ),
            phenotypes=PhenotypeSpec(h2_broad=row["heritability"]),
            folds=self.evaluation.folds,
        )
