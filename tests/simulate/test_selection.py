"""Selection, families and the pedigree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.errors import DataError
from gpatlas.simulate import (
    FEMALE,
    MALE,
    Pedigree,
    Population,
    family_codes,
    make_cross,
    make_dh,
    open_pollinate,
    quick_haplo,
    rand_cross,
    select_families,
    select_individuals,
    select_within_family,
    self_pollinate,
    smith_hazel,
)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def founders(n: int = 8) -> Population:
    return quick_haplo(n, [30], rng(), ploidy=2)


@given(values=st.lists(st.integers(0, 5), min_size=8, max_size=8), n=st.integers(0, 8), top=st.booleans())
def test_the_best_come_first_and_ties_in_the_order_of_individuals(values, n, top):
    chosen = select_individuals(founders(), values, n, top=top)
    expected = sorted(range(8), key=lambda i: (-values[i] if top else values[i], i))[:n]
    assert list(chosen) == expected
    assert (founders().take(chosen).id == np.array(expected, dtype=int) + 1).all()


def test_selection_within_sexes_and_candidates():
    population, values = founders().with_sexes("systematic"), np.arange(8.0)
    assert list(select_individuals(population, values, 2, sex=FEMALE)) == [7, 5]
    assert list(select_individuals(population, values, 2, sex=MALE)) == [6, 4]
    assert list(select_individuals(population, values, 2, sex=MALE, candidates=[0, 1, 2, 3])) == [2, 0]
    assert list(select_individuals(founders(), values, 2, sex=MALE)) == [7, 6]  # no sexes, no filter
    assert list(select_individuals(population, values, 1, candidates=values < 3)) == [2]


@pytest.fixture(scope="module")
def families() -> Population:
    """Three full-sib families of four: 1 × 2, 3 × 4 and 1 × 4."""
    return make_cross(founders(), [[0, 1], [2, 3], [0, 3]], rng(), 4)


def test_family_codes(families):
    shuffled = families.take(np.array([5, 0, 9, 4, 1]))
    assert list(family_codes(shuffled)) == [0, 1, 2, 0, 1]
    assert list(family_codes(shuffled, "mother")) == [0, 1, 1, 0, 1]
    assert list(family_codes(shuffled, "father")) == [0, 1, 0, 0, 1]
    with pytest.raises(DataError, match="'dam' is not one of both, mother, father"):
        family_codes(families, "dam")
    lines = self_pollinate(families, rng(), 2)  # lines keep the family of their cross
    assert list(family_codes(lines)) == [0] * 8 + [1] * 8 + [2] * 8


@given(seed=st.integers(0, 99), n=st.integers(0, 4), top=st.booleans())
def test_selection_within_families_is_selection_in_each(families, seed, n, top):
    values = rng(seed).integers(0, 4, 12).astype(float)
    each = [select_individuals(families, values, n, top=top, candidates=np.arange(4) + 4 * f) for f in range(3)]
    assert list(select_within_family(families, values, n, top=top)) == list(np.concatenate(each))


def test_selection_of_families_is_by_their_means(families):
    values = np.repeat([1.0, 3.0, 2.0], 4) + rng().normal(0, 0.01, 12)
    assert list(select_families(families, values, 1)) == [4, 5, 6, 7]
    assert list(select_families(families, values, 2)) == list(range(4, 12))
    assert list(select_families(families, values, 1, top=False)) == [0, 1, 2, 3]
    assert list(select_families(families, values, 1, family="mother")) == [4, 5, 6, 7]
    assert list(select_families(families, values, 1, candidates=[0, 1, 8])) == [8]


def test_bad_selections_are_refused(families):
    values = np.arange(12.0)
    with pytest.raises(DataError, match="13 individuals were asked for, there are 12"):
        select_individuals(families, values, 13)
    with pytest.raises(DataError, match=r"shape \(3,\), not one for each of 12"):
        select_individuals(families, values[:3], 1)
    with pytest.raises(DataError, match="1 of 12 values are missing"):
        select_individuals(families, np.where(values == 3, np.nan, values), 1)
    with pytest.raises(DataError, match="3 members of family 1 were asked for, there are 2"):
        select_within_family(families, values, 3, candidates=[0, 1, 2, 4, 5, 8, 9, 10])
    with pytest.raises(DataError, match="4 families were asked for, there are 3"):
        select_families(families, values, 4)
    for wrong, message in (
        ([0, -1], "candidates: -1 is not among the 12 individuals, which are numbered 0 to 11"),
        ([3, 12], "candidates: 12 is not among"),
        (np.ones(3, bool), r"an array of bool and shape \(3,\) was given; indices or a mask of 12 individuals"),
        ([0.5], "an array of float64"),
    ):
        with pytest.raises(DataError, match=message):
            select_individuals(families, values, 1, candidates=wrong)


def test_a_mask_names_individuals_as_indices_do(families):
    chosen, n = np.array([2, 5, 11]), families.n_individuals
    mask = np.isin(np.arange(n), chosen)
    np.testing.assert_array_equal(
        select_individuals(families, np.arange(n), 2, candidates=mask),
        select_individuals(families, np.arange(n), 2, candidates=chosen),
    )
    for cross in (
        lambda who: rand_cross(families, 3, rng(), parents=who),
        lambda who: open_pollinate(families, who, rng(), 3, fathers=who),
    ):
        one, other = cross(mask), cross(chosen)
        np.testing.assert_array_equal(one.mother, other.mother)
        np.testing.assert_array_equal(one.father, other.father)


def test_smith_hazel_is_the_best_linear_predictor():
    """The index correlates with the aggregate value as no other linear index of the phenotypes does."""
    g = np.array([[1.0, 0.3], [0.3, 0.5]])
    p = g + np.diag([1.0, 3.0])
    a = np.array([1.0, 2.0])
    b = smith_hazel(a, g, p)

    def accuracy(weights):
        return (weights @ g @ a) / np.sqrt((weights @ p @ weights) * (a @ g @ a))

    others = rng().standard_normal((200, 2))
    assert accuracy(b) >= max(accuracy(w) for w in others) - 1e-12
    assert accuracy(b) == pytest.approx(np.sqrt((b @ g @ a) / (a @ g @ a)))
    with pytest.raises(DataError, match="two square matrices"):
        smith_hazel(a, g[:1], p)
    with pytest.raises(DataError, match="var_p is singular"):
        smith_hazel(a, g, np.ones((2, 2)))


def test_the_pedigree_keeps_ids_unique_over_crosses():
    start = founders()
    pedigree = Pedigree.of(start)
    one = make_cross(start, [[0, 1]], rng(), 2, first_id=pedigree.next_id)
    pedigree = pedigree.extended(one)
    other = make_cross(start, [[2, 3]], rng(), 2, first_id=pedigree.next_id)
    lines = make_dh(one, rng(), first_id=other.id.max() + 1, keep_parents=False)
    pedigree = pedigree.extended(other).extended(lines)
    assert list(pedigree.id) == list(range(1, 15))
    assert list(pedigree.mother[8:]) == [1, 1, 3, 3, 9, 10]
    assert list(pedigree.father[8:]) == [2, 2, 4, 4, 9, 10]
    assert list(pedigree.generation()) == [0] * 8 + [1] * 4 + [2] * 2
    again = make_cross(start, [[2, 3]], rng())
    with pytest.raises(DataError, match="id 9 is there twice; give the cross first_id=15"):
        pedigree.extended(again)
    with pytest.raises(DataError, match="mother 1 of individual 9 is not there"):
        Pedigree.of(one)


def test_open_pollination():
    progeny = open_pollinate(founders(), [1, 4], rng(), 400, self_probability=0.25)
    mother, father = progeny.mother.reshape(2, 400), progeny.father.reshape(2, 400)
    assert (mother == [[2], [5]]).all()
    selfed = mother == father
    assert abs(selfed.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 800)
    assert (np.diff(selfed.astype(int), axis=1) <= 0).all()  # selfed seeds come first
    counts = np.bincount(father[~selfed], minlength=9)[1:]
    assert (abs(counts[[0, 2, 3, 5, 6, 7]] - 600 / 7) < 4 * np.sqrt(600 / 7)).all()
    controlled = open_pollinate(founders(), [1, 4], rng(), 50, fathers=[1, 4])
    assert (controlled.father == np.repeat([5, 2], 50)).all()
    with pytest.raises(DataError, match="mother 1 has no possible father but herself"):
        open_pollinate(founders(), [1], rng(), 5, fathers=[1])
