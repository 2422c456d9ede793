"""The AutoML experiment: data sets of any origin, each searched for its best predictor."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from gpatlas.config.base import Frozen
from gpatlas.config.cohort import CohortSpec
from gpatlas.config.simulation import SimulationSpec

Kind = Literal["continuous", "binary", "multiclass"]
SOURCES = ("cohort", "population", "files")
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")]


class SearchSpec(Frozen):
    """How a search looks for the best predictor, and how it is judged (`gpatlas automl`)."""

    candidates: tuple[str, ...] | None = Field(
        None, min_length=1, description="models that compete; none: all that predict this kind of trait"
    )
    metric: str | None = Field(
        None,
        description="score to select by: auc, balanced_accuracy, accuracy_class, sensitivity, specificity, log_loss, "
        "brier; of a continuous trait r, r2, mse, mae, spearman. none: auc or r",
    )
    budget_fits: int = Field(100, ge=1, description="model fits of one search; the same result on any machine")
    budget_seconds: Annotated[float, Field(gt=0)] | None = Field(
        None, description="instead: seconds of fitting in all, added over processes; depends on the machine"
    )
    outer: str = Field("5x2", description="folds × repeats that judge the whole search, e.g. 5x2 or 10")
    inner: int = Field(5, ge=2, description="folds that a search compares candidates by")
    stack: bool = Field(True, description="whether candidates may be averaged where that is better")
    one_se: bool = Field(False, description="take the cheapest candidate within a standard error of the best")
    permutations: int = Field(20, ge=0, description="runs with permuted phenotypes, which show what chance scores")
    explain: bool = Field(True, description="importance, SHAP values, effects and breeding values of the chosen model")

    @field_validator("outer", mode="before")
    @classmethod
    def _folds(cls, value: Any) -> Any:
        try:
            folds_and_repeats(str(value))
        except ValueError:
            raise ValueError(f"expected folds and repeats, such as 5x2 or 10, not {value!r}") from None
        return str(value).lower().replace("×", "x")

    @property
    def outer_folds(self) -> tuple[int, int]:
        """Folds and repeats that judge."""
        return folds_and_repeats(self.outer)


def folds_and_repeats(text: str) -> tuple[int, int]:
    """Read "5x2", "5×2" or "10": folds and repeats.

    Raises
    ------
    ValueError
        It is neither, or not two folds and a repeat at least.
    """
    found = re.fullmatch(r"([0-9]+)(?:[x×]([0-9]+))?", text.lower())
    if found is None or int(found[1]) < 2 or (found[2] is not None and int(found[2]) < 1):
        raise ValueError(f"expected folds and repeats, such as 5x2 or 10, not {text!r}")
    return int(found[1]), int(found[2] or 1)


_MAPS = ("marker-map", "chroms")  # options of `gpatlas import` that name a file


class FilesSpec(Frozen):
    """A user's own files, as `gpatlas import` reads them; paths are seen from where the pipeline is started."""

    genotypes: str = Field(description="VCF, BCF, .bed, .pgen, HapMap, table of dosages, .trees or dataset file")
    phenotypes: str | None = Field(None, description="table of phenotypes, one row per sample or record")
    covariates: str | tuple[str, ...] | None = Field(
        None, description="table of covariates, all columns; or a list of columns of the phenotypes"
    )
    id_column: str | None = Field(None, description="column of sample names in the phenotypes")
    family: str | None = Field(None, description="column of families in the phenotypes, which folds keep together")
    environment: str | None = Field(None, description="column of environments in the phenotypes")
    options: dict[str, bool | int | float | str] = Field(
        {}, description="further options of `gpatlas import`, e.g. {missing: -99, multiallelic: drop, ploidy: 4}"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        named = [key for key in ("id_column", "family", "environment") if getattr(self, key) is not None]
        named += ["covariates"] * isinstance(self.covariates, tuple)
        if self.phenotypes is None and named:
            raise ValueError(f"{named[0]} names columns of phenotypes, which is not given")
        return self

    @property
    def tables(self) -> list[str]:
        """Files that are read beside the genotypes."""
        covariates = self.covariates if isinstance(self.covariates, str) else None
        return [path for path in (self.phenotypes, covariates) if path is not None] + self.maps

    @property
    def maps(self) -> list[str]:
        """Files that say where the genotypes' loci lie."""
        return [str(value) for key, value in self.options.items() if key.replace("_", "-") in _MAPS]

    @property
    def import_arguments(self) -> list[str]:
        """What `gpatlas import` is told beside the genotypes and where to write."""
        columns = self.covariates
        values: dict[str, Any] = {
            "phenotypes": self.phenotypes,
            "covariates": columns if columns is None or isinstance(columns, str) else ",".join(columns),
            "id-column": self.id_column,
            "family": self.family,
            "environment": self.environment,
        }
        return _options(values) + self.genotype_arguments

    @property
    def genotype_arguments(self) -> list[str]:
        """What `gpatlas import` is told where nothing but the genotypes is wanted."""
        return _options({key.replace("_", "-"): value for key, value in self.options.items() if value is not False})


def _options(values: dict[str, Any]) -> list[str]:
    return [f"--{key}" if value is True else f"--{key}={value}" for key, value in values.items() if value is not None]


class DatasetEntry(Frozen):
    """One data set of the AutoML experiment: exactly one of cohort, population and files."""

    cohort: CohortSpec | None = Field(None, description="a synthetic clinic, see `gpatlas simulate-cohort` below")
    population: SimulationSpec | None = Field(
        None, description="a simulated population with continuous traits, see `gpatlas simulate` below"
    )
    files: FilesSpec | None = Field(None, description="your own genotypes and phenotypes, see below")
    trait: str | None = Field(
        None, description="trait to predict; left out, Status of a cohort and Trait1 of a population"
    )
    kind: Kind | None = Field(None, description="kind of the trait; left out, what its values tell")
    replicates: int = Field(1, ge=1, description="simulated data sets, each with a seed of its own; files have one")
    search: SearchSpec = Field(SearchSpec(), description="keys of `search` that differ from the experiment's")

    @model_validator(mode="before")
    @classmethod
    def _empty_recipe(cls, entry: Any) -> Any:
        """Let `cohort:` alone, YAML null, mean the defaults."""
        others = isinstance(entry, Mapping) and [entry.get(key) for key in ("population", "files")]
        if others == [None, None] and "cohort" in entry and entry["cohort"] is None:
            return {**entry, "cohort": {}}
        return entry

    @model_validator(mode="after")
    def _check(self) -> Self:
        sources = [key for key in SOURCES if getattr(self, key) is not None]
        if len(sources) != 1:
            given = " and ".join(sources) or "none"
            raise ValueError(f"give exactly one of cohort, population and files, not {given}")
        if self.files is not None and self.trait is None:
            raise ValueError("trait is missing: say which of the files' traits to predict")
        if self.files is not None and self.replicates > 1:
            raise ValueError(f"replicates are of simulated data; files have 1, not {self.replicates}")
        return self

    @property
    def source(self) -> str:
        """Where the data come from: cohort, population or files."""
        return next(key for key in SOURCES if getattr(self, key) is not None)

    @property
    def trait_name(self) -> str:
        """The trait to predict."""
        return self.trait or ("Status" if self.cohort is not None else "Trait1")

    @property
    def expected_kind(self) -> Kind | None:
        """Kind of the trait as far as it is known before data are read."""
        if self.kind is not None or self.files is not None:
            return self.kind
        if self.cohort is None:
            return "continuous"
        return "binary" if self.cohort.n_subtypes == 1 else "multiclass"

    @property
    def expected_size(self) -> tuple[int, int] | None:
        """Samples and loci; None of files, which nobody has read yet."""
        if self.cohort is not None:
            return self.cohort.n_samples, self.cohort.n_sites
        if self.population is not None:
            return self.population.founders.n_individuals, self.population.founders.n_loci
        return None


class AutomlConfig(Frozen):
    """Which model predicts each data set best, how near does it come to the ceiling, and does it say why?

    Every data set is searched on its own: candidates, their hyperparameters and averages of them compete, and the whole
    search is judged on samples that it never saw. Where data are simulated, the best possible score and the causal
    loci are known.
    """

    experiment: Literal["automl"] = Field("automl", description="which experiment this file configures")
    seed: int = Field(1, ge=0, description="root of all random numbers")
    search: SearchSpec = Field(SearchSpec(), description="how to search, and how to judge the search")
    datasets: dict[Name, DatasetEntry] = Field(min_length=1, description="data sets by name, which names their folders")

    @model_validator(mode="after")
    def _complete_searches(self) -> Self:
        """Fill in what data sets do not say of their search; a complete configuration stays as it is."""
        common = self.search.model_dump()
        complete = {}
        for name, entry in self.datasets.items():
            own = entry.search.model_dump(exclude_unset=True)
            if "budget_fits" in own and "budget_seconds" not in own:
                own["budget_seconds"] = None
            complete[name] = entry.model_copy(update={"search": SearchSpec(**common | own)})
        object.__setattr__(self, "datasets", complete)
        return self
