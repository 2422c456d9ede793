"""Reading configuration files: YAML (or JSON, which is YAML) to a validated model."""

import re
from pathlib import Path
from typing import Any

import yaml

from gpatlas.config.automl import AutomlConfig
from gpatlas.config.dilution import DilutionConfig
from gpatlas.config.experiment import ExperimentConfig
from gpatlas.config.frontier import FrontierConfig
from gpatlas.config.gpfn import GpfnConfig
from gpatlas.config.perceiver import PerceiverConfig
from gpatlas.config.pleiotropy import PleiotropyConfig
from gpatlas.config.scaling import ScalingConfig
from gpatlas.config.simulation import SimulationSpec
from gpatlas.errors import ConfigError, did_you_mean

DESIGNED: dict[str, type[ExperimentConfig]] = {  # simulated populations × models
    "scaling": ScalingConfig,
    "dilution": DilutionConfig,
    "pleiotropy": PleiotropyConfig,
    "frontier": FrontierConfig,
    "gpfn": GpfnConfig,
    "perceiver": PerceiverConfig,
}
EXPERIMENTS: dict[str, type[ExperimentConfig] | type[AutomlConfig]] = {**DESIGNED, "automl": AutomlConfig}


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    ConfigError
        The file is absent, is not YAML, holds a key twice, or is not a mapping.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    return parse_mapping(text, str(path))


def parse_mapping(text: str, source: str) -> dict[str, Any]:
    """Parse a YAML (or JSON) mapping that came from `source`.

    Raises
    ------
    ConfigError
        The text is not YAML, holds a key twice, or is not a mapping.
    """
    try:
        section = yaml.load(text, Loader=_UniqueKeys)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{source}{where}: not valid YAML: {problem}") from None
    if not isinstance(section, dict):
        raise ConfigError(f"{source}: expected keys and values, found {type(section).__name__}")
    return section


def parse_any(section: dict[str, Any], source: str = "config") -> ExperimentConfig | AutomlConfig:
    """Validate an experiment's section; its `experiment` key says which model it must follow.

    Raises
    ------
    ConfigError
        Unknown experiment, unknown key, or a value that is not allowed.
    """
    name = section.get("experiment")
    if name not in EXPERIMENTS:
        raise ConfigError(f"{source}: experiment: '{name}' is not an experiment{did_you_mean(str(name), EXPERIMENTS)}")
    return EXPERIMENTS[name].parse(section, source)


def parse_experiment(section: dict[str, Any], source: str = "config") -> ExperimentConfig:
    """Validate the section of an experiment that holds models against a design of populations.

    Raises
    ------
    ConfigError
        As `parse_any`; or the AutoML experiment, which has no design.
    """
    config = parse_any(section, source)
    if isinstance(config, AutomlConfig):
        raise ConfigError(f"{source}: experiment automl has no design of populations; {', '.join(DESIGNED)} have one")
    return config


def read_any(path: str | Path) -> ExperimentConfig | AutomlConfig:
    """Read and validate any experiment's YAML file."""
    return parse_any(read_yaml(path), str(path))


def read_experiment(path: str | Path) -> ExperimentConfig:
    """Read and validate the YAML file of an experiment that has a design of populations."""
    return parse_experiment(read_yaml(path), str(path))


def read_simulation(path: str | Path) -> SimulationSpec:
    """Read and validate the YAML file of one simulated population."""
    return SimulationSpec.parse(read_yaml(path), str(path))


class _UniqueKeys(yaml.SafeLoader):
    """YAML lets a later key overwrite an earlier one without a word; a configuration must not."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


# YAML 1.1 reads 1e3 as text; everybody who writes 1e3 means a number
_UniqueKeys.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)
