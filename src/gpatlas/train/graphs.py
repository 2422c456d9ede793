"""CUDA graphs: the kernels of forward and backward launched as one, where launching costs more than computing.

The optimizer stays outside: its learning rate and momentum change from step to step and would be frozen in a graph.
"""

import copy
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

Gradients = Callable[[Tensor], Tensor]
_WORTH_CAPTURING = 50  # steps; capturing takes about as long as five


def graphed(gradients: Gradients, network: nn.Module, batch_size: int, n_steps: int, device: torch.device) -> Gradients:
    """Return a function that does what `gradients` does, by a CUDA graph for batches of the usual size.

    Parameters
    ----------
    gradients
        From the rows of a batch `(B,)` to its loss; leaves gradients, where there were none, in the parameters. It may
        not wait for the device.
    network
        Whose gradients they are.
    batch_size
        The usual size; other batches (the last of an epoch) are computed without the graph.
    n_steps
        How often it will be called.
    device
        On anything but CUDA, and for few steps, `gradients` itself is returned.
    """
    if device.type != "cuda" or n_steps < _WORTH_CAPTURING:
        return gradients
    try:
        replay = _capture(gradients, network, batch_size, device)
    except RuntimeError as error:
        warnings.warn(f"this network trains without CUDA graphs: {str(error).splitlines()[0]}", stacklevel=2)
        network.zero_grad(set_to_none=True)
        return gradients
    return by_size(replay, gradients, batch_size)


def by_size(usual: Gradients, other: Gradients, batch_size: int) -> Gradients:
    """Return a function that calls `usual` for batches of a size and `other` for all others."""
    return lambda rows: (usual if len(rows) == batch_size else other)(rows)


def _capture(gradients: Gradients, network: nn.Module, batch_size: int, device: torch.device) -> Gradients:
    rows = torch.arange(batch_size, device=device)
    before = copy.deepcopy(network.state_dict())
    network.train()
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):  # libraries allocate and choose their kernels before they are recorded
        for _ in range(3):
            network.zero_grad(set_to_none=True)
            gradients(rows)
    torch.cuda.current_stream(device).wait_stream(stream)
    network.zero_grad(set_to_none=True)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = gradients(rows)
    network.load_state_dict(before)  # warming up has moved running statistics
    fixed = [(p, p.grad) for p in network.parameters()]  # where a replay writes

    def replay(batch: Tensor) -> Tensor:
        rows.copy_(batch)
        graph.replay()
        for parameter, gradient in fixed:
            parameter.grad = gradient
        return loss

    return replay
