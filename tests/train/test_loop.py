"""The training loop: losses, schedules, precision, best weights."""

import math

import pytest
import torch
from torch import nn

from gpatlas.train import TrainSettings, predict, train
from gpatlas.train.loss import masked_loss
from gpatlas.train.precision import Arithmetic, choose_arithmetic, precision_for

CPU = choose_arithmetic("cpu", "f32")


def problem(n=400, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 2, (n, 6), generator=generator).to(torch.int8)
    return x, x.float() @ torch.arange(6.0)[:, None] / 5


class Linear(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.layer = nn.Linear(6, 1)

    def forward(self, x):
        return self.layer(x.float())


def run(settings, arithmetic=CPU, data=None):
    x, y = data or problem()
    network = Linear()
    return network, train(network, x[:300], y[:300], x[300:], y[300:], settings, arithmetic)


@pytest.mark.parametrize("kind", ["l1", "mse"])
def test_masked_loss_ignores_what_is_missing(kind):
    output, target = torch.tensor([[1.0, 2.0], [3.0, 5.0]]), torch.tensor([[0.0, math.nan], [1.0, 4.0]])
    differences = torch.tensor([1.0, 2.0, 1.0])
    expected = differences.abs().mean() if kind == "l1" else (differences**2).mean()
    assert masked_loss(output, target, kind) == pytest.approx(expected.item())
    nothing = masked_loss(output.requires_grad_(), torch.full_like(target, math.nan), kind)
    assert nothing.item() == 0
    nothing.backward()


@pytest.mark.parametrize("schedule", ["plateau", "one_cycle", "constant"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_every_schedule_and_optimizer_learns(schedule, optimizer):
    _, history = run(
        TrainSettings(schedule=schedule, optimizer=optimizer, learning_rate=0.05, max_epochs=30, weight_decay=0)
    )
    assert min(history.validation_loss) < 0.05 * history.validation_loss[0]


def test_the_best_epoch_is_kept():
    x, y = problem()
    network, history = run(TrainSettings(learning_rate=0.5, schedule="constant", max_epochs=15, patience=15))
    found = masked_loss(predict(network, x[300:], CPU), y[300:], "mse").item()
    assert found == pytest.approx(min(history.validation_loss), rel=1e-5)
    assert history.validation_loss.index(min(history.validation_loss)) + 1 == history.best_epoch
    assert not network.training


def test_weight_decay_of_sgd_is_half_the_square_of_all_parameters():
    """Full-batch descent ends at the closed form of mean squared error + l2·½‖θ‖², intercept included."""
    x, y = problem()
    settings = TrainSettings(
        optimizer="sgd", learning_rate=0.2, weight_decay=0.7, schedule="constant", batch_size=300,
        max_epochs=300, patience=300, min_delta=-math.inf,
    )  # fmt: skip
    network, _ = run(settings)
    design = torch.cat([x[:300].float(), torch.ones(300, 1)], dim=1)
    solution = torch.linalg.solve(2 / 300 * design.T @ design + 0.7 * torch.eye(7), 2 / 300 * design.T @ y[:300])
    found = torch.cat([network.layer.weight.detach()[0], network.layer.bias.detach()])
    torch.testing.assert_close(found, solution[:, 0], atol=1e-4, rtol=1e-3)


def test_plateau_schedule_needs_no_improvement_to_halve(monkeypatch):
    seen = []
    original = torch.optim.lr_scheduler.ReduceLROnPlateau.step

    def step(self, metrics, *args, **kwargs):
        original(self, metrics, *args, **kwargs)
        seen.append(self.optimizer.param_groups[0]["lr"])

    monkeypatch.setattr(torch.optim.lr_scheduler.ReduceLROnPlateau, "step", step)
    x, y = problem()
    noise = torch.randn(y.shape, generator=torch.Generator().manual_seed(2))
    run(TrainSettings(schedule="plateau", learning_rate=1.0, max_epochs=12, patience=12), data=(x, noise))
    assert min(seen) < 1.0
    assert set(seen) <= {2.0**-k for k in range(10)}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_sixteen_bits_learn_as_well(dtype):
    """On a CPU, but through the same autocast and, for float16, the same loss scaling as on a GPU."""
    settings = TrainSettings(learning_rate=0.05, max_epochs=30)
    _, full = run(settings)
    _, half = run(settings, Arithmetic(torch.device("cpu"), dtype))
    assert min(half.validation_loss) < 0.05 * full.validation_loss[0]


@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        (None, "f32"),
        ((6, 1), "f32"),
        ((7, 0), "f16"),
        ((7, 5), "f16"),
        ((8, 0), "bf16"),
        ((8, 9), "bf16"),
        ((9, 0), "bf16"),
    ],
)
def test_precision_follows_the_device(capability, expected):
    assert precision_for(capability) == expected


def test_a_cpu_multiplies_bf16_where_it_has_units_and_the_network_is_large(monkeypatch):
    assert precision_for(None, bf16_on_cpu=True) == "bf16"
    for has, n_weights, expected in [
        (True, 2e6, torch.bfloat16),
        (True, 1e5, torch.float32),
        (False, 2e6, torch.float32),
    ]:
        monkeypatch.setattr("gpatlas.train.precision._cpu_has_bf16", lambda has=has: has)
        assert choose_arithmetic("cpu", "auto", n_weights).dtype == expected
        assert choose_arithmetic("cpu", "f32", n_weights).dtype == torch.float32


def test_a_step_that_overflows_is_left_out(monkeypatch):
    """float16 with a loss scale that is far too large: no weight becomes NaN, the scale falls, training goes on."""
    scaler = torch.amp.GradScaler
    monkeypatch.setattr(torch.amp, "GradScaler", lambda device, enabled: scaler(device, 2.0**40, enabled=enabled))
    half = Arithmetic(torch.device("cpu"), torch.float16)
    network, history = run(TrainSettings(learning_rate=0.05, max_epochs=40), half)
    assert torch.isfinite(network.layer.weight).all()
    assert len(history.validation_loss) == 40
    assert min(history.validation_loss) < 0.1 * history.validation_loss[0]


def test_loss_scaling_is_for_float16_only():
    cpu = torch.device("cpu")
    assert [Arithmetic(cpu, d).needs_loss_scaling for d in (torch.float16, torch.bfloat16, torch.float32)] == [
        True,
        False,
        False,
    ]


def test_a_device_that_is_not_there():
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(ValueError, match="device 'cuda' is not available here"):
        choose_arithmetic("cuda")


def test_the_order_of_samples_depends_on_the_seed_alone():
    weights = [run(TrainSettings(seed=seed, max_epochs=2))[0].layer.weight.detach() for seed in (3, 3, 4)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_progress_is_reported_every_epoch():
    x, y = problem()
    seen = []
    train(Linear(), x[:300], y[:300], x[300:], y[300:], TrainSettings(max_epochs=4), CPU, lambda *a: seen.append(a[:2]))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.gpu
def test_a_gpu_gives_what_a_cpu_gives():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    settings = TrainSettings(learning_rate=0.05, max_epochs=20)
    _, cpu = run(settings)
    _, gpu = run(settings, choose_arithmetic("cuda"))
    assert min(gpu.validation_loss) < 0.05 * cpu.validation_loss[0]


def test_l1_pulls_every_weight_by_its_sign_and_leaves_biases():
    """One step of plain SGD: the weights with and without the term differ by learning rate × l1 × sign."""
    x, y = torch.randn(32, 5), torch.randn(32, 1)
    ends, start = [], None
    for l1 in (0.0, 0.3):
        torch.manual_seed(4)
        network = torch.nn.Linear(5, 1)
        start = network.weight.detach().clone()
        settings = TrainSettings(
            optimizer="sgd",
            learning_rate=0.1,
            weight_decay=0.0,
            l1=l1,
            schedule="constant",
            batch_size=32,
            max_epochs=1,
        )
        train(network, x, y, x, y, settings, choose_arithmetic("cpu", "f32"))
        ends.append((network.weight.detach().clone(), network.bias.detach().clone()))
    torch.testing.assert_close(ends[1][0] - ends[0][0], -0.1 * 0.3 * start.sign())
    torch.testing.assert_close(ends[1][1], ends[0][1])
