"""FLAML on one split: `python automl_flaml.py split.npz SECONDS` prints a line of JSON.

Stands alone, so that FLAML can run in an environment of its own (`--python` of `python -m tests.benchmarks automl`).
"""

import json
import sys
import time
import warnings

import numpy as np


def main() -> None:
    warnings.filterwarnings("ignore")
    from flaml import AutoML

    split = np.load(sys.argv[1])
    start = time.process_time()
    automl = AutoML()
    automl.fit(
        split["x_train"], split["y_train"].astype(int), task="classification", metric="roc_auc",
        time_budget=float(sys.argv[2]), n_jobs=1, seed=1, verbose=0,
    )  # fmt: skip
    probability = automl.predict_proba(split["x_test"])[:, 1]
    print(
        json.dumps(
            {"best": automl.best_estimator, "seconds": time.process_time() - start, "probability": probability.tolist()}
        )
    )


if __name__ == "__main__":
    main()
