"""Recipes of networks, as verbs take them: a file of one recipe, or of an experiment that holds several."""

from pathlib import Path

from gpatlas.config import GpfnConfig, PretrainSpec, parse_any, parse_mapping, read_yaml
from gpatlas.errors import ConfigError
from gpatlas.priors import make


def read_recipe(file: Path | None, name: str | None, text: str | None) -> PretrainSpec:
    """Read and check a recipe.

    Parameters
    ----------
    file
        YAML of a recipe, or of an experiment with `pretrain`.
    name
        Which of the experiment's recipes; not needed where there is one.
    text
        The recipe itself as JSON or YAML, instead of a file.

    Raises
    ------
    ConfigError
        Neither or both were given, there is no such recipe, or it is wrong.
    """
    if (file is None) == (text is None):
        raise ConfigError("say which recipe: either a YAML file, or --recipe-text")
    source = str(file or "--recipe-text")
    section = read_yaml(file) if file is not None else parse_mapping(str(text), source)
    if "experiment" not in section:
        spec = PretrainSpec.parse(section, source)
    else:
        config = parse_any(section, source)
        if not isinstance(config, GpfnConfig) or not config.pretrain:
            raise ConfigError(f"{source}: experiment {config.experiment} holds no recipe (key `pretrain`)")
        known = ", ".join(config.pretrain)
        if name is None and len(config.pretrain) > 1:
            raise ConfigError(f"{source} holds several recipes: say which --recipe ({known})")
        chosen = name or next(iter(config.pretrain))
        if chosen not in config.pretrain:
            raise ConfigError(f"{source}: --recipe {chosen}: there is no such recipe ({known})")
        spec = config.pretrain[chosen]
    for prior in [spec.prior] if isinstance(spec.prior, str) else spec.prior:
        if prior != "default":
            make(prior)
    if spec.network:
        from gpatlas.nn.gpfn.networks import make_network  # torch, which drawing does not need

        make_network(spec.architecture, **spec.network)
    return spec
