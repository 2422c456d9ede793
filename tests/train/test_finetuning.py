"""Finetuning: phases, validation, the best state, what is drawn from which seed."""

import copy

import numpy as np
import pytest
import torch

from gpatlas.nn.perceiver.heads import make_head
from gpatlas.nn.perceiver.layout import Layout
from gpatlas.train.finetuning import FinetuneSettings, encode, finetune, outputs
from gpatlas.train.outcomes import make_outcome
from gpatlas.train.precision import choose_arithmetic
from tests.nn.perceiver.tiny import TinyPerceiver

CPU = choose_arithmetic("cpu", "f32")
SETTINGS = FinetuneSettings(frozen_epochs=3, free_epochs=3, learning_rate=0.01, free_learning_rate=0.003, batch_size=16)


@pytest.fixture
def modules():
    n = 20
    names = np.arange(n).astype(str)
    layout, _ = Layout.arrange(2, 2, names, np.full(n, ""), np.arange(float(n)), "")
    torch.manual_seed(1)
    return TinyPerceiver(layout), make_head("pool", 4, 8, 1, 1, 0.2), make_outcome("mse", 1)


@pytest.fixture
def samples():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, (80, 20)).astype(np.int16)
    y = (codes @ rng.normal(size=20))[:, None]
    return (codes[:60], y[:60]), (codes[60:], y[60:])


def run(modules, samples, **changes):
    network, head, outcome = modules
    outcome.learn_scale(samples[0][1])
    settings = FinetuneSettings(**(vars(SETTINGS) | changes))
    return finetune(network, head, outcome, samples[0], samples[1], settings, CPU)


def test_what_is_given_is_not_changed(modules, samples):
    modules[2].learn_scale(samples[0][1])
    before = copy.deepcopy([module.state_dict() for module in modules])
    run(modules, samples)
    for module, state in zip(modules, before, strict=True):
        for name, value in module.state_dict().items():
            torch.testing.assert_close(value, state[name], rtol=0, atol=0)


def test_the_state_kept_is_the_one_that_validation_liked_best(modules, samples):
    found = run(modules, samples, refit=False, frozen_epochs=5, free_epochs=10)
    output = outputs(found.network, found.head, samples[1][0], CPU)
    total, count = found.outcome.loss(output, found.outcome.targets(samples[1][1]))
    best = found.history.validation_loss[found.history.best_epoch - 1]
    assert best == min(found.history.validation_loss)
    assert (total / count).item() == pytest.approx(best, rel=1e-5)
    assert sum(found.epochs) <= found.history.best_epoch  # the second phase goes on from the best of the first


def test_a_phase_ends_with_patience(modules, samples):
    found = run(modules, samples, refit=False, frozen_epochs=50, free_epochs=0, learning_rate=1.0, patience=2)
    loss = found.history.validation_loss
    assert len(loss) < 50
    assert len(loss) == found.history.best_epoch + 2


def test_without_validation_all_epochs_are_trained(modules, samples):
    modules[2].learn_scale(samples[0][1])
    found = finetune(*modules, samples[0], None, SETTINGS, CPU)
    assert (found.epochs, len(found.history.train_loss)) == ((3, 3), 6)
    assert np.isnan(found.history.validation_loss).all()


def test_refitting_is_training_anew_on_all_for_as_long(modules, samples):
    found = run(modules, samples)
    both = tuple(np.concatenate(parts) for parts in zip(*samples, strict=True))
    modules[2].learn_scale(samples[0][1])
    of_all = FinetuneSettings(
        **(vars(SETTINGS) | dict(zip(("frozen_epochs", "free_epochs"), found.epochs, strict=True)))
    )
    again = finetune(*modules, both, None, of_all, CPU)
    here, there = (outputs(one.network, one.head, both[0], CPU) for one in (found, again))
    torch.testing.assert_close(here, there, rtol=0, atol=0)


def test_blocks_of_samples_are_encoded_as_all_at_once(modules, samples, monkeypatch):
    network, codes = modules[0], samples[0][0]
    whole = encode(network, codes, CPU)
    monkeypatch.setattr("gpatlas.train.finetuning._ENCODED_AT_ONCE", 7 * codes.shape[1])
    torch.testing.assert_close(encode(network, codes, CPU), whole)


def test_validation_that_cannot_be_scored_is_said(modules, samples):
    stop = samples[1][0][:1], samples[1][1][:1]
    outcome = make_outcome("ranking", 1)
    with pytest.raises(ValueError, match=r"validation samples \(1\) have no phenotypes that the loss could compare"):
        run((*modules[:2], outcome), (samples[0], stop))


def test_divergence_is_said(modules, samples):
    with pytest.raises(FloatingPointError, match="training diverged"):
        run(modules, (samples[0], (samples[1][0], samples[1][1] * np.inf)))
