"""The synthetic clinic: its generator against its own posterior, and the ceiling against closed forms and draws."""

import json
import shutil
import subprocess
from itertools import product

import numpy as np
import pandas as pd
import pytest

from gpatlas.config.cohort import CohortSpec
from gpatlas.errors import ConfigError
from gpatlas.io.cohort_files import write_cohort
from gpatlas.simulate import ceiling as ceiling_module
from gpatlas.simulate.ceiling import bayes_ceiling
from gpatlas.simulate.cohort import simulate_cohort
from gpatlas.simulate.illness import SEXES, Illness

RECIPES = {
    "the notebook's": {"sex_bias": -1},
    "dominant": {"encoding": "dominant", "penetrance": 0.7, "sex_bias": 1},
    "additive": {"encoding": "additive", "phenocopies": 0.3, "penetrance": 0.2, "affected_sex": "male"},
    "subtypes": {"n_subtypes": 2, "n_causal": 3, "encoding": "additive", "penetrance": 0.5, "unknown_sex": 0},
}


def illness_of(recipe: dict) -> tuple[CohortSpec, Illness]:
    spec = CohortSpec(**recipe)
    uneven = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.5, 0.25, 0.25]])[: spec.n_causal]
    return spec, Illness.of(spec, uneven)


def states(illness: Illness):
    table = np.array(list(product(range(len(SEXES)), *[range(3)] * illness.n_causal)))
    return table[:, 1:].astype(np.int8), table[:, 0]


@pytest.mark.parametrize("name", RECIPES)
def test_likelihood_is_that_of_the_draws(name, rng):
    _, illness = illness_of(RECIPES[name])
    dosage, sex = states(illness)
    expected = illness.likelihood(dosage, sex)
    np.testing.assert_allclose(expected.sum(axis=0), 1, rtol=1e-12)
    n, weights = 200_000, 3 ** np.arange(illness.n_causal, -1, -1)
    for of_class, column in enumerate(expected.T):
        drawn, sexes = illness.draw(np.full(n, of_class), rng)
        code = np.column_stack([sexes, drawn]) @ weights
        seen = np.bincount(code, minlength=len(column))[np.column_stack([sex, dosage]) @ weights]
        assert (seen[column == 0] == 0).all()
        surprise = (seen - n * column) / np.sqrt(np.maximum(n * column, 1))
        assert np.abs(surprise).max() < 5


def test_the_recipe_of_the_notebook(rng):
    """Its own steps, sample by sample: pick cases, plant a homozygote where there is none, redraw the sex."""
    n, p, causal = 60_000, [0.9, 0.05, 0.05], 2
    genotype = rng.choice(3, (n, causal), p=p)
    sex = rng.integers(0, 3, n)
    case = rng.random(n) < 0.4
    plant = case & ~(genotype == 2).any(axis=1)
    genotype[plant, rng.integers(0, causal, n)[plant]] = 2
    sex[plant] = rng.choice([1, 2], plant.sum())  # not 0, the "affected": the reverse of its comment
    illness = Illness.of(CohortSpec(sex_bias=-1), np.tile(p, (2, 1)))
    table, sexes = states(illness)
    expected = illness.likelihood(table, sexes)
    for of_class in (0, 1):
        rows = case == bool(of_class)
        for state, s, share in zip(table, sexes, expected[:, of_class], strict=True):
            seen = ((genotype[rows] == state).all(axis=1) & (sex[rows] == s)).mean()
            assert abs(seen - share) < 5 * np.sqrt(max(share, 1e-5) / rows.sum())


def test_ceiling_of_the_recipe_by_hand():
    """Without sex only carriers can be cases: who carries one is called a case, who carries two by chance is not."""
    illness = Illness.of(CohortSpec(sex_bias=0), np.tile([0.9, 0.05, 0.05], (2, 1)))
    found = bayes_ceiling(illness, np.random.default_rng(1))
    assert found.exact
    assert found.values["accuracy_class"] == pytest.approx(1 - 0.6 * 2 * 0.05 * 0.95 - 0.4 * 0.05**2)
    assert found.values["balanced_accuracy"] == pytest.approx(1 - (2 * 0.05 * 0.95 + 0.05**2) / 2)


@pytest.mark.parametrize("name", RECIPES)
def test_ceiling_is_what_the_best_rule_reaches(name, rng):
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    spec, illness = illness_of(RECIPES[name])
    n_classes = len(spec.class_sizes)
    classes = rng.choice(n_classes, 400_000, p=illness.class_shares)
    posterior = illness.posterior(*illness.draw(classes, rng))
    true = np.eye(n_classes)[classes]
    reached = {
        "accuracy_class": (posterior.argmax(axis=1) == classes).mean(),
        "auc": np.mean([roc_auc_score(true[:, k], posterior[:, k].round(12)) for k in range(n_classes)]),
        "log_loss": log_loss(classes, posterior),
        "brier": ((true - posterior) ** 2).sum(axis=1).mean(),
    }
    if n_classes == 2:
        reached["brier"] = brier_score_loss(classes, posterior[:, 1])
        reached["predictive_ability"] = np.corrcoef(classes, posterior[:, 1])[0, 1]
    called = (posterior / illness.class_shares).argmax(axis=1)
    reached["balanced_accuracy"] = np.mean([(called[classes == k] == k).mean() for k in range(n_classes)])
    found = bayes_ceiling(illness, rng).values
    for key, value in reached.items():
        assert found[key] == pytest.approx(value, abs=0.003), key
    assert set(found) == set(reached)


def test_ceiling_by_draws_where_states_are_too_many(monkeypatch, rng):
    _, illness = illness_of(RECIPES["additive"])
    exact = bayes_ceiling(illness, rng)
    monkeypatch.setattr(ceiling_module, "MOST_STATES", 0)
    drawn = bayes_ceiling(illness, rng)
    assert not drawn.exact
    for key, value in exact.values.items():
        assert abs(drawn.values[key] - value) < 5 * drawn.errors[key]
        assert 0 < drawn.errors[key] < 0.002


def test_every_case_carries_and_sizes_are_as_asked():
    dataset = simulate_cohort(CohortSpec(), 3)
    causal = [site["locus"] for site in dataset.provenance["cohort"]["causal_sites"]]
    case = dataset.phenotypes[:, 0] == 1
    assert case.sum() == 200
    assert (dataset.dosage()[case][:, causal] == 2).any(axis=1).all()
    assert dataset.levels["Status"] == ("control", "case")
    female = dataset.covariates[:, 0] == SEXES.index("female")
    assert female[case].mean() > 0.5 > 0.4 > female[~case].mean()  # the affected sex, as the comment has it
    np.testing.assert_array_equal(dataset.truth.effects.locus, causal)
    assert (dataset.truth.effects.additive > 0.2).all()
    shares = sum(dataset.truth.traits[name] for name in ("var_a", "var_d", "var_aa"))
    assert shares == pytest.approx(dataset.truth.traits["var_g"])


def test_linked_sites_correlate_within_chromosomes_and_keep_their_frequencies():
    spec = CohortSpec(n_samples=4000, n_cases=1000, n_sites=60, n_chromosomes=2, linkage=0.8, allele_frequency=0.3)
    dataset = simulate_cohort(spec, 1)
    causal = {site["locus"] for site in dataset.provenance["cohort"]["causal_sites"]}
    r = np.corrcoef(dataset.dosage()[dataset.phenotypes[:, 0] == 0].T)
    free = [k for k in range(59) if k != 29 and not {k, k + 1} & causal]
    assert np.mean([r[k, k + 1] for k in free]) == pytest.approx(0.8, abs=0.02)
    assert abs(r[29, 30]) < 0.08
    other = [k for k in range(60) if k not in causal and min(abs(k - c) for c in causal) > 8]
    assert dataset.dosage()[:, other].mean() / 2 == pytest.approx(0.3, abs=0.01)
    assert (np.diff(dataset.position[:30]) > 0).all()
    beside = [k + 1 for k in causal if k % 30 != 29]
    assert all(r[k - 1, k] > 0.6 for k in beside)  # a causal site has neighbours that tell of it


def test_equal_seeds_give_equal_bytes(tmp_path):
    spec = CohortSpec(n_subtypes=2, allele_frequency=(0.2, 0.4), n_chromosomes=3)
    for name in ("a", "b"):
        write_cohort(simulate_cohort(spec, 5), tmp_path / name)
    for file in ("genotypes.vcf.gz", "phenotypes.csv", "truth.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert simulate_cohort(spec, 6).content_hash != simulate_cohort(spec, 5).content_hash


def test_another_clinic_has_other_samples_and_the_same_illness():
    spec = CohortSpec(allele_frequency=(0.1, 0.4), linkage=0.5)
    one, two = simulate_cohort(spec, 5), simulate_cohort(spec, 5, clinic=2)
    for name in ("locus_id", "position", "alleles"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for name in ("causal_sites", "ceiling"):
        assert one.provenance["cohort"][name] == two.provenance["cohort"][name]
    assert (one.dosage() != two.dosage()).mean() > 0.2
    np.testing.assert_allclose(one.dosage().mean(axis=0), two.dosage().mean(axis=0), atol=0.2)


def test_files_hold_what_the_dataset_holds(tmp_path):
    from cyvcf2 import VCF

    dataset = simulate_cohort(CohortSpec(n_samples=50, n_cases=20), 2)
    write_cohort(dataset, tmp_path)
    vcf = VCF(str(tmp_path / "genotypes.vcf.gz"), gts012=True)
    assert vcf.samples == list(dataset.sample_id)
    for k, site in enumerate(vcf):
        np.testing.assert_array_equal(site.gt_types, dataset.dosage()[:, k])
        assert (site.REF, site.ALT[0], site.POS) == (*dataset.alleles[k], dataset.position[k])
    table = pd.read_csv(tmp_path / "phenotypes.csv")
    assert list(table.columns) == ["ID", "Gender", "Status"]
    np.testing.assert_array_equal(table["Status"] == "case", dataset.phenotypes[:, 0] == 1)
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["ceiling"]["values"]["accuracy_class"] == pytest.approx(0.942)
    assert truth["recipe"]["n_samples"] == 50


@pytest.mark.skipif(shutil.which("bcftools") is None, reason="bcftools is not here")
def test_bcftools_reads_and_indexes_the_vcf(tmp_path):
    write_cohort(simulate_cohort(CohortSpec(n_samples=30, n_cases=10, n_chromosomes=4), 2), tmp_path)
    path = str(tmp_path / "genotypes.vcf.gz")
    subprocess.run(["bcftools", "index", "--tbi", path], check=True)
    shown = subprocess.run(["bcftools", "view", "-H", "-r", "3", path], capture_output=True, text=True, check=True)
    assert len(shown.stdout.splitlines()) == 25
    assert shown.stderr == ""


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"n_causal": 101}, "n_causal (101) is more than n_sites (100)"),
        ({"n_cases": 500}, "leaves no controls"),
        ({"genotype_frequencies": [0.5, 0.4, 0.2]}, "must sum to 1, not 1.1"),
        ({"genotype_frequencies": [0.5, 0.5, 0]}, "no recessive genotype"),
        ({"genotype_frequencies": [0.8, 0.1, 0.1], "allele_frequency": 0.2}, "not both"),
        ({"allele_frequency": [0.4, 0.2]}, "ascending"),
        ({"allele_frequency": 0.0}, "between 0 and 1"),
        ({"n_subtypes": 3}, "n_subtypes (3)"),
        ({"sex_bais": 1}, "did you mean 'sex_bias'?"),
    ],
)
def test_recipes_that_cannot_be(recipe, message):
    with pytest.raises(ConfigError) as raised:
        CohortSpec.parse(recipe, "clinic.yaml")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_recipe_that_leaves_no_controls():
    spec = CohortSpec(n_causal=60, penetrance=1, encoding="dominant", allele_frequency=0.5)
    with pytest.raises(ConfigError, match=r"only 7\.5e-37 of all genotypes at 60 causal sites leave a control"):
        simulate_cohort(spec, 1)
