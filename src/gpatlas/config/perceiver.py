"""The perceiver experiment: what pretraining on every genotype gives where few lines are phenotyped."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from gpatlas.config.experiment import ExperimentConfig
from gpatlas.config.perceiver_recipe import PerceiverRecipe
from gpatlas.config.real_data import DataEntry, DataSpec
from gpatlas.config.trials import PanelSpec, TraitLaw, TrialSpec, check_phenotyped
from gpatlas.seeding import stable_seed

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")]
MODEL = "perceiver"


class PerceiverConfig(ExperimentConfig):
    """What does pretraining on all genotypes give, where few lines have phenotypes in several environments?

    Every line of a panel is genotyped. A recipe of `pretrain` makes one network for each panel, from its genotypes
    alone. Then models learn from the few phenotyped lines and predict the test lines: on simulated panels a fresh trait
    and a fresh choice of lines for each replicate, on real ones a fresh choice.
    """

    cell_columns: ClassVar[tuple[str, ...]] = ("data", "n_phenotyped")
    noise_columns: ClassVar[tuple[str, ...]] = ("n_phenotyped",)  # the fewer lines are among the more
    job_columns: ClassVar[tuple[str, ...]] = ("data",)
    panel_column: ClassVar[str | None] = "data"
    drawn_along: ClassVar[str] = "n_phenotyped"

    experiment: Literal["perceiver"] = Field("perceiver", description="which experiment this file configures")
    pretrain: dict[Name, PerceiverRecipe] = Field(
        {}, description="networks to pretrain, by name, one for each panel; a model says `init_from: <name>`"
    )
    panels: dict[Name, PanelSpec] = Field({}, description="simulated panels by name, which stands in the column `data`")
    trait: TraitLaw = Field(TraitLaw(), description="how traits of the simulated panels act")
    replicates: int = Field(10, ge=1, description="trials on every simulated panel")
    data: dict[Name, DataEntry] = Field({}, description="real populations by name, their traits being environments")
    n_phenotyped: tuple[Annotated[int, Field(ge=10)], ...] = Field(
        min_length=1, description="numbers of lines with phenotypes to learn from"
    )

    @field_validator("n_phenotyped", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.panels and not self.data:
            raise ValueError("panels and data are both empty: there is nothing to compare on")
        if len(set(self.n_phenotyped)) != len(self.n_phenotyped):
            raise ValueError(f"n_phenotyped lists a value twice: {list(self.n_phenotyped)}")
        for name in self.data:
            if name in self.panels:
                raise ValueError(f"data.{name} has the name of a panel; call it otherwise")
        if self.engine.name != "native":
            raise ValueError(f"engine {self.engine.name}: panels are drawn by engine native alone")
        if self.evaluation.protocol != "holdout":
            raise ValueError(f"evaluation {self.evaluation.protocol}: test lines are held out here, use holdout")
        sizes = {name: (panel.n_samples, self.evaluation.test) for name, panel in self.panels.items()}
        sizes |= {name: (entry.n_samples, entry.test) for name, entry in self.data.items()}
        for name, (n_samples, test) in sizes.items():
            try:
                check_phenotyped(max(self.n_phenotyped), n_samples, test)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        for label, entry in self.models.items():
            if entry.genotypes == "imputed" and entry.tune is not None:
                raise ValueError(f"models.{label}.tune: imputed genotypes are not tuned on; leave one of them out")
            if entry.init_from is None:
                continue
            if entry.init_from not in self.pretrain:
                known = ", ".join(self.pretrain) or "none"
                raise ValueError(f"models.{label}.init_from: no recipe {entry.init_from} in pretrain ({known})")
            if (entry.model or label) != MODEL:
                raise ValueError(f"models.{label}.init_from: recipes of this experiment are for model {MODEL} alone")
            if entry.tune is not None:
                raise ValueError(f"models.{label}.tune: a pretrained model is not tuned; leave tune or init_from out")
        return self

    @property
    def recipes(self) -> Mapping[str, PerceiverRecipe]:
        """Recipes of networks by name."""
        return self.pretrain

    @property
    def panel_names(self) -> tuple[str, ...]:
        """All panels, simulated and real; each recipe is pretrained on each of them."""
        return (*self.panels, *self.data)

    def panel(self, name: str) -> PanelSpec | DataEntry:
        """Return what is known of a panel, simulated or real."""
        return self.panels[name] if name in self.panels else self.data[name]

    def panel_job(self, panel: str) -> dict[str, Any]:
        """What `gpatlas simulate --job` takes to write the genotypes of a simulated panel."""
        spec = self.panels[panel].model_dump(mode="json")
        return {"panel": spec, "row": {"data": panel}, "seed": self._panel_seed(panel)}

    def rows(self) -> list[dict[str, Any]]:
        """Expand the lists to design rows, in the order of the file."""
        replicates = dict.fromkeys(self.panels, self.replicates)
        replicates |= {name: entry.splits for name, entry in self.data.items()}
        return [
            {
                "data": name,
                "n_samples": self.panel(name).n_samples,
                "n_markers": self.panel(name).n_markers,
                "n_phenotyped": n_phenotyped,
                "rep": rep,
            }
            for name in self.panel_names
            for n_phenotyped in self.n_phenotyped
            for rep in range(1, replicates[name] + 1)
        ]

    def trait_columns(self, row: Mapping[str, Any]) -> dict[str, list[float]]:
        """Nothing that is designed differs among the traits of a row: they are environments."""
        return {}

    def simulation(self, row: Mapping[str, Any]) -> TrialSpec | DataSpec:
        """Which trial to simulate, or how to split real data, for one design row."""
        name, validation = row["data"], self.evaluation.validation
        shared: dict[str, Any] = {"n_phenotyped": row["n_phenotyped"], "validation": validation}
        if name in self.panels:
            return TrialSpec(
                panel=self.panels[name],
                panel_seed=self._panel_seed(name),
                trait=self.trait,
                test=self.evaluation.test,
                **shared,
            )
        entry = self.data[name]
        size = {"n_samples": entry.n_samples, "n_markers": entry.n_markers}
        return DataSpec(data=name, traits=entry.traits, test=entry.test, **size, **shared)

    def _panel_seed(self, panel: str) -> str:
        return str(stable_seed(self.seed, self.experiment, {"panel": panel}, "panel"))
