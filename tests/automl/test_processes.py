"""Several processes on one journal, and killed ones: the same results as of one that was left alone."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import pytest

from gpatlas.automl.outcome import automl
from gpatlas.automl.settings import Settings
from gpatlas.automl.task import make_task
from gpatlas.io import read_dataset, write_dataset

SETTINGS = Settings(
    candidates=("rrblup", "lasso"), budget_fits=16, outer_folds=3, outer_repeats=1, inner_folds=3, permutations=2
)
RESULT, BEGUN = b'{"result":', b'{"index":'  # in the journal, one for each job
SCRIPT = """
    import sys
    from pathlib import Path
    from gpatlas.automl.outcome import automl
    from gpatlas.automl.task import make_task
    from gpatlas.io import read_dataset
    from tests.automl.test_processes import SETTINGS

    if __name__ == "__main__":
        dataset, journal, stop = sys.argv[1:]
        seen = []

        def on_result(results):
            seen.append(len(results))
            if len(seen) == int(stop):
                print("there", flush=True)
                sys.stdin.readline()

        automl(make_task(read_dataset(dataset), "Trait1"), SETTINGS, Path(journal), on_result=on_result)
        print(len(seen))
"""


@pytest.fixture(scope="module")
def alone(haploids, tmp_path_factory):
    """What one process finds."""
    folder = tmp_path_factory.mktemp("alone")
    write_dataset(haploids, folder / "d.h5")
    return automl(make_task(haploids, "Trait1"), SETTINGS, folder / "journal"), folder / "d.h5"


def start(tmp_path, dataset, journal, stop=0) -> subprocess.Popen:
    (tmp_path / "run.py").write_text(textwrap.dedent(SCRIPT))
    words = [sys.executable, str(tmp_path / "run.py"), str(dataset), str(journal), str(stop)]
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), os.getcwd()])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": path}, **pipes)


def check_equal(one, other):
    for name, table in one.tables.items():
        drop = [column for column in ("seconds",) if column in table]
        pd.testing.assert_frame_equal(table.drop(columns=drop), other.tables[name].drop(columns=drop))
    np.testing.assert_array_equal(one.estimator.predict(one.task.X), other.estimator.predict(one.task.X))


def again(dataset, journal):
    return automl(make_task(read_dataset(dataset), "Trait1"), SETTINGS, journal)


def test_a_killed_run_goes_on_as_if_nothing_had_been(alone, tmp_path):
    whole, dataset = alone
    process = start(tmp_path, dataset, tmp_path / "journal", stop=5)
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    size = (tmp_path / "journal").stat().st_size
    check_equal(whole, again(dataset, tmp_path / "journal"))
    assert (tmp_path / "journal").stat().st_size > size


def test_two_processes_find_what_one_finds(alone, tmp_path):
    whole, dataset = alone
    both = [start(tmp_path, dataset, tmp_path / "journal", stop=1) for _ in range(2)]
    for process in both:  # each has done a job, so that both are at work from here on
        assert process.stdout.readline() == "there\n"
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=200)
        assert process.returncode == 0
    before = (tmp_path / "journal").read_bytes().count(RESULT)
    check_equal(whole, again(dataset, tmp_path / "journal"))
    assert before > 20
    content = (tmp_path / "journal").read_bytes()
    assert content.count(RESULT) == before  # nothing was left to do
    assert content.count(BEGUN) == before  # and nothing was done twice


def test_helpers_are_gone_when_the_run_is_over(alone, tmp_path):
    whole, dataset = alone
    task = make_task(read_dataset(dataset), "Trait1")
    check_equal(whole, automl(task, SETTINGS, tmp_path / "journal", processes=2))
    import multiprocessing

    deadline = time.monotonic() + 20
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not multiprocessing.active_children()
