"""ChromaX's random crosses: `python breed_chromax.py PARENTS PROGENY CHROMOSOMES SITES` prints CPU seconds.

Stands alone, so that ChromaX can run in an environment of its own (`--python` of `python -m tests.benchmarks breed`).
The least of ten rounds after a first one that compiles, on the CPU.
"""

import os
import sys
import time

os.environ["JAX_PLATFORMS"] = "cpu"


def main() -> None:
    import chromax
    import numpy as np
    import pandas as pd

    n_parents, n_progeny, n_chromosomes, n_sites = map(int, sys.argv[1:])
    n_loci = n_chromosomes * n_sites
    genetic_map = pd.DataFrame(
        {
            "CHR.PHYS": np.repeat(np.arange(n_chromosomes), n_sites),
            "RecombRate": np.full(n_loci, 1 / (n_sites - 1)),
            "Yield": np.zeros(n_loci),
        }
    )
    simulator = chromax.Simulator(genetic_map=genetic_map, trait_names=["Yield"], seed=1)
    parents = np.random.default_rng(1).integers(0, 2, (n_parents, n_loci, 2)).astype(bool)
    seconds = []
    for _ in range(11):
        start = time.process_time()
        progeny, _ = simulator.random_crosses(parents, n_crosses=n_progeny)
        progeny.block_until_ready()
        seconds.append(time.process_time() - start)
    assert progeny.size == n_progeny * n_loci * 2, progeny.shape
    print(min(seconds[1:]))


if __name__ == "__main__":
    main()
