"""Priors by name, and tasks drawn from one of them or from a mixture."""

from collections.abc import Mapping
from importlib import import_module

import numpy as np

from gpatlas.errors import ConfigError, did_you_mean
from gpatlas.priors.prior import Prior
from gpatlas.priors.task import Task
from gpatlas.seeding import stable_seed

# name → "module:class"
REGISTRY: dict[str, str] = {
    # as published
    "wild": "gpatlas.priors.schemes.wild:Wild",
    "nam": "gpatlas.priors.schemes.families:Nam",
    "silva": "gpatlas.priors.schemes.cycles:Silva",
    "recurrent": "gpatlas.priors.schemes.cycles:Recurrent",
    "ril": "gpatlas.priors.schemes.biparental:Ril",
    # ours
    "f2": "gpatlas.priors.schemes.biparental:F2",
    "doubled_haploid": "gpatlas.priors.schemes.biparental:DoubledHaploid",
    "backcross": "gpatlas.priors.schemes.biparental:Backcross",
    "magic": "gpatlas.priors.schemes.families:Magic",
    "multi_parental": "gpatlas.priors.schemes.families:MultiParental",
    "unstructured": "gpatlas.priors.schemes.unstructured:Unstructured",
    "half_sibs": "gpatlas.priors.schemes.animals:HalfSibs",
}
# panels and families of many parents, as real populations mostly are, more often than single crosses
DEFAULT_MIXTURE: dict[str, float] = {
    "wild": 1.0,
    "nam": 1.5,
    "silva": 1.0,
    "recurrent": 1.0,
    "ril": 0.75,
    "f2": 0.75,
    "doubled_haploid": 0.75,
    "backcross": 0.5,
    "magic": 1.0,
    "multi_parental": 1.5,
    "unstructured": 2.5,
    "half_sibs": 1.0,
}
Sizes = int | tuple[int, int]


def make(name: str, **settings: object) -> Prior:
    """Make a prior by name, e.g. "nam"; settings are those of `Prior`.

    Raises
    ------
    ConfigError
        Unknown prior.
    """
    if name not in REGISTRY:
        raise ConfigError(f"unknown prior '{name}'{did_you_mean(name, sorted([*REGISTRY, 'default']))}")
    module, _, attribute = REGISTRY[name].partition(":")
    return getattr(import_module(module), attribute)(**settings)


def draw(prior: str | Mapping[str, float] | Prior, seed: int, n_samples: Sizes, n_markers: Sizes) -> Task:
    """Draw a task; the same arguments give the same bytes, in any process.

    Parameters
    ----------
    prior
        A name, "default" (`DEFAULT_MIXTURE`), weights by name such as `{"nam": 2, "f2": 1}`, or a prior of your own.
    seed
        Not negative.
    n_samples, n_markers
        Rows and loci of the task, or ranges of them, ends included, from which sizes are drawn evenly on a log scale.

    Raises
    ------
    ConfigError
        Unknown names, weights that are not positive, or sizes below 11 samples or one marker.
    EngineError
        A scheme leaves too few polymorphic loci.

    Examples
    --------
    >>> from gpatlas import priors
    >>> task = priors.draw("f2", seed=1, n_samples=100, n_markers=500)
    >>> task.genotypes.shape, task.split
    ((100, 500), 'random')
    """
    if seed < 0:
        raise ConfigError(f"seed = {seed}; a seed is not negative")
    rng = np.random.default_rng(stable_seed(seed, "mixture"))
    sizes = _size(n_samples, "n_samples", rng), _size(n_markers, "n_markers", rng)
    if isinstance(prior, str):
        prior = DEFAULT_MIXTURE if prior == "default" else {prior: 1.0}
    return (prior if isinstance(prior, Prior) else _choose(prior, rng)).draw(seed, *sizes)


def _choose(weights: Mapping[str, float], rng: np.random.Generator) -> Prior:
    names = sorted(weights)
    values = np.array([float(weights[name]) for name in names])
    for name, value in zip(names, values, strict=True):
        if name not in REGISTRY:
            make(name)  # says what is known
        if not 0 <= value < np.inf:
            raise ConfigError(f"mixture of priors: weight of {name} is {value:g}; it must be a number of at least 0")
    if not values.sum() > 0:
        raise ConfigError("mixture of priors: no weight is positive; name at least one prior with a positive weight")
    return make(names[rng.choice(len(names), p=values / values.sum())])


def _size(size: Sizes, what: str, rng: np.random.Generator) -> int:
    if isinstance(size, int | np.integer):
        return int(size)
    low, high = size
    if not 1 <= low <= high:
        raise ConfigError(f"{what} = ({low}, {high}) is no range; give the least and the greatest size")
    return min(int(np.exp(rng.uniform(np.log(low), np.log(high + 1)))), high)
