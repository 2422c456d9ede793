"""Frozen models of every YAML file: the user interface of the experiments."""

from gpatlas.config.automl import AutomlConfig, DatasetEntry, FilesSpec, SearchSpec
from gpatlas.config.cohort import CohortSpec
from gpatlas.config.dilution import DilutionConfig
from gpatlas.config.experiment import EngineSpec, EvaluationSpec, ExperimentConfig, ModelEntry, TuneSpec
from gpatlas.config.frontier import FrontierConfig
from gpatlas.config.gpfn import GpfnConfig
from gpatlas.config.perceiver import PerceiverConfig
from gpatlas.config.perceiver_recipe import PerceiverRecipe
from gpatlas.config.pleiotropy import PleiotropyConfig
from gpatlas.config.pretrain import PretrainSpec
from gpatlas.config.priors import PriorSpec
from gpatlas.config.reading import (
    EXPERIMENTS,
    parse_any,
    parse_experiment,
    parse_mapping,
    read_any,
    read_experiment,
    read_simulation,
    read_yaml,
)
from gpatlas.config.scaling import ScalingConfig
from gpatlas.config.simulation import FoldsSpec, FoundersSpec, PhenotypeSpec, SimulationSpec, TraitSpec
from gpatlas.config.trials import PanelSpec, TraitLaw, TrialSpec

__all__ = [
    "EXPERIMENTS",
    "AutomlConfig",
    "CohortSpec",
    "DatasetEntry",
    "DilutionConfig",
    "EngineSpec",
    "EvaluationSpec",
    "ExperimentConfig",
    "FilesSpec",
    "FoldsSpec",
    "FoundersSpec",
    "FrontierConfig",
    "GpfnConfig",
    "ModelEntry",
    "PanelSpec",
    "PerceiverConfig",
    "PerceiverRecipe",
    "PhenotypeSpec",
    "PleiotropyConfig",
    "PretrainSpec",
    "PriorSpec",
    "ScalingConfig",
    "SearchSpec",
    "SimulationSpec",
    "TraitLaw",
    "TraitSpec",
    "TrialSpec",
    "TuneSpec",
    "parse_any",
    "parse_experiment",
    "parse_mapping",
    "read_any",
    "read_experiment",
    "read_simulation",
    "read_yaml",
]
