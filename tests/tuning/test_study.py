"""One journal: killed processes, several processes, and journals of something else."""

import json
import signal
import subprocess
import sys
import textwrap

import pytest

from gpatlas.errors import ConfigError, StoreError
from gpatlas.io import write_dataset
from gpatlas.models import search_space
from gpatlas.tuning import tune_dataset
from tests.tuning.test_search import without_times

FIXED = {"max_epochs": 6}
SCRIPT = """
    import os, signal, sys, time
    from pathlib import Path
    from gpatlas.io import read_dataset
    from gpatlas.models import search_space
    from gpatlas.tuning import tune_dataset

    data, journal, n_trials, killed_in, pause = sys.argv[1:]
    ended = []

    def after_epoch(epoch, epochs, loss):
        time.sleep(float(pause))
        if epoch == 3 and len(ended) == int(killed_in):
            os.kill(os.getpid(), signal.SIGKILL)

    view = read_dataset(data).without_test()
    import gpatlas.train.regression  # slow
    print("ready", flush=True)
    sys.stdin.readline()
    result = tune_dataset(view, "linear_sgd", {"max_epochs": 6}, search_space("linear_sgd"), int(n_trials), 1,
                          Path(journal), progress=after_epoch, on_trial=lambda row, n: ended.append(row["trial"]))
    print(len(ended), len(result.trials))
"""


@pytest.fixture
def start(haploids, tmp_path):
    """Start a process that tunes; `killed_in` counts the trials before the one in which it kills itself."""
    write_dataset(haploids, tmp_path / "d.h5")
    (tmp_path / "tune.py").write_text(textwrap.dedent(SCRIPT))

    def run(journal, n_trials, killed_in=-1, pause=0.0):
        words = [tmp_path / "tune.py", tmp_path / "d.h5", journal, n_trials, killed_in, pause]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, *map(str, words)], **pipes)

    return run


def together(*processes):
    """Let processes go on when all of them are ready, so that they do meet; returns what each printed."""
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=200)[0] for process in processes]


def tune(haploids, journal, n_trials=8, seed=1, **fixed):
    view, space = haploids.without_test(), search_space("linear_sgd")
    return tune_dataset(view, "linear_sgd", FIXED | fixed, space, n_trials, seed, journal)


def states(journal):
    """How the trials of a journal ended, by Optuna's own reading."""
    import optuna

    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal)))
    return [trial.state.name for trial in optuna.load_study(study_name=None, storage=storage).trials]


def test_a_killed_run_goes_on_as_if_nothing_had_been(haploids, start, tmp_path):
    whole = tune(haploids, tmp_path / "whole")
    journal = tmp_path / "killed"
    for killed_in in (3, 2):  # in the fourth trial, and after going on, in the sixth
        process = start(journal, 8, killed_in)
        together(process)
        assert process.returncode == -signal.SIGKILL
        assert states(journal)[-1] == "RUNNING"
    resumed = tune(haploids, journal)
    assert without_times(resumed.trials) == without_times(whole.trials)
    assert resumed.hyperparameters == whole.hyperparameters
    assert states(journal).count("FAIL") == 2


def test_processes_share_the_trials(haploids, start, tmp_path):
    journal = tmp_path / "shared"
    processes = [start(journal, 9, pause=0.03) for _ in range(2)]
    own, seen = zip(*(map(int, printed.split()) for printed in together(*processes)), strict=True)
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(own) == 9
    assert min(own) > 0
    assert seen == (9, 9)  # both waited for the last trial
    assert "FAIL" not in states(journal)  # and took no living process for a dead one
    trials = tune(haploids, journal, 9).trials
    assert [row["trial"] for row in trials] == list(range(9))
    assert len({row["learning_rate"] for row in trials}) == 9


def test_a_living_process_takes_over_from_a_killed_one(haploids, start, tmp_path):
    journal = tmp_path / "shared"
    killed, living = start(journal, 9, killed_in=1, pause=0.03), start(journal, 9, pause=0.03)
    _, printed = together(killed, living)
    own, seen = map(int, printed.split())
    assert killed.returncode == -signal.SIGKILL
    assert seen == 9
    assert own >= 7
    trials = tune(haploids, journal, 9).trials
    assert [row["trial"] for row in trials] == list(range(9))
    assert len({row["learning_rate"] for row in trials}) == 9  # the place of the killed trial was given out once


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, "differs in seed (1 there, 2 here); to start anew give another --study"),
        ({"max_epochs": 7}, 'differs in hyperparameters ({"max_epochs": 6'),
    ],
)
def test_a_study_of_something_else(haploids, tmp_path, change, message):
    tune(haploids, tmp_path / "j", 1)
    with pytest.raises(ConfigError) as error:
        tune(haploids, tmp_path / "j", 1, **change)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_other_data_are_another_study(haploids, diploids, tmp_path):
    tune(haploids, tmp_path / "j", 1)
    with pytest.raises(ConfigError, match=r"differs in dataset \("):
        tune(diploids, tmp_path / "j", 1)


def test_fixed_values_that_vary_anyway_do_not_count(haploids, tmp_path):
    tune(haploids, tmp_path / "j", 1, learning_rate=0.1, l2=0.1)
    assert len(tune(haploids, tmp_path / "j", 2, learning_rate=0.2, l2=0.3).trials) == 2


def test_a_write_that_was_broken_off(haploids, tmp_path):
    journal = tmp_path / "j"
    tune(haploids, journal, 2)
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"worker')
    assert len(tune(haploids, journal, 3).trials) == 3
    assert journal.read_bytes().startswith(whole)
    assert all(json.loads(line) for line in journal.read_text().splitlines())


@pytest.mark.parametrize("content", ["some notes", '{"a": 1}\n', "[1]\n", "\x00\n"])
def test_a_file_that_is_no_journal_is_left_alone(haploids, tmp_path, content):
    journal = tmp_path / "notes.txt"
    journal.write_text(content)
    with pytest.raises(StoreError, match="not a journal of `gpatlas tune`"):
        tune(haploids, journal)
    assert journal.read_text() == content


def test_a_damaged_journal(haploids, tmp_path):
    journal = tmp_path / "j"
    tune(haploids, journal, 1)
    first, *rest = journal.read_text().splitlines()
    journal.write_text("\n".join([first, "{", *rest]) + "\n")
    with pytest.raises(StoreError, match="damaged"):
        tune(haploids, journal, 1)


def test_a_study_that_we_did_not_make(haploids, tmp_path):
    import optuna

    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(tmp_path / "j")))
    optuna.create_study(storage=storage, study_name="tune", direction="maximize").ask()
    with pytest.raises(StoreError, match="did not make"):
        tune(haploids, tmp_path / "j")
