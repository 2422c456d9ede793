"""Batches are the same wherever they come from, and a folder of them knows whose they are."""

import os
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest

from gpatlas.errors import ConfigError, StoreError
from gpatlas.gpfn.batch_files import BatchFiles
from gpatlas.gpfn.content import content_hash
from gpatlas.gpfn.draws import Cached, Here
from gpatlas.gpfn.queue import Queue
from gpatlas.gpfn.schedule import Schedule


def hashes(batches):
    return [[content_hash(task) for task in batch] for batch in batches]


def test_batches_do_not_depend_on_who_draws_them(schedule, tmp_path):
    members = range(schedule.spec.batch_size)
    expected = hashes(Here(schedule).batches(0, members))
    assert len(expected) == schedule.spec.n_batches
    assert len({h for batch in expected for h in batch}) == schedule.spec.n_draws  # no population twice
    assert hashes(Here(schedule, workers=2).batches(0, members)) == expected
    files = BatchFiles(tmp_path, schedule)
    for batch in reversed(range(schedule.spec.n_batches)):
        files.make(batch)
    cached = Cached(tmp_path, schedule)
    assert hashes(cached.batches(0, members)) == expected
    assert hashes(cached.batches(5, range(1, 2))) == [batch[1:] for batch in expected[5:]]
    task, again = schedule.tasks(0)[1], files.read(0, members)[1]
    for name, value in vars(task).items():
        np.testing.assert_array_equal(value, getattr(again, name), err_msg=name)


def test_sizes_are_those_of_the_recipe(schedule):
    for batch in range(schedule.spec.n_batches):
        shapes = {task.genotypes.shape for task in schedule.tasks(batch)}
        assert shapes == {schedule.size(batch)}
        (n, m), (low, high) = shapes.pop(), schedule.spec.n_samples
        assert low <= n <= high
        assert schedule.spec.n_markers[0] <= m <= schedule.spec.n_markers[1]


def test_validation_populations_are_fixed_and_no_training_ones(schedule):
    fixed = hashes([schedule.validation("unstructured")])
    assert hashes([schedule.validation("unstructured")]) == fixed
    other = Schedule(schedule.spec.model_copy(update={"n_draws": 240}))
    assert hashes([other.validation("unstructured")]) == fixed
    assert not set(fixed[0]) & {h for batch in hashes(Here(schedule).batches(0, range(2))) for h in batch}


def test_learning_rate_rises_and_falls(schedule):
    rates = [schedule.learning_rate(batch) for batch in range(schedule.spec.n_batches)]
    assert max(rates) <= schedule.spec.learning_rate
    assert rates[-1] < 0.1 * max(rates)
    assert rates[0] < max(rates)


def test_a_folder_belongs_to_one_recipe(schedule, tmp_path):
    BatchFiles(tmp_path, schedule).make(0)
    same_draws = Schedule(schedule.spec.model_copy(update={"learning_rate": 0.5, "n_draws": 2400}))
    assert BatchFiles(tmp_path, same_draws).present() == [0]
    other = Schedule(schedule.spec.model_copy(update={"seed": 4}))
    with pytest.raises(ConfigError, match="holds draws of another recipe"):
        BatchFiles(tmp_path, other)
    kept = BatchFiles(tmp_path, same_draws, replace=True)
    assert kept.present() == [0]
    emptied = BatchFiles(tmp_path, other, replace=True)
    assert emptied.present() == []
    emptied.make(2)
    assert BatchFiles(tmp_path, other, replace=True).present() == [2]
    with pytest.raises(ConfigError, match="holds draws of another recipe"):
        BatchFiles(tmp_path, schedule)
    BatchFiles(tmp_path, schedule, replace=True).make(0)
    with pytest.raises(StoreError, match=f"{schedule.spec.n_batches - 1} of 12 batches are absent, the first is 1"):
        Cached(tmp_path, schedule)
    with pytest.raises(StoreError, match="no cache of draws"):
        Cached(tmp_path / "elsewhere", schedule)


def test_a_queue_is_bounded_and_lets_go_of_what_is_committed(schedule, tmp_path):
    queue = Queue(tmp_path, schedule, capacity=4)
    assert queue.fill(wait=False) == 4
    assert queue.fill(wait=False) == 0
    queue.lead(0)
    taken = queue.consume(0, range(2))
    for _ in range(3):
        next(taken)
    assert queue.files.present() == [0, 1, 2, 3]  # used, but no checkpoint has seen them
    leftover = queue.files.path(7).with_name(f".{queue.files.path(7).name}.x.part")
    leftover.write_text("a killed generator's")
    queue.commit(3)
    assert queue.files.present() == [3]
    assert not leftover.exists()
    assert queue.fill(wait=False) == 3
    assert queue.files.present() == [3, 4, 5, 6]
    queue.commit(12)
    assert queue.fill() == 0  # training has all that it needs


def test_who_comes_first_says_the_capacity(schedule, tmp_path):
    assert Queue(tmp_path, schedule, 4).capacity == 4
    assert Queue(tmp_path, schedule).capacity == 4
    with pytest.raises(ConfigError, match="was made to hold 4 batches, not 8; leave --capacity out"):
        Queue(tmp_path, schedule, 8)
    assert Queue(tmp_path / "other", schedule).capacity == 64


@pytest.mark.parametrize(
    ("name", "entry"), [("draws.json", "mark"), ("capacity.json", "capacity"), ("position.json", "position")]
)
@pytest.mark.parametrize("content", ['{"other": 1}', '{"mark": 1.5, "capacity": "x", "position": null}', "[]"])
def test_a_damaged_folder_is_refused(schedule, tmp_path, name, entry, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(StoreError, match=f"{name} does not say {entry}"):
        print(Queue(tmp_path, schedule).position)


def test_waiting_is_said(schedule, tmp_path, monkeypatch):
    monkeypatch.setattr("gpatlas.gpfn.queue._SAID_AFTER", 0.2)
    queue = Queue(tmp_path, schedule, 5)
    answers = iter([False] * 5 + [True])
    monkeypatch.setattr(queue.files, "has", lambda batch: next(answers))
    monkeypatch.setattr(queue.files, "read", lambda batch, members: [])
    with pytest.warns(UserWarning, match="waiting for batch 0 of .*; `gpatlas gpfn draw --queue` fills it") as said:
        next(queue.consume(0, range(2)))
    assert len(said) == 1


GENERATOR = """
import sys
from pathlib import Path
from gpatlas.config import PretrainSpec
from gpatlas.gpfn.queue import Queue
from gpatlas.gpfn.schedule import Schedule
queue = Queue(Path(sys.argv[1]), Schedule(PretrainSpec.model_validate_json(sys.argv[2])), 5)
print("ready", flush=True)
queue.fill(lambda batch: print(batch, flush=True))
"""


def test_generators_share_the_work_of_a_queue(schedule, tmp_path):
    text = schedule.spec.model_dump_json()
    makers = [
        subprocess.Popen([sys.executable, "-c", GENERATOR, str(tmp_path), text], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    queue = Queue(tmp_path, schedule, 5)
    queue.lead(0)
    seen = []
    for number, batch in enumerate(queue.consume(0, range(2))):
        seen.append([content_hash(task) for task in batch])
        assert len(queue.files.present()) <= 5
        queue.commit(number + 1)
    made = [maker.communicate(timeout=60)[0].split()[1:] for maker in makers]
    assert sorted(int(batch) for part in made for batch in part) == list(range(12))  # each once, by one of them
    assert seen == hashes(Here(schedule).batches(0, range(2)))


def test_one_training_for_each_queue(schedule, tmp_path):
    code = GENERATOR.split("print")[0] + "queue.lead(0); print('leads', flush=True); import time; time.sleep(60)"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), schedule.spec.model_dump_json()], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "leads\n"
    with pytest.raises(ConfigError, match="another process trains from this queue"):
        Queue(tmp_path, schedule, 5).lead(0)
    other.kill()
    other.wait()
    Queue(tmp_path, schedule, 5).lead(0)  # a killed one leaves no lock behind


def test_waiting_for_a_batch_ends_when_it_is_there(schedule, tmp_path):
    queue = Queue(tmp_path, schedule, 5)
    queue.lead(0)
    maker = subprocess.Popen([sys.executable, "-c", GENERATOR, str(tmp_path), schedule.spec.model_dump_json()])
    start = time.monotonic()
    assert len(next(queue.consume(0, range(2)))) == 2
    assert time.monotonic() - start < 60
    maker.kill()
    maker.wait()


@pytest.mark.skipif(
    shutil.which("mpiexec") is None or find_spec("mpi4py") is None, reason="needs an MPI library and mpi4py"
)
def test_ranks_of_mpi_share_a_cache(schedule, tmp_path):
    (tmp_path / "recipe.yaml").write_text(schedule.spec.model_dump_json())
    command = ["mpiexec", "-n", "3", sys.executable, "-m", "gpatlas", "gpfn", "draw", tmp_path / "recipe.yaml"]
    as_root = {f"OMPI_ALLOW_RUN_AS_ROOT{suffix}": "1" for suffix in ("", "_CONFIRM")}
    more_than_cores = {
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }
    done = subprocess.run(
        [*map(str, command), "--mpi", "--out", str(tmp_path / "draws")],
        capture_output=True, text=True, env=os.environ | as_root | more_than_cores,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'draws'}: 12 batches of 2 populations drawn\n"
    cached = Cached(tmp_path / "draws", schedule)
    assert hashes(cached.batches(0, range(2))) == hashes(Here(schedule).batches(0, range(2)))
