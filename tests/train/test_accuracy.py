"""What number formats cost in accuracy: the published network in bf16 on a CPU beside float32."""

import numpy as np
import pytest

from gpatlas.models import make
from gpatlas.simulate import simulate
from tests.benchmarks.cells import spec


@pytest.mark.slow
def test_bf16_predicts_as_well_as_float32():
    """Five seeds of one population, by the published protocol but for half its epochs; five traits each."""
    data = simulate(spec(4000, 90), 1)
    x, y, n_train = data.dosage(), data.phenotypes, 3400
    r = {"f32": [], "bf16": []}
    for seed in range(5):
        for precision, found in r.items():
            model = make("mlp", preset="published", max_epochs=20, precision=precision, device="cpu", random_state=seed)
            model.fit(x[:n_train], y[:n_train], validation=(x[n_train:], y[n_train:]))
            predicted = model.predict(x[n_train:])
            found.append(np.mean([np.corrcoef(predicted[:, t], y[n_train:, t])[0, 1] for t in range(5)]))
            print(precision, seed, round(found[-1], 4), flush=True)
    print({precision: np.round(found, 4) for precision, found in r.items()})
    assert np.mean(r["bf16"]) > np.mean(r["f32"]) - 0.003
