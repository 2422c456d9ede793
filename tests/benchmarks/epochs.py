"""An epoch of the published network: by the published loop, by ours, and what its FLOPs alone would take.

Each is called in a fresh process, since torch settles at its first allocation how it takes memory.
"""

import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from gpatlas.models import make
from gpatlas.simulate import simulate
from tests.benchmarks import peers
from tests.benchmarks.cells import spec
from tests.published import write_tables


def theirs(n_samples: int, n_qtl: int) -> float:
    """CPU seconds of an epoch of the published loop."""
    data = simulate(spec(n_samples, n_qtl), 1)
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "sim"
        write_tables(stem, data.dosage(), data.phenotypes)
        peers.prepare_hdf5(stem)
        return min(peers.mlp_epochs(stem, 3))


def ours(n_samples: int, n_qtl: int, precision: str, batch_size: int) -> tuple[float, float]:
    """CPU seconds of an epoch, training and validation, and of its matrix products alone (its floor).

    The floor is taken before and after the epochs, since the machine may change its speed.
    """
    data = simulate(spec(n_samples, n_qtl), 1)
    n_train, ticks = round(0.85 * n_samples), []
    x, y = data.dosage(), data.phenotypes
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
    widths = [2 * n_qtl, 4096, 4096, y.shape[1]]
    before = floor(widths, n_train, n_samples - n_train, batch_size, dtype)
    model = make("mlp", preset="published", max_epochs=5, device="cpu", precision=precision, batch_size=batch_size)
    model.fit(
        x[:n_train],
        y[:n_train],
        validation=(x[n_train:], y[n_train:]),
        progress=lambda *_: ticks.append(time.process_time()),
    )
    after = floor(widths, n_train, n_samples - n_train, batch_size, dtype)
    return float(np.diff(ticks).min()), min(before, after)


def floor(widths: list[int], n_train: int, n_validation: int, batch_size: int, dtype: torch.dtype) -> float:
    """CPU seconds of an epoch's bare matrix products, in their shapes, written to memory that is there."""
    full, last = divmod(n_train, batch_size)
    return (
        full * _products(widths, batch_size, dtype, backward=True)
        + (_products(widths, last, dtype, backward=True) if last > 1 else 0.0)
        + _products(widths, n_validation, dtype, backward=False)
    )


def _products(widths: list[int], n_samples: int, dtype: torch.dtype, backward: bool) -> float:
    seconds = 0.0
    for layer, (inputs, outputs) in enumerate(pairwise(widths)):
        x, weight = torch.randn(n_samples, inputs).to(dtype), torch.randn(outputs, inputs).to(dtype)
        gradient = torch.randn(n_samples, outputs).to(dtype)
        into = torch.empty_like(gradient), torch.empty_like(weight), torch.empty_like(x)
        seconds += _seconds(lambda a=x, w=weight, o=into[0]: torch.mm(a, w.T, out=o))
        if backward:
            seconds += _seconds(lambda a=x, g=gradient, o=into[1]: torch.mm(g.T, a, out=o))
            if layer > 0:  # the input needs no gradient
                seconds += _seconds(lambda g=gradient, w=weight, o=into[2]: torch.mm(g, w, out=o))
    return seconds


def _seconds(call) -> float:
    """Median CPU seconds of a call, after two others."""
    ticks = [time.process_time()]
    for _ in range(9):
        call()
        ticks.append(time.process_time())
    return float(np.median(np.diff(ticks)[2:]))
