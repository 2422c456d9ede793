"""The reference of all configuration keys, generated from the models that validate them: config/README.md."""

import inspect
import re
from typing import Any

from pydantic import BaseModel

from gpatlas.config.automl import DatasetEntry, FilesSpec, SearchSpec
from gpatlas.config.cohort import CohortSpec
from gpatlas.config.experiment import EngineSpec, EvaluationSpec, ModelEntry, TuneSpec
from gpatlas.config.perceiver_recipe import PerceiverRecipe
from gpatlas.config.pretrain import PretrainSpec
from gpatlas.config.priors import PriorSpec
from gpatlas.config.reading import EXPERIMENTS
from gpatlas.config.real_data import DataEntry
from gpatlas.config.simulation import FoldsSpec, FoundersSpec, PhenotypeSpec, SimulationSpec, TraitSpec
from gpatlas.config.trials import PanelSpec, TraitLaw

_HEAD = """# Configuration

The YAML files here are what an experiment *is*; `workflow/profiles` hold how it runs. Laptop scale is in
this folder, the published grids are in `published/`, single populations for `gpatlas simulate` in `examples/`.

- Look before running: `gpatlas design config/scaling.yaml`, `gpatlas cost config/scaling.yaml`.
- A misspelt key is refused and the nearest known one named. A changed key reruns what depends on it, no more.
- This page is generated (`gpatlas config --docs > config/README.md`) and a test keeps it true.
"""


def reference() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD]
    for name, model in EXPERIMENTS.items():
        parts.append(f"## Experiment `{name}`\n\n{inspect.getdoc(model)}\n\n{_keys(model)}")
    parts += _sections({"search": SearchSpec, "datasets": DatasetEntry, "files": FilesSpec})
    parts += _sections({"pretrain": PretrainSpec, "prior": PriorSpec, "data": DataEntry})
    parts += _sections({"panels": PanelSpec, "trait": TraitLaw})
    parts.append(
        f"### Recipes of `gpatlas perceiver pretrain`\n\n{inspect.getdoc(PerceiverRecipe)}\n\n{_keys(PerceiverRecipe)}"
    )
    parts += _networks()
    parts.append(f"## `engine`\n\nA name, or keys:\n\n{_keys(EngineSpec)}")
    parts.append(f"## `evaluation`\n\nA protocol's name, or keys:\n\n{_keys(EvaluationSpec)}")
    parts.append(f"## `models`\n\n{_first_paragraph(ModelEntry)}\n\n{_keys(ModelEntry)}")
    parts += _models()
    parts.append(f"### `tune`\n\n{inspect.getdoc(TuneSpec)}\n\n{_keys(TuneSpec)}")
    parts.append(
        f"## One population (`gpatlas simulate`)\n\n{inspect.getdoc(SimulationSpec)}\n\n{_keys(SimulationSpec)}"
    )
    parts += _sections({"founders": FoundersSpec, "traits": TraitSpec, "phenotypes": PhenotypeSpec, "folds": FoldsSpec})
    parts.append(f"## One clinic (`gpatlas simulate-cohort`)\n\n{inspect.getdoc(CohortSpec)}\n\n{_keys(CohortSpec)}")
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _sections(models: dict[str, type[BaseModel]]) -> list[str]:
    return [f"### `{key}`\n\n{inspect.getdoc(model)}\n\n{_keys(model)}" for key, model in models.items()]


def _keys(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    definitions, required = schema.get("$defs", {}), schema.get("required", [])
    lines = ["| key | allowed | default | meaning |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        default = "required" if name in required else _default(field.get("default"), model, name)
        meaning = (model.model_fields[name].description or "").replace("|", "\\|")
        lines.append(f"| `{name}` | {_allowed(field, definitions)} | {default} | {meaning} |")
    return "\n".join(lines)


def _allowed(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Say in words what a JSON schema allows."""
    if "$ref" in field:
        return "see below"
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        options = [_allowed(option, definitions) for option in field["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(options))
    match field.get("type"):
        case "array":
            item = field.get("items") or (field.get("prefixItems") or [{}])[0]
            return f"list of {_allowed(item, definitions)}"
        case "object":
            inner = field.get("additionalProperties") or next(iter(field.get("patternProperties", {"": {}}).values()))
            if not isinstance(inner, dict):
                return "names with values"
            return "names with keys, see below" if "$ref" in inner else f"map to {_allowed(inner, definitions)}"
        case "integer" | "number" as kind:
            bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
            limits = [f"{sign} {field[key]:g}" for key, sign in bounds.items() if key in field]
            return " ".join([kind, ", ".join(limits)]).strip()
        case "boolean":
            return "true, false"
        case "string":
            return "text"
    return "any"


def _default(value: Any, model: type[BaseModel], name: str) -> str:
    if isinstance(value, dict) and isinstance(model.model_fields[name].default, BaseModel):
        return "its defaults"
    return "none" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _models() -> list[str]:
    """Hyperparameters of every model, from the docstrings of the estimators."""
    from gpatlas.models import REGISTRY, model_class

    parts = []
    for name in sorted(REGISTRY):
        estimator = model_class(name)
        presets = ", ".join(f"`{preset}`" for preset in sorted(estimator.presets)) or "none"
        table = _parameters("hyperparameter", estimator)
        parts.append(f"### `{name}`\n\n{_first_paragraph(estimator)} Presets: {presets}.\n\n{table}")
        for space, ranges in estimator.search_spaces.items():
            varied = "; ".join(f"`{key}` {range_.describe()}" for key, range_ in ranges.items())
            parts.append(f"Search space `{space}`: {varied}.")
    return parts


def _networks() -> list[str]:
    """Settings of a perceiver's networks, from the docstrings of their classes."""
    from gpatlas.nn.perceiver.networks import ARCHITECTURES, network_class

    parts = []
    for name in ARCHITECTURES:
        network = network_class(name)
        table = _parameters("setting", network, without=("layout",))
        parts.append(f"#### `network` of architecture `{name}`\n\n{_first_paragraph(network)}\n\n{table}")
    return parts


def _parameters(heading: str, thing: type, without: tuple[str, ...] = ()) -> str:
    """Return a table of the parameters that a docstring tells of."""
    lines = [f"| {heading} | allowed, default | meaning |", "|---|---|---|"]
    for key, allowed, meaning in _numpydoc_parameters(inspect.getdoc(thing) or ""):
        if key not in without:
            lines.append(f"| `{key}` | {allowed} | {meaning} |")
    return "\n".join(lines)


def _numpydoc_parameters(doc: str) -> list[tuple[str, str, str]]:
    section = re.search(r"Parameters\n-+\n(.*?)\n\n(?:\w+\n-+|$)", doc, flags=re.DOTALL)
    entries = re.split(r"\n(?=\w+ : )", section.group(1)) if section else []
    found = []
    for entry in entries:
        head, *body = entry.splitlines()
        name, _, allowed = head.partition(" : ")
        meaning = " ".join(line.strip() for line in body)
        found.append((name, allowed.replace("|", "\\|"), meaning.replace("|", "\\|")))
    return found


def _first_paragraph(thing: type) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")
