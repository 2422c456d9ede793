"""Tasks with a known truth, small enough to fit in a moment."""

import numpy as np

from gpatlas.automl.task import Task


def make(
    kind="continuous", n=160, p=60, seed=1, n_covariates=2, missing=0.02, effects=(1.0, 0.8), families=False
) -> Task:
    """Independent loci but for the first ten, of which 2k and 2k+1 are nearly the same; 0 and 20 are causal."""
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.2, 0.8, p)
    x = rng.binomial(2, frequency, (n, p)).astype(np.float32)
    for k in range(0, 10, 2):
        same = rng.random(n) < 0.95
        x[same, k + 1] = x[same, k]
    covariates = np.column_stack([rng.normal(50, 10, n), rng.integers(0, 2, n)])[:, :n_covariates]
    value = effects[0] * (x[:, 0] - 1) + effects[1] * (x[:, 20] - 1)
    if n_covariates:
        value = value + 0.05 * (covariates[:, 0] - 50)
    noisy = value + rng.normal(0, 0.7, n)
    cuts = {"continuous": [], "binary": [0.6], "multiclass": [0.33, 0.66]}[kind]
    y = noisy if kind == "continuous" else np.digitize(noisy, np.quantile(noisy, cuts)).astype(float)
    x[rng.random(x.shape) < missing] = np.nan
    names = [f"snp{k}" for k in range(p)]
    return Task(
        trait="yield",
        kind=kind,
        classes={"continuous": (), "binary": ("control", "case"), "multiclass": ("low", "mid", "high")}[kind],
        X=np.hstack([x, covariates.astype(np.float32)]),
        y=y,
        n_covariates=n_covariates,
        feature_id=np.array([*names, *["age", "site=York"][:n_covariates]]),
        sample_id=np.array([f"line{k}" for k in range(n)]),
        locus_id=np.array(names),
        chromosome=np.repeat(["1", "2"], [p // 2, p - p // 2]),
        position=np.arange(p) * 1000.0,
        position_unit="bp",
        groups=np.array([f"f{k % 8}" for k in range(n)]) if families else None,
        grouping="family" if families else "",
    )
