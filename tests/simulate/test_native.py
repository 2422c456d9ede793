"""The native engine: determinism, scaling, what the truth says, and what is refused."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from gpatlas.config.simulation import SimulationSpec
from gpatlas.dataset import Fold
from gpatlas.errors import ConfigError, DataError
from gpatlas.packed import PackedBits
from gpatlas.simulate import simulate


def spec(**changes) -> SimulationSpec:
    section = {
        "founders": {"n_individuals": 400, "loci_per_chromosome": [40, 20], "ploidy": 2},
        "traits": [{"type": "ADE", "qtl_per_chromosome": 10, "rel_aa": 0.5, "mean_dd": 0.2, "var_dd": 0.1}],
        "phenotypes": {"h2_broad": 0.6},
    }
    return SimulationSpec.parse(section | changes, "test")


def test_the_same_seed_gives_the_same_data(diploid_spec):
    assert simulate(diploid_spec, 1).content_hash == simulate(diploid_spec, 1).content_hash
    assert simulate(diploid_spec, 1).content_hash != simulate(diploid_spec, 2).content_hash


def test_heritability_changes_the_noise_and_nothing_else(haploid_spec):
    noisy = haploid_spec.model_copy(update={"phenotypes": haploid_spec.phenotypes.model_copy(update={"h2_broad": 0.3})})
    a, b = simulate(haploid_spec, 3), simulate(noisy, 3)
    np.testing.assert_array_equal(a.dosage(), b.dosage())
    np.testing.assert_array_equal(a.truth.genetic_values, b.truth.genetic_values)
    errors = [d.phenotypes - d.truth.genetic_values for d in (a, b)]
    np.testing.assert_allclose(errors[1] / errors[0], np.sqrt((1 / 0.3 - 1) / (1 / 0.9 - 1)))


@pytest.mark.parametrize("kind", ["A", "AD", "AE", "ADE"])
@pytest.mark.parametrize("use_var_a", [True, False])
def test_founders_have_the_wanted_mean_and_variance(kind, use_var_a):
    trait = {"type": kind, "qtl_per_chromosome": 10, "mean": 7, "var": 3, "use_var_a": use_var_a}
    if "D" in kind:
        trait |= {"mean_dd": 0.3, "var_dd": 0.2}
    if "E" in kind:
        trait |= {"rel_aa": 0.8}
    truth = simulate(spec(traits=[trait]), 5).truth
    scaled = "var_a" if use_var_a or kind == "A" else "var_g"
    assert truth.traits[scaled][0] == pytest.approx(3, abs=1e-12)
    assert truth.genetic_values.mean() == pytest.approx(7, abs=1e-12)
    assert (truth.traits["var_d"][0] > 1e-6) == ("D" in kind)
    assert (truth.traits["var_aa"][0] > 1e-6) == ("E" in kind)


def test_the_recorded_truth_rebuilds_the_genetic_values(diploids):
    truth, x = diploids.truth, diploids.dosage().astype(float)
    xa, xd = x - 1, x * (2 - x)
    for t in range(diploids.n_traits):
        mine, paired = truth.effects.trait == t, truth.pairs.trait == t
        gv = truth.traits["intercept"][t] + xa[:, truth.effects.locus[mine]] @ truth.effects.additive[mine]
        gv += xd[:, truth.effects.locus[mine]] @ truth.effects.dominance[mine]
        first, second = truth.pairs.locus_1[paired], truth.pairs.locus_2[paired]
        gv += (xa[:, first] * xa[:, second]) @ truth.pairs.epistatic[paired]
        np.testing.assert_allclose(gv, truth.genetic_values[:, t], atol=1e-10)


def test_every_qtl_of_an_epistatic_trait_is_in_exactly_one_pair(haploids):
    pairs, effects = haploids.truth.pairs, haploids.truth.effects
    ends = np.concatenate([pairs.locus_1[pairs.trait == 1], pairs.locus_2[pairs.trait == 1]])
    np.testing.assert_array_equal(np.sort(ends), effects.locus[effects.trait == 1])
    assert not (pairs.trait == 0).any()  # rel_aa = 0: no pair does anything


def test_qtl_of_a_call_are_shared_and_calls_draw_anew():
    two = {"type": "A", "n_traits": 2, "qtl_per_chromosome": 5}
    effects = simulate(spec(traits=[two, two]), 1).truth.effects
    loci = [set(effects.locus[effects.trait == t]) for t in range(4)]
    assert loci[0] == loci[1]
    assert loci[2] == loci[3]
    assert loci[0] != loci[2]
    assert sum(locus < 40 for locus in loci[0]) == 5  # five on each chromosome


def test_pairing_can_be_shared_or_separate():
    trait = {"type": "AE", "n_traits": 3, "qtl_per_chromosome": [40, 20], "rel_aa": 1}
    for pairing, distinct in (("shared", 1), ("separate", 3)):
        pairs = simulate(spec(traits=[trait | {"pairing": pairing}]), 1).truth.pairs
        sets = {
            frozenset(zip(pairs.locus_1[pairs.trait == t], pairs.locus_2[pairs.trait == t], strict=True))
            for t in range(3)
        }
        assert len(sets) == distinct


def test_haploid_genotypes_stay_packed_and_others_are_dosage(haploids, diploids):
    assert isinstance(haploids.genotypes, PackedBits)
    assert set(np.unique(diploids.dosage())) == {0, 1, 2}
    inbred = simulate(spec(founders={"n_individuals": 50, "loci_per_chromosome": 20, "ploidy": 2, "inbred": True}), 1)
    assert set(np.unique(inbred.dosage())) == {0, 2}


def test_names_are_alphasimrs(diploids):
    assert diploids.locus_id[0] == b"1_1"
    assert diploids.locus_id[30] == b"2_1"
    assert diploids.sample_id[-1] == b"150"
    assert list(diploids.trait_id) == ["Trait1", "Trait2"]


def test_folds_by_position_are_the_published_ones():
    data = simulate(spec(folds={"validation": 0, "test": 0.15, "by": "position"}), 1)
    assert list(data.rows(Fold.test)) == list(range(340, 400))
    assert not len(data.rows(Fold.validation))


def test_narrow_heritability_above_what_is_possible_is_refused():
    with pytest.raises(ConfigError, match=r"trait 1 cannot have h2 = 0\.99.*lower h2"):
        simulate(spec(phenotypes={"h2": 0.99}), 1)


def test_no_genetic_variance_is_refused():
    founders = {"n_individuals": 1, "loci_per_chromosome": [40, 20], "ploidy": 1}
    with pytest.raises(DataError, match="no genetic variance"):
        simulate(spec(founders=founders), 1)


def test_a_fold_may_not_be_empty():
    founders = {"n_individuals": 3, "loci_per_chromosome": [40, 20], "ploidy": 2}
    with pytest.raises(DataError, match="a fold would be empty"):
        simulate(spec(founders=founders, folds={"validation": 0.1, "test": 0.1}), 1)


def test_the_same_bytes_on_any_number_of_threads(tmp_path):
    """Large enough that a threaded BLAS would share the sums."""
    population = {
        "founders": {"n_individuals": 20_000, "loci_per_chromosome": 64},
        "traits": [{"n_traits": 40, "qtl_per_chromosome": 64, "rel_aa": 1, "cor_a": 0.5}],
        "phenotypes": {"h2_broad": 0.5, "cor_e": 0.2},
    }
    (tmp_path / "p.yaml").write_text(json.dumps(population))
    for threads in ("1", "2", "4"):
        environment = {**os.environ} | {f"{name}_NUM_THREADS": threads for name in ("OMP", "OPENBLAS", "MKL")}
        command = [
            sys.executable,
            "-m",
            "gpatlas",
            "simulate",
            tmp_path / "p.yaml",
            "--out",
            tmp_path / f"{threads}.h5",
        ]
        subprocess.run(command, check=True, env=environment, capture_output=True)
    files = [(tmp_path / f"{threads}.h5").read_bytes() for threads in ("1", "2", "4")]
    assert files[0] == files[1] == files[2]
