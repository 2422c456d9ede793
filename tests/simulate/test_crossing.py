"""Crosses: whose alleles, how many, in which order, from which plan, and what is refused."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.errors import ConfigError, DataError
from gpatlas.packed import PackedBits
from gpatlas.simulate import (
    FEMALE,
    MALE,
    Meiosis,
    Population,
    backcross,
    concatenate,
    double_genome,
    from_haplotypes,
    gametes,
    make_cross,
    make_cross2,
    make_dh,
    merge_genome,
    quick_haplo,
    rand_cross,
    rand_cross2,
    reduce_genome,
    self_pollinate,
)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def founders(n=10, sites=(40, 25), ploidy=2, **options) -> Population:
    return quick_haplo(n, sites, rng(9), ploidy=ploidy, **options)


def by_copy(population: Population) -> np.ndarray:
    """Alleles `(n_individuals, ploidy, n_loci)`."""
    rows = population.haplotypes.unpack().reshape(population.n_individuals, population.copies, population.n_loci)
    return np.repeat(rows, population.ploidy // population.copies, axis=1)


def same(one: Population, other: Population) -> bool:
    return (one.haplotypes.bits == other.haplotypes.bits).all()


@given(
    ploidy=st.sampled_from([2, 4, 6]),
    inbred=st.booleans(),
    sites=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    meiosis=st.builds(Meiosis, v=st.floats(0.3, 20), p=st.floats(0, 1), female_to_male=st.floats(0.1, 5)),
)
def test_every_allele_is_one_of_its_parents(ploidy, inbred, sites, seed, meiosis):
    parents = quick_haplo(4, sites, rng(seed), ploidy=ploidy, inbred=inbred, genetic_length=3.0)
    parents = parents.like(parents.haplotypes, meiosis=meiosis)
    progeny = make_cross(parents, [[0, 1], [2, 2], [3, 0]], rng(seed), n_progeny=2, record=True)
    assert progeny.n_individuals == 6
    assert (progeny.mother == [1, 1, 3, 3, 4, 4]).all()
    assert (progeny.father == [2, 2, 3, 3, 1, 1]).all()
    assert (progeny.id == np.arange(5, 11)).all()
    alleles, half = by_copy(progeny), ploidy // 2
    for side, ids in ((alleles[:, :half], progeny.mother), (alleles[:, half:], progeny.father)):
        dosage, of_parent = side.sum(axis=1), by_copy(parents)[ids - 1].sum(axis=1)
        assert (dosage <= of_parent).all()  # a gamete holds no more of an allele than its parent,
        assert (half - dosage <= ploidy - of_parent).all()  # of either allele
    padding = np.unpackbits(progeny.haplotypes.bits, axis=1, bitorder="little")[:, progeny.n_loci :]
    assert not padding.any()


def test_a_gamete_is_a_mosaic_of_the_parents_haplotypes():
    sites = 200
    parent = from_haplotypes(np.array([[0] * sites, [1] * sites]), np.ones(sites), np.linspace(0, 2, sites), ploidy=2)
    switches = np.abs(np.diff(self_pollinate(parent, rng(), 4_000).haplotypes.unpack().astype(int), axis=1)).sum(axis=1)
    assert abs(switches.mean() - 2) < 4 * np.sqrt(1.42 / 8_000)


@pytest.mark.parametrize("seed", range(3))
def test_bytes_do_not_depend_on_the_number_of_threads(seed, monkeypatch):
    monkeypatch.setattr(gametes, "WORTH_SHARING", 0)
    monkeypatch.setattr(gametes, "GAMETES_AT_ONCE", 7)
    shared = rand_cross(founders(), 40, rng(seed), 3)
    monkeypatch.undo()
    assert same(shared, rand_cross(founders(), 40, rng(seed), 3))


def test_bytes_with_two_threads_in_another_process():
    code = (
        "import hashlib, numpy as np; from gpatlas.simulate import gametes, quick_haplo, rand_cross\n"
        "gametes.WORTH_SHARING = 0\n"
        "r = np.random.default_rng(3); p = quick_haplo(30, [300] * 4, r, ploidy=2)\n"
        "print(hashlib.sha256(rand_cross(p, 400, r, 3).haplotypes.bits).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"OPENBLAS_NUM_THREADS": n, "OMP_NUM_THREADS": n},
            capture_output=True, text=True, check=True,
        ).stdout
        for n in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


def test_same_seed_same_bytes_and_recording_changes_nothing():
    plan = [[0, 1], [1, 2]]
    one, again, recorded = (make_cross(founders(), plan, rng(5), 20, record=r) for r in (False, False, True))
    assert same(one, again)
    assert same(one, recorded)
    assert not same(one, make_cross(founders(), plan, rng(6), 20))


def test_plans_by_id():
    parents = founders().take(np.array([7, 2, 5]))
    progeny = make_cross(parents, [[8, 3]], rng(), by_id=True)
    assert (progeny.mother[0], progeny.father[0]) == (8, 3)
    assert same(progeny, make_cross(parents, [[0, 1]], rng()))


def test_selfing_halves_heterozygosity():
    line = quick_haplo(1, [2_000] * 5, rng(), ploidy=2, genetic_length=3.0)
    start = (line.dosage(slice(0, 1)) == 1).mean()
    lines = self_pollinate(line, rng(2), 400)
    for generation in range(1, 4):
        if generation > 1:
            lines = self_pollinate(lines, rng(10 + generation))
        found = (lines.dosage(slice(0, 400)) == 1).mean(axis=1)
        assert abs(found.mean() - start / 2**generation) < 4 * found.std() / np.sqrt(400)


def test_doubled_haploids_are_homozygous_gametes():
    parents = founders(3)
    lines = make_dh(parents, rng(), 5)
    assert lines.inbred
    assert lines.n_individuals == 15
    assert set(np.unique(lines.dosage(slice(0, 15)))) <= {0, 2}
    assert same(lines, reduce_genome(parents, rng(), 5))
    crossed = make_cross(lines, [[0, 14]], rng())
    assert (by_copy(crossed)[0] == lines.haplotypes.unpack()[[0, 14]]).all()


def test_pedigree_of_selfs_and_lines():
    f1 = make_cross(founders(), [[0, 1], [2, 3]], rng())
    for make in (self_pollinate, make_dh, reduce_genome):
        kept, own = make(f1, rng(), 2), make(f1, rng(), 2, keep_parents=False)
        assert (kept.mother == [1, 1, 3, 3]).all()
        assert (kept.father == [2, 2, 4, 4]).all()
        assert (own.mother == [11, 11, 12, 12]).all()
        assert (own.father == own.mother).all()
        assert (kept.id == [13, 14, 15, 16]).all()
    assert (self_pollinate(f1, rng(), first_id=99).id == [99, 100]).all()


def test_backcrosses_recover_the_recurrent_parent():
    sites = 500
    pair = from_haplotypes(
        np.repeat([0, 1], 2 * sites).reshape(4, sites), np.ones(sites), np.linspace(0, 1, sites), ploidy=2
    )
    donor, recurrent = pair.take(np.array([0])), pair.take(np.array([1]))
    generation = make_cross2(donor, recurrent, [[0, 0]] * 2_000, rng(1))
    for t in range(1, 4):
        assert generation.haplotypes.unpack(slice(0, 4_000, 2)).mean() == pytest.approx(1 - 2.0 ** -(t - 1), abs=0.02)
        generation = backcross(generation, recurrent, rng(t))
        assert (by_copy(generation)[:, 1] == 1).all()
    with pytest.raises(DataError, match="3 recurrent parents for 2000 individuals"):
        backcross(generation, generation.take(np.arange(3)), rng())


def test_ploidies_halve_double_and_merge():
    parents = founders(4, ploidy=4)
    gamete = reduce_genome(parents, rng(), 2)
    assert (gamete.ploidy, gamete.n_individuals) == (2, 8)
    whole = by_copy(reduce_genome(parents, rng(), 200, recombination=False))
    # without recombination every chromosome is one of its parent's, and the two are different homologues
    for i, parent in enumerate(by_copy(parents)):
        first = whole[200 * i : 200 * (i + 1), :, :40]
        which = (first[:, :, None] == parent[None, None, :, :40]).all(axis=3)
        assert which.any(axis=2).all()
        assert (which.argmax(axis=2)[:, 0] != which.argmax(axis=2)[:, 1]).all()
    doubled = double_genome(gamete)
    assert (by_copy(doubled) == np.repeat(by_copy(gamete), 2, axis=1)).all()
    haploids = founders(3, ploidy=1)
    assert double_genome(haploids).inbred
    merged = merge_genome(haploids, gamete, [[0, 7], [2, 1]])
    assert merged.ploidy == 3
    assert (by_copy(merged)[1] == np.concatenate([by_copy(haploids)[2], by_copy(gamete)[1]])).all()
    triploid = make_cross2(parents, founders(2), [[0, 1]], rng())
    assert triploid.ploidy == 3


@given(n=st.integers(2, 9), n_crosses=st.integers(1, 60), seed=st.integers(0, 99))
def test_random_crosses_without_sexes_are_a_half_diallel(n, n_crosses, seed):
    progeny = rand_cross(founders(n), n_crosses, rng(seed))
    pairs = np.stack([progeny.mother, progeny.father], axis=1)
    assert (pairs[:, 0] < pairs[:, 1]).all()
    counts = np.unique(pairs, axis=0, return_counts=True)[1]
    n_pairs = n * (n - 1) // 2
    complete = -(-n_crosses // n_pairs) - 1
    assert len(counts) == min(n_crosses, n_pairs)
    assert set(counts) <= {complete, complete + 1}
    part = pairs[: n_crosses - complete * n_pairs]
    assert (np.lexsort(part.T[::-1]) == np.arange(len(part))).all()


@given(n_crosses=st.integers(1, 40), seed=st.integers(0, 99), balance=st.booleans())
def test_random_crosses_with_sexes(n_crosses, seed, balance):
    parents = founders(9).with_sexes("systematic")
    assert (parents.sex[:3] == [MALE, FEMALE, MALE]).all()
    progeny = rand_cross(parents, n_crosses, rng(seed), balance=balance)
    assert (parents.sex[progeny.mother - 1] == FEMALE).all()
    assert (parents.sex[progeny.father - 1] == MALE).all()
    assert (progeny.sex == parents.with_sexes("systematic").sex[np.arange(n_crosses) % 2]).all()
    if balance:
        for used, n in ((progeny.mother, 4), (progeny.father, 5)):
            assert max(np.bincount(used)) - -(-n_crosses // n) <= 0
    else:
        pairs = np.stack([progeny.mother, progeny.father], axis=1)
        assert len(np.unique(pairs, axis=0)) == min(n_crosses, 20)


def test_the_balanced_plan_is_that_of_the_golden_case():
    """In randCross with four females and five males, turn i of the males starts one place further."""
    parents = founders(8).with_sexes("systematic")
    fathers = rand_cross(parents, 12, rng(3)).father.reshape(3, 4)
    for turn in (1, 2):
        assert (fathers[turn] == np.roll(fathers[turn - 1], -1)).all()


def test_random_crosses_of_two_populations():
    females, males = founders(4), founders(6)
    progeny = rand_cross2(females, males, 12, rng())
    assert (np.bincount(progeny.mother)[1:] == 3).all()
    assert (np.bincount(progeny.father)[1:] == 2).all()
    sexed = rand_cross2(females.with_sexes("random", rng(1)), males.with_sexes("systematic"), 5, rng(), balance=False)
    assert set(sexed.father) <= {1, 3, 5}


def test_populations_together():
    parents = founders(4)
    lines = make_dh(parents, rng(), first_id=50)
    both = concatenate([parents, lines])
    assert not both.inbred
    assert (by_copy(both) == np.concatenate([by_copy(parents), by_copy(lines)])).all()
    assert (both.id == [1, 2, 3, 4, 50, 51, 52, 53]).all()
    assert concatenate([lines, lines]).inbred
    with pytest.raises(DataError, match="ploidy 2 and 4"):
        concatenate([parents, founders(2, ploidy=4)])
    with pytest.raises(DataError, match="65 and 30 loci"):
        concatenate([parents, founders(2, (30,))])
    with pytest.raises(DataError, match="position of locus 2"):
        make_cross2(parents, founders(2, genetic_length=2.0), [[0, 0]], rng())


@pytest.mark.parametrize(
    ("parents", "plan", "message"),
    [
        (founders(3, ploidy=1), [[0, 1]], "ploidy 1 cannot be crossed"),
        (founders(3, ploidy=3), [[0, 1]], "ploidy 3 cannot be crossed"),
        (founders(3), [[0, 3]], "father 3 is not among the 3 individuals"),
        (founders(3), [[-1, 0]], "mother -1 is not among"),
        (founders(3), [0, 1], r"shape \(2,\)"),
        (founders(3), [[0.5, 1.0]], "not integers"),
    ],
)
def test_bad_crosses_are_refused(parents, plan, message):
    with pytest.raises(DataError, match=message):
        make_cross(parents, plan, rng())


def test_other_bad_input_is_refused():
    with pytest.raises(DataError, match="father 12 is no individual's id; 3 individuals"):
        make_cross(founders(3), [[1, 12]], rng(), by_id=True)
    with pytest.raises(DataError, match="1 parent cannot be crossed"):
        rand_cross(founders(3), 2, rng(), parents=[1])
    with pytest.raises(DataError, match="rand_cross: 2 stands twice among the parents"):
        rand_cross(founders(3), 2, rng(), parents=[2, 1, 2])
    with pytest.raises(DataError, match="parents: 3 is not among the 3 individuals"):
        rand_cross(founders(3), 2, rng(), parents=[1, 3])
    with pytest.raises(DataError, match="no female among 2"):
        rand_cross(founders(4).with_sexes("systematic"), 2, rng(), parents=[0, 2])
    with pytest.raises(DataError, match="ploidy is 4"):
        make_dh(founders(2, ploidy=4), rng())
    with pytest.raises(DataError, match="ploidy 3 is odd"):
        reduce_genome(founders(2, ploidy=3), rng())
    with pytest.raises(DataError, match="'yes' is not one of no, systematic, random"):
        founders().with_sexes("yes")
    with pytest.raises(DataError, match="positions must be finite and ascend"):
        self_pollinate(from_haplotypes(np.zeros((2, 3)), np.ones(3), [0, 2, 1], ploidy=2), rng())
    with pytest.raises(DataError, match="locus 1 lies at nan Morgan on chromosome 1; positions must be finite"):
        self_pollinate(from_haplotypes(np.zeros((2, 3)), np.ones(3), [np.nan, 1, 2], ploidy=2), rng())
    with pytest.raises(DataError, match="n_progeny = -1 is negative"):
        make_cross(founders(), [[0, 1]], rng(), -1)
    with pytest.raises(DataError, match="n_crosses = -2 is negative"):
        rand_cross(founders(), -2, rng())
    other = founders().like(founders().haplotypes, meiosis=Meiosis(v=1))
    with pytest.raises(DataError, match="recombine differently"):
        make_cross2(founders(), other, [[0, 0]], rng())
    for settings in ({"v": 0.0}, {"p": 1.5}, {"female_to_male": -1.0}):
        with pytest.raises(ConfigError, match=next(iter(settings))):
            Meiosis(**settings)
    with pytest.raises(DataError, match="id has shape"):
        Population(PackedBits.pack(np.zeros((2, 3))), 1, False, np.ones(3), np.zeros(3), id=np.ones(3))
