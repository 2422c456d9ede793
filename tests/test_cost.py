"""The estimate: sizes that can be known are right, what is there is left out, times say which device, what does not
fit is refused."""

import json
import re
from dataclasses import replace
from itertools import product

import pytest
import yaml

from gpatlas.config import FrontierConfig, ScalingConfig
from gpatlas.cost import (
    Machine,
    Requests,
    calibrate,
    duration,
    estimate,
    needs_torch,
    obstacles,
    seconds_of_fit,
    verdict,
    wall_seconds,
)
from gpatlas.cost.happened import what_happened
from gpatlas.cost.prices import JobCost, distinct_trials, mean_work, price_fit, price_search, seconds
from gpatlas.cost.stages import Stage
from gpatlas.design import Design, dataset_path, predictions_path
from gpatlas.engines import make_dataset
from gpatlas.errors import StoreError
from gpatlas.io import write_dataset
from gpatlas.models import make
from gpatlas.models.space import Choice, Float
from gpatlas.models.work import Work

MACHINE = Machine(cores=2, flops=1e11)


def design(**changes) -> Design:
    section = {"n_samples": (2000,), "qtl_scaling": (2,), "replicates": 2, "models": {"rrblup": {}, "mlp": {}}}
    return Design(ScalingConfig(**(section | changes)))


def simulate_row(design: Design, number: int, results):
    row = design.rows[number]
    path = results / "scaling" / dataset_path(row)
    dataset = make_dataset(design.simulation(row), design.config.engine, design.seed(row, "simulate"), row.columns)
    write_dataset(dataset, path)
    return path


@pytest.mark.parametrize("ploidy", [1, 2])
def test_disk_is_what_datasets_take(ploidy, tmp_path):
    table = design(ploidy=ploidy)
    before = estimate(table, MACHINE, tmp_path)[0]
    size = simulate_row(table, 0, tmp_path).stat().st_size
    assert before.disk / 2 == pytest.approx(size, rel=0.15)
    after = estimate(table, MACHINE, tmp_path)[0]
    assert (before.jobs, after.jobs) == (2, 1)  # what is there is not done again
    assert after.disk == before.disk / 2


def test_disk_of_all_pairs_is_what_their_dataset_takes(tmp_path):
    table = Design(
        FrontierConfig(
            n_samples=(200,), qtl_scaling=(400.0,), architecture=("dense",), replicates=1, models={"rrblup": {}}
        )
    )
    size = simulate_row(table, 0, tmp_path).stat().st_size
    assert estimate(table, MACHINE)[0].disk == pytest.approx(size, rel=0.1)


def test_stages_are_those_of_the_workflow():
    stages = estimate(design(), MACHINE)
    assert [(s.name, s.jobs) for s in stages] == [
        ("simulate", 2),
        ("fit rrblup", 1),
        ("fit mlp", 1),
        ("figures, report", 4),
    ]
    assert not any(stage.on_gpu for stage in stages)


def test_larger_populations_and_slower_machines_cost_more():
    def mlp(n_samples: int, flops: float) -> float:
        return estimate(design(n_samples=(n_samples,)), Machine(2, flops))[2].seconds

    assert mlp(4000, 1e11) > 1.5 * mlp(2000, 1e11) > 0
    assert mlp(2000, 1e10) > mlp(2000, 1e11)


def test_networks_are_priced_on_the_gpu_and_ridge_is_not():
    stages = estimate(design(), Machine(2, 1e11, "T4", 2e13))
    assert [stage.on_gpu for stage in stages] == [False, False, True, False]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (100, "1.7 min"), (3000, "50 min"), (9000, "2.5 h"), (3e5, "3.5 days")],
)
def test_durations_are_said_as_one_would(seconds, text):
    assert duration(seconds) == text


def test_prices_are_the_rates_held_against_the_work():
    machine = Machine(1, flops=10.0, flops64=5.0, eigen=4.0, bandwidth=8.0, step=0.5)
    work = Work(flops=20.0, memory=7.0, steps=4.0, traffic=16.0, flops64=15.0, eigen=12.0)
    assert seconds(work, machine) == 2 + 2 + 2 + 3 + 3
    twice = work + work
    assert twice == work * 2
    assert seconds(twice, machine) == 2 * seconds(work, machine)
    assert twice.memory == 7.0  # one after the other


def test_what_stays_on_a_core_is_priced_there_when_there_is_a_gpu():
    machine = Machine(
        1, flops=10.0, gpu="T4", gpu_flops=1e3, flops64=5.0, eigen=4.0, bandwidth=8.0, step=0.5, gpu_step=0.25
    )
    classical = Work(flops=20.0, memory=7.0, traffic=16.0, flops64=15.0, eigen=12.0).on_core()
    assert seconds(classical, machine, gpu=True) == seconds(classical, machine) == 2 + 2 + 3 + 3
    assert classical.on_core() == classical
    network = Work(flops=5e3, memory=7.0, steps=8.0, traffic=100.0)
    assert seconds(network, machine, gpu=True) == 10 + 10 + 2
    assert seconds((network + classical) * 3, machine, gpu=True) == 3 * (22 + 10)


@pytest.mark.parametrize(
    ("members", "torch"), [(None, True), (["rrblup", "mlp"], True), ({"mlp": {"device": "cpu"}}, True),
                           (["rrblup", "egblup"], False)],
)  # fmt: skip
def test_a_stack_is_priced_by_its_members(members, torch):
    table = design(models={"auto_epistasis": {} if members is None else {"members": members}})
    assert needs_torch([table]) == torch
    machine = replace(MACHINE, gpu="T4", gpu_flops=2e13, start_torch=100.0)
    price = price_fit(table, table.jobs[0], "auto_epistasis", replace(machine, pace=1.0))
    assert (price.seconds > 100) == torch
    stack = make("auto_epistasis", **({} if members is None else {"members": members}))
    apart = sum(seconds_of_fit(stack._member(name, 0), 1700, 90, 5, machine) for name in stack._chosen(1700, 90))
    assert seconds_of_fit(stack, 1700, 90, 5, machine) == pytest.approx(10 * apart)  # nine tenths ten times, and all


def test_selecting_loci_for_a_network_is_work_of_a_core():
    machine = replace(MACHINE, gpu="T4", gpu_flops=1e30)
    selecting = make("lasso").work(10_000, 2000, 1)
    assert seconds_of_fit(make("lasso_mlp", joint=False), 10_000, 2000, 1, machine) >= seconds(selecting, machine)


def jobs(*costs: JobCost, name: str = "fit mlp") -> Stage:
    return Stage("scaling", name, costs)


def test_a_run_is_no_shorter_than_its_longest_job_nor_than_all_on_all_cores():
    many, one = [JobCost(10.0, 1.0, 0.0)] * 8, JobCost(200.0, 1.0, 0.0)
    alone = [wall_seconds([jobs(one)], Machine(cores, 1e11)) for cores in (1, 8)]
    assert all(200 <= wall < 220 for wall in alone)
    assert wall_seconds([jobs(*many)], Machine(1, 1e11)) > 80
    assert 10 <= wall_seconds([jobs(*many)], Machine(8, 1e11)) < 40
    assert wall_seconds([], Machine(2, 1e11)) == 0


def test_small_fits_share_a_gpu_and_large_ones_wait_for_each_other():
    small, large = (JobCost(100.0, 1e8, 0.0, 1000, 1e8, share) for share in (0.1, 1.0))
    machine = Machine(8, 1e11, "T4", 2e13)
    assert wall_seconds([jobs(*[small] * 8)], machine) < 130
    assert wall_seconds([jobs(*[large] * 8)], machine) > 800


class TestWhatDoesNotFit:
    """One line for each thing, with the way out."""

    machine = Machine(2, 1e11, memory=8e9)

    def test_memory_of_a_job(self, tmp_path):
        stage = jobs(JobCost(1, 2e9, 0, 10_000), JobCost(1, 5e9, 0, 100_000), JobCost(1, 5e10, 0, 1_000_000))
        assert obstacles([stage], self.machine, tmp_path) == [
            "scaling: fit mlp needs 50 GB of memory for 1,000,000 samples, there are 8.0 GB; "
            "set max_n_samples: 100000 for mlp, or take a machine with more"
        ]

    def test_memory_of_simulating(self, tmp_path):
        stage = jobs(JobCost(1, 2e9, 0, 10_000), JobCost(1, 5e10, 0, 1_000_000), name="simulate")
        [line] = obstacles([stage], self.machine, tmp_path)
        assert line.endswith("take n_samples of at most 10,000, or a machine with more")

    def test_memory_of_jobs_at_once(self, tmp_path):
        stage = jobs(*[JobCost(1, 3e9, 0, 10_000)] * 9)
        [line] = obstacles([stage], replace(self.machine, cores=4), tmp_path)
        assert line == ("scaling: 4 jobs at once need 12 GB of memory, there are 8.0 GB; run fewer at once, --cores 2")

    def test_memory_of_the_gpu(self, tmp_path):
        machine = replace(self.machine, gpu="T4", gpu_flops=1e13, gpu_memory=1.6e10)
        [line] = obstacles([jobs(JobCost(1, 2e9, 0, 10_000, gpu_memory=2e10))], machine, tmp_path)
        assert "needs 20 GB of GPU memory" in line
        assert line.endswith("leave mlp out or make it smaller, or take device: cpu")

    def test_disk(self, tmp_path, monkeypatch):
        monkeypatch.setattr(verdict, "free_disk", lambda folder: 1e9)
        [line] = obstacles([jobs(JobCost(1, 1e8, 2e9))], self.machine, tmp_path)
        assert line.startswith("scaling: 2.0 GB of disk are needed, 1.0 GB are free at ")

    def test_what_fits_is_not_refused(self, tmp_path):
        assert obstacles([jobs(JobCost(1, 1e8, 1e3))], self.machine, tmp_path) == []

    def test_the_command_refuses_and_goes_on_anyway(self, gpatlas, tmp_path):
        section = {"experiment": "scaling", "n_samples": [10**9], "qtl_scaling": [0.1], "replicates": 1}
        (tmp_path / "huge.yaml").write_text(yaml.safe_dump(section | {"models": {"rrblup": {}}}))
        refused = gpatlas("cost", tmp_path / "huge.yaml")
        assert refused.returncode == 2
        assert "Estimate: " in refused.stdout
        lines = refused.stderr.splitlines()
        assert len(lines) >= 2  # simulating and fitting
        assert all(line.startswith("gpatlas: error: scaling: ") for line in lines)
        anyway = gpatlas("cost", tmp_path / "huge.yaml", "--anyway")
        assert anyway.returncode == 0
        free = re.compile(r"[0-9.]+ [kMG]?B are free")  # other work on this machine makes files, too
        warnings = [line.replace("error", "warning", 1) for line in lines]
        assert free.sub("", anyway.stderr).splitlines() == [free.sub("", line) for line in warnings]
        elsewhere = gpatlas("cost", tmp_path / "huge.yaml", "--elsewhere", "--anyway")
        assert "of memory for" not in elsewhere.stderr


class TestSearches:
    """What a search costs, repeated and stopped trials left out."""

    def test_trials_that_repeat_are_not_fitted(self):
        space = {"a": Choice((1, 2)), "b": Choice((3, 4))}
        draws = [len(set(d)) for d in product(range(4), repeat=5)]
        assert distinct_trials(space, 5) == pytest.approx(sum(draws) / len(draws))
        assert distinct_trials(space | {"c": Float(0, 1)}, 5) == 5

    def test_the_cost_of_a_trial_is_the_mean_over_the_space(self):
        space = {"hidden": Choice(((8,), (64,), (8, 8))), "learning_rate": Float(1e-3, 1e-2)}
        by_hand = [make("mlp", hidden=hidden).work(500, 30, 2) for hidden in ((8,), (64,), (8, 8))]
        work = mean_work("mlp", make("mlp").get_params(), space, 500, 30, 2)
        assert work.flops == pytest.approx(sum(w.flops for w in by_hand) / 3)
        assert work.memory == max(w.memory for w in by_hand)

    def test_the_median_rule_saves_a_third_of_many_trials(self):
        def search(pruner: str, n_trials: int) -> float:
            models = {"linear_sgd": {"tune": {"n_trials": n_trials, "pruner": pruner}}}
            table = design(models=models)
            return price_search(table, table.rows[0], "linear_sgd", replace(MACHINE, start_torch=0.0)).seconds

        assert search("median", 5) == search("none", 5)  # none is judged
        assert 0.65 < search("median", 200) / search("none", 200) < 0.75


class TestRequests:
    """What jobs ask of a scheduler."""

    def test_a_second_attempt_asks_for_more(self):
        requests, table = Requests(design()), design()
        first = requests.fit(table.jobs[0].name, "mlp")
        assert requests.fit(table.jobs[0].name, "mlp", 2) == first.again(2)
        assert (first.again(2).mem_mb, first.again(3).runtime) == (2 * first.mem_mb, 3 * first.runtime)
        assert first.again(2).gpu_share == first.gpu_share

    def test_more_is_asked_for_than_the_price(self):
        table = design()
        request = Requests(table).fit(table.jobs[0].name, "rrblup")
        price = estimate(table, MACHINE)[1]
        assert request.mem_mb > 1.2 * price.memory / 1e6
        assert request.runtime >= 10
        assert request.gpu_share == 0

    def test_small_networks_ask_for_little_of_a_gpu_and_large_ones_for_most(self):
        small, large = design(n_samples=(1000,)), design(n_samples=(100_000,), qtl_scaling=(20,))
        shares = []
        for table, hidden in ((small, (64,)), (large, (4096, 4096))):
            table = Design(table.config.model_copy(update={"models": {"mlp": _entry(hidden)}}))
            shares.append(Requests(table).fit(table.jobs[0].name, "mlp").gpu_share)
        assert shares[0] <= 10
        assert 50 < shares[1] <= 100  # two do not fit

    def test_a_gpu_makes_networks_quicker(self):
        table = design(n_samples=(100_000,), qtl_scaling=(20,))
        cpu, gpu = (Requests(table, gpus).fit(table.jobs[0].name, "mlp") for gpus in (False, True))
        assert gpu.runtime < cpu.runtime


def _entry(hidden):
    return design(models={"mlp": {"hidden": hidden}}).config.models["mlp"]


def test_what_happened_is_read_from_the_products(tmp_path):
    table = design()
    with pytest.raises(StoreError, match="no finished job of scaling"):
        what_happened(table, tmp_path)
    path = simulate_row(table, 0, tmp_path)
    record = {"process_cpu_seconds": 2.5, "process_seconds": 9.0, "max_rss_mb": 80.0}
    path.with_suffix(".runtime.json").write_text(json.dumps(record))
    fit = tmp_path / "scaling" / predictions_path(table.jobs[0], "mlp")
    fit.parent.mkdir(parents=True)
    fit.write_bytes(b"x" * 123)
    fit.with_suffix(".runtime.json").write_text(json.dumps(record | {"device": "Tesla T4"}))
    happened, _ = what_happened(table, tmp_path)
    assert set(happened) == {"simulate", "fit mlp"}
    assert (happened["simulate"].jobs, happened["simulate"].seconds, happened["simulate"].memory) == (1, 2.5, 8e7)
    assert (happened["fit mlp"].seconds, happened["fit mlp"].disk) == (9.0, 123)  # on a GPU, its time


def test_a_calibration_measures_rates():
    machine = calibrate(3, processes=False, torch=False)
    assert machine.cores == 3
    assert min(machine.flops, machine.flops64, machine.eigen, machine.bandwidth, machine.memory) > 1e6
