"""The pleiotropy experiment: many traits on the same QTL, with genetic correlations between them."""

from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from gpatlas.config.grid import GridConfig
from gpatlas.config.simulation import FoundersSpec, PhenotypeSpec, SimulationSpec, TraitSpec

Pairing = Literal["shared", "separate", "published"]


class PleiotropyConfig(GridConfig):
    """What do further traits on the same QTL give a network and a linear model?

    Every locus is a QTL of every trait; loci are unlinked with allele frequency 1/2. All pairs of traits have the same
    correlation of additive effects and of epistatic effects.
    """

    lists: ClassVar[tuple[str, ...]] = (
        "n_samples",
        "n_qtl",
        "n_traits",
        "genetic_correlation",
        "pairing",
        "heritability",
    )
    cell_columns: ClassVar[tuple[str, ...]] = lists
    # rows that differ in these alone share genotypes and the random numbers behind effects and errors
    noise_columns: ClassVar[tuple[str, ...]] = ("genetic_correlation", "pairing", "heritability")
    drawn_along: ClassVar[str] = "n_qtl"
    table_pattern: ClassVar[str] = "qhaplo_{n_qtl}qtl_{n_samples}n_{genetic_correlation}pleio_{n_traits}trait_rep{rep}"

    experiment: Literal["pleiotropy"] = Field("pleiotropy", description="which experiment this file configures")
    n_qtl: tuple[Annotated[int, Field(ge=2, multiple_of=2)], ...] = Field(
        min_length=1, description="loci, all of them QTL of all traits; even, because they are paired up"
    )
    n_traits: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1, description="traits, fitted jointly")
    genetic_correlation: tuple[Annotated[float, Field(ge=-1, le=1)], ...] = Field(
        min_length=1, description="correlation of effects between any two traits (published: pleiotropy strength)"
    )
    pairing: tuple[Pairing, ...] = Field(
        ("shared", "separate"),
        min_length=1,
        description="whether epistatic pairs are the same for all traits, or drawn for each; published: separate at "
        "correlation 0, shared above, so that correlation and pairing change together",
    )
    rel_aa: Annotated[float, Field(ge=0)] = Field(
        1.0, description="epistatic over additive variance of every trait (AlphaSimR relAA)"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if "published" in self.pairing and len(self.pairing) > 1:
            raise ValueError("pairing: published is shared or separate by correlation; list it alone")
        correlated = [c for c in self.genetic_correlation if c != 0]
        if self.engine.name == "alphasimr" and "separate" in self.pairing and correlated:
            raise ValueError(
                "pairing: AlphaSimR cannot separate the pairs of correlated traits (genetic_correlation "
                f"{correlated[0]:g}); use engine: native, or pairing: published"
            )
        low, most = min(self.genetic_correlation), max(self.n_traits)
        if most > 1 and low < -1 / (most - 1):
            raise ValueError(
                f"genetic_correlation: {low:g} among {most} traits is no positive semi-definite matrix; "
                f"at least {-1 / (most - 1):.3g} is possible"
            )
        return self

    def rows(self) -> list[dict[str, Any]]:
        """Expand the lists to design rows, sorted by every column but pairing, which keeps the file's order."""
        grid = product(
            sorted(self.n_samples),
            sorted(self.n_qtl),
            sorted(self.n_traits),
            sorted(self.genetic_correlation),
            self.pairing,
            sorted(self.heritability, reverse=True),
        )
        return [
            {
                "n_samples": n_samples,
                "n_qtl": n_qtl,
                "n_traits": n_traits,
                "genetic_correlation": correlation,
                "pairing": _resolved(pairing, correlation),
                "heritability": h2,
                "rep": rep,
            }
            for n_samples, n_qtl, n_traits, correlation, pairing, h2 in grid
            for rep in self.reps(n_samples)
        ]

    def trait_columns(self, row: Mapping[str, Any]) -> dict[str, list[float]]:
        """Design columns that differ among the traits of a row: none, but others are read with them."""
        return {"rel_aa": [self.rel_aa] * row["n_traits"]}

    def simulation(self, row: Mapping[str, Any]) -> SimulationSpec:
        """What to simulate for one design row."""
        n_qtl, n_traits, correlation = row["n_qtl"], row["n_traits"], row["genetic_correlation"]
        common = {"type": "AE", "qtl_per_chromosome": n_qtl, "rel_aa": self.rel_aa, "use_var_a": False}
        if self.engine.name == "alphasimr" and correlation == 0 and row["pairing"] == "separate":
            # AlphaSimR has no separate pairs within a call; all loci are QTL, so that calls differ in nothing else
            traits = tuple(TraitSpec(**common) for _ in range(n_traits))
        else:
            traits = (TraitSpec(**common, n_traits=n_traits, cor_a=correlation, pairing=row["pairing"]),)
        return SimulationSpec(
            founders=FoundersSpec(n_individuals=row["n_samples"], loci_per_chromosome=n_qtl, ploidy=self.ploidy),
            traits=traits,
            phenotypes=PhenotypeSpec(h2_broad=row["heritability"]),
            folds=self.evaluation.folds,
        )


def _resolved(pairing: Pairing, correlation: float) -> str:
    if pairing == "published":
        return "separate" if correlation == 0 else "shared"
    return pairing
