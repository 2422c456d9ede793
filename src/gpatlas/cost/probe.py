"""Time optimiser steps as our training loop takes them: `python -m gpatlas.cost.probe`, for `calibrate`.

Prints seconds of a step and of all steps on one core, and, where there is a GPU, seconds of a step on it, its FLOP/s in
the format that training uses there, its memory in bytes, and its name. A process of its own, whose
start is timed from outside.
"""

import time

import numpy as np
import torch

import gpatlas.train.regression  # noqa: F401
from gpatlas.models import make
from gpatlas.train.precision import choose_arithmetic

STEPS_PER_EPOCH, N_EPOCHS, BATCH = 8, 30, 32
N_STEPS = STEPS_PER_EPOCH * N_EPOCHS
N_LOCI, HIDDEN = 8, 16  # so small that only the steps themselves are timed


def main() -> None:
    """Print the line that `calibrate` reads."""
    torch.set_num_threads(1)
    _train("cpu", 1)  # imports of the first fit are no part of a step
    start = time.process_time()
    _train("cpu")
    step, taken = (time.process_time() - start) / N_STEPS, time.process_time() - start
    if not torch.cuda.is_available():
        print(step, taken)
        return
    _train("cuda", 2)  # starting the device is no part of a step
    start = time.perf_counter()
    _train("cuda")
    gpu_step = (time.perf_counter() - start) / N_STEPS
    memory = torch.cuda.get_device_properties(0).total_memory
    print(step, taken, gpu_step, _gpu_flops(), memory, torch.cuda.get_device_name())


def _train(device: str, n_epochs: int = N_EPOCHS) -> None:
    random = np.random.default_rng(0)
    x = random.integers(0, 2, (BATCH * STEPS_PER_EPOCH, N_LOCI), dtype=np.int8)
    y = random.standard_normal((len(x), 2))
    network = make("mlp", hidden=[HIDDEN], batch_size=BATCH, max_epochs=n_epochs, patience=n_epochs, device=device)
    network.fit(x, y, validation=(x, y))


def _gpu_flops() -> float:
    arithmetic = choose_arithmetic("cuda")
    a = torch.ones((8192, 8192), device=arithmetic.device, dtype=arithmetic.dtype)
    seconds = []
    for _ in range(4):
        torch.cuda.synchronize()
        start = time.perf_counter()
        a @ a
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return 2 * len(a) ** 3 / min(seconds)


if __name__ == "__main__":
    main()
