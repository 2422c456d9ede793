"""Imputation without a network, against brute force."""

from collections import Counter

import numpy as np
import pytest

from gpatlas.alleles import decoder, n_codes
from gpatlas.evaluate.imputation import choose_neighbours, knn_window_impute, most_frequent_call


@pytest.mark.parametrize(("p", "k"), [(1, 2), (2, 2), (2, 3), (4, 2), (6, 3)])
def test_neighbours_are_those_of_brute_force(p, k, rng):
    n_loci, chromosome = 30, np.repeat([0, 1, 2], [12, 17, 1])
    training = rng.integers(0, n_codes(p, k) + 1, (25, n_loci))
    shown = rng.integers(0, n_codes(p, k) + 1, (10, n_loci))
    row, locus = np.nonzero(rng.random(shown.shape) < 0.3)
    shown[row, locus] = 0
    table = decoder(p, k).astype(int)
    expected = []
    for i, j in zip(row, locus, strict=True):
        on = np.flatnonzero((chromosome == chromosome[j]) & (shown[i] > 0))
        window = [*on[on < j][-4:], *on[on > j][:4]]
        apart = []
        for t in np.flatnonzero(training[:, j]):
            both = [q for q in window if training[t, q] > 0]
            unshared = sum(p - np.minimum(table[shown[i, q]], table[training[t, q]]).sum() for q in both)
            apart.append((unshared / len(both) if both else np.inf, t))
        votes = Counter(training[t, j] for _, t in sorted(apart)[:5])  # of equal ones, that met first comes first
        expected.append(votes.most_common(1)[0][0])
    found = knn_window_impute(training, shown, row, locus, chromosome, p, k, k=5, window=4)
    assert found.tolist() == expected


def test_linked_calls_are_found_and_unlinked_are_not(rng):
    ancestors = rng.integers(1, 3, (6, 200))
    training, truth = ancestors[rng.integers(0, 6, 300)], ancestors[rng.integers(0, 6, 20)]
    row, locus = np.nonzero(rng.random(truth.shape) < 0.1)
    shown = truth.copy()
    shown[row, locus] = 0
    found = knn_window_impute(training, shown, row, locus, np.zeros(200, dtype=int), 1, 2)
    assert (found == truth[row, locus]).mean() > 0.99
    alone = knn_window_impute(training, shown, row, locus, np.arange(200), 1, 2)  # nobody on the chromosome to compare
    assert (alone == truth[row, locus]).mean() < 0.8


def test_neighbours_are_chosen_on_training_samples(rng):
    """Where single samples are copies of each other, few neighbours are best; where calls are noisy, many are."""
    lines = rng.integers(1, 4, (60, 100))
    number = np.zeros(100, dtype=int)
    assert choose_neighbours(np.tile(lines, (4, 1)), number, 2, 2).k <= 5
    noisy = np.where(rng.random((600, 100)) < 0.4, rng.integers(1, 4, (600, 100)), lines[rng.integers(0, 3, 600)])
    assert choose_neighbours(noisy, number, 2, 2).k >= 15
    assert choose_neighbours(noisy, number, 2, 2) == choose_neighbours(noisy, number, 2, 2)


def test_fewer_samples_than_neighbours_and_no_known_call():
    training = np.array([[1, 3, 0], [1, 3, 0], [2, 0, 0]])
    found = knn_window_impute(training, np.zeros((1, 3)), np.zeros(3, dtype=int), np.arange(3), np.zeros(3), 2, 2)
    assert found.tolist() == [1, 3, 0]


def test_the_most_frequent_call():
    calls = np.array([[1, 0, 3, 0], [2, 0, 3, 0], [2, 0, 1, 0], [0, 5, 1, 0]])
    assert most_frequent_call(calls).tolist() == [2, 5, 1, 0]
