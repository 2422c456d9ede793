"""A recipe that trains in a second."""

import pytest

from gpatlas.config import PretrainSpec
from gpatlas.gpfn.schedule import Schedule


@pytest.fixture(scope="session")
def recipe():
    return PretrainSpec(
        seed=3,
        prior="unstructured",
        n_draws=24,
        batch_size=2,
        n_samples=(30, 50),
        n_markers=(40, 60),
        network={"n_rounds": 1, "channels": 4, "hidden": 4},
        n_validation=2,
        n_calibration=3,
        validate_every=4,
        checkpoint_every=3,
    )


@pytest.fixture
def schedule(recipe):
    return Schedule(recipe)
