"""Both architectures, small: every pretraining ends in the same bits, every file gives the network back."""

import os
import signal
import subprocess
import sys

import pytest
import torch

from gpatlas.config import PerceiverRecipe
from gpatlas.nn.perceiver import make_network
from gpatlas.perceiver.pretrained import read_pretrained, write_pretrained
from gpatlas.perceiver.pretraining import pretrain
from gpatlas.train.precision import choose_arithmetic
from tests.nn.perceiver import test_published, test_windowed
from tests.perceiver.conftest import SIZES, panel
from tests.perceiver.test_pretraining import assert_same

CPU = choose_arithmetic("cpu", "f32")
SMALL = {"windowed": test_windowed.SMALL, "published": test_published.SMALL}


def small(architecture, **settings):
    return {"architecture": architecture, **SMALL[architecture], **settings}


KILLED = """
import os, signal, sys
from pathlib import Path
from gpatlas.config import PerceiverRecipe
from gpatlas.perceiver.pretraining import pretrain
from gpatlas.train.precision import choose_arithmetic
from tests.perceiver.conftest import panel
def kill(state):
    if state.batch == 13:
        os.kill(os.getpid(), signal.SIGKILL)
recipe = PerceiverRecipe.model_validate_json(sys.argv[1])
pretrain(*panel(60, 16), recipe, choose_arithmetic("cpu", "f32"), Path(sys.argv[2]), kill)
"""


@pytest.mark.parametrize("objective", ["masked", "contrastive"])
@pytest.mark.parametrize("architecture", SMALL)
def test_a_killed_pretraining_goes_on_to_the_bits_of_an_unbroken_one(architecture, objective, tmp_path):
    recipe = PerceiverRecipe(
        objective=objective, n_steps=24, batch_size=16, validate_every=4, checkpoint_every=5, schedule="plateau",
        allele_weight=0.5 if objective == "contrastive" else 0, network=small(architecture, dropout=0.2),
    )  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", KILLED, recipe.model_dump_json(), str(tmp_path)]
    assert subprocess.run(command, env=environment).returncode == -signal.SIGKILL
    steps = []
    state = pretrain(*panel(60, 16), recipe, CPU, tmp_path, lambda state: steps.append(state.batch))
    assert steps == list(range(11, 25))  # of the last state that was written, after 10 steps
    unbroken = pretrain(*panel(60, 16), recipe, CPU)
    assert_same(state, unbroken)
    for name, value in unbroken.network.state_dict().items():
        assert torch.equal(value, state.network.state_dict()[name]), name


@pytest.mark.parametrize(("p", "k"), SIZES)
@pytest.mark.parametrize("architecture", SMALL)
def test_a_file_gives_the_same_network_back(architecture, p, k, tmp_path):
    codes, layout = panel(6, 12, p, k)
    torch.manual_seed(p * k)
    network = make_network(layout, **small(architecture, dropout=0.2)).eval()
    write_pretrained(network, {"training": {}}, tmp_path / "checkpoint.safetensors")
    codes, loci = torch.from_numpy(codes), torch.arange(12).expand(6, 12)
    for path in (tmp_path / "checkpoint.safetensors", tmp_path):
        again, found = read_pretrained(path)
        assert not again.training
        assert again.settings == network.settings
        assert found.as_config() == layout.as_config()
        assert torch.equal(again.encode(codes), network.encode(codes))
        assert torch.equal(again.copies(codes, loci), network.copies(codes, loci))
        assert torch.equal(again.shared(codes, codes.flip(0), loci), network.shared(codes, codes.flip(0), loci))


@pytest.mark.parametrize(("p", "k"), SIZES)
@pytest.mark.parametrize("objective", ["masked", "contrastive"])
def test_the_loss_of_the_windowed_network_falls_in_both_schemes(p, k, objective):
    recipe = PerceiverRecipe(
        objective=objective, n_steps=60, validate_every=20, batch_size=32, learning_rate=0.02, prop_y=0.5,
        average=0.8, network=small("windowed"),
    )  # fmt: skip
    losses = pretrain(*panel(80, 16, p, k), recipe, CPU).validation_losses
    assert min(losses[1:]) < 0.97 * losses[0]
