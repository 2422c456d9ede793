"""AlphaSimR's own crosses, rebuilt from its parents and its record of recombinations, bit by bit."""

import numpy as np
import pytest

from gpatlas.errors import DataError
from gpatlas.simulate import Population, Recombinations, concatenate, from_haplotypes, make_cross, make_dh, quick_haplo
from gpatlas.simulate.recording import drop_haplotypes
from tests import golden

CASES = sorted(golden.SHARED.glob("cross_*.json.gz"))


def population(case: dict, pop: dict) -> Population:
    maps = case["simParam"]["genMap"]
    maps = list(maps.values()) if isinstance(maps, dict) else maps
    rows = np.concatenate([[list(map(int, row)) for row in rows] for rows in pop["haplotypes"]], axis=1)
    made = from_haplotypes(
        rows, np.repeat(np.arange(len(maps)), [len(m) for m in maps]), np.concatenate(maps), ploidy=pop["ploidy"]
    )
    return made.like(made.haplotypes, id=np.atleast_1d(pop["iid"]))


def recombinations(case: dict, pop: dict) -> Recombinations:
    """The first half of an individual's haplotypes came from its mother (AlphaSimR's pedigree has plants, not ids)."""
    lists = [np.array(chromosomes[h]) for individual in pop["recHist"] for h in range(pop["ploidy"])
             for chromosomes in individual]  # fmt: skip
    parents = np.array(case["pedigree"])[np.atleast_1d(pop["iid"]) - 1, :2]
    stretches = np.concatenate(lists).astype(np.int32)
    return Recombinations(
        np.repeat(parents, max(1, pop["ploidy"] // 2), axis=1)[:, : pop["ploidy"]],
        np.concatenate([[0], np.cumsum([len(stretch) for stretch in lists])]),
        stretches[:, 0],
        stretches[:, 1],
    )


@pytest.mark.skipif(not CASES, reason="the reference data are not here")
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.split(".")[0])
def test_golden_crosses_are_rebuilt(path):
    case, rebuilt = golden.load(path), 0
    everyone = {name: population(case, pop) for name, pop in case["pops"].items()}
    for name, pop in case["pops"].items():
        if "recHist" not in pop:
            continue
        record = recombinations(case, pop)
        of_ploidy = [p for p in everyone.values() if np.isin(record.parent, p.id).any()]
        bits = drop_haplotypes(concatenate(of_ploidy), record)
        np.testing.assert_array_equal(bits.bits, everyone[name].haplotypes.bits, err_msg=name)
        rebuilt += len(bits)
    assert rebuilt >= 20


@pytest.mark.parametrize("ploidy", [2, 4, 6])
def test_our_own_progeny_are_rebuilt(ploidy):
    parents = quick_haplo(6, [50, 1, 33], np.random.default_rng(1), ploidy=ploidy, genetic_length=4.0)
    progeny = make_cross(parents, [[0, 1], [5, 4]], np.random.default_rng(2), 10, record=True)
    kept = progeny.take(np.array([19, 3, 3]))
    for some in (progeny, kept, concatenate([progeny, kept])):
        assert (drop_haplotypes(parents, some.recombinations).bits == some.haplotypes.bits).all()
    rows = progeny.recombinations.of(0, 0, 0)
    assert rows[0, 1] == 1
    assert (np.diff(rows[:, 1]) > 0).all()
    assert (np.diff(rows[:, 0]) != 0).all()


def test_doubled_haploids_are_rebuilt():
    parents = quick_haplo(3, [50, 20], np.random.default_rng(1), ploidy=2)
    lines = make_dh(parents, np.random.default_rng(2), 4, record=True)
    assert (drop_haplotypes(parents, lines.recombinations).bits == lines.haplotypes.bits).all()
    again = make_dh(lines, np.random.default_rng(2), record=True)
    assert (drop_haplotypes(lines, again.recombinations).bits == again.haplotypes.bits).all()


def test_records_that_do_not_fit_are_refused():
    parents = quick_haplo(3, [50, 20], np.random.default_rng(1), ploidy=2)
    record = make_cross(parents, [[0, 1]], np.random.default_rng(2), record=True).recombinations
    with pytest.raises(DataError, match="parent 2 is no individual's id"):
        drop_haplotypes(parents.take(np.array([0])), record)
    with pytest.raises(DataError, match="2 chromosomes, the parents have 1"):
        drop_haplotypes(quick_haplo(3, [70], np.random.default_rng(1), ploidy=2), record)
    four = quick_haplo(3, [50, 20], np.random.default_rng(1), ploidy=4)
    of_four = make_cross(four, [[0, 1]] * 9, np.random.default_rng(2), record=True).recombinations
    with pytest.raises(DataError, match="haplotype 4 of parents of ploidy 2"):
        drop_haplotypes(parents, of_four)


def test_crossovers_without_a_trace_are_not_recorded():
    """On 30 Morgan with four loci most crossovers fall between the same two loci; records alternate all the same."""
    parents = quick_haplo(2, [4], np.random.default_rng(1), ploidy=2, genetic_length=30.0)
    record = make_cross(parents, [[0, 1]] * 50, np.random.default_rng(2), record=True).recombinations
    for individual in range(50):
        for side in (0, 1):
            rows = record.of(individual, side, 0)
            assert (np.diff(rows[:, 0]) != 0).all()
            assert (np.diff(rows[:, 1]) > 0).all()
            assert rows[0, 1] == 1
            assert rows[-1, 1] <= 4
