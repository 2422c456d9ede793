"""Folds: every sample is judged once in each repeat, groups stay together, classes are shared out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.automl.resampling import resample
from gpatlas.automl.task import Task


def task_of(y, kind="continuous", groups=None, grouping="") -> Task:
    n = len(y)
    classes = () if kind == "continuous" else tuple(f"c{k}" for k in range(int(max(y)) + 1))
    return Task(
        trait="t", kind=kind, classes=classes, X=np.zeros((n, 2), dtype=np.float32), y=np.asarray(y, dtype=float),
        n_covariates=0, feature_id=np.array(["a", "b"]), sample_id=np.arange(n).astype(str),
        locus_id=np.array(["a", "b"]), chromosome=np.array(["1", "1"]), position=np.arange(2.0), position_unit="bp",
        groups=groups, grouping=grouping,
    )  # fmt: skip


def check_cover(resampling, n):
    for repeat in range(resampling.n_repeats):
        tests = np.concatenate([split.test for split in resampling if split.repeat == repeat])
        np.testing.assert_array_equal(np.sort(tests), np.arange(n))
    for split in resampling:
        np.testing.assert_array_equal(np.sort(np.r_[split.train, split.test]), np.arange(n))
        assert len(split.train)
        assert len(split.test)


@given(st.integers(12, 90), st.integers(2, 10), st.integers(1, 3), st.integers(0, 10**6))
def test_samples_are_judged_once_in_each_repeat(n, n_folds, n_repeats, seed):
    resampling = resample(task_of(np.zeros(n)), n_folds, n_repeats, seed)
    check_cover(resampling, n)
    sizes = [len(split.test) for split in resampling]
    assert max(sizes) - min(sizes) <= 1
    n_folds = max(2, min(n_folds, n // 3))
    assert len(resampling) == n_folds * n_repeats
    assert resampling.text.startswith(f"{n_folds} random folds")


@given(st.integers(6, 40), st.integers(6, 40), st.integers(6, 20), st.integers(2, 10), st.integers(0, 10**6))
def test_every_fold_has_its_share_of_every_class(a, b, c, n_folds, seed):
    y = np.random.default_rng(seed).permutation(np.repeat([0, 1, 2], [a, b, c]))
    resampling = resample(task_of(y, "multiclass"), n_folds, 2, seed)
    check_cover(resampling, len(y))
    assert len(resampling) == 2 * min(n_folds, a, b, c)
    for code in range(3):
        counts = [int((y[split.test] == code).sum()) for split in resampling]
        assert max(counts) - min(counts) <= 1
        assert min(counts) >= 1


@given(st.lists(st.integers(1, 9), min_size=3, max_size=30), st.integers(2, 8), st.integers(0, 10**6))
def test_families_stay_together(sizes, n_folds, seed):
    groups = np.repeat([f"f{k}" for k in range(len(sizes))], sizes)
    resampling = resample(task_of(np.zeros(len(groups)), groups=groups, grouping="family"), n_folds, 2, seed)
    check_cover(resampling, len(groups))
    for split in resampling:
        assert not set(groups[split.train]) & set(groups[split.test])
    if len(sizes) <= n_folds:
        assert len(resampling) == len(sizes)
        assert "is left out once" in resampling.text
    else:
        assert len(resampling) == 2 * n_folds


def test_families_are_dealt_evenly_in_size_and_classes(rng):
    groups = np.repeat([f"f{k}" for k in range(60)], 5)
    y = np.repeat(rng.permutation(np.r_[np.ones(20), np.zeros(40)]), 5)  # whole families are cases
    resampling = resample(task_of(y, "binary", groups, "family"), 5, 3, 1)
    for split in resampling:
        assert len(split.test) == 60
        assert y[split.test].sum() == 20


def test_a_few_families_that_hold_all_of_a_class_are_not_left_out_one_by_one():
    """All cases are in one of three families: leaving it out would leave one class to fit."""
    groups = np.repeat(["a", "b", "c"], 10)
    y = (groups == "a").astype(float)
    resampling = resample(task_of(y, "binary", groups, "family"), 5, 1, 1)
    assert resampling.text.startswith("A few families hold a whole class, so that they cannot be kept together. ")
    assert all(set(y[split.train]) == {0, 1} for split in resampling)
    assert "left out once" in resample(task_of(1.0 * (np.arange(30) % 2), "binary", groups, "family"), 5, 1, 1).text


def test_environments_are_left_out_one_by_one():
    groups = np.repeat(["dry", "wet", "cold"], 8)
    resampling = resample(task_of(np.zeros(24), groups=groups, grouping="environment"), 2, 5, 1)
    assert [set(groups[split.test]) for split in resampling] == [{"cold"}, {"dry"}, {"wet"}]
    assert resampling.text == "Each of 3 environments is left out once; there is nothing to repeat."


def test_the_seed_sets_the_folds():
    task = task_of(np.zeros(30))
    first, again, other = (resample(task, 5, 2, seed) for seed in (1, 1, 2))
    assert all((a.test == b.test).all() for a, b in zip(first, again, strict=True))
    assert any((a.test != b.test).any() for a, b in zip(first, other, strict=True))
    assert any((a.test != b.test).any() for a, b in zip(first.splits[:5], first.splits[5:], strict=True))


def test_fewer_folds_where_a_class_is_rare_are_said():
    resampling = resample(task_of(np.r_[np.zeros(40), np.ones(6)], "binary"), 10, 1, 1)
    assert resampling.text == (
        "6 folds (10 were asked for, the rarest class has 6 samples), each with its share of every class."
    )


def test_a_fold_has_samples_enough_to_correlate():
    resampling = resample(task_of(np.arange(31.0)), 1000, 1, 1)
    assert resampling.text == "10 random folds (1000 were asked for, a fold needs 3 samples)."
    assert min(len(split.test) for split in resampling) == 3


def test_one_environment_is_cut_at_random():
    groups = np.repeat(["dry"], 20)
    assert len(resample(task_of(np.zeros(20), groups=groups, grouping="environment"), 4, 1, 1)) == 4
