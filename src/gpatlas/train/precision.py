"""Where a network trains, and in which number format: what the device multiplies fast without losing accuracy."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch

Precision = Literal["auto", "f32", "bf16", "f16"]
_LARGE = 1 << 20  # weights
_TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


@dataclass(frozen=True)
class Arithmetic:
    """A device and the format of its matrix products.

    Parameters
    ----------
    device
        Where tensors live.
    dtype
        float32, or the 16-bit format of autocast.
    """

    device: torch.device
    dtype: torch.dtype

    @property
    def needs_loss_scaling(self) -> bool:
        """Whether small gradients would underflow (float16 has 5 exponent bits)."""
        return self.dtype == torch.float16

    def describe(self) -> str:
        """Name of the device, as a table of runtimes should show it."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type

    def autocast(self) -> AbstractContextManager:
        """Context in which matrix products run in `dtype`."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)


def choose_arithmetic(device: str = "auto", precision: Precision = "auto", n_weights: float = 0.0) -> Arithmetic:
    """Choose where and how to compute.

    Parameters
    ----------
    device
        "auto" (a CUDA device when there is one), or a torch device name.
    precision
        "auto": on CUDA, bf16 from compute capability 8.0 (which has bf16 matrix units), f16 with loss scaling from
        7.0 (T4, V100: f16 units only, bf16 is emulated), f32 before; on a CPU with bf16 units (AVX512-BF16 or AMX),
        bf16 for large networks, which it trains in a third of the time; else f32, the same on every CPU.
    n_weights
        Size of the network.

    Raises
    ------
    ValueError
        No such device, or not here.
    """
    if device == "auto":
        of_process = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"  # torchrun numbers the processes of a machine
        device = of_process if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise ValueError(f"unknown device '{device}'; name auto, cpu, cuda or one such as cuda:1") from None
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device '{device}' is not available here: torch sees no CUDA device")
    if precision == "auto":
        capability = torch.cuda.get_device_capability(chosen) if chosen.type == "cuda" else None
        precision = precision_for(capability, n_weights >= _LARGE and _cpu_has_bf16())
    return Arithmetic(chosen, _TYPES[precision])


def precision_for(capability: tuple[int, int] | None, bf16_on_cpu: bool = False) -> Precision:
    """Number format for a CUDA compute capability, or for a CPU (None)."""
    if capability is None:
        return "bf16" if bf16_on_cpu else "f32"
    if capability < (7, 0):
        return "f32"
    return "bf16" if capability >= (8, 0) else "f16"


def _cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bf16 in hardware; other CPUs emulate it, slower than f32."""
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
