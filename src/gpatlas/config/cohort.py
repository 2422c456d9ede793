"""What a synthetic clinic is: a case/control cohort with known causal sites."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gpatlas.config.base import Frozen

Share = Annotated[float, Field(ge=0, le=1)]


class CohortSpec(Frozen):
    """A case/control cohort: some samples fall ill by a genotype at causal sites, and more often in one sex.

    The defaults are the recipe of a well-known cloud AutoML notebook: 500 samples, 100 sites, 200 cases, each of
    which is homozygous for the alternative allele at one of two causal sites at least.
    """

    n_samples: int = Field(500, ge=4, description="number of samples")
    n_sites: int = Field(100, ge=1, description="number of genotyped sites")
    n_causal: int = Field(2, ge=1, description="sites that can make ill, among them")
    n_cases: int = Field(200, ge=1, description="samples that are ill, of all subtypes")
    n_subtypes: int = Field(
        1, ge=1, description="subtypes of the illness, each with causal sites of its own; more than 1: several classes"
    )
    n_chromosomes: int = Field(1, ge=1, description="chromosomes that the sites are spread over")
    encoding: Literal["recessive", "dominant", "additive"] = Field(
        "recessive",
        description="which dosage of a causal site makes ill: recessive 2; dominant 1 or 2; additive 2, and 1 half the "
        "time",
    )
    genotype_frequencies: tuple[Share, Share, Share] | None = Field(
        None,
        description="shares of dosage 0, 1, 2 at every site; none and no allele_frequency: 0.9, 0.05, 0.05, the "
        "notebook's",
    )
    allele_frequency: Share | tuple[Share, Share] | None = Field(
        None,
        description="instead: frequency of the alternative allele, of all sites or drawn between two bounds; "
        "genotypes are in Hardy-Weinberg proportions",
    )
    penetrance: Share = Field(
        0.0,
        description="chance that a causal genotype has made ill who would be a control: controls with one are drawn "
        "again with this chance; 0, the notebook's: controls carry as often as anybody",
    )
    phenocopies: Share = Field(
        0.0, description="share of the cases without a causal genotype that stay so; 0: every case carries one"
    )
    sex_bias: float = Field(
        0.5,
        ge=-1,
        le=1,
        description="of cases that are given a causal genotype, the share that is also given the affected sex; below "
        "0, the share that is given another. The notebook's comment means 1, its code does -1",
    )
    affected_sex: Literal["female", "male"] = Field("female", description="sex that falls ill more often")
    unknown_sex: Annotated[float, Field(ge=0, lt=1)] = Field(
        1 / 3, description="share of samples whose sex is unknown; the others are halves"
    )
    linkage: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="chance that a site goes with the one before, unless both are causal: the correlation r of "
        "neighbouring sites of equal frequency",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.n_causal > self.n_sites:
            raise ValueError(f"n_causal ({self.n_causal}) is more than n_sites ({self.n_sites})")
        if self.n_cases >= self.n_samples:
            raise ValueError(f"n_cases ({self.n_cases}) leaves no controls among n_samples ({self.n_samples})")
        if self.n_subtypes > min(self.n_causal, self.n_cases):
            raise ValueError(f"n_subtypes ({self.n_subtypes}) must each have a causal site and a case")
        if self.n_chromosomes > self.n_sites:
            raise ValueError(f"n_chromosomes ({self.n_chromosomes}) is more than n_sites ({self.n_sites})")
        if self.genotype_frequencies is not None and self.allele_frequency is not None:
            raise ValueError("give genotype_frequencies or allele_frequency, not both")
        if self.genotype_frequencies is not None:
            self._check_frequencies(self.genotype_frequencies)
        low, high = self.allele_bounds or (0.5, 0.5)
        if not 0 < low <= high < 1:
            raise ValueError(f"allele_frequency must be between 0 and 1 and ascending, not {self.allele_frequency}")
        return self

    def _check_frequencies(self, shares: tuple[float, float, float]) -> None:
        if abs(sum(shares) - 1) > 1e-9:
            raise ValueError(f"genotype_frequencies must sum to 1, not {sum(shares):g}")
        can_cause = shares[2] + (shares[1] if self.encoding != "recessive" else 0)
        if not 0 < can_cause < 1:
            raise ValueError(f"genotype_frequencies {list(shares)}: no {self.encoding} genotype tells cases apart")

    @property
    def allele_bounds(self) -> tuple[float, float] | None:
        """Lowest and highest allele frequency, where genotypes follow from it."""
        value = self.allele_frequency
        return (value, value) if isinstance(value, float | int) else value

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes: control, and case or the subtypes."""
        if self.n_subtypes == 1:
            return ("control", "case")
        return ("control", *(f"subtype-{k}" for k in range(1, self.n_subtypes + 1)))

    @property
    def class_sizes(self) -> tuple[int, ...]:
        """Number of samples of each class; the first subtypes take what does not divide."""
        each, rest = divmod(self.n_cases, self.n_subtypes)
        return (self.n_samples - self.n_cases, *(each + (k < rest) for k in range(self.n_subtypes)))
