"""What every experiment's YAML has in common: seed, engine, evaluation and models."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from gpatlas.config.base import Frozen
from gpatlas.config.priors import PriorSpec
from gpatlas.config.real_data import DataSpec
from gpatlas.config.simulation import FoldsSpec, SimulationSpec, check_shares
from gpatlas.config.trials import TrialSpec

Heritability = Annotated[float, Field(gt=0, le=1)]


class EngineSpec(Frozen):
    """Where genotypes and phenotypes come from."""

    name: Literal["native", "alphasimr", "tables"] = Field(
        "native",
        description="native: our engine; alphasimr: AlphaSimR through rpy2; tables: text tables of the published "
        "pipeline",
    )
    r_seed: Literal["stable", "replicate"] = Field(
        "stable",
        description="alphasimr: set.seed() takes a stable hash of the job, or the replicate number as published",
    )
    directory: str | None = Field(None, description="tables: folder that holds the tables")
    pattern: str = Field(
        "qhaplo_{n_qtl}qtl_{n_samples}n_rep{rep}",
        description="tables: file name without _g.txt, _p.txt, _eff.txt; braces take design columns. Left out, it is "
        "the published one of the experiment (this default is that of scaling)",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.name == "tables" and self.directory is None:
            raise ValueError("engine tables needs directory, the folder that holds the tables")
        return self


class EvaluationSpec(Frozen):
    """How models are compared."""

    protocol: Literal["holdout", "published"] = Field(
        "holdout",
        description="holdout: select on validation, report on test, once; published: replay the published "
        "protocol, which selects networks on the test fold and scores ridge over random splits",
    )
    validation: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.15, description="holdout: share of samples for selection (early stopping, tuning)"
    )
    test: Annotated[float, Field(gt=0, lt=1)] = Field(0.15, description="share of samples that is predicted once")
    n_splits: int = Field(10, ge=2, description="published: random splits that ridge is averaged over")
    splits: Literal["published", "shared"] = Field(
        "published",
        description="published: the very splits of the published script, drawn for each trait anew; "
        "shared: seeded splits, the same for all traits (faster)",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_shares(self.validation if self.protocol == "holdout" else 0.0, self.test)
        return self

    @property
    def folds(self) -> FoldsSpec:
        """The split that datasets are simulated with."""
        if self.protocol == "published":
            return FoldsSpec(validation=0.0, test=self.test, by="position")
        return FoldsSpec(validation=self.validation, test=self.test)


VALIDATION_SHARE = 0.15  # of the training samples that tuning judges by where a dataset has no validation fold


class TuneSpec(Frozen):
    """How a model's hyperparameters are searched, on validation samples (`gpatlas tune`)."""

    n_trials: int = Field(10, ge=1, description="hyperparameters that are tried")
    space: str = Field("default", description="which of the model's search spaces, see the models above")
    pruner: Literal["median", "none"] = Field(
        "median",
        description="median: stop a trial whose validation loss is worse than the median of earlier ones, after a "
        "quarter of the epochs; models that fit every trait its own network are not stopped",
    )
    per: Literal["cell", "row"] = Field(
        "cell",
        description="cell: the hyperparameters of a cell's first replicate serve all its replicates; row: every "
        "population is tuned",
    )


class ModelEntry(Frozen):
    """One model of the comparison; every key but these seven is a hyperparameter of the model."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())

    model: str | None = Field(None, description="which model; left out, it is the entry's own name")
    preset: str | None = Field(None, description="named hyperparameters to start from, e.g. published")
    max_n_samples: int | None = Field(None, ge=1, description="skip the model on larger populations")
    max_n_loci: int | None = Field(None, ge=1, description="skip the model on populations with more loci")
    init_from: str | None = Field(
        None, description="gpfn, perceiver: which recipe of `pretrain` its checkpoint comes from"
    )
    genotypes: Literal["called", "imputed"] = Field(
        "called",
        description="perceiver: imputed gives the model a panel whose missing calls are filled in (`gpatlas impute`)",
    )
    tune: TuneSpec | None = Field(None, description="search hyperparameters around these: {} or keys, see `tune`")

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The keys that are not our own."""
        return dict(self.model_extra or {})


class ExperimentConfig(Frozen, ABC):
    """Keys that every experiment has, and what an experiment must say of itself."""

    cell_columns: ClassVar[tuple[str, ...]]  # design columns that name a cell: all but what follows from them
    noise_columns: ClassVar[tuple[str, ...]]  # rows that differ in these alone share their random numbers
    job_columns: ClassVar[tuple[str, ...]] = ("n_samples",)  # small cells that are equal in these share jobs
    panel_column: ClassVar[str | None] = None  # design column that names the panel a network is pretrained on, if any
    table_pattern: ClassVar[str] = ""  # how the published pipeline names this experiment's tables; empty: as scaling
    drawn_along: ClassVar[str]  # design column along which a picture of the design shows a sample size's cells

    experiment: str = Field(description="which experiment this file configures")
    seed: int = Field(1, ge=0, description="root of all random numbers")
    engine: EngineSpec = Field(EngineSpec(), description="where genotypes and phenotypes come from")
    evaluation: EvaluationSpec = Field(EvaluationSpec(), description="how models are compared")
    models: dict[str, ModelEntry] = Field(
        min_length=1, description="models to compare: name → hyperparameters, or {} for its defaults"
    )

    @field_validator("engine", mode="before")
    @classmethod
    def _engine_by_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and value.get("name") == "tables" and cls.table_pattern:
            return {"pattern": cls.table_pattern} | value
        return value

    @field_validator("evaluation", mode="before")
    @classmethod
    def _evaluation_by_name(cls, value: Any) -> Any:
        return {"protocol": value} if isinstance(value, str) else value

    @field_validator("models", mode="before")
    @classmethod
    def _empty_models(cls, value: Any) -> Any:
        if isinstance(value, dict):  # `mlp:` alone is YAML null; it means the defaults
            return {name: {} if entry is None else entry for name, entry in value.items()}
        return value

    @model_validator(mode="after")
    def _only_panels_are_imputed(self) -> Self:
        imputed = [label for label, entry in self.models.items() if entry.genotypes == "imputed"]
        if imputed and self.panel_column is None:
            raise ValueError(f"models.{imputed[0]}.genotypes imputed: {self.experiment} has no panels to impute")
        return self

    @property
    def recipes(self) -> Mapping[str, Frozen]:
        """Recipes of networks that are trained before models are fitted, by name; most experiments have none."""
        return {}

    @property
    def panel_names(self) -> tuple[str, ...]:
        """Panels that each recipe is trained on; none where recipes say themselves what to train on."""
        return ()

    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """Expand the lists to design rows; every row has `n_samples` and `rep`."""

    @abstractmethod
    def trait_columns(self, row: Mapping[str, Any]) -> dict[str, list[float]]:
        """Design columns that differ among the traits of a row, each `(n_traits,)`."""

    @abstractmethod
    def simulation(self, row: Mapping[str, Any]) -> SimulationSpec | PriorSpec | DataSpec | TrialSpec:
        """What to simulate, or to split, for one design row."""
