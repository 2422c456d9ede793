"""Targets against brute force over alleles, for all ploidies and numbers of alleles."""

from collections import Counter
from itertools import combinations_with_replacement

import numpy as np
import pytest
import torch

from gpatlas.config import PerceiverRecipe
from gpatlas.perceiver.losses import batch_loss, indicator_loss, ploidy_penalty
from gpatlas.perceiver.targets import Targets
from tests.perceiver.conftest import SIZES, layout_of

CPU = torch.device("cpu")


def calls(p, k):
    return [(), *combinations_with_replacement(range(k), p)]


@pytest.mark.parametrize(("p", "k"), SIZES)
def test_copies_are_counted_cumulatively(p, k):
    targets = Targets(layout_of(3, p, k), CPU)
    codes = torch.arange(len(calls(p, k)))[None]
    found = targets.copies(codes)[0]
    assert found.shape == (len(calls(p, k)), k, p)
    for code, alleles in enumerate(calls(p, k)):
        for allele in range(k):
            for least in range(1, p + 1):
                assert found[code, allele, least - 1] == (alleles.count(allele) >= least)


@pytest.mark.parametrize(("p", "k"), SIZES)
def test_shared_alleles_are_those_of_the_multisets(p, k, rng):
    targets, known = Targets(layout_of(3, p, k), CPU), calls(p, k)
    one, other = rng.integers(1, len(known), (2, 5, 40))
    shared = targets.shared(torch.from_numpy(one), torch.from_numpy(other))
    for i, j in np.ndindex(one.shape):
        common = sum((Counter(known[one[i, j]]) & Counter(known[other[i, j]])).values())
        assert shared[i, j].tolist() == [float(common >= least) for least in range(1, p + 1)]


@pytest.mark.parametrize(("p", "k"), [(1, 2), (2, 2), (2, 4), (4, 3), (6, 2)])
def test_the_likeliest_call_is_that_of_the_highest_log_likelihood(p, k, rng):
    targets, known = Targets(layout_of(3, p, k), CPU), calls(p, k)
    logits = rng.normal(0, 2, (6, 7, k, p))
    found = targets.likeliest_code(torch.from_numpy(logits).float())
    chance = 1 / (1 + np.exp(-logits))
    for i, j in np.ndindex(6, 7):
        scores = []
        for alleles in known[1:]:
            true = np.array([[alleles.count(a) >= least for least in range(1, p + 1)] for a in range(k)])
            scores.append(np.log(np.where(true, chance[i, j], 1 - chance[i, j])).sum())
        assert found[i, j] == 1 + int(np.argmax(scores))
    numbers = targets.likeliest_number(torch.from_numpy(logits[:, :, 0]).float())
    for i, j in np.ndindex(6, 7):
        scores = [np.log(np.where(np.arange(p) < n, chance[i, j, 0], 1 - chance[i, j, 0])).sum() for n in range(p + 1)]
        assert numbers[i, j] == int(np.argmax(scores))


def test_losses_are_those_of_the_formulas(rng):
    logits, truth = rng.normal(0, 3, 50), rng.integers(0, 2, 50)
    p = 1 / (1 + np.exp(-logits))
    of_truth = np.where(truth, p, 1 - p)
    tensors = torch.from_numpy(logits), torch.from_numpy(truth).float()
    assert indicator_loss(*tensors).numpy() == pytest.approx(-np.log(of_truth), rel=1e-5, abs=1e-6)
    focal = (1 - of_truth) ** 2 * -np.log(of_truth)
    assert indicator_loss(*tensors, gamma=2.0).numpy() == pytest.approx(focal, rel=1e-4, abs=1e-6)
    found = ploidy_penalty(torch.from_numpy(logits[:48].reshape(2, 3, 4, 2)), 2)
    assert found.numpy() == pytest.approx((2 - p[:48].reshape(2, 3, 8).sum(-1)) ** 2, rel=1e-5)


class Says(torch.nn.Module):
    """Says the same of every locus of every individual."""

    def __init__(self, copies, shared):
        super().__init__()
        self._copies, self._shared = copies, shared

    def copies(self, codes, loci):
        return self._copies.expand(*loci.shape, *self._copies.shape)

    def shared(self, codes, other, loci):
        return self._shared.expand(*loci.shape, *self._shared.shape)


def test_a_batch_is_the_sum_over_the_calls_asked_for():
    targets = Targets(layout_of(5), CPU)
    network = Says(torch.tensor([[2.0, -1.0], [0.5, 0.0]]), torch.tensor([1.0, -2.0]))
    loci = torch.tensor([[0, 3, 4], [2, 1, 0]])
    batch = {"shown": None, "other_shown": None, "loci": loci, "known": torch.tensor([[True, True, False]] * 2)}
    batch |= {"codes": torch.tensor([[1, 2, 3], [3, 2, 1]]), "other_codes": torch.tensor([[1, 3, 3], [1, 1, 2]])}

    def log_loss(logits, true):
        p = 1 / (1 + np.exp(-np.array(logits)))
        return -np.log(np.where(true, p, 1 - p)).mean()

    copies = {1: [1, 1, 0, 0], 2: [1, 0, 1, 0], 3: [0, 0, 1, 1]}
    of_code = {code: log_loss([2.0, -1.0, 0.5, 0.0], true) for code, true in copies.items()}
    penalty = (2 - (1 / (1 + np.exp(-np.array([2.0, -1.0, 0.5, 0.0])))).sum()) ** 2
    masked = PerceiverRecipe(ploidy_penalty=0.3)
    expected = of_code[1] + of_code[2] + of_code[3] + of_code[2] + 4 * 0.3 * penalty
    assert batch_loss(network, batch, targets, masked).item() == pytest.approx(expected, rel=1e-5)
    of_shared = {n: log_loss([1.0, -2.0], np.arange(2) < n) for n in range(3)}
    contrastive = PerceiverRecipe(objective="contrastive", ploidy_penalty=0)
    expected = of_shared[2] + of_shared[1] + of_shared[0] + of_shared[1]
    assert batch_loss(network, batch, targets, contrastive).item() == pytest.approx(expected, rel=1e-5)
    both = PerceiverRecipe(objective="contrastive", ploidy_penalty=0, allele_weight=0.5)
    alleles = sum(of_code[code] for code in (1, 2, 3, 2, 1, 3, 1, 1)) / 2
    assert batch_loss(network, batch, targets, both).item() == pytest.approx(expected + 0.5 * alleles, rel=1e-5)
