"""AdamW for networks whose matrices are bf16 on a CPU: no copies of weights, no float32 gradients.

Autocast casts every float32 weight in every forward pass and every gradient back; with AdamW's own traffic that
costs as much as the products of a 4096-wide network at 128 samples. Here the network holds bf16 weights, which are
the upper halves of their float32 masters (float32 is bf16 with sixteen more bits), so that products see what
autocast would give them, and one compiled pass reads the bf16 gradient and updates weight, remainder and moments.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_BLOCK = 992  # values of a pass whose blocks stay in the first cache; not 1024, where they would share its sets


@dataclass(frozen=True)
class _Half:
    """Remainder and moments of a weight, flat: uint16, bf16 as uint16, float32."""

    remainder: np.ndarray
    mean: np.ndarray
    square: np.ndarray


class HalfWeightAdamW(torch.optim.AdamW):
    """AdamW (Loshchilov & Hutter 2019) that turns the weights of linear layers into bf16 until `release`.

    The mean of gradients is kept in bf16 (it moves by a tenth a step, far above its rounding), the mean of squares,
    which moves by a thousandth, in float32. All other parameters are updated by torch.

    Parameters
    ----------
    network
        On a CPU; its `nn.Linear` weights must be used in matrix products under autocast only.
    learning_rate, weight_decay
        See `TrainSettings`.
    """

    def __init__(self, network: nn.Module, learning_rate: float, weight_decay: float):
        super().__init__(network.parameters(), lr=learning_rate, weight_decay=weight_decay, fused=True)
        self._halves: dict[Tensor, _Half] = {}
        self._steps = 0
        for layer in network.modules():
            if isinstance(layer, nn.Linear) and layer.weight not in self._halves:
                self._halves[layer.weight] = _split(layer.weight)
        self._hooks = [weight.register_post_accumulate_grad_hook(self._update) for weight in self._halves]

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Update what `backward` has not updated already."""
        super().step(closure)
        self._steps += 1

    @torch.no_grad()
    def _update(self, weight: Tensor) -> None:
        """Update a weight as soon as its gradient is there, and in the cache, and free the gradient."""
        group, step, half = self.param_groups[0], self._steps + 1, self._halves[weight]
        beta1, beta2 = group["betas"]
        rates = (
            group["lr"] / (1 - beta1**step),
            1 - group["lr"] * group["weight_decay"],
            1 - beta1,
            beta2,
            1 / np.sqrt(1 - beta2**step),
            group["eps"],
        )
        arrays = (_bits(weight.detach()), half.remainder, half.mean, half.square, _bits(weight.grad))
        _in_threads(arrays, tuple(np.float32(rate) for rate in rates))
        weight.grad = None

    def snapshot(self, parameter: Tensor) -> Callable[[], Tensor]:
        """Copy a parameter; the copy, called, is float32: its master, where it is halved."""
        upper = parameter.detach().clone()
        if parameter not in self._halves:
            return lambda: upper
        remainder = self._halves[parameter].remainder.copy()
        return lambda: _join(upper, remainder)

    def release(self) -> None:
        """Give the network its float32 weights back."""
        for hook in self._hooks:
            hook.remove()
        for weight, half in self._halves.items():
            weight.data = _join(weight.detach(), half.remainder)
        self._halves = {}


def _split(weight: nn.Parameter) -> _Half:
    """Make a parameter bf16, the nearest to what it was, and return what that leaves."""
    bits = weight.detach().contiguous().numpy().reshape(-1).view(np.uint32) + np.uint32(1 << 15)
    upper = (bits >> 16).astype(np.uint16)
    weight.data = torch.from_numpy(upper).view(torch.bfloat16).view_as(weight)
    return _Half(bits.astype(np.uint16), np.zeros(upper.size, np.uint16), np.zeros(upper.size, np.float32))


def _join(upper: Tensor, remainder: np.ndarray) -> Tensor:
    """Return the float32 that `_split` took apart."""
    bits = _bits(upper).astype(np.uint32) << np.uint32(16)
    return torch.from_numpy((bits + remainder - np.uint32(1 << 15)).view(np.float32)).view_as(upper)


def _bits(tensor: Tensor) -> np.ndarray:
    return tensor.contiguous().view(torch.uint16).numpy().reshape(-1)


def _in_threads(arrays: tuple[np.ndarray, ...], rates: tuple[np.float32, ...]) -> None:
    update, size, n = _compiled(), arrays[0].size, torch.get_num_threads()
    if n == 1 or size < 64 * _BLOCK:
        update(*arrays, *rates)
        return
    edges = [size * k // n for k in range(n + 1)]
    with ThreadPoolExecutor(n) as pool:
        parts = [[a[start:stop] for a in arrays] for start, stop in pairwise(edges)]
        list(pool.map(lambda part: update(*part, *rates), parts))


@cache
def _compiled() -> Any:
    """Compile the pass over a weight; it is imported by the first use, since numba takes half a second."""
    from numba import njit

    @njit(fastmath=True, nogil=True, error_model="numpy", cache=True)
    def update(upper, remainder, mean, square, gradient, rate, keep, new, beta2, correction, eps):  # type: ignore[no-untyped-def]
        size, half, one = np.uint32(16), np.uint32(1 << 15), np.uint32(1)
        first, value = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
        bits = value.view(np.uint32)
        for start in range(0, upper.size, _BLOCK):
            u, r = upper[start : start + _BLOCK], remainder[start : start + _BLOCK]
            m, v = mean[start : start + _BLOCK], square[start : start + _BLOCK]
            g = gradient[start : start + _BLOCK]
            # three short loops, since a compiler that must check many pairs of arrays for overlap uses no vectors
            for i in range(u.size):
                d = np.uint32(np.uint32(g[i]) << size).view(np.float32)
                f = np.uint32(np.uint32(m[i]) << size).view(np.float32)
                f = np.float32(f + new * (d - f))
                first[i] = f
                b = f.view(np.uint32)
                m[i] = np.uint16((b + (half - one) + ((b >> size) & one)) >> size)  # the nearest, ties to even
                v[i] = beta2 * v[i] + (np.float32(1) - beta2) * d * d
            for i in range(u.size):
                b = np.uint32((np.uint32(u[i]) << size) + np.uint32(r[i]) - half)
                w = b.view(np.float32)
                value[i] = w * keep - rate * first[i] / (np.sqrt(v[i]) * correction + eps)
            for i in range(u.size):
                b = bits[i] + half
                u[i], r[i] = np.uint16(b >> size), np.uint16(b)

    return update
