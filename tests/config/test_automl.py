"""The AutoML experiment: what its configuration says, what it refuses, and what the command line is told."""

import pytest

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.settings import Settings
from gpatlas.automl.stages import check_searches
from gpatlas.config import SearchSpec, parse_any, parse_experiment, parse_mapping, read_any
from gpatlas.errors import ConfigError
from gpatlas.runs import runs_of
from tests.conftest import REPOSITORY

FILES = {"genotypes": "lines.vcf.gz", "phenotypes": "trials.csv", "covariates": ["site", "year"], "family": "cross"}
FILES["options"] = {"missing": "-99", "ploidy": 4, "fam_phenotype": True}
POPULATION = {
    "founders": {"n_individuals": 100, "loci_per_chromosome": [15, 15], "ploidy": 2},
    "traits": [{"type": "A", "qtl_per_chromosome": 4}],
    "phenotypes": {"h2": 0.7},
}
AUTOML = {
    "experiment": "automl",
    "seed": 5,
    "datasets": {
        "clinic": {"cohort": {"n_samples": 60, "n_cases": 20}, "replicates": 2},
        "subtypes": {"cohort": {"n_subtypes": 2}, "search": {"one_se": True, "metric": None}},
        "lines": {"population": POPULATION, "search": {"candidates": ["rrblup"], "outer": 4, "metric": "r"}},
        "mine": {"files": FILES, "trait": "yield"},
    },
    "search": {"metric": "auc", "budget_fits": 30, "outer": "3X2", "stack": False},
}


def changed(name: str, **changes) -> dict:
    """The configuration with other keys of one data set."""
    return AUTOML | {"datasets": AUTOML["datasets"] | {name: AUTOML["datasets"][name] | changes}}


@pytest.mark.parametrize("path", ["config/automl.yaml", "config/published/automl.yaml"])
def test_the_files_we_ship_can_be_searched(path):
    config = read_any(REPOSITORY / path)
    check_searches(config)
    for entry in config.datasets.values():
        assert Settings.of(entry.search, 1).competing(entry.expected_kind)


def test_a_data_set_says_what_differs_in_its_search():
    searches = {name: entry.search for name, entry in parse_any(AUTOML).datasets.items()}
    assert searches["clinic"] == SearchSpec(metric="auc", budget_fits=30, outer="3x2", stack=False)
    assert searches["subtypes"] == SearchSpec(metric=None, budget_fits=30, outer="3x2", stack=False, one_se=True)
    assert searches["lines"].outer_folds == (4, 1)
    assert searches["clinic"].outer_folds == (3, 2)


def test_a_budget_in_fits_replaces_one_in_seconds():
    section = AUTOML | {"search": {"budget_seconds": 60}}
    section["datasets"] = {"a": {"cohort": {}}, "b": {"cohort": {}, "search": {"budget_fits": 10}}}
    config = parse_any(section)
    found = {name: (entry.search.budget_fits, entry.search.budget_seconds) for name, entry in config.datasets.items()}
    assert found == {"a": (100, 60), "b": (10, None)}
    assert parse_any(parse_mapping(config.model_dump_json(), "json")) == config


def test_a_complete_configuration_stays_as_it_is():
    config = parse_any(AUTOML)
    assert parse_any(parse_mapping(config.model_dump_json(), "json")) == config


def test_no_recipe_is_the_default_recipe():
    config = parse_any({"experiment": "automl", "datasets": {"clinic": {"cohort": None, "replicates": 2}}})
    assert config.datasets["clinic"].cohort.n_samples == 500


def test_kinds_and_sizes_are_known_as_far_as_they_can_be():
    entries = parse_any(AUTOML).datasets
    assert [e.expected_kind for e in entries.values()] == ["binary", "multiclass", "continuous", None]
    assert [e.expected_size for e in entries.values()] == [(60, 100), (500, 100), (100, 30), None]
    assert [e.trait_name for e in entries.values()] == ["Status", "Status", "Trait1", "yield"]


def test_settings_are_those_of_the_configuration():
    search = SearchSpec(candidates=("rrblup", "svm"), metric="auc", outer="4x3", inner=3, one_se=True, permutations=0)
    settings = Settings.of(search, 7)
    assert settings == Settings(("rrblup", "svm"), "auc", 100, None, 4, 3, 3, True, True, 0, 7)
    assert Settings.of(SearchSpec(), 1) == Settings()  # the defaults of both are the same


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (changed("clinic", serch={}), "unknown key 'datasets.clinic.serch'; did you mean 'search'?"),
        (
            changed("clinic", search={"budget_fit": 3}),
            "unknown key 'datasets.clinic.search.budget_fit'; did you mean 'budget_fits'?",
        ),
        (
            changed("clinic", cohort={"n_smaples": 3}),
            "unknown key 'datasets.clinic.cohort.n_smaples'; did you mean 'n_samples'?",
        ),
        (changed("clinic", files=FILES), "give exactly one of cohort, population and files, not cohort and files"),
        (changed("mine", files=None), "give exactly one of cohort, population and files, not none"),
        (changed("mine", trait=None), "trait is missing: say which of the files' traits to predict"),
        (changed("mine", replicates=2), "replicates are of simulated data; files have 1, not 2"),
        (
            changed("mine", files=FILES | {"phenotypes": None}),
            "family names columns of phenotypes, which is not given",
        ),
        (changed("clinic", search={"outer": "5 by 2"}), "expected folds and repeats, such as 5x2 or 10, not '5 by 2'"),
        (changed("clinic", search={"outer": 1}), "expected folds and repeats, such as 5x2 or 10, not 1"),
        (changed("clinic", search={"outer": "5x0"}), "expected folds and repeats, such as 5x2 or 10, not '5x0'"),
        (AUTOML | {"datasets": {}}, "datasets: dictionary should have at least 1 item"),
        (AUTOML | {"datasets": {"a/b": {"cohort": {}}}}, "should match pattern"),
        (AUTOML | {"search": {"inner": 1}}, "search.inner: input should be greater than or equal to 2, not 1"),
        (AUTOML | {"models": {}}, "unknown key 'models'"),
    ],
)
def test_mistakes_are_one_line(section, message):
    with pytest.raises(ConfigError) as error:
        parse_any(section)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidates": ["rrblop"]}, "unknown candidate 'rrblop'; did you mean 'rrblup'?"),
        ({"candidates": ["qda"]}, "candidate qda does not predict a continuous trait; leave it out"),
        ({"metric": "auc"}, "auc"),
    ],
)
def test_names_of_candidates_and_scores_are_checked(gpatlas, tmp_path, changes, message):
    with pytest.raises(ConfigError) as error:
        check_searches(parse_any(changed("lines", search={"metric": "r"} | changes)))
    assert message in str(error.value)


def test_experiments_with_a_design_are_told_apart():
    with pytest.raises(ConfigError, match="experiment automl has no design of populations; scaling, dilution,"):
        parse_experiment(AUTOML, "c.yaml")


class TestRuns:
    """What the rules pass on."""

    runs = runs_of(parse_any(AUTOML))

    def test_names(self):
        assert [run.name for run in self.runs] == [
            "clinic/rep~1", "clinic/rep~2", "subtypes/rep~1", "lines/rep~1", "mine/rep~1"
        ]  # fmt: skip

    def test_seeds_are_their_own_and_do_not_depend_on_others(self):
        assert len({run.search_seed for run in self.runs}) == len(self.runs)
        assert len({run.simulate_arguments[-1] for run in self.runs if run.dataset != "mine"}) == 4
        alone = AUTOML | {"datasets": {"subtypes": AUTOML["datasets"]["subtypes"]}}
        [run] = runs_of(parse_any(alone))
        assert run.simulate_arguments == self.runs[2].simulate_arguments
        assert run.search_seed == self.runs[2].search_seed

    def test_a_clinic_is_simulated_from_what_differs(self):
        first, *_, seed = self.runs[0].simulate_arguments
        assert first == "--set=n_samples=60"
        assert seed.startswith("--seed=")

    def test_files_are_imported_as_the_user_says(self):
        assert self.runs[-1].entry.files.import_arguments == [
            "--phenotypes=trials.csv", "--covariates=site,year", "--family=cross", "--missing=-99", "--ploidy=4",
            "--fam-phenotype",
        ]  # fmt: skip

    def test_the_search_is_told_everything(self):
        told = self.runs[2].search_arguments
        assert "--trait=Status" in told
        assert {"--budget-fits=30", "--outer=3x2", "--no-stack", "--one-se", "--explain"} < set(told)
        assert not [argument for argument in told if argument.startswith(("--metric", "--kind", "--candidates"))]


def test_what_the_command_line_takes_is_what_runs_say(gpatlas, tmp_path):
    """The arguments go through the real verbs: a clinic of the recipe, and its search."""
    section = {"cohort": {"n_samples": 60, "n_cases": 24, "n_sites": 8, "allele_frequency": [0.3, 0.5]}}
    search = {"candidates": ["rrblup"], "budget_fits": 2, "outer": 2, "inner": 2, "permutations": 0, "explain": False}
    [run] = runs_of(parse_any({"experiment": "automl", "datasets": {"c": section}, "search": search}))
    made = gpatlas("simulate-cohort", *run.simulate_arguments, "--out", tmp_path / "c.h5")
    assert made.returncode == 0, made.stderr
    assert "60 samples × 8 sites" in made.stdout
    done = gpatlas("automl", tmp_path / "c.h5", *run.search_arguments, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/metrics.csv").exists()
    assert set(CANDIDATES) > {"rrblup"}
