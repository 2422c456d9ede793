"""Layouts: the order of markers, with a map and without."""

import json

import numpy as np
import pytest

from gpatlas.dataset import Dataset
from gpatlas.errors import DataError
from gpatlas.nn.perceiver.layout import MOST_LOCI, Layout, account_of_places
from gpatlas.nn.perceiver.linkage import linkage_order


def dataset(dosage, locus_id=None, chromosome=None, position=None, unit=""):
    n, p = dosage.shape
    return Dataset(
        genotypes=dosage.astype(np.int8),
        phenotypes=np.empty((n, 0)),
        sample_id=np.array([f"s{i}" for i in range(n)]),
        locus_id=np.array([f"m{j}" for j in range(p)] if locus_id is None else locus_id),
        trait_id=np.empty(0, dtype="S1"),
        ploidy=2,
        fold=np.zeros(n, dtype=np.uint8),
        chromosome=np.full(p, "") if chromosome is None else np.array(chromosome),
        position=np.full(p, np.nan) if position is None else np.array(position, dtype=float),
        position_unit=unit,
    )


def test_markers_lie_by_position_on_chromosomes_in_the_order_of_the_data():
    data = dataset(np.zeros((2, 5)), chromosome=["7", "10", "7", "10", "7"], position=[30, 5, 10, 2, 20], unit="cM")
    layout, order = Layout.of(data)
    assert order.tolist() == [2, 4, 0, 3, 1]
    assert layout.locus_id.tolist() == ["m2", "m4", "m0", "m3", "m1"]
    assert layout.number.tolist() == [0, 0, 0, 1, 1]
    assert layout.place.tolist() == [0, 0.5, 1, 0, 0.15]
    again = Layout.of_config(json.loads(json.dumps(layout.as_config())))
    assert again.as_config() == layout.as_config()


def test_without_positions_the_order_is_that_of_the_data():
    layout, order = Layout.of(dataset(np.zeros((2, 4)), chromosome=["b", "a", "b", "a"]))
    assert order.tolist() == [0, 2, 1, 3]
    assert layout.position_unit == ""


def test_a_marker_without_position_stands_last_and_moves_no_other():
    data = dataset(np.zeros((2, 6)), chromosome=list("ababac"), position=[9, np.nan, np.nan, 4, 1, np.nan], unit="cM")
    layout, order = Layout.of(data)
    assert order.tolist() == [4, 0, 2, 3, 1, 5]
    assert layout.position.tolist() == [1, 9, 9, 4, 4, 0]
    assert layout.position_unit == "cM"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"chromosome": ["1"] * 3, "position": [1, 2, 3]}, []),
        ({"chromosome": ["1"] * 3, "position": [1, np.nan, 3]}, ["1 marker has no position and stands last"]),
        ({"chromosome": ["1"] * 3}, ["in the order of the data"]),
        ({}, ["in linkage disequilibrium are put beside each other"]),
    ],
)
def test_it_is_said_how_markers_without_places_are_ordered(changes, said):
    found = account_of_places(dataset(np.zeros((2, 3)), **changes))
    assert len(found) == len(said)
    assert all(words in sentence for words, sentence in zip(said, found, strict=True))


def test_many_markers_without_a_map_stay_in_the_order_of_the_data():
    data = dataset(np.zeros((2, MOST_LOCI + 1)))
    assert np.array_equal(Layout.of(data)[1], np.arange(MOST_LOCI + 1))
    assert "they lie in the order of the data" in account_of_places(data)[0]


def test_without_a_map_markers_in_disequilibrium_lie_beside_each_other():
    rng = np.random.default_rng(1)
    haplotype = rng.integers(0, 2, (80, 12))
    block = rng.permutation(np.repeat(np.arange(12), 7))
    dosage = np.where(rng.random((80, 84)) < 0.05, 1 - haplotype[:, block], haplotype[:, block]) * 2
    dosage[:, block == 3] = 2 - dosage[:, block == 3]  # the other allele is counted: as much disequilibrium
    dosage[rng.random(dosage.shape) < 0.1] = -1
    _, order = Layout.of(dataset(dosage))
    assert sorted(order) == list(range(84))
    assert np.count_nonzero(np.diff(block[order])) == 11  # each block in one piece
    assert np.array_equal(order, linkage_order(dosage.astype(np.int8)))


@pytest.mark.parametrize("n_loci", [1, 2, 3])
def test_few_or_constant_markers_have_an_order(n_loci):
    assert sorted(Layout.of(dataset(np.ones((4, n_loci))))[1]) == list(range(n_loci))


def test_markers_of_one_name_are_refused():
    with pytest.raises(DataError, match="markers must have different names, but a stand more than once"):
        Layout.of(dataset(np.zeros((2, 3)), locus_id=["a", "b", "a"]))
