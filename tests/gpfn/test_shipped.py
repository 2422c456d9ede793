"""The network that comes with gpatlas: it is the one of the published recipe, and predicts what it did."""

import hashlib

import numpy as np
import pytest

from gpatlas.config import PretrainSpec, parse_any, read_yaml
from gpatlas.io.checkpoints import find_checkpoint, is_shipped, read_checkpoint
from gpatlas.io.tables import read_json
from gpatlas.nn.gpfn.networks import network_of
from tests.conftest import REPOSITORY
from tests.reference.gpfn.make import PREDICTIONS, predictions

REMAKE = "; after training anew, and only then: python -m tests.reference.gpfn.make"


@pytest.fixture(scope="module")
def shipped():
    return read_checkpoint(find_checkpoint("default"))


def test_it_is_there_and_small():
    assert is_shipped("default")
    assert find_checkpoint("default").stat().st_size < 2_000_000


def test_it_loads_as_the_network_that_it_names(shipped):
    network = network_of(shipped.config["network"], shipped.arrays)
    assert network.settings == shipped.config["network"]
    assert not network.training


def test_it_is_what_the_published_recipe_makes(shipped):
    source = REPOSITORY / "config/published/gpfn.yaml"
    recipe = parse_any(read_yaml(source), str(source)).pretrain["default"]
    training = shipped.config["training"]
    assert PretrainSpec.parse(training["recipe"], "default") == recipe  # a key that is younger has its default
    assert training["draws"] == recipe.n_draws  # trained to the end
    assert {row["batch"] for row in training["validation"]} == {recipe.n_batches}


def test_it_predicts_what_it_did(shipped):
    stored = read_json(PREDICTIONS)
    digest = hashlib.sha256(find_checkpoint("default").read_bytes()).hexdigest()
    assert digest == stored["checkpoint_sha256"], f"predictions are those of another checkpoint{REMAKE}"
    assert stored["recipe"] == shipped.config["training"]["recipe"]
    found = predictions()
    for name in ("value", "sd", "var_e", "expert_weights"):
        np.testing.assert_allclose(found[name], stored[name], rtol=1e-6, atol=1e-9, err_msg=name)
