"""The GPFN experiment: networks trained on simulated breeding populations, against models fitted to each anew."""

from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from gpatlas.config.experiment import ExperimentConfig
from gpatlas.config.pretrain import PretrainSpec
from gpatlas.config.priors import Law, PriorSpec
from gpatlas.config.real_data import LAW, DataEntry, DataSpec

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")]


class GpfnConfig(ExperimentConfig):
    """Does a network that was trained on simulated breeding populations predict better than a model fitted anew?

    Every population is a draw of a prior: a breeding scheme with a trait law. The context is the training fold, the
    queries are the test fold. No population was seen in training. Real populations may stand beside them, in random
    splits.
    """

    cell_columns: ClassVar[tuple[str, ...]] = ("prior", "law", "n_samples", "n_markers")
    noise_columns: ClassVar[tuple[str, ...]] = ()
    drawn_along: ClassVar[str] = "n_markers"

    experiment: Literal["gpfn"] = Field("gpfn", description="which experiment this file configures")
    pretrain: dict[Name, PretrainSpec] = Field(
        {}, description="networks to train, by name; a model says `init_from: <name>` to use one"
    )
    prior: tuple[str, ...] = Field(min_length=1, description="breeding schemes of `gpatlas.priors` to compare on")
    data: dict[Name, DataEntry] = Field({}, description="real populations by name, which stands in the column `prior`")
    law: tuple[Law, ...] = Field(("mixture",), min_length=1, description="trait laws, see `prior` below")
    n_samples: tuple[Annotated[int, Field(ge=20)], ...] = Field(min_length=1, description="population sizes")
    n_markers: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1, description="loci of the panel")
    replicates: int = Field(ge=1, description="populations of every design cell")

    @field_validator("prior", "law", "n_samples", "n_markers", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, int | str) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in self.cell_columns:
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} lists a value twice: {list(values)}")
        for name in self.data:
            if name in self.prior:
                raise ValueError(f"data.{name} has the name of a prior; call it otherwise")
        if self.engine.name != "native":
            raise ValueError(f"engine {self.engine.name}: priors are drawn by engine native alone")
        if self.evaluation.protocol != "holdout":
            raise ValueError(f"evaluation {self.evaluation.protocol}: priors say themselves which samples are test")
        if self.evaluation.test != type(self.evaluation).model_fields["test"].default:
            raise ValueError(f"evaluation.test {self.evaluation.test:g}: priors say themselves which samples are test")
        for label, entry in self.models.items():
            if entry.init_from is not None and entry.init_from not in self.pretrain:
                known = ", ".join(self.pretrain) or "none"
                raise ValueError(f"models.{label}.init_from: no recipe {entry.init_from} in pretrain ({known})")
        return self

    @property
    def recipes(self) -> Mapping[str, PretrainSpec]:
        """Recipes of networks by name."""
        return self.pretrain

    def rows(self) -> list[dict[str, Any]]:
        """Expand the lists to design rows, in the order of the file."""
        drawn = product(self.prior, self.law, self.n_samples, self.n_markers, range(1, self.replicates + 1))
        real = [
            (name, LAW, entry.n_samples, entry.n_markers, rep)
            for name, entry in self.data.items()
            for rep in range(1, entry.splits + 1)
        ]
        return [dict(zip((*self.cell_columns, "rep"), values, strict=True)) for values in (*drawn, *real)]

    def trait_columns(self, row: Mapping[str, Any]) -> dict[str, list[float]]:
        """Nothing differs among the traits of a row: there is one."""
        return {}

    def simulation(self, row: Mapping[str, Any]) -> PriorSpec | DataSpec:
        """Which population to draw, or to split, for one design row."""
        if row["law"] == LAW:
            entry = self.data[row["prior"]]
            size = {"n_samples": entry.n_samples, "n_markers": entry.n_markers}
            shares = {"test": entry.test, "validation": self.evaluation.validation}
            return DataSpec(data=row["prior"], traits=entry.traits, **size, **shares)
        columns = {name: row[name] for name in self.cell_columns}
        return PriorSpec(**columns, validation=self.evaluation.validation)
