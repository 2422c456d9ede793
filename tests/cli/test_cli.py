"""The command line: every verb's example runs, and every mistake is one line and exit 2."""

import json
import re
import resource
from dataclasses import replace

import h5py
import numpy as np
import pytest

from gpatlas.config.simulation import SimulationSpec
from gpatlas.io import read_dataset, write_dataset
from gpatlas.simulate import simulate
from tests.conftest import REPOSITORY, one_line_error

CONFIG = REPOSITORY / "tests/smoke/scaling.yaml"
WRITTEN = (  # what examples write
    r"\w+\.(h5|svg|json|journal|csv)|(other_)?clinic|(other_)?clinic/\w+\.(vcf\.gz|csv)|\w+\.vcf\.gz"
    r"|status(/model\.gpatlas)?"
)
ROW = "n_samples~120+qtl_scaling~0.5+heritability~0.999/rep~1"


@pytest.fixture
def data_file(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    return tmp_path / "d.h5"


VERBS = (
    "config", "design", "cost", "simulate", "simulate-cohort", "import", "split", "impute", "export", "inspect",
    "munge", "harmonize", "hparams", "tune", "fit", "automl", "predict", "score", "report", "gpfn", "perceiver",
)  # fmt: skip
ELSEWHERE = ("gpfn", "perceiver")  # groups of verbs, which are listed last: test_gpfn.py, test_perceiver.py
OF_RESULTS = ("score", "report")  # their examples are of an experiment that has run


def verbs(gpatlas) -> list[str]:
    shown = gpatlas("--help").stdout
    return re.findall(r"^  ([\w-]+)  ", shown.split("Commands:")[1], flags=re.MULTILINE)


def test_help_lists_the_verbs_in_the_order_of_use(gpatlas):
    assert verbs(gpatlas) == list(VERBS)
    assert "..." not in gpatlas("--help").stdout.split("Commands:")[1]  # no summary is cut short


def test_version(gpatlas):
    assert gpatlas("--version").stdout.startswith("gpatlas 0.")


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in OF_RESULTS + ELSEWHERE])
def test_examples_run(gpatlas, verb, tmp_path):
    """As printed, from the repository's root, with written files put elsewhere."""
    examples = re.findall(r"^    gpatlas (.*)$", gpatlas(verb, "--help").stdout, flags=re.MULTILINE)
    assert examples
    for example in examples:
        words = [word.strip("'") for word in example.split()]
        words = [str(tmp_path / w) if re.fullmatch(WRITTEN, w) else w for w in words]
        done = gpatlas(*words)
        assert done.returncode == 0, done.stderr


def test_a_whole_experiment_by_hand(gpatlas, tmp_path):
    """config → simulate → hparams → fit → score, without the workflow."""
    row = tmp_path / ROW
    job = tmp_path / "n_samples~120+small/part~1"
    names = gpatlas("design", CONFIG, "--rows").stdout.split()
    assert ROW in names
    config = tmp_path / "config.json"
    assert gpatlas("config", CONFIG, "--out", config).returncode == 0
    for name in names:
        target = tmp_path / name / "dataset.h5"
        done = gpatlas(
            "simulate", config, "--row", name, "--out", target, "--runtime", target.with_suffix(".runtime.json")
        )
        assert done.returncode == 0, done.stderr
    assert json.loads((row / "dataset.runtime.json").read_text())["stage"] == "simulate"
    datasets = [tmp_path / name / "dataset.h5" for name in names]
    for model in ("rrblup", "mlp"):
        hparams, out = tmp_path / f"{model}.json", job / model / "predictions.h5"
        assert gpatlas("hparams", config, "--model", model, "--out", hparams).returncode == 0
        done = gpatlas(
            "fit", *datasets, "--hparams", hparams, "--out", out,
            "--runtime", out.with_suffix(".runtime.json"),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert [p.name for p in out.parent.iterdir() if p.name.startswith(".")] == []  # parts are cleared away
    done = gpatlas("score", config, "--results", tmp_path)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "metrics.csv").read_text().splitlines()
    assert lines[0].startswith(
        "n_samples,qtl_scaling,heritability,n_qtl,rep,rel_aa,model,trait_id,fold,n_train,n_test,predictive_ability"
    )
    assert len(lines) == 1 + len(names) * 2 * 2


def test_a_killed_fit_goes_on_where_it_was(gpatlas, haploid_spec, tmp_path):
    from gpatlas.simulate import simulate

    files = []
    for seed in (1, 2):
        files.append(tmp_path / f"{seed}.h5")
        write_dataset(simulate(haploid_spec, seed), files[-1])
    out = tmp_path / "p.h5"
    assert gpatlas("fit", files[0], "--model", "rrblup", "--out", out).returncode == 0
    reference = read_hashes(out)
    # leave what a job killed after its first fit leaves: a part, and no predictions
    parts = tmp_path / ".p.h5.parts"
    parts.mkdir()
    out.rename(parts / f"{reference[0]}.h5")
    with h5py.File(parts / f"{reference[0]}.h5", "r+") as file:
        file[reference[0]].attrs["seconds"] = 1234.5
    done = gpatlas("fit", *files, "--model", "rrblup", "--out", out)
    assert done.returncode == 0, done.stderr
    with h5py.File(out) as file:
        assert sorted(file) == sorted(read_dataset(f).content_hash for f in files)
        assert file[reference[0]].attrs["seconds"] == 1234.5  # taken over, not fitted again
    assert not parts.exists()


def read_hashes(path):
    with h5py.File(path) as file:
        return list(file)


def test_each_dataset_has_its_hyperparameters(gpatlas, haploid_spec, tmp_path):
    """Fitted together they are what they are alone, and a kill does not mix them up."""
    from gpatlas.simulate import simulate

    files, settings, alone = [], [], {}
    for seed, penalty in ((1, "gcv"), (2, "reml")):
        files.append(tmp_path / f"{seed}.h5")
        write_dataset(simulate(haploid_spec, seed), files[-1])
        settings.append(tmp_path / f"{seed}.json")
        settings[-1].write_text(
            json.dumps({"label": "r", "model": "rrblup", "hyperparameters": {"penalty": penalty}, "tuned": {"x": 1}})
        )
        out = tmp_path / f"{seed}.p.h5"
        assert gpatlas("fit", files[-1], "--hparams", settings[-1], "--out", out).returncode == 0
        alone[read_hashes(out)[0]] = (out, penalty)
    given = [word for path in settings for word in ("--hparams", path)]
    together = tmp_path / "both.h5"
    (tmp_path / ".both.h5.parts").mkdir()
    first, (part, _) = next(iter(alone.items()))
    (tmp_path / ".both.h5.parts" / f"{first}.h5").write_bytes(part.read_bytes())
    with h5py.File(tmp_path / ".both.h5.parts" / f"{first}.h5", "r+") as file:
        file[first].attrs["seconds"] = 1234.5
    done = gpatlas("fit", *files, *given, "--out", together)
    assert done.returncode == 0, done.stderr
    with h5py.File(together) as both:
        assert both[first].attrs["seconds"] == 1234.5  # the part was of these hyperparameters
        record = json.loads(both.attrs["model"])
        assert record["hyperparameters"] == {name: {"penalty": penalty} for name, (_, penalty) in alone.items()}
        assert "tuned" not in record
        for name, (path, _) in alone.items():
            with h5py.File(path) as own:
                np.testing.assert_array_equal(both[name]["0/predicted"][()], own[name]["0/predicted"][()])
    wrong = gpatlas("fit", *files, files[0], *given, "--out", together)
    assert "--hparams is given 2 times for 3 datasets; once, or once for each" in one_line_error(wrong)
    settings[1].write_text(json.dumps({"label": "mlp", "model": "mlp", "hyperparameters": {}}))
    assert "is of mlp, " in one_line_error(gpatlas("fit", *files, *given, "--out", together))


def test_tuned_hyperparameters_are_fitted(gpatlas, data_file, tmp_path):
    """tune → fit, gone on with, with the table, the figure and what it cost."""
    (tmp_path / "start.json").write_text(
        json.dumps({"label": "my sgd", "model": "linear_sgd", "hyperparameters": {"max_epochs": 8, "loss": "mse"}})
    )
    study, out, figure, cost = (tmp_path / name for name in ("s.journal", "t.json", "t.svg", "r.json"))
    words = ("tune", data_file, "--hparams", tmp_path / "start.json", "--study", study, "--out", out)
    done = gpatlas(*words, "--n-trials", 4)
    assert done.returncode == 0, done.stderr
    assert "up to 4 trials, 210 samples to fit, 45 to compare" in done.stdout
    assert "learning_rate: 0.001 to 0.3 (log)" in done.stdout
    assert [line.split(":")[0] for line in done.stdout.splitlines() if re.match(r"trial \d", line)] == [
        f"trial {k}" for k in range(4)
    ]
    done = gpatlas(*words, "--n-trials", 7, "--figure", figure, "--runtime", cost)
    assert "4 of 7 trials were in" in done.stdout
    table = (tmp_path / "s.trials.csv").read_text().splitlines()
    assert table[0] == "trial,state,value,validation_loss,epochs,fit_seconds,learning_rate,l2"
    assert len(table) == 8
    record = json.loads(out.read_text())
    best = max((line.split(",") for line in table[1:] if "complete" in line), key=lambda cells: float(cells[2]))
    assert record["hyperparameters"] == {
        "max_epochs": 8, "loss": "mse",
        "learning_rate": pytest.approx(float(best[6])), "l2": pytest.approx(float(best[7])),
    }  # fmt: skip
    assert record["tuned"] == {
        "space": "default", "n_trials": 7, "predictive_ability": pytest.approx(float(best[2])), "seed": 1
    }  # fmt: skip
    assert figure.read_text().startswith("<?xml")
    spent = json.loads(cost.read_text())
    assert (spent["stage"], spent["model"], spent["n_trials"]) == ("tune", "my sgd", 3)
    assert 0 < spent["fit_seconds"] < spent["seconds"]
    done = gpatlas("fit", data_file, "--hparams", out, "--out", tmp_path / "p.h5")
    assert done.returncode == 0, done.stderr
    with h5py.File(tmp_path / "p.h5") as file:
        assert json.loads(file.attrs["model"])["label"] == "my sgd"
    assert "differs in pruner" in one_line_error(gpatlas(*words, "--pruner", "none"))


def test_missing_phenotypes_are_counted_aloud(gpatlas, haploids, tmp_path):
    from dataclasses import replace

    phenotypes = haploids.phenotypes.copy()
    phenotypes[:7, 1] = np.nan
    write_dataset(replace(haploids, phenotypes=phenotypes), tmp_path / "d.h5")
    done = gpatlas("fit", tmp_path / "d.h5", "--model", "rrblup", "--out", tmp_path / "p.h5")
    assert "Trait2: 7 of 300 phenotypes are missing and left out" in done.stdout


def test_inspect_shows_what_is_there(gpatlas, data_file):
    shown = gpatlas("inspect", data_file, env={"COLUMNS": "120"}).stdout
    for text in (
        "300  (train 210, validation 45, test 45)",
        "24 on 1 chromosome",
        "engine native",
        "as written",
        "V_A/V_G",
    ):
        assert text in shown
    assert re.search(r"Trait1 +0 .* 24 +0 +1\.000", shown)


def test_inspect_counts_triples_where_there_are_any(gpatlas, tmp_path):
    trait = {"qtl_per_chromosome": 24, "rel_aa": 1, "architecture": "triples"}
    section = {"founders": {"n_individuals": 60, "loci_per_chromosome": 24}, "traits": [trait]}
    data = simulate(SimulationSpec.parse(section | {"phenotypes": {"h2_broad": 0.5}}, "test"), 1)
    write_dataset(data, tmp_path / "d.h5")
    shown = gpatlas("inspect", tmp_path / "d.h5", env={"COLUMNS": "120"}).stdout
    assert re.search(r"QTL +pairs +triples", shown)
    assert re.search(r"Trait1 +0 .* 24 +0 +8 ", shown)


def test_inspect_notices_a_change(gpatlas, data_file):
    with h5py.File(data_file, "r+") as file:
        file["phenotypes"][0, 0] += 1
    assert "CHANGED since it was written" in gpatlas("inspect", data_file).stdout


MISTAKES = {
    "no such verb": (["simulat"], "No such command 'simulat'. Did you mean 'simulate'"),
    "no such option": (["inspect", "x.h5", "--trait", "3"], "No such option: --trait"),
    "missing argument": (["inspect"], "Missing argument 'file'"),
    "a word for a number": (["inspect", "x.h5", "--traits", "many"], "Invalid value for '--traits'"),
    "a seed below zero": (
        ["simulate", "config/examples/population.yaml", "--seed", "-1", "--out", "x.h5"],
        "'--seed': Input should be greater than or equal to 0",
    ),
    "no cores": (["cost", CONFIG, "--cores", "0"], "'--cores': Input should be greater than or equal to 1"),
    "a figure of no known format": (["design", CONFIG, "--figure", "x.gif"], "must end in .svg, .png, .pdf"),
    "absent file": (["inspect", "nothing.h5"], "nothing.h5: no such file"),
    "absent configuration": (["design", "nothing.yaml"], "cannot read nothing.yaml: No such file"),
    "an experiment without a row": (["simulate", CONFIG, "--out", "x.h5"], "say which --row"),
    "no such row": (["simulate", CONFIG, "--row", "x", "--out", "x.h5"], "has no row 'x'"),
    "no such model in the file": (
        ["hparams", CONFIG, "--model", "m", "--out", "x"],
        "has no model 'm'; it has rrblup, mlp",
    ),
    "no model": (["fit", "x.h5", "--out", "p.h5"], "either --model or --hparams"),
    "misspelt candidate": (
        ["automl", "x.h5", "--trait", "t", "--candidates", "laso", "--out", "o"],
        "did you mean 'lasso'?",
    ),
    "folds that are none": (["automl", "x.h5", "--trait", "t", "--outer", "5y2", "--out", "o"], "such as 5x2 or 10"),
    "misspelt model": (["fit", "x.h5", "--model", "rrblupp", "--out", "p.h5"], "did you mean 'rrblup'?"),
    "no such preset": (["fit", "x.h5", "--model", "mlp", "--preset", "p", "--out", "p.h5"], "known are published"),
    "nothing to tune": (
        ["tune", "x.h5", "--model", "rrblup", "--study", "s", "--out", "t.json"],
        "model rrblup has no search space to tune; models that have are auto_epistasis, bilinear, "
        "interaction_screening, lasso_mlp, lasso_pruned, linear_sgd, mlp, perceiver, transformer",
    ),
    "no such space": (
        ["tune", "x.h5", "--model", "mlp", "--space", "defualt", "--study", "s", "--out", "t.json"],
        "did you mean 'default'?",
    ),
    "no such space in an entry": (
        ["hparams", "--model", "mlp", "--entry", '{"tune": {"space": "defualt"}}', "--out", "h.json"],
        "model mlp: unknown search space 'defualt'; did you mean 'default'?",
    ),
    "no trials": (["tune", "x.h5", "--model", "mlp", "--n-trials", "0", "--study", "s", "--out", "t"], "'--n-trials'"),
    "no such pruner": (
        ["tune", "x.h5", "--model", "mlp", "--pruner", "mean", "--study", "s", "--out", "t"],
        "'mean' is not one of 'median', 'none'",
    ),
    "a preset and a file": (["fit", "x.h5", "--preset", "p", "--hparams", "h.json", "--out", "p"], "goes with --model"),
    "absent hyperparameters": (["fit", "x.h5", "--hparams", "h.json", "--out", "p.h5"], "cannot read h.json"),
    "hyperparameters that are none": (["fit", "x.h5", "--hparams", CONFIG, "--out", "p.h5"], "not valid JSON"),
    "nothing to score": (["score", CONFIG, "--results", "nowhere"], "no such file"),
    "nothing to report": (["report", "nowhere", "--out", "x.html"], "nowhere/metrics.csv: no such file"),
    "neither file nor text": (["config"], "give either a file or --text"),
    "nothing to simulate": (["simulate", "--out", "x.h5"], "say what to simulate: a YAML file, or --job"),
    "no settings": (["hparams", "--model", "mlp", "--out", "x"], "say which settings"),
    "no such protocol": (["fit", "x.h5", "--model", "rrblup", "--evaluation", "cv", "--out", "p.h5"], "not 'cv'"),
    "text that is no mapping": (["config", "--text", "3"], "--text: expected keys and values"),
    "a folder that cannot be": (
        ["simulate", "config/examples/population.yaml", "--out", "/dev/null/x.h5"],
        "cannot write",
    ),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes(gpatlas, what):
    arguments, message = MISTAKES[what]
    assert message in one_line_error(gpatlas(*arguments))


def test_a_truncated_dataset(gpatlas, data_file):
    data_file.write_bytes(data_file.read_bytes()[:5000])
    for verb in (["inspect", data_file], ["fit", data_file, "--model", "rrblup", "--out", "p.h5"]):
        assert "cannot be read as HDF5" in one_line_error(gpatlas(*verb))


def test_no_r(gpatlas, tmp_path):
    """R is hidden, however this machine has it."""
    population = REPOSITORY / "config/examples/population.yaml"
    done = gpatlas(
        "simulate", population, "--engine", "alphasimr", "--out", tmp_path / "d.h5",
        env={"PATH": str(tmp_path), "R_HOME": str(tmp_path / "none"), "R_LIBS": "", "LD_LIBRARY_PATH": ""},
    )  # fmt: skip
    message = one_line_error(done)
    assert "engine alphasimr" in message
    assert "envs/alphasimr.yaml" in message
    assert "engine: native" in message


@pytest.mark.parametrize("verb", ["simulate", "tune"])
def test_a_disk_that_fills_up(verb, data_file, tmp_path):
    import subprocess
    import sys

    room, verb_line = {
        "simulate": (50_000, ["simulate", REPOSITORY / "config/examples/population.yaml", "--out", "new/d.h5"]),
        "tune": (3_000, ["tune", data_file, "--model", "linear_sgd", "--study", "new/s", "--out", "new/t.json"]),
    }[verb]

    def limit():
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    command = [sys.executable, "-B", "-m", "gpatlas", *map(str, verb_line)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, cwd=tmp_path)
    assert "cannot write new/" in one_line_error(done)
    left = {"simulate": [], "tune": [".s.locks", "s"]}[verb]  # a journal goes on when there is room again
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == left


def test_a_warning_is_one_plain_line(gpatlas, diploids, tmp_path):
    phenotypes = diploids.phenotypes.copy()
    phenotypes[:40, 1] = np.nan
    write_dataset(replace(diploids, phenotypes=phenotypes), tmp_path / "d.h5")
    done = gpatlas("fit", tmp_path / "d.h5", "--model", "rrblup_multitrait", "--out", tmp_path / "p.h5")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("gpatlas: warning: ")
    assert line.endswith("lack a phenotype of some trait and are left out")
