"""The published effects tables: written as the scripts write them, from simulations whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.config import EngineSpec
from gpatlas.config.simulation import SimulationSpec
from gpatlas.engines import make_dataset
from gpatlas.errors import DataError
from gpatlas.simulate import simulate
from tests.published import write_effects, write_tables

DILUTION = "qhaplo_{n_qtl}qtl_{n_markers}marker_{n_samples}n_rep{rep}"
PLEIOTROPY = "qhaplo_{n_qtl}qtl_{n_samples}n_{genetic_correlation}pleio_{n_traits}trait_rep{rep}"


def spec(n_samples, n_loci, *traits, h2=0.999):
    return SimulationSpec.parse(
        {
            "founders": {"n_individuals": n_samples, "loci_per_chromosome": n_loci},
            "traits": [{"use_var_a": False} | trait for trait in traits],
            "phenotypes": {"h2_broad": h2},
        },
        "test",
    )


def dilution(n_samples, n_markers, n_qtl):
    """Two calls, relAA 0 and 1, each with QTL of its own."""
    return spec(n_samples, n_markers, *({"qtl_per_chromosome": n_qtl, "rel_aa": r} for r in (0, 1)), h2=0.9999)


def written(directory, wanted, row, pattern, seed=1, **how):
    """Simulate, write the three tables, read them: what was simulated and what was read."""
    data = simulate(wanted, seed)
    stem = directory / pattern.format(**row)
    write_tables(stem, data.dosage(), data.phenotypes)
    write_effects(stem, data, **how)
    return data, stem


def assert_truth(read, data):
    """All effects, pairs and values are the simulated ones, in the order of traits and loci."""
    np.testing.assert_array_equal(read.dosage(), data.dosage())
    np.testing.assert_allclose(read.phenotypes, data.phenotypes)
    found, true = read.truth, data.truth
    for name in ("trait", "locus"):
        np.testing.assert_array_equal(getattr(found.effects, name), getattr(true.effects, name))
    np.testing.assert_allclose(found.effects.additive, true.effects.additive, rtol=1e-13)

    def sorted_pairs(pairs):
        low, high = np.minimum(pairs.locus_1, pairs.locus_2), np.maximum(pairs.locus_1, pairs.locus_2)
        order = np.lexsort((low, pairs.trait))
        return np.column_stack([pairs.trait, low, high])[order], pairs.epistatic[order]

    for one, other in zip(sorted_pairs(found.pairs), sorted_pairs(true.pairs), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)
    np.testing.assert_allclose(found.genetic_values, true.genetic_values, atol=1e-10)
    np.testing.assert_allclose(found.breeding_values, true.breeding_values, atol=1e-10)
    for name in ("var_a", "var_aa", "var_g"):
        np.testing.assert_allclose(found.traits[name], true.traits[name], atol=1e-10)


@given(st.integers(0, 1000), st.sampled_from([(12, 12), (13, 12), (40, 12), (200, 2), (30, 28)]), st.booleans())
def test_dilution_comes_back_right_whichever_rows_hold_the_pairs(tmp_path_factory, seed, shape, by_number):
    n_markers, n_qtl = shape
    row = {"n_samples": 60, "n_qtl": n_qtl, "n_markers": n_markers, "heritability": 0.9999, "rep": 3}
    directory = tmp_path_factory.mktemp("tables")
    wanted = dilution(60, n_markers, n_qtl)
    data, stem = written(directory, wanted, row, DILUTION, seed, by_number=by_number)
    assert stem.name == f"qhaplo_{n_qtl}qtl_{n_markers}marker_60n_rep3"
    engine = EngineSpec(name="tables", directory=str(directory), pattern=DILUTION)
    assert_truth(make_dataset(wanted, engine, 1, row), data)


@pytest.mark.parametrize("n_traits", [10, 100])
@pytest.mark.parametrize(("correlation", "spelt"), [(0.0, "0"), (0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.95, "0.95")])
def test_pleiotropy_comes_back_right(tmp_path, n_traits, correlation, spelt):
    """One call with shared pairing; at correlation 0 one call per trait, each with its own."""
    shared = {"qtl_per_chromosome": 20, "rel_aa": 1, "n_traits": n_traits, "cor_a": correlation}
    alone = {"qtl_per_chromosome": 20, "rel_aa": 1}
    wanted = spec(80, 20, *([shared] if correlation else [alone] * n_traits))
    row = {"n_samples": 80, "n_qtl": 20, "n_traits": n_traits, "genetic_correlation": correlation}
    row |= {"pairing": "shared", "heritability": 0.999, "rep": 2}
    data, stem = written(tmp_path, wanted, row | {"genetic_correlation": spelt}, PLEIOTROPY)
    assert stem.name == f"qhaplo_20qtl_80n_{spelt}pleio_{n_traits}trait_rep2"
    read = make_dataset(wanted, EngineSpec(name="tables", directory=str(tmp_path), pattern=PLEIOTROPY), 1, row)
    assert_truth(read, data)
    pairs = read.truth.pairs
    pairings = {
        tuple(zip(pairs.locus_1[t], pairs.locus_2[t], strict=True))
        for t in np.split(np.arange(10 * n_traits), n_traits)
    }
    assert len(pairings) == (1 if correlation else n_traits)


def edit(stem, change):
    """Change rows of the effects table, given as a list of lists of text."""
    path = stem.with_name(stem.name + "_eff.txt")
    rows = [line.split() for line in path.read_text().splitlines()]
    change(rows)
    path.write_text("\n".join(" ".join(row) for row in rows) + "\n")


def shift(rows):
    """Partners sit one row too low."""
    for row, above in zip(rows[12:1:-1], rows[11:0:-1], strict=True):
        row[3:5] = above[3:5]


def lose_one(rows):
    rows[1][3:5] = ["NA", "NA"]


def too_high(rows):
    rows[1][3] = "11"


def not_mutual(rows):
    rows[1][3], rows[2][3] = rows[2][3], rows[1][3]


def other_effect(rows):
    rows[41][4] = "0.5"


def no_effect(rows):
    rows[1][4] = "NA"


def own_partner(rows):
    rows[1][3] = "1"


def twice(rows):
    rows.append(rows[1])


def fraction(rows):
    rows[1][1] = "1.5"


DAMAGE = {
    shift: "trait 1: 11 loci have a partner and 10 an additive effect; they are neither the same loci nor",
    lose_one: "9 loci have a partner and 10 an additive effect; they are neither the same loci nor",
    too_high: r"trait 1: partner 11 is not among the QTL 1\.\.10",
    not_mutual: r"trait 1, locus \d+: its partner \d+ does not list it with the same epi_eff",
    other_effect: r"trait 2, locus \d+: its partner \d+ does not list it with the same epi_eff",
    no_effect: "trait 1, locus 1: a partner without epi_eff",
    own_partner: r"trait 1, locus \d+: its partner \d+ does not list it",
    twice: "trait 1: a locus has more than one row",
    fraction: r"locus 1\.5 is not among 1\.\.40",
}


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_partners_that_make_no_pairs_are_refused(tmp_path, damage):
    row = {"n_samples": 60, "n_qtl": 10, "n_markers": 40, "rep": 1}
    wanted = dilution(60, 40, 10)
    _, stem = written(tmp_path, wanted, row, DILUTION)
    edit(stem, damage)
    engine = EngineSpec(name="tables", directory=str(tmp_path), pattern=DILUTION)
    with pytest.raises(DataError, match=DAMAGE[damage]) as error:
        make_dataset(wanted, engine, 1, row)
    assert "\n" not in str(error.value)


def test_effects_that_are_not_those_of_the_phenotypes_are_refused(tmp_path):
    row = {"n_samples": 500, "n_qtl": 10, "n_markers": 40, "rep": 1}
    wanted = dilution(500, 40, 10)
    _, stem = written(tmp_path, wanted, row, DILUTION)
    engine = EngineSpec(name="tables", directory=str(tmp_path), pattern=DILUTION)
    make_dataset(wanted, engine, 1, row)

    def other_pairing(rows):  # a pairing like any other, but not that of the phenotypes
        second = rows[41:]
        for row, k in zip(second, [2, 1, 4, 3, 6, 5, 8, 7, 10, 9], strict=False):
            row[3], row[4] = str(k), "0.3"

    edit(stem, other_pairing)
    with pytest.raises(
        DataError, match=r"the effects of Trait2 give genetic values whose correlation .* at H² = 0\.9999"
    ):
        make_dataset(wanted, engine, 1, row)
