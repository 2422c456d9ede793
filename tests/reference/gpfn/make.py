"""Store what the network that comes with gpatlas predicts of the population beside this file.

    python -m tests.reference.gpfn.make

to be run once after that network was trained anew, never to make a test pass: see README.md.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gpatlas.io.checkpoints import find_checkpoint, read_checkpoint
from gpatlas.io.tables import write_json
from gpatlas.models import make

HERE = Path(__file__).parent
PREDICTIONS = HERE / "predictions.json"


def population() -> dict[str, Any]:
    """Read genotypes `(90, 120)`, two traits of the first 60 samples `(90, 2)` and chromosomes `(120,)`."""
    samples = pd.read_csv(HERE / "samples.csv", dtype={"dosages": str})
    return {
        "X": np.array([list(digits) for digits in samples["dosages"]], dtype=np.int8),
        "Y": samples[["few_qtl", "many_qtl"]].to_numpy(),
        "chromosome": np.repeat([1, 2, 3], 40),
    }


def predictions() -> dict[str, Any]:
    """Condition the network on the first 60 samples, and predict the others."""
    path, told = find_checkpoint("default"), population()
    known = ~np.isnan(told["Y"]).any(axis=1)
    model = make("gpfn", checkpoint="default", chromosome=told["chromosome"]).fit(told["X"][known], told["Y"][known])
    value, sd = model.predict(told["X"][~known], return_std=True)
    return {
        "checkpoint_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "recipe": read_checkpoint(path).config["training"]["recipe"],
        "value": value.tolist(),
        "sd": sd.tolist(),
        "var_e": model.var_e_.tolist(),
        "expert_weights": model.expert_weights_.tolist(),
    }


if __name__ == "__main__":
    write_json(predictions(), PREDICTIONS)
