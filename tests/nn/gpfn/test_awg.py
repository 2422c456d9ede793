"""AWG: what it is before training, what it must not see, and gradients."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.nn.gpfn.awg import AWG
from gpatlas.nn.gpfn.batch import TaskBatch
from gpatlas.nn.gpfn.kernels import weighted_kernel
from gpatlas.nn.gpfn.loss import loss
from gpatlas.nn.gpfn.posterior import UNIFORM_H2, Posterior
from tests.nn.gpfn.populations import draw

SEEDS = st.integers(0, 10_000)


def network(seed=1, **settings):
    """A network in which nothing is left at zero, where it would hide."""
    torch.manual_seed(seed)
    made = AWG(n_rounds=2, channels=8, hidden=8, **settings).double()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "log_prior" not in name:
                parameter += 0.2 * torch.randn(parameter.shape, dtype=torch.float64)
        made.gain.abs_()
    return made


def predicted(made, *tasks):
    batch = TaskBatch.of(tasks, torch.float64)
    with torch.no_grad():
        return made(batch.population, batch.query)


def assert_same(a, b, rtol=1e-6):
    for one, other in ((a.mean, b.mean), (a.variance, b.variance), (a.noise, b.noise), (a.weights, b.weights)):
        torch.testing.assert_close(one, other, rtol=rtol, atol=1e-8)


def test_untrained_it_is_gblup_with_the_heritability_integrated_out(rng):
    task = draw(rng)
    batch = TaskBatch.of([task], torch.float64)
    found = predicted(AWG().double(), task)
    d = torch.ones(1, 80, dtype=torch.float64)
    d /= weighted_kernel(batch.z, batch.z, d).diagonal(dim1=1, dim2=2).sum() / 39
    posterior = Posterior.of(weighted_kernel(batch.z, batch.z, d), batch.y, torch.tensor([39.0]).double(), UNIFORM_H2)
    cross = weighted_kernel(batch.query, batch.z, d)
    own = weighted_kernel(batch.query, batch.query, d).diagonal(dim1=1, dim2=2)
    mean, var = posterior.predict(cross, own, torch.tensor([40.0]).double())
    torch.testing.assert_close(found.mean, mean, rtol=1e-7, atol=1e-10)
    torch.testing.assert_close(found.variance, var, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(found.noise, posterior.var_e, rtol=1e-6, atol=1e-8)
    assert (found.weights[:, 4:] == 0).all()


def test_gaussian_experts(rng):
    """Against the kernel of all rows at once, its features centred on the context."""
    task = draw(rng)
    batch = TaskBatch.of([task], torch.float64)
    made = AWG(n_rounds=1, bandwidths=[0.7], last_bandwidths=[]).double()
    found = predicted(made, task)
    z = torch.cat([batch.z, batch.query], 1)[0]
    z = z / batch.z.square().sum(2).mean().sqrt()  # mean squared length 1 in the context
    kernel = torch.exp(-torch.cdist(z, z).square() / 1.4)
    centring = torch.eye(60, dtype=torch.float64)
    centring[:, :40] -= 1 / 40
    kernel = centring @ kernel @ centring.T
    kernel = kernel / kernel[:40, :40].trace() * 39
    posterior = Posterior.of(kernel[None, :40, :40], batch.y, torch.tensor([39.0]).double(), UNIFORM_H2)
    mean, variance = posterior.predict(
        kernel[None, 40:, :40], kernel.diagonal()[None, 40:], torch.tensor([40.0]).double()
    )
    torch.testing.assert_close(found.means[..., 2], mean, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(found.variances[..., 2], variance, rtol=1e-6, atol=1e-9)


def test_gaussian_experts_are_weighed_by_their_evidence_against_their_linear_partner(rng):
    batch = TaskBatch.of([draw(rng)], torch.float64)
    made = AWG(n_rounds=1, bandwidths=[0.7], last_bandwidths=[1.1]).double()
    with torch.no_grad():
        made.gain.fill_(1.0)
        made.temperature.fill_(0.5)
        made.rounds[0].out.bias.fill_(0.3)  # rounds differ from GBLUP by what they learnt alone
        made.rounds[0].out.weight.normal_(generator=torch.Generator().manual_seed(1))
        found = made.condition(batch.population)
    evidence = torch.stack([expert.posterior.log_evidence for expert in found.experts], 1)[0]
    log_weight = torch.log(found.weights[0])
    assert abs(evidence[1] - evidence[0]) > 0.01
    for gaussian, linear in ((2, 0), (3, 1)):
        gap = log_weight[gaussian] - log_weight[0]
        assert float(gap) == pytest.approx(0.5 * float(evidence[gaussian] - evidence[linear]), rel=1e-6)


@settings(max_examples=15)
@given(seed=SEEDS)
def test_allele_coding_says_nothing(seed):
    rng = np.random.default_rng(seed)
    task, flips = draw(rng), rng.random(80) < 0.5
    turned = replace(task, genotypes=np.where(flips, 2 - task.genotypes, task.genotypes))
    assert_same(predicted(network(), task), predicted(network(), turned))


@settings(max_examples=15)
@given(seed=SEEDS)
def test_order_of_samples_says_nothing(seed):
    rng = np.random.default_rng(seed)
    task = draw(rng)
    order = np.concatenate([rng.permutation(40), 40 + np.arange(20)])
    moved = replace(task, genotypes=task.genotypes[order], phenotype=task.phenotype[order])
    assert_same(predicted(network(), task), predicted(network(), moved))


@settings(max_examples=15)
@given(seed=SEEDS)
def test_direction_and_order_of_chromosomes_say_nothing(seed):
    rng = np.random.default_rng(seed)
    task = draw(rng)
    turned = replace(task, genotypes=task.genotypes[:, ::-1], chromosome=task.chromosome[::-1])
    swapped = np.concatenate([np.arange(40, 80), np.arange(40)])
    other = replace(task, genotypes=task.genotypes[:, swapped], chromosome=task.chromosome[swapped])
    for changed in (turned, other):
        assert_same(predicted(network(), task), predicted(network(), changed))


@settings(max_examples=15)
@given(seed=SEEDS, scale=st.floats(0.01, 100), shift=st.floats(-1000, 1000))
def test_units_of_the_phenotype_say_nothing(seed, scale, shift):
    task = draw(np.random.default_rng(seed))
    other = replace(task, phenotype=shift + scale * task.phenotype, genetic_value=shift + scale * task.genetic_value)
    assert_same(predicted(network(), task), predicted(network(), other), rtol=1e-5)


def test_other_queries_and_populations_say_nothing(rng):
    """Batches of unequal contexts are filled up with rows that change no number."""
    tasks = [draw(rng, n_context=n) for n in (25, 40, 33)]
    together = predicted(network(), *tasks)
    for number, task in enumerate(tasks):
        alone = predicted(network(), task)
        n = alone.mean.shape[1]
        torch.testing.assert_close(together.mean[number, :n], alone.mean[0])
        torch.testing.assert_close(together.variance[number, :n], alone.variance[0])
    batch = TaskBatch.of(tasks[:1], torch.float64)
    population = batch.population
    with torch.no_grad():
        few = network()(population, batch.query[:, :3])
    torch.testing.assert_close(few.mean, predicted(network(), tasks[0]).mean[:, :3])


def test_markers_that_do_not_vary_say_nothing(rng):
    task = draw(rng)
    constant = np.full((60, 9), 2, dtype=np.int8)
    wider = replace(
        task,
        genotypes=np.hstack([task.genotypes, constant]),
        chromosome=np.append(task.chromosome, np.full(9, 3, dtype=np.int32)),
    )
    assert_same(predicted(network(), task), predicted(network(), wider))


def test_gradients(rng):
    """Of the means by the network of the last round, against differences, at one heritability."""
    made = network(bandwidths=(), last_bandwidths=())
    batch = TaskBatch.of([draw(rng, n=30, m=20, n_context=20)], torch.float64)
    with torch.no_grad():
        made.log_prior.copy_(torch.where(torch.arange(17) == 9, 0.0, -1e4))
    weight = made.rounds[1].out.weight

    def mean():
        return made(batch.population, batch.query).means[0, :, 2].sum()

    gradient = torch.autograd.grad(mean(), weight)[0][0, 3]
    with torch.no_grad():
        at, step, values = weight[0, 3].item(), 1e-5, []
        for sign in (1, -1):
            weight[0, 3] = at + sign * step
            values.append(mean().item())
    assert gradient.item() == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5)


def test_training_helps_where_few_qtl_act():
    rng = np.random.default_rng(3)
    torch.manual_seed(1)
    made = AWG(n_rounds=1, channels=8, hidden=8)
    held_out = TaskBatch.of([draw(rng, n=100, n_context=70, n_qtl=2) for _ in range(16)])
    with torch.no_grad():
        before = float(loss(made, held_out))
    optimiser = torch.optim.AdamW(made.parameters(), lr=0.02)
    for _ in range(40):
        batch = TaskBatch.of([draw(rng, n=100, n_context=70, n_qtl=2) for _ in range(8)])
        optimiser.zero_grad()
        loss(made, batch).backward()
        optimiser.step()
    with torch.no_grad():
        assert float(loss(made, held_out)) < before - 0.05
