"""The row transformer: features of every kind, what queries and contexts see of each other, training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gpatlas.errors import ConfigError
from gpatlas.nn.gpfn.awg import AWG
from gpatlas.nn.gpfn.batch import TaskBatch
from gpatlas.nn.gpfn.features import FEATURES, feature_map
from gpatlas.nn.gpfn.loss import loss
from gpatlas.nn.gpfn.networks import make_network
from gpatlas.nn.gpfn.transformer import RowTransformer
from tests.nn.gpfn.populations import draw


def network(**settings):
    torch.manual_seed(1)
    made = RowTransformer(n_features=20, width=16, n_layers=2, n_heads=2, **settings).double()
    with torch.no_grad():  # nothing is left at zero, where it would hide
        for parameter in made.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, dtype=torch.float64)
    return made


def predicted(made, *tasks):
    batch = TaskBatch.of(tasks, torch.float64)
    with torch.no_grad():
        return made(batch.population, batch.query)


@pytest.mark.parametrize("kind", FEATURES)
def test_features(kind, rng):
    """They vary by 1 on average, go with the phenotype, and do not know how alleles are coded."""
    task = draw(rng)
    batch = TaskBatch.of([task], torch.float64)
    found = feature_map(kind, batch.z, batch.y, 20)
    seen = (batch.z @ found)[0]
    assert found.shape == (1, 80, 20)
    used = seen.square().sum(0) > 1e-9
    assert used.sum() >= (19 if kind != "rp" else 10)
    assert float(seen[:, used].square().sum() / used.sum() / 39) == pytest.approx(1, rel=1e-6)
    assert (batch.y[0] @ seen >= -1e-9).all()
    flips = rng.random(80) < 0.5
    turned = TaskBatch.of([replace(task, genotypes=np.where(flips, 2 - task.genotypes, task.genotypes))], torch.float64)
    if kind not in ("rp", "downsample"):  # which add up neighbours as they are coded
        other = (turned.z @ feature_map(kind, turned.z, turned.y, 20))[0]
        torch.testing.assert_close(other, seen, rtol=1e-6, atol=1e-8)


def test_chosen_markers(rng):
    task = draw(rng, h2=0.999, n_qtl=1)
    batch = TaskBatch.of([task], torch.float64)
    r = np.abs(np.corrcoef(np.column_stack([batch.y[0], batch.z[0]]).T)[0, 1:])
    for kind in ("correlation", "mi", "sequential"):
        first = int(feature_map(kind, batch.z, batch.y, 1)[0].abs().argmax())
        assert r[first] == pytest.approx(r.max(), abs=0.02)
    apart = feature_map("greedy", batch.z, batch.y, 4)[0].abs().argmax(0).numpy()
    alike = np.abs(np.corrcoef(batch.z[0].T.numpy()))[np.ix_(apart, apart)]
    assert alike[np.triu_indices(4, 1)].max() < 0.3


def test_sequential_markers_leave_least_of_the_phenotype(rng):
    """Each beside those before it, by least squares."""
    batch = TaskBatch.of([draw(rng)], torch.float64)
    z, y, best = batch.z[0].numpy(), batch.y[0].numpy(), []
    for _ in range(4):
        left = [y - z[:, [*best, m]] @ np.linalg.lstsq(z[:, [*best, m]], y)[0] for m in range(z.shape[1])]
        best.append(int(np.argmin([error @ error for error in left])))
    chosen = feature_map("sequential", batch.z, batch.y, 4)[0].abs().argmax(0)
    assert chosen.tolist() == best


@pytest.mark.parametrize("output", ["bar", "gaussian"])
def test_queries_see_the_context_alone(output, rng):
    made, tasks = network(output=output), [draw(rng, n_context=n) for n in (30, 40)]
    together = predicted(made, *tasks)
    for number, task in enumerate(tasks):
        alone = predicted(made, task)
        n = alone.mean.shape[1]
        torch.testing.assert_close(together.mean[number, :n], alone.mean[0])
        torch.testing.assert_close(together.variance[number, :n], alone.variance[0])
        torch.testing.assert_close(together.noise[number], alone.noise[0])
    batch = TaskBatch.of(tasks[:1], torch.float64)
    with torch.no_grad():
        few = made(batch.population, batch.query[:, 3:5])
    torch.testing.assert_close(few.mean, predicted(made, tasks[0]).mean[:, 3:5])
    order = np.concatenate([rng.permutation(30), np.arange(30, 60)])
    moved = replace(tasks[0], genotypes=tasks[0].genotypes[order], phenotype=tasks[0].phenotype[order])
    torch.testing.assert_close(predicted(made, moved).mean, predicted(made, tasks[0]).mean)


@pytest.mark.parametrize(
    "made",
    [
        lambda: RowTransformer(n_features=20, width=32, n_layers=2),
        lambda: RowTransformer(n_features=20, width=32, n_layers=2, output="gaussian"),
        lambda: AWG(n_rounds=1, channels=8, hidden=8, output="bar"),
    ],
    ids=["bar", "gaussian", "awg in bars"],
)
def test_training_lowers_the_loss(made):
    rng = np.random.default_rng(3)
    torch.manual_seed(1)
    network = made()
    held_out = TaskBatch.of([draw(rng, n=80, n_context=60, n_qtl=2, m=40) for _ in range(32)])
    with torch.no_grad():
        before = float(loss(network, held_out))
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.003)
    for _ in range(40):
        batch = TaskBatch.of([draw(rng, n=80, n_context=60, n_qtl=2, m=40) for _ in range(8)])
        optimiser.zero_grad()
        loss(network, batch).backward()
        optimiser.step()
    with torch.no_grad():
        assert float(loss(network, held_out)) < before - 0.02


@pytest.mark.parametrize(
    ("architecture", "settings", "message"),
    [
        ("transformer", {"features": "pac"}, "unknown 'pac'; did you mean 'pca'?"),
        ("transformer", {"output": "bars"}, "unknown 'bars'; did you mean 'bar'?"),
        ("awg", {"output": "normal"}, "unknown output 'normal'; known are gaussian, bar"),
    ],
)
def test_mistakes(architecture, settings, message):
    with pytest.raises(ConfigError) as error:
        make_network(architecture, **settings)
    assert message in str(error.value)
