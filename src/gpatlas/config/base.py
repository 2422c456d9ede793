"""The frozen base of every configuration model, and errors that name the key, the value and the way out."""

import re
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from gpatlas.errors import ConfigError, did_you_mean


class Frozen(BaseModel):
    """A configuration section: immutable, and refusing keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @classmethod
    def parse(cls, section: Any, source: str) -> Self:
        """Validate a section read from `source`.

        Raises
        ------
        ConfigError
            One line: source, key, what is wrong, value seen, what is allowed.
        """
        try:
            return cls.model_validate(section)
        except ValidationError as error:
            raise ConfigError(f"{source}: {describe(error, cls)}") from None


def describe(error: ValidationError, model: type[BaseModel]) -> str:
    """Say the first problem of a pydantic error in one line (and how many more there are)."""
    # a misspelt key is also a missing one: the misspelling is what the user wants to hear of
    problems = sorted(error.errors(include_url=False), key=lambda p: p["type"] != "extra_forbidden")
    first = problems[0]
    misspelt = sum(p["type"] == "extra_forbidden" for p in problems)
    keys = {_key(p) for p in problems if not (misspelt and p["type"] == "missing")}
    others = len(keys) - 1
    key, value = _key(first), first["input"]
    match first["type"]:
        case "extra_forbidden":
            text = f"unknown key '{key}'" + did_you_mean(str(first["loc"][-1]), _known_keys(model, first["loc"]))
        case "missing":
            text = f"key '{key}' is missing"
        case "value_error" | "assertion_error":
            text = (f"{key}: " if key else "") + first["msg"].split(", ", 1)[-1]
        case _:
            message = first["msg"].replace("a valid tuple", "a list").replace("a valid dictionary", "keys and values")
            message = message.split(" or instance of ")[0]
            text = f"{key}: {message[0].lower()}{message[1:]}, not {_shown(value)}"
    return text + (f" (and {others} more problem{'s' * (others > 1)})" if others else "")


def _key(problem: Any) -> str:
    # pydantic inserts the names of union branches into a location; they are not keys of the file
    steps = [str(step) for step in problem["loc"] if not _is_branch(step)]
    return ".".join(steps)


_BRANCH = re.compile(
    r"(constrained|function|lax|json|is-instance|nullable)-|(tuple|list|dict|literal)\[|(int|float|bool|str)$"
)


def _is_branch(step: Any) -> bool:
    return isinstance(step, str) and _BRANCH.match(step) is not None


def _known_keys(model: type[BaseModel], location: tuple) -> list[str]:
    """Keys of the section in which an unknown key was found, following the location down from the root."""
    for step in location[:-1]:
        field = model.model_fields.get(step) if isinstance(step, str) else None
        inner = _section_of(field.annotation) if field is not None else None
        if inner is not None:
            model = inner
    return list(model.model_fields)


def _section_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _section_of(argument)
        if found is not None:
            return found
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
