"""Models by name: scikit-learn estimators, one file per method, loaded when asked for.

An estimator that declares `streams = True` takes `gpatlas.packed.Bits` as X, in memory or on disk, and reads them a
block of rows at a time; packed genotypes are never unpacked for it as a whole.
"""

import inspect
from importlib import import_module
from typing import Any

from gpatlas.errors import ConfigError, did_you_mean

# name → "module:class"; a model's module is imported by its first user, so that classical models need no torch
REGISTRY: dict[str, str] = {
    "auto_epistasis": "gpatlas.models.auto_epistasis:AutoEpistasis",
    "bayes_cpi": "gpatlas.models.bayes_cpi:BayesCPi",
    "bilinear": "gpatlas.models.bilinear:Bilinear",
    "egblup": "gpatlas.models.egblup:EGBLUP",
    "gpfn": "gpatlas.models.gpfn:GPFN",
    "interaction_screening": "gpatlas.models.interaction_screening:InteractionScreening",
    "lasso": "gpatlas.models.lasso:Lasso",
    "lasso_mlp": "gpatlas.models.lasso_mlp:LassoMLP",
    "lasso_pruned": "gpatlas.models.lasso_pruned:LassoPruned",
    "linear_sgd": "gpatlas.models.linear_sgd:LinearSGD",
    "mlp": "gpatlas.models.mlp:MLP",
    "perceiver": "gpatlas.models.perceiver:Perceiver",
    "rkhs": "gpatlas.models.rkhs:RKHS",
    "rrblup": "gpatlas.models.rrblup:RRBLUP",
    "rrblup_multitrait": "gpatlas.models.rrblup_multitrait:MultiTraitRRBLUP",
    "transformer": "gpatlas.models.transformer:Transformer",
}
# where there is one; a workflow runs these one at a time on it
USES_GPU = frozenset({"auto_epistasis", "bilinear", "lasso_mlp", "mlp", "perceiver", "transformer"})


def make(name: str, *, preset: str | None = None, **hparams: Any) -> Any:
    """Make an unfitted estimator by name.

    Parameters
    ----------
    name
        A key of `REGISTRY`, e.g. "rrblup", "lasso", "mlp".
    preset
        Named hyperparameters to start from (e.g. "published"); None is the estimator's own defaults.
    **hparams
        Hyperparameters, which win over the preset.

    Returns
    -------
    sklearn.base.BaseEstimator
        With `fit(X, y)`, `predict(X)`, `get_params()`; X is dosage `(n_samples, n_loci)`.

    Raises
    ------
    ConfigError
        Unknown model, preset or hyperparameter; the nearest known one is named.

    Examples
    --------
    >>> make("rrblup", penalty="loo")
    RRBLUP(penalty='loo')
    """
    estimator = model_class(name)
    chosen = dict(hparams)
    if preset is not None:
        if preset not in estimator.presets:
            raise ConfigError(
                f"model {name}: unknown preset '{preset}'{did_you_mean(preset, sorted(estimator.presets))}"
            )
        chosen = estimator.presets[preset] | hparams
    known = list(inspect.signature(estimator).parameters)
    for key in hparams:
        if key not in known:
            raise ConfigError(f"model {name}: unknown hyperparameter '{key}'{did_you_mean(key, known)}")
    made = estimator(**chosen)
    try:
        made._validate_params()
    except ValueError as error:
        raise ConfigError(f"model {name}: {' '.join(str(error).split())}") from None
    return made


def search_space(name: str, space: str = "default") -> dict[str, Any]:
    """Return a search space that a model declares: key → range (`gpatlas.models.space`).

    Raises
    ------
    ConfigError
        Unknown model or space, or a model that has nothing to tune; those that have are named.
    """
    spaces = model_class(name).search_spaces
    if not spaces:
        tunable = [other for other in sorted(REGISTRY) if model_class(other).search_spaces]
        raise ConfigError(f"model {name} has no search space to tune; models that have are {', '.join(tunable)}")
    if space not in spaces:
        raise ConfigError(f"model {name}: unknown search space '{space}'{did_you_mean(space, sorted(spaces))}")
    return dict(spaces[space])


def model_class(name: str) -> Any:
    """Return the estimator class behind a name.

    Raises
    ------
    ConfigError
        Unknown model.
    """
    if name not in REGISTRY:
        raise ConfigError(f"unknown model '{name}'{did_you_mean(name, sorted(REGISTRY))}")
    module, _, attribute = REGISTRY[name].partition(":")
    return getattr(import_module(module), attribute)
