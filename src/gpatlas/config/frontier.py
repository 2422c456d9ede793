"""The frontier experiment: the scaling experiment's populations, under three architectures of epistasis."""

from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from gpatlas.config.grid import GridConfig, NonNegative, Samples
from gpatlas.config.scaling import n_qtl_at
from gpatlas.config.simulation import Architecture, FoundersSpec, PhenotypeSpec, SimulationSpec, TraitSpec

Scalings = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]


class FrontierConfig(GridConfig):
    """How near to what the data allow does each method come, and on which architectures of epistasis?

    Every locus is a QTL; loci are unlinked with allele frequency 1/2; each population has one trait. Populations that
    differ in architecture or heritability alone share genotypes, additive effects and the direction of every error.
    """

    lists: ClassVar[tuple[str, ...]] = ("n_samples", "qtl_scaling", "heritability", "architecture")
    cell_columns: ClassVar[tuple[str, ...]] = lists
    noise_columns: ClassVar[tuple[str, ...]] = ("heritability", "architecture")
    drawn_along: ClassVar[str] = "n_qtl"

    experiment: Literal["frontier"] = Field("frontier", description="which experiment this file configures")
    qtl_scaling: Scalings | dict[Samples, Scalings] = Field(
        description="possible QTL pairs per sample; with n_samples it sets the number of QTL. One list, or one for "
        "each n_samples"
    )
    architecture: tuple[Architecture, ...] = Field(
        ("sparse", "dense", "triples"),
        min_length=1,
        description="which QTL interact. sparse: disjoint random pairs, as AlphaSimR; dense: all pairs; triples: "
        "disjoint random triples",
    )
    rel_aa: NonNegative = Field(
        1.0, description="epistatic over additive variance, for every architecture on AlphaSimR's scale (relAA)"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        absent = [n for n in self.n_samples if not self.scalings(n)]
        if absent:
            raise ValueError(f"qtl_scaling has no entry for n_samples {absent[0]}")
        twice = [n for n in self.n_samples if len(set(self.scalings(n))) != len(self.scalings(n))]
        if twice:
            raise ValueError(f"qtl_scaling lists a value twice: {list(self.scalings(twice[0]))}")
        beyond = [a for a in self.architecture if a != "sparse"]
        if self.engine.name != "native" and beyond:
            raise ValueError(
                f"architecture: engine {self.engine.name} has disjoint pairs only, not {beyond[0]}; "
                "use engine: native, or architecture: sparse"
            )
        return self

    def scalings(self, n_samples: int) -> Scalings:
        """Possible QTL pairs per sample at a sample size."""
        return self.qtl_scaling.get(n_samples, ()) if isinstance(self.qtl_scaling, dict) else self.qtl_scaling

    def rows(self) -> list[dict[str, Any]]:
        """Expand the lists to design rows, sorted by every column but architecture, which keeps the file's order."""
        sizes = [(n, scaling) for n in sorted(self.n_samples) for scaling in sorted(self.scalings(n))]
        grid = product(sizes, sorted(self.heritability, reverse=True), self.architecture)
        return [
            {
                "n_samples": n_samples,
                "qtl_scaling": qtl_scaling,
                "heritability": heritability,
                "architecture": architecture,
                "n_qtl": n_qtl_at(n_samples, qtl_scaling),
                "rep": rep,
            }
            for (n_samples, qtl_scaling), heritability, architecture in grid
            for rep in self.reps(n_samples)
        ]

    def trait_columns(self, row: Mapping[str, Any]) -> dict[str, list[float]]:
        """Design columns that differ among the traits of a row: none, but others are read with them."""
        return {"rel_aa": [self.rel_aa]}

    def simulation(self, row: Mapping[str, Any]) -> SimulationSpec:
        """What to simulate for one design row."""
        n_qtl = row["n_qtl"]
        trait = TraitSpec(
            type="AE",
            qtl_per_chromosome=n_qtl,
            rel_aa=self.rel_aa,
            use_var_a=False,
            architecture=row["architecture"],
        )
        return SimulationSpec(
            founders=FoundersSpec(n_individuals=row["n_samples"], loci_per_chromosome=n_qtl, ploidy=self.ploidy),
            traits=(trait,),
            phenotypes=PhenotypeSpec(h2_broad=row["heritability"]),
            folds=self.evaluation.folds,
        )
