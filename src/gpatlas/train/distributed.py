"""Several processes, one network: `torchrun --nproc_per_node 4 -m gpatlas fit …`.

Every process holds all samples and the same weights, and computes its share of every batch; losses, the statistics
of batch normalisation and gradients are those of the whole batch, so that the number of processes changes only the
rounding. The first process writes results.
"""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


@dataclass(frozen=True)
class Processes:
    """Which process it is that runs, of how many that train together."""

    rank: int = 0
    count: int = 1

    def share(self, rows: Tensor) -> Tensor:
        """Return this process' rows of a batch."""
        return rows.tensor_split(self.count)[self.rank]

    def total(self, value: Tensor) -> Tensor:
        """Sum a value that is not differentiated over processes, in place."""
        if self.count > 1:
            dist.all_reduce(value)
        return value

    def sum_gradients(self, network: nn.Module) -> None:
        """Add up gradients over processes, all at once in flight."""
        if self.count == 1:
            return
        for p in network.parameters():
            if p.grad is None:  # this process had no sample in the batch
                p.grad = torch.zeros_like(p)
        pending = [dist.all_reduce(p.grad, async_op=True) for p in network.parameters()]
        for work in pending:
            work.wait()


def join_processes(device: torch.device) -> Processes:
    """Join the processes that torchrun started, or be alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Processes()
    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Processes(dist.get_rank(), dist.get_world_size())


class WholeBatchNorm(nn.Module):
    """`nn.BatchNorm1d` over the samples of all processes (torch's SyncBatchNorm does not run on CPUs).

    Parameters
    ----------
    norm
        Whose parameters and running statistics are used and kept up.
    """

    def __init__(self, norm: nn.BatchNorm1d):
        super().__init__()
        self.norm = norm

    def forward(self, x_BF: Tensor) -> Tensor:
        """Return `(B, F)`; B is this process' share and may be 0."""
        norm = self.norm
        if not self.training:
            return norm(x_BF)
        x_BF = x_BF.float()
        n = all_reduce(x_BF.new_tensor(float(len(x_BF))))
        mean_F = all_reduce(x_BF.sum(dim=0)) / n
        variance_F = all_reduce((x_BF - mean_F).square().sum(dim=0)) / n
        with torch.no_grad():
            norm.running_mean.lerp_(mean_F, norm.momentum)
            norm.running_var.lerp_(variance_F * (n / (n - 1)), norm.momentum)
            norm.num_batches_tracked += 1
        return (x_BF - mean_F) * torch.rsqrt(variance_F + norm.eps) * norm.weight + norm.bias


def with_whole_batches(network: nn.Module) -> None:
    """Replace batch normalisation within a network, in place."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm1d):
                setattr(parent, name, WholeBatchNorm(child))


def with_own_batches(network: nn.Module) -> None:
    """Undo `with_whole_batches`."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, WholeBatchNorm):
                setattr(parent, name, child.norm)
