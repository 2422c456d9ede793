"""Several networks of one shape trained at once, each on its own data, as one batched network.

What is gained is launches of kernels: small networks leave a GPU idle between them. Every member has the batches,
learning rates and early stopping that it would have alone; when one stops, it is taken out of the batch.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from gpatlas.train.loss import masked_loss
from gpatlas.train.optimizers import make_schedulers
from gpatlas.train.precision import Arithmetic
from gpatlas.train.settings import History, TrainSettings

_EPS = 1e-8  # of AdamW


@dataclass(frozen=True)
class Member:
    """One network and its data; sizes of data and shapes of networks must agree among members.

    Parameters
    ----------
    network
        Maps raw dosage `(B, N)` to `(B, T)`.
    x, y, x_validation, y_validation
        As for `train`.
    seed
        Of the order of samples.
    """

    network: nn.Module
    x: Tensor
    y: Tensor
    x_validation: Tensor
    y_validation: Tensor
    seed: int


class _Course:
    """A member's learning rate, early stopping and history."""

    def __init__(self, member: Member, settings: TrainSettings, steps_per_epoch: int):
        self.settings, self.history, self.stale = settings, History(), 0
        self.best: dict[str, Tensor] | None = None
        self.best_loss = float("inf")
        self.order = torch.Generator().manual_seed(member.seed)
        # an optimizer of nothing, whose rates a schedule of torch moves
        self.rates = torch.optim.AdamW([torch.zeros(1)], lr=settings.learning_rate)
        self.by_epoch, self.by_step = make_schedulers(self.rates, settings, steps_per_epoch)
        self.rates.step()

    def after_epoch(self, train_loss: float, validation_loss: float) -> bool:
        """Note an epoch; say whether it is the best so far."""
        self.history.train_loss.append(train_loss)
        self.history.validation_loss.append(validation_loss)
        if self.by_epoch is not None:
            self.by_epoch.step(validation_loss)
        improved = validation_loss < self.best_loss - self.settings.min_delta
        self.stale = 0 if improved else self.stale + 1
        if improved:
            self.best_loss, self.history.best_epoch = validation_loss, len(self.history.train_loss)
        return improved

    @property
    def stopped(self) -> bool:
        return self.stale >= self.settings.patience


def train_many(members: Sequence[Member], settings: TrainSettings, arithmetic: Arithmetic) -> list[History]:
    """Train networks in place by AdamW, and leave each with the weights of its best validation epoch.

    Equal to `train` of each with its seed, up to rounding.

    Parameters
    ----------
    members
        At least one.
    settings
        Of all; the seed is each member's own. Optimizer "adamw" without `l1`, no loss scaling.
    arithmetic
        How and where.

    Raises
    ------
    FloatingPointError
        A member never had a finite validation loss.
    """
    assert settings.optimizer == "adamw"
    assert settings.l1 == 0
    assert not arithmetic.needs_loss_scaling
    device, n = arithmetic.device, len(members[0].x)
    size = min(settings.batch_size, n)
    starts = [s for s in range(0, n, size) if n - s > 1 or n == 1]
    x, y, x_validation, y_validation = (
        torch.stack([getattr(m, name) for m in members]).to(device)
        for name in ("x", "y", "x_validation", "y_validation")
    )
    for member in members:
        member.network.to(device)
    template = copy.deepcopy(members[0].network)
    parameters, buffers = torch.func.stack_module_state([m.network for m in members])
    parameters = {name: p.detach().requires_grad_() for name, p in parameters.items()}
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in parameters.items()}
    courses = [_Course(m, replace(settings, seed=m.seed), len(starts)) for m in members]
    alive = list(range(len(members)))
    step = 0
    for _ in range(settings.max_epochs):
        template.train()
        orders = torch.stack([torch.randperm(n, generator=courses[k].order) for k in alive]).to(device)
        total = torch.zeros(len(alive), device=device)
        of_member = torch.arange(len(alive), device=device)[:, None]
        for start in starts:
            rows = orders[:, start : start + size]
            output = _forward(template, parameters, buffers, x[of_member, rows], arithmetic)
            losses = torch.vmap(lambda o, t: masked_loss(o, t, settings.loss))(output, y[of_member, rows])
            gradients = torch.autograd.grad(losses.sum(), list(parameters.values()))
            step += 1
            _adamw(parameters, gradients, moments, [courses[k] for k in alive], settings.weight_decay, step)
            total += losses.detach()
        template.eval()
        with torch.no_grad():
            output = _forward(template, parameters, buffers, x_validation, arithmetic)
            found = [masked_loss(o, t, settings.loss).item() for o, t in zip(output, y_validation, strict=True)]
        for place, k in enumerate(alive):
            if courses[k].after_epoch(total[place].item() / len(starts), found[place]):
                state = {**parameters, **buffers}
                courses[k].best = {name: value[place].detach().clone() for name, value in state.items()}
        going = [place for place, k in enumerate(alive) if not courses[k].stopped]
        if len(going) == len(alive):
            continue
        if not going:
            break
        alive = [alive[place] for place in going]
        x, y, x_validation, y_validation = (t[going] for t in (x, y, x_validation, y_validation))
        parameters = {name: p.detach()[going].requires_grad_() for name, p in parameters.items()}
        buffers = {name: b[going] for name, b in buffers.items()}
        moments = {name: (m[going], v[going]) for name, (m, v) in moments.items()}
    for member, course in zip(members, courses, strict=True):
        if course.best is None:
            raise FloatingPointError("training diverged: no finite validation loss; lower learning_rate")
        member.network.load_state_dict(course.best)
        member.network.eval()
    return [course.history for course in courses]


def _forward(
    template: nn.Module, parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor, arithmetic: Arithmetic
) -> Tensor:
    """Return every member's output on its own samples, float32 or float64 `(K, B, T)`."""

    def one(own: dict[str, Tensor], kept: dict[str, Tensor], x_BN: Tensor) -> Tensor:
        return torch.func.functional_call(template, (own, kept), (x_BN,))

    with arithmetic.autocast():
        output = torch.vmap(one, randomness="different")(parameters, buffers, x)
    return output if output.dtype == torch.float64 else output.float()


@torch.no_grad()
def _adamw(
    parameters: dict[str, Tensor],
    gradients: Sequence[Tensor],
    moments: dict[str, tuple[Tensor, Tensor]],
    courses: list[_Course],
    weight_decay: float,
    step: int,
) -> None:
    """One step of AdamW (Loshchilov & Hutter 2019, algorithm 2), each member at its own learning rate."""
    groups = [course.rates.param_groups[0] for course in courses]
    beta1, beta2 = groups[0]["betas"]  # a schedule by steps is the same for all
    device = gradients[0].device
    for (name, p), gradient in zip(parameters.items(), gradients, strict=True):
        rate = torch.tensor([g["lr"] for g in groups], dtype=p.dtype, device=device).view(-1, *[1] * (p.ndim - 1))
        mean, square = moments[name]
        p.mul_(1 - rate * weight_decay)
        mean.lerp_(gradient, 1 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        spread = (square / (1 - beta2**step)).sqrt_().add_(_EPS)
        p.sub_(rate / (1 - beta1**step) * mean / spread)
    for course in courses:
        if course.by_step is not None:
            course.by_step.step()
