"""Simulated panels of genotyped lines, and trials of them in several environments of which few lines have data."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from gpatlas.config.base import Frozen
from gpatlas.config.simulation import check_shares

Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]


class PanelSpec(Frozen):
    """One simulated panel: individuals whose genomes are mosaics of a few ancestors', and a chip that genotypes them.

    Sites outnumber markers; a trait's QTL are sites that are no markers, as on a real chip.
    """

    kind: ClassVar[str] = "panel"
    n_traits: ClassVar[int] = 0

    n_samples: int = Field(1000, ge=30, description="individuals, all of them genotyped")
    n_markers: int = Field(1000, ge=10, description="loci on the chip, of minor allele frequency 0.05 or more")
    sites_per_marker: int = Field(3, ge=2, description="sites that vary, for every marker")
    n_chromosomes: int = Field(10, ge=1, description="chromosomes, with as many markers each")
    genetic_length: Positive = Field(1.0, description="of a chromosome, Morgan")
    n_ancestors: int = Field(24, ge=2, description="ancestral haplotypes")
    switch_rate: Positive = Field(5.0, description="pieces of one ancestor end at this rate per Morgan")
    ploidy: int = Field(2, ge=2, le=8, description="chromosome sets of an individual")
    inbred: bool = Field(False, description="whether all copies within an individual are identical")
    missing: Annotated[float, Field(ge=0, le=0.95)] = Field(
        0.0,
        description="share of the calls that are missing, as where few reads cover a site (genotyping by sequencing); "
        "it differs among markers by a Beta law of 4 · missing and 4 · (1 - missing)",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.n_markers < self.n_chromosomes:
            raise ValueError(f"n_markers ({self.n_markers}) leaves some of {self.n_chromosomes} chromosomes without")
        return self

    @property
    def n_loci(self) -> int:
        """Loci on the chip."""
        return self.n_markers

    def on_chromosomes(self, total: int) -> list[int]:
        """Share out loci among the chromosomes, the first ones getting what is left over."""
        each, left = divmod(total, self.n_chromosomes)
        return [each + (number < left) for number in range(self.n_chromosomes)]


class TraitLaw(Frozen):
    """How the trait of a simulated panel acts in its environments."""

    n_environments: int = Field(4, ge=1, description="environments in which lines are grown; a trait column each")
    n_qtl: int = Field(100, ge=1, description="loci that act, none of them a marker, in all environments")
    correlation: Annotated[float, Field(ge=0, le=1)] = Field(
        0.6, description="genetic correlation of any two environments; below 1 there is genotype by environment"
    )
    heritability: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="of the mean of a line in one environment"
    )


class TrialSpec(Frozen):
    """One trial on a simulated panel: a fresh trait, and a fresh choice of the lines that have phenotypes."""

    kind: ClassVar[str] = "trial"

    panel: PanelSpec = Field(description="the panel")
    panel_seed: str = Field(description="seed of the panel, a whole number; all trials on a panel share it")
    trait: TraitLaw = Field(description="how the trait acts")
    n_phenotyped: int = Field(ge=1, description="lines with phenotypes to learn from")
    test: Share = Field(description="share of the lines that is predicted once")
    validation: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="share of the phenotyped lines that models which stop early hold back"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_phenotyped(self.n_phenotyped, self.panel.n_samples, self.test)
        return self

    @property
    def n_samples(self) -> int:
        """Lines, phenotyped or not."""
        return self.panel.n_samples

    @property
    def n_loci(self) -> int:
        """Loci on the chip."""
        return self.panel.n_markers

    @property
    def n_traits(self) -> int:
        """Environments."""
        return self.trait.n_environments

    @property
    def ploidy(self) -> int:
        """Chromosome sets of a line."""
        return self.panel.ploidy


def check_phenotyped(n_phenotyped: int, n_samples: int, test: float) -> None:
    """Refuse more phenotyped samples than there are beside the test samples.

    Raises
    ------
    ValueError
        There are fewer.
    """
    check_shares(0.0, test)
    left = n_samples - round(test * n_samples)
    if n_phenotyped > left:
        raise ValueError(
            f"n_phenotyped {n_phenotyped}: of {n_samples} samples, {left} are left beside the test share {test:g}"
        )
