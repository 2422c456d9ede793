"""What networks are trained on, term by term in numpy, populations of unequal length among them."""

import numpy as np
import pytest
import torch
from scipy import stats

from gpatlas.nn.gpfn.batch import TaskBatch
from gpatlas.nn.gpfn.loss import prediction_loss
from tests.nn.gpfn.populations import draw
from tests.nn.gpfn.test_awg import network


def test_against_its_terms(rng):
    tasks = [draw(rng, n=60, n_context=40), draw(rng, n=50, n_context=35, h2=0.2)]
    batch, made = TaskBatch.of(tasks, torch.float64), network()
    with torch.no_grad():
        predicted = made(batch.population, batch.query)
        found = float(prediction_loss(made, predicted, batch))
    mean, variance, noise, means = (
        value.numpy() for value in (predicted.mean, predicted.variance, predicted.noise, predicted.means)
    )
    expected = []
    for b, task in enumerate(tasks):
        known, n = task.phenotype[task.context], int((~task.context).sum())
        g = (task.genetic_value[~task.context] - known.mean()) / known.std(ddof=1)
        y = (task.phenotype[~task.context] - known.mean()) / known.std(ddof=1)
        m, v, var_g = mean[b, :n], variance[b, :n], max(g.var(), 0.02)
        of_values = -stats.norm.logpdf(g, m, np.sqrt(v + 1e-4)) - np.log(2 * np.pi) / 2
        of_phenotypes = -stats.norm.logpdf(y, m, np.sqrt(v + noise[b] + 1e-4)) - np.log(2 * np.pi) / 2
        squares, of_rounds = (m - g) ** 2 / var_g, (means[b, :n, 1:3] - g[:, None]) ** 2 / var_g
        expected.append((of_values + 0.5 * squares + 0.5 * of_rounds.mean(axis=1) + 0.1 * of_phenotypes).mean())
    assert found == pytest.approx(np.mean(expected), rel=1e-9)
