"""The published network under both pretraining schemes, with calls of any ploidy and number of alleles."""

import pytest
import torch

from gpatlas.config import PerceiverRecipe
from gpatlas.perceiver.pretraining import pretrain
from gpatlas.train.precision import choose_arithmetic
from tests.nn.perceiver.test_published import SMALL
from tests.perceiver.conftest import SIZES, panel

CPU = choose_arithmetic("cpu", "f32")


def published(network, **keys):
    network = {"architecture": "published", **SMALL, "num_encode_iters": 1, **network}
    return PerceiverRecipe(n_steps=60, validate_every=10, batch_size=32, learning_rate=0.01, network=network, **keys)


@pytest.mark.parametrize(("p", "k"), SIZES)
@pytest.mark.parametrize("objective", ["masked", "contrastive"])
def test_the_loss_falls_in_both_schemes(p, k, objective):
    state = pretrain(*panel(40, 8, p, k), published({"dropout": 0.0}, objective=objective, prop_y=0.5), CPU)
    losses = [loss for _, loss in state.losses]  # of training: whether haploids share an allele is learnt by heart
    assert losses[-1] < 0.98 * losses[0]


def test_an_interrupted_pretraining_goes_on_to_the_same_bits_with_dropout(tmp_path):
    data = panel(60, 16)
    recipe = published({"dropout": 0.2, "share_weights": "after_first"}, checkpoint_every=5)

    def interrupt(state):
        if state.batch == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(*data, recipe, CPU, tmp_path, interrupt)
    continued, unbroken = pretrain(*data, recipe, CPU, tmp_path), pretrain(*data, recipe, CPU)
    assert continued.digest == unbroken.digest
    for name, value in unbroken.average.items():
        assert torch.equal(value, continued.average[name]), name
