"""An epoch of the published network: by the published loop, by ours, and what its FLOPs alone would take.

Each is called in a fresh process, since torch settles at its first allocation how it takes memory.
"""

import tempfile
import time
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


def ours(n_samples: int, n_qtl: int) -> tuple[float, float, float]:
    """CPU seconds of an epoch and of its floor (training and validation), and the FLOP/s that the floor is taken at."""
    data = simulate(spec(n_samples, n_qtl), 1)
    n_train, ticks = round(0.85 * n_samples), []
    x, y = data.dosage(), data.phenotypes
    model = make("mlp", preset="published", max_epochs=4, device="cpu")
    model.fit(
        x[:n_train],
        y[:n_train],
        validation=(x[n_train:], y[n_train:]),
        progress=lambda *_: ticks.append(time.process_time()),
    )
    a = torch.ones(2048, 2048)
    rate = 2 * 2048**3 / min(_seconds(lambda: a @ a) for _ in range(6))
    sizes = [(2 * n_qtl, 4096), (4096, 4096), (4096, y.shape[1])]
    forward = sum(2 * i * o for i, o in sizes)
    training = 3 * forward - 2 * sizes[0][0] * 4096  # the input needs no gradient
    flops = training * n_train + forward * (n_samples - n_train)
    return float(np.diff(ticks).min()), flops / rate, rate


def _seconds(call) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start
