"""Models by name, and scikit-learn's own checks of every one of them."""

import subprocess
import sys

import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from gpatlas.errors import ConfigError
from gpatlas.models import REGISTRY, make, model_class

QUICK = {
    "auto_epistasis": {"members": ["rrblup", "interaction_screening"]},
    "interaction_screening": {},
    "bayes_cpi": {"n_chains": 2, "n_iter": 300, "burn_in": 100},
    "egblup": {},
    "gpfn": {"checkpoint": None},
    "rkhs": {},
    "bilinear": {"max_epochs": 25, "sparsity": 0.15, "device": "cpu"},
    "rrblup": {},
    "transformer": {"width": 8, "n_heads": 2, "max_epochs": 25, "device": "cpu"},
    "rrblup_multitrait": {},
    "perceiver": {
        "network": {"hidden": 8, "width": 8, "n_heads": 2, "n_global": 1},
        "learning_rate": 0.01,
        "max_epochs": 15,
        "refit": False,
        "device": "cpu",
    },
    "mlp": {"hidden": (16,), "max_epochs": 25, "device": "cpu"},
    "linear_sgd": {"max_epochs": 5},
    "lasso": {},
    "lasso_pruned": {},
    "lasso_mlp": {"mlp": {"hidden": [16], "max_epochs": 25, "device": "cpu"}},
}


# checks that a model cannot pass, and why
ROUNDING = {
    "check_methods_subset_invariance": "float32: 2e-7 depends on how many rows share a product, 1e-7 is allowed"
}
EXPECTED_FAILURES = {"Transformer": ROUNDING, "Perceiver": ROUNDING}


@parametrize_with_checks(
    [make(name, **QUICK[name]) for name in sorted(REGISTRY)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {}),
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_presets_are_hyperparameters(name):
    for preset, hparams in model_class(name).presets.items():
        made = make(name, preset=preset)
        for key, value in hparams.items():
            assert made.get_params()[key] == value
        assert clone(made).get_params() == made.get_params()


def test_the_published_mlp_is_the_published_one():
    network = make("mlp", preset="published").get_params()
    assert network["hidden"] == (4096, 4096)
    assert (network["loss"], network["learning_rate"], network["weight_decay"]) == ("l1", 0.01, 1e-5)
    assert (network["patience"], network["min_delta"], network["max_epochs"]) == (10, 0.003, 100)
    assert network["output_norm"]
    assert network["batch_norm_momentum"] == 0.8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make("rrblu"), "unknown model 'rrblu'; did you mean 'rrblup'?"),
        (lambda: make("zzz"), f"known are {', '.join(sorted(REGISTRY))}"),
        (lambda: make("mlp", preset="publishd"), "unknown preset 'publishd'; did you mean 'published'?"),
        (lambda: make("mlp", learning_rat=1), "unknown hyperparameter 'learning_rat'; did you mean 'learning_rate'?"),
        (lambda: make("mlp", learning_rate=-1), "'learning_rate' parameter of MLP must be a float in the range"),
        (lambda: make("rrblup", penalty="aic"), "'penalty' parameter of RRBLUP must be a str among"),
    ],
)
def test_mistakes(call, message):
    with pytest.raises(ConfigError) as error:
        call()
    assert message in str(error.value)


def test_hyperparameters_win_over_the_preset():
    assert make("mlp", preset="published", learning_rate=0.5).learning_rate == 0.5


def test_making_models_needs_no_torch():
    code = "import sys; from gpatlas.models import make; make('rrblup'); make('mlp'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
