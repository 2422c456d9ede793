"""The median rule against Optuna's own."""

import numpy as np
import optuna
import pytest

from gpatlas.tuning.pruning import LEAST_WARMUP, is_worse, warmup
from gpatlas.tuning.study import STARTUP_TRIALS


@pytest.mark.parametrize("seed", range(20))
def test_it_is_optunas(seed):
    rng = np.random.default_rng(seed)
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS, LEAST_WARMUP))
    complete, verdicts = [], []
    for _ in range(12):
        n_epochs = int(rng.integers(4, 13))  # trials stop early, too
        curve = [None if rng.random() < 0.1 else loss for loss in rng.normal(size=n_epochs).round(1)]
        trial = study.ask()
        for epoch in range(1, n_epochs + 1):
            loss = curve[epoch - 1]
            if epoch >= LEAST_WARMUP and loss is not None:
                trial.report(-loss, epoch)
                verdicts.append(trial.should_prune())
                assert is_worse(curve[:epoch], complete, LEAST_WARMUP) == verdicts[-1]
        study.tell(trial, 0.0)
        complete.append(curve)
    assert any(verdicts)
    assert not all(verdicts)


def test_comparisons_begin_after_a_quarter_of_the_epochs():
    assert [warmup(n) for n in (8, 20, 60, 100)] == [5, 5, 15, 25]
