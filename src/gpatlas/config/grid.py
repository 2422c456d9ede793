"""What the simulation experiments share: lists that are combined to a grid, replicates, heritabilities."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from gpatlas.config.experiment import ExperimentConfig, Heritability

Samples = Annotated[int, Field(ge=10)]
Replicates = Annotated[int, Field(ge=1)]
NonNegative = Annotated[float, Field(ge=0)]


class GridConfig(ExperimentConfig):
    """An experiment whose design rows are all combinations of lists, each with replicates."""

    lists: ClassVar[tuple[str, ...]]  # the keys that hold lists; a single value stands for a list of one

    n_samples: tuple[Samples, ...] = Field(min_length=1, description="population sizes")
    heritability: tuple[Heritability, ...] = Field(
        (0.999,), min_length=1, description="broad-sense heritabilities H², in (0, 1]"
    )
    replicates: Replicates | dict[Samples, Replicates] = Field(
        description="replicates of every design cell: one number, or one for each n_samples"
    )
    ploidy: int = Field(1, ge=1, le=8, description="chromosome sets per individual; 1 is haploid, as published")

    @model_validator(mode="before")
    @classmethod
    def _one_is_a_list(cls, section: Any) -> Any:
        if not isinstance(section, dict):
            return section
        single = {
            name: [section[name]]
            for name in cls.lists
            if isinstance(section.get(name), int | float | str) and not isinstance(section[name], bool)
        }
        return section | single

    @field_validator("replicates")
    @classmethod
    def _some_replicates(cls, value: Any) -> Any:
        if value == {}:
            raise ValueError("replicates must be a number, or a number for each n_samples, not {}")
        return value

    @model_validator(mode="after")
    def _check_lists(self) -> Self:
        for name in self.lists:
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} lists a value twice: {list(values)}")
        if isinstance(self.replicates, dict):
            absent = [n for n in self.n_samples if n not in self.replicates]
            if absent:
                raise ValueError(f"replicates has no entry for n_samples {absent[0]}")
        return self

    def reps(self, n_samples: int) -> range:
        """Replicate numbers of a cell of this sample size, from 1."""
        count = self.replicates if isinstance(self.replicates, int) else self.replicates[n_samples]
        return range(1, count + 1)
