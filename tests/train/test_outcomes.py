"""Losses of outcomes against scikit-learn, SciPy and brute force; what is missing says nothing."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import expit
from sklearn.metrics import log_loss

from gpatlas.train.outcomes import OUTCOMES, make_outcome

CLASSES = {"binary": (0, 1), "focal": (0, 1), "multiclass": (0, 1, 2), "ordinal": (1, 2, 4, 7)}


def example(loss, n=40, seed=3, missing=0.3):
    """Phenotypes in two environments, some missing, and outputs of a network."""
    rng = np.random.default_rng(seed)
    classes = CLASSES.get(loss, ())
    if classes:
        y = np.asarray(classes, dtype=float)[rng.integers(0, len(classes), (n, 2))]
    else:
        y = rng.poisson(3.0, (n, 2)).astype(float) if loss == "poisson" else rng.normal(5, 2, (n, 2))
    y[rng.random(y.shape) < missing] = np.nan
    outcome = make_outcome(loss, 2, classes)
    outcome.learn_scale(y)
    return outcome, y, torch.from_numpy(rng.normal(size=(n, 2, outcome.n_outputs))).float()


def mean_loss(outcome, output, y):
    total, count = outcome.loss(output, outcome.targets(y))
    return (total / count).item()


@pytest.mark.parametrize("loss", OUTCOMES)
def test_what_is_missing_says_nothing(loss):
    outcome, y, output = example(loss)
    other = output.clone()
    other[torch.from_numpy(np.isnan(y))] += 100.0
    assert mean_loss(outcome, other, y) == mean_loss(outcome, output, y)
    output.requires_grad_()
    outcome.loss(output, outcome.targets(y))[0].backward()
    assert (output.grad[torch.from_numpy(np.isnan(y))] == 0).all()
    assert torch.isfinite(output.grad).all()


@pytest.mark.parametrize("loss", [name for name in OUTCOMES if name != "ranking"])
def test_an_output_of_0_predicts_means_and_frequencies(loss):
    outcome, y, output = example(loss, n=4000, missing=0.5)
    value = outcome.values(torch.zeros_like(output)).detach().numpy()
    if loss in CLASSES:
        found = outcome.probabilities(torch.zeros_like(output))[0].detach().numpy()
        frequency = [[np.mean(column[~np.isnan(column)] == name) for name in CLASSES[loss]] for column in y.T]
        np.testing.assert_allclose(found, frequency, atol=1e-3)
    if loss != "multiclass":
        np.testing.assert_allclose(value, np.broadcast_to(np.nanmean(y, axis=0), y.shape), rtol=1e-3)


def test_errors_are_those_of_the_standardised_phenotype():
    for loss, error in (("mse", np.square), ("mae", np.abs)):
        outcome, y, output = example(loss)
        z = (y - np.nanmean(y, axis=0)) / np.nanstd(y, axis=0)
        assert mean_loss(outcome, output, y) == pytest.approx(np.nanmean(error(output[..., 0].numpy() - z)), rel=1e-5)


def test_classes_have_the_log_loss():
    for loss in ("binary", "multiclass"):
        outcome, y, output = example(loss)
        known = ~np.isnan(y)
        p = outcome.probabilities(output).numpy()[known]
        assert mean_loss(outcome, output, y) == pytest.approx(log_loss(y[known], p), rel=1e-5)


def test_the_focal_loss_makes_less_of_what_is_predicted_well():
    outcome, y, output = example("focal")
    known = ~np.isnan(y)
    p = np.take_along_axis(outcome.probabilities(output).numpy()[known], y[known].astype(int)[:, None], 1)
    assert mean_loss(outcome, output, y) == pytest.approx(np.mean(-((1 - p) ** 2) * np.log(p)), rel=1e-4)


def test_ordered_classes_have_proportional_odds():
    outcome, y, output = example("ordinal")
    known, classes = ~np.isnan(y), np.array(CLASSES["ordinal"])
    total, at = 0.0, outcome._thresholds().detach().numpy()
    for row, environment in zip(*np.nonzero(known), strict=True):
        edges = np.concatenate([[-np.inf], at[environment], [np.inf]])
        k = int(np.flatnonzero(classes == y[row, environment])[0])
        score = output[row, environment, 0].item()
        total -= np.log(expit(edges[k + 1] - score) - expit(edges[k] - score))
    assert mean_loss(outcome, output, y) == pytest.approx(total / known.sum(), rel=1e-5)
    p = outcome.probabilities(output).detach().numpy()
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-6)
    np.testing.assert_allclose(outcome.values(output).detach().numpy(), p @ classes, rtol=1e-6)


def test_thresholds_alone_learn_the_frequencies():
    """The likelihood is largest where P(class) is the class' frequency, and thresholds get there from elsewhere."""
    y = np.repeat([0.0, 1.0, 2.0], [50, 30, 20])[:, None]
    outcome = make_outcome("ordinal", 1, (0, 1, 2))
    outcome.learn_scale(np.array([[0.0], [1.0], [2.0]]))
    optimizer = torch.optim.LBFGS(outcome.parameters(), max_iter=100)

    def closure():
        optimizer.zero_grad()
        total, count = outcome.loss(torch.zeros(100, 1, 1), outcome.targets(y))
        (total / count).backward()
        return total / count

    optimizer.step(closure)
    found = outcome.probabilities(torch.zeros(1, 1, 1)).detach().numpy()[0, 0]
    np.testing.assert_allclose(found, [0.5, 0.3, 0.2], atol=1e-3)


def test_far_scores_of_ordered_classes_have_gradients():
    outcome, _, _ = example("ordinal")
    output = torch.tensor([[[80.0], [-80.0]]], requires_grad=True)
    total, _ = outcome.loss(output, outcome.targets(np.array([[1.0, 7.0]])))
    total.backward()
    assert torch.isfinite(total)
    np.testing.assert_allclose(output.grad.ravel(), [1, -1], atol=1e-3)


def test_counts_have_the_likelihood_of_poisson():
    outcome, y, output = example("poisson")
    known = ~np.isnan(y)
    expected = outcome.values(output).numpy()[known]
    constant = stats.poisson.logpmf(y[known], 1.0) + 1.0  # -log y!
    likelihood = stats.poisson.logpmf(y[known], expected) - constant
    assert mean_loss(outcome, output, y) == pytest.approx(-likelihood.mean(), rel=1e-5)


def test_ranking_compares_pairs_of_one_environment():
    outcome, y, output = example("ranking")
    s, total, count = output[..., 0].numpy().astype(float), 0.0, 0
    for environment in range(2):
        for i in range(len(y)):
            for j in range(len(y)):
                if y[i, environment] > y[j, environment]:
                    total += np.log1p(np.exp(-(s[i, environment] - s[j, environment])))
                    count += 1
    assert outcome.loss(output, outcome.targets(y))[1] == count
    assert mean_loss(outcome, output, y) == pytest.approx(total / count, rel=1e-5)
    shifted = output + torch.tensor([[3.0], [-2.0]])
    assert mean_loss(outcome, shifted, y) == pytest.approx(total / count, rel=1e-5)


def test_an_unknown_loss_is_named():
    with pytest.raises(ValueError, match="unknown loss 'ordnal'; did you mean 'ordinal'"):
        make_outcome("ordnal", 1)
