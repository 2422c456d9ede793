"""A task: what kind of trait it is, which samples count, and what stands in which column."""

from dataclasses import replace

import numpy as np
import pytest

from gpatlas.automl.resampling import resample
from gpatlas.automl.task import make_task
from gpatlas.dataset import Dataset
from gpatlas.errors import DataError


@pytest.fixture
def dataset(rng) -> Dataset:
    """40 diploids with a continuous, a binary and a three-class trait, two covariates and a yield in two places."""
    n, p = 40, 7
    genotypes = rng.integers(0, 3, (n, p)).astype(np.int8)
    genotypes[3, 2] = -1
    status = np.arange(n) % 2
    height = rng.normal(size=n)
    height[:2] = np.nan
    return Dataset(
        genotypes=genotypes,
        phenotypes=np.column_stack([height, status, np.arange(n) % 3, height, height + 10]).astype(float),
        sample_id=np.array([f"s{k}" for k in range(n)]),
        locus_id=np.array([f"m{k}" for k in range(p)]),
        trait_id=np.array(["height", "status", "subtype", "yield@A", "yield@B"]),
        ploidy=2,
        fold=np.zeros(n, dtype=np.uint8),
        chromosome=np.array(["1"] * p),
        position=np.arange(p, dtype=float),
        alleles=np.array([["A", "G"]] * p),
        covariates=np.column_stack([np.arange(n) % 3, np.linspace(20, 60, n)]).astype(float),
        covariate_id=np.array(["site", "age"]),
        levels={"status": ("control", "case"), "subtype": ("x", "y", "z"), "site": ("Leeds", "Norwich", "York")},
        environments={"yield@A": ("yield", "A"), "yield@B": ("yield", "B")},
    )


def test_a_continuous_trait(dataset):
    task = make_task(dataset, "height")
    assert (task.kind, task.classes, task.n_samples, task.n_loci, task.n_covariates) == ("continuous", (), 38, 7, 3)
    assert task.feature_id.tolist()[-4:] == ["m6", "site=Norwich", "site=York", "age"]
    np.testing.assert_array_equal(task.y, dataset.phenotypes[2:, 0])
    assert np.isnan(task.X[1, 2])
    assert np.isnan(task.X).sum() == 1
    np.testing.assert_array_equal(task.X[:, 7], dataset.covariates[2:, 0] == 1)
    np.testing.assert_array_equal(task.X[:, 9], dataset.covariates[2:, 1].astype(np.float32))
    assert task.sample_id[0] == "s2"
    assert task.alleles.tolist() == [["A", "G"]] * 7
    np.testing.assert_array_equal(task.row, np.arange(2, 40))
    assert "2 of 40 records have no height" in task.account[0]


def test_classes(dataset):
    binary, several = make_task(dataset, "status"), make_task(dataset, "subtype")
    assert (binary.kind, binary.classes, binary.class_counts) == (
        "binary",
        ("control", "case"),
        {"control": 20, "case": 20},
    )
    assert (several.kind, several.classes) == ("multiclass", ("x", "y", "z"))
    assert "'case' is the case: 20 of 'control', 20 of 'case'" in binary.account[0]


def test_a_class_that_does_not_occur_is_none(dataset):
    rows = np.flatnonzero(dataset.phenotypes[:, 2] != 1)
    task = make_task(dataset.samples(rows), "subtype")
    assert (task.kind, task.classes) == ("binary", ("x", "z"))
    assert set(task.y) == {0, 1}


def test_two_values_are_classes_and_few_values_may_be(dataset):
    coded = replace(dataset, levels={})
    assert make_task(coded, "status").classes == ("0", "1")
    few = make_task(coded, "subtype")
    assert few.kind == "continuous"
    assert "3 distinct values; --kind multiclass" in few.account[0]
    assert make_task(coded, "subtype", kind="multiclass").classes == ("0", "1", "2")


def test_a_missing_level_is_missing_in_every_column(dataset):
    covariates = dataset.covariates.copy()
    covariates[5, 0] = np.nan
    task = make_task(replace(dataset, covariates=covariates), "status")
    assert np.isnan(task.X[5, 7:9]).all()
    assert not np.isnan(task.X[6, 7:9]).any()


def test_covariates_may_be_chosen(dataset):
    assert make_task(dataset, "status", covariates=["age"]).feature_id.tolist()[7:] == ["age"]
    assert make_task(dataset, "status", covariates=[]).n_covariates == 0


def test_environments_become_records(dataset):
    task = make_task(dataset, "yield")
    assert (task.n_samples, task.grouping) == (76, "environment")
    assert set(task.groups) == {"A", "B"}
    assert "the score is of known samples in a new environment" in resample(task, 2, 1, 1).text
    assert task.sample_id[0] == "s2@A"
    for place in ("A", "B"):
        assert task.y[task.groups == place].mean() == pytest.approx(0)


def test_families(dataset):
    family = np.array([f"f{k // 4}" for k in range(40)])
    family[:2] = ""
    task = make_task(replace(dataset, family=family), "status")
    assert task.grouping == "family"
    assert len(np.unique(task.groups)) == 12  # two of one sample each, the rest of f0, and nine of four
    alone = np.array([f"f{k}" for k in range(40)])  # PLINK's FID that repeats the IID
    assert make_task(replace(dataset, family=alone), "status").groups is None
    assert make_task(replace(dataset, family=family), "status", grouped=False).groups is None


def test_the_digest_sees_every_part(dataset):
    task = make_task(dataset, "status")
    digests = {
        part.digest()
        for part in (
            task,
            task.rows(np.arange(39)),
            task.with_phenotypes(1 - task.y),
            replace(task, X=task.X + 1),
            replace(task, groups=task.sample_id),
            replace(task, n_covariates=1),
        )
    }
    assert len(digests) == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: (d, "heigt"), "no trait 'heigt'; did you mean 'height'?"),
        (lambda d: (d, "status", {"covariates": ["aeg"]}), "no covariate 'aeg'; did you mean 'age'?"),
        (lambda d: (d, "status", {"covariates": ["status"]}), "covariate 'status' is the trait itself"),
        (lambda d: (d.samples(np.arange(0, 40, 2)), "status"), "'control' in all 20 samples; one class cannot"),
        (lambda d: (d.samples(np.arange(10)), "height"), "has 8 phenotyped samples; AutoML needs at least 12"),
        (lambda d: (d.samples(np.r_[0:40:2, 1:10:2]), "status"), "class 'case' of trait status has 5 samples"),
        (lambda d: (d, "height", {"kind": "binary"}), "38 distinct values, not two"),
        (lambda d: (d, "subtype", {"kind": "binary"}), "3 distinct values, not two"),
        (lambda d: (d, "height", {"kind": "multiclass"}), "too many for classes"),
        (lambda d: (replace(d, phenotypes=d.phenotypes * np.nan), "height"), "has no phenotype at all"),
        (lambda d: (replace(d, phenotypes=d.phenotypes * 0 + 1), "height"), "is 1 in all 38 samples"),
    ],
)
def test_mistakes(dataset, change, message):
    data, trait, *options = change(dataset)
    with pytest.raises(DataError) as error:
        make_task(data, trait, **(options[0] if options else {}))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
