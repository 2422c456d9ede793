"""Configuration: what is accepted, and how every mistake is answered: one line with key, value and way out."""

import pytest
import yaml

from gpatlas.config import TuneSpec, parse_experiment, read_any, read_experiment, read_simulation, read_yaml
from gpatlas.config.docs import reference
from gpatlas.errors import ConfigError
from tests.conftest import REPOSITORY

GOOD = {
    "experiment": "scaling",
    "n_samples": [100, 200],
    "qtl_scaling": [0.1, 1],
    "replicates": {100: 3, 200: 2},
    "models": {"rrblup": {}, "mlp": {"preset": "published", "learning_rate": 0.1}},
}
POPULATION = {
    "founders": {"n_individuals": 50, "loci_per_chromosome": [20, 10], "ploidy": 2},
    "traits": [{"type": "AE", "n_traits": 2, "qtl_per_chromosome": 4, "rel_aa": 1}],
    "phenotypes": {"h2_broad": 0.5},
}


def refused(section: dict, tmp_path, read=read_experiment) -> str:
    path = tmp_path / "c.yaml"
    path.write_text(section if isinstance(section, str) else yaml.safe_dump(section))
    with pytest.raises(ConfigError) as error:
        read(path)
    message = str(error.value)
    assert "\n" not in message
    assert "c.yaml" in message
    return message


@pytest.mark.parametrize(
    "path",
    sorted((REPOSITORY / "config").glob("*.yaml")) + sorted((REPOSITORY / "config/published").glob("*.yaml")),
    ids=str,
)
def test_the_files_we_ship_are_valid(path):
    assert read_any(path).seed


@pytest.mark.parametrize("path", sorted((REPOSITORY / "config/examples").glob("*.yaml")), ids=str)
def test_the_examples_we_ship_are_valid(path):
    assert read_any(path).seed if "experiment" in read_yaml(path) else read_simulation(path).n_traits


def test_there_is_nothing_to_impute_without_panels(tmp_path):
    models = {"rrblup": {"genotypes": "imputed"}}
    assert "models.rrblup.genotypes imputed: scaling has no panels" in refused(GOOD | {"models": models}, tmp_path)


def test_a_section_survives_its_own_dump():
    config = parse_experiment(GOOD)
    again = parse_experiment(config.model_dump(mode="json"))
    assert again == config
    assert again.models["mlp"].hyperparameters == {"learning_rate": 0.1}


def test_configuration_is_frozen():
    with pytest.raises(Exception, match="frozen"):
        parse_experiment(GOOD).seed = 3


def test_short_forms():
    config = parse_experiment(GOOD | {"engine": "alphasimr", "evaluation": "published", "n_samples": 100})
    assert (config.engine.name, config.evaluation.protocol, config.n_samples) == ("alphasimr", "published", (100,))
    assert parse_experiment(GOOD | {"models": {"mlp": None}}).models["mlp"].hyperparameters == {}


def test_tuning_is_no_hyperparameter():
    entry = parse_experiment(GOOD | {"models": {"mlp": {"tune": {}, "max_epochs": 3}}}).models["mlp"]
    assert entry.hyperparameters == {"max_epochs": 3}
    assert entry.tune == TuneSpec(n_trials=10, space="default", pruner="median", per="cell")
    assert parse_experiment(GOOD | {"models": {"mlp": None}}).models["mlp"].tune is None


MISTAKES = {
    "misspelt key": (
        {"qtl_scaling": None, "qtl_scalling": [1]},
        "unknown key 'qtl_scalling'; did you mean 'qtl_scaling'?",
    ),
    "misspelt inner key": ({"evaluation": {"tests": 0.1}}, "unknown key 'evaluation.tests'; did you mean 'test'?"),
    "nothing to train on": (
        {"evaluation": {"validation": 0.6, "test": 0.5}},
        "evaluation: validation (0.6) and test (0.5) leave nothing to train on",
    ),
    "a key like no other": ({"zzz": 1}, "unknown key 'zzz'; known are experiment, seed"),
    "missing key": ({"n_samples": None}, "key 'n_samples' is missing"),
    "heritability above one": (
        {"heritability": [0.5, 1.2]},
        "heritability.1: input should be less than or equal to 1, not 1.2",
    ),
    "heritability zero": ({"heritability": 0}, "heritability.0: input should be greater than 0, not 0"),
    "text for a number": ({"seed": "one"}, "seed: input should be a valid integer"),
    "a fraction of a sample": ({"n_samples": [10.5]}, "n_samples.0: input should be a valid integer"),
    "a value twice": ({"n_samples": [100, 100]}, "n_samples lists a value twice: [100, 100]"),
    "no replicates for a size": ({"replicates": {100: 1}}, "replicates has no entry for n_samples 200"),
    "unknown engine": (
        {"engine": "alphasim"},
        "engine.name: input should be 'native', 'alphasimr' or 'tables', not 'alphasim'",
    ),
    "tables without a folder": ({"engine": "tables"}, "engine: engine tables needs directory"),
    "no models": ({"models": {}}, "models: "),
    "a number for a model": ({"models": {"mlp": 3}}, "models.mlp: input should be keys and values, not 3"),
    "misspelt key of tuning": (
        {"models": {"mlp": {"tune": {"n_trial": 3}}}},
        "unknown key 'models.mlp.tune.n_trial'",
    ),
    "no trials": ({"models": {"mlp": {"tune": {"n_trials": 0}}}}, "should be greater than or equal to 1, not 0"),
    "tuned per what": ({"models": {"mlp": {"tune": {"per": "trait"}}}}, "input should be 'cell' or 'row', not 'trait'"),
    "not finite": ({"qtl_scaling": [float("nan")]}, "qtl_scaling.0: input should be a finite number, not nan"),
    "unknown experiment": ({"experiment": "scalling"}, "'scalling' is not an experiment; did you mean 'scaling'?"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_in_an_experiment(what, tmp_path):
    change, message = MISTAKES[what]
    section = {key: value for key, value in (GOOD | change).items() if value is not None}
    assert message in refused(section, tmp_path)


POPULATION_MISTAKES = {
    "odd number of QTL": (
        {"qtl_per_chromosome": [4, 3]},
        "gives 7 QTL, but a trait with epistasis pairs them up: use an even number",
    ),
    "more QTL than loci": ({"qtl_per_chromosome": 12}, "asks for 12 QTL, but chromosome 2 has 10 loci"),
    "wrong number of chromosomes": ({"qtl_per_chromosome": [2, 2, 2]}, "has 3 entries for 2 chromosomes"),
    "wrong number of traits": ({"mean": [1, 2, 3]}, "mean has 3 entries for 2 traits"),
    "correlation not symmetric": ({"cor_a": [[1, 0.5], [0.2, 1]]}, "cor_a must be symmetric with ones on its diagonal"),
    "correlation not positive": (
        {"n_traits": 3, "cor_a": -0.9},
        "cor_a is not positive semi-definite: its smallest eigenvalue is -0.8",
    ),
    "correlation above one": ({"cor_a": 1.5}, "traits.0.cor_a: input should be less than or equal to 1, not 1.5"),
    "correlation of other traits": ({"cor_a": [[1]]}, "cor_a is 1×1, but there are 2 traits"),
    "no such type": (
        {"type": "AEE"},
        "traits.0.type: input should be 'A', 'AD', 'AE', 'ADE', 'AG', 'ADG', 'AEG' or 'ADEG', not 'AEE'",
    ),
}


@pytest.mark.parametrize("what", POPULATION_MISTAKES)
def test_mistakes_in_a_population(what, tmp_path):
    change, message = POPULATION_MISTAKES[what]
    section = POPULATION | {"traits": [POPULATION["traits"][0] | change]}
    assert message in refused(section, tmp_path, read_simulation)


@pytest.mark.parametrize(
    ("phenotypes", "message"),
    [
        ({}, "give exactly one of h2, h2_broad and var_e, not none"),
        ({"h2": 0.5, "var_e": 1}, "not h2 and var_e"),
        ({"h2_broad": [0.5, 1.5]}, "h2_broad must be in (0, 1]"),
        ({"h2_broad": [0.5, 0.5, 0.5]}, "phenotypes.h2_broad has 3 entries for 2 traits"),
        ({"h2": 0}, "phenotypes.h2: input should be greater than 0, not 0"),
    ],
)
def test_mistakes_in_phenotypes(phenotypes, message, tmp_path):
    assert message in refused(POPULATION | {"phenotypes": phenotypes}, tmp_path, read_simulation)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "line 1: not valid YAML"),
        ("- 1", "expected keys and values, found list"),
        ("experiment: scaling\nseed: 1\nseed: 2\n", "line 3: not valid YAML: key 'seed' twice"),
        ("", "expected keys and values, found NoneType"),
    ],
)
def test_files_that_are_not_configurations(text, message, tmp_path):
    assert message in refused(text, tmp_path)


def test_an_absent_file():
    with pytest.raises(ConfigError, match=r"cannot read nothing\.yaml: No such file"):
        read_experiment("nothing.yaml")


def test_1e3_is_a_number(tmp_path):
    (tmp_path / "c.yaml").write_text(
        yaml.safe_dump(GOOD | {"n_samples": 0, "replicates": 1}).replace("n_samples: 0", "n_samples: [1e2, 2E2]")
    )
    assert read_experiment(tmp_path / "c.yaml").n_samples == (100, 200)


def test_the_reference_is_up_to_date():
    page = (REPOSITORY / "config/README.md").read_text()
    assert page == reference(), "run: gpatlas config --docs > config/README.md"
