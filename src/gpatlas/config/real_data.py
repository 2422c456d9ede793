"""Real populations beside the simulated ones: a user's files, and the random splits that models are held against."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from gpatlas.config.automl import FilesSpec
from gpatlas.config.base import Frozen
from gpatlas.config.simulation import check_shares
from gpatlas.config.trials import check_phenotyped

LAW = "data"  # what the design column `law` says of them: nobody knows it


class DataEntry(Frozen):
    """One real population: files, some of its traits, and how many random splits."""

    files: FilesSpec = Field(description="your own genotypes and phenotypes, see `files` above")
    traits: tuple[str, ...] = Field(min_length=1, description="columns of the phenotypes to predict")
    n_samples: int = Field(ge=20, description="samples in the genotypes, which must be so many")
    n_markers: int = Field(ge=1, description="loci in the genotypes, which must be so many")
    splits: int = Field(20, ge=1, description="random splits, each a row of the design")
    test: Annotated[float, Field(gt=0, lt=1)] = Field(0.2, description="share of samples that is predicted once")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.files.phenotypes is None:
            raise ValueError("files.phenotypes is missing: a real population needs phenotypes")
        if len(set(self.traits)) != len(self.traits):
            raise ValueError(f"traits lists a value twice: {list(self.traits)}")
        return self

    @property
    def import_arguments(self) -> list[str]:
        """What `gpatlas import` is told beside the genotypes and where to write."""
        return [*self.files.import_arguments, f"--traits={','.join(self.traits)}"]

    @property
    def panel_arguments(self) -> list[str]:
        """What `gpatlas import` is told where the genotypes alone are wanted."""
        return self.files.genotype_arguments


class DataSpec(Frozen):
    """One random split of a real population (`gpatlas split`)."""

    kind: ClassVar[str] = "data"
    ploidy: ClassVar[int] = 2  # or more: what matters is that genotypes are no bits

    data: str = Field(description="which of `data`")
    traits: tuple[str, ...] = Field(min_length=1, description="its traits")
    n_samples: int = Field(ge=20, description="its samples")
    n_markers: int = Field(ge=1, description="its loci")
    test: Annotated[float, Field(gt=0, lt=1)] = Field(description="share of samples that is predicted once")
    validation: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="share of samples that networks which stop early hold back"
    )
    n_phenotyped: int | None = Field(
        None, ge=1, description="samples that may be learnt from, of which `validation` is a share then; none: all"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.n_phenotyped is not None:
            check_phenotyped(self.n_phenotyped, self.n_samples, self.test)
        else:
            check_shares(self.validation, self.test)
        return self

    @property
    def n_loci(self) -> int:
        """Loci of the panel."""
        return self.n_markers

    @property
    def n_traits(self) -> int:
        """Traits that are predicted."""
        return len(self.traits)

    @property
    def split_arguments(self) -> list[str]:
        """What `gpatlas split` is told beside the dataset, the seed and where to write."""
        size = f"--size={self.n_samples}x{self.n_markers}"
        few = [] if self.n_phenotyped is None else [f"--phenotyped={self.n_phenotyped}"]
        return [f"--test={self.test}", f"--validation={self.validation}", *few, size]
