"""Have Markov chains converged, and how much do their draws say.

Each chain is cut into halves, and what they disagree about is compared with what each varies (split R̂; Gelman et al.
2013, Bayesian Data Analysis, section 11.4); autocorrelations over all halves give the number of independent draws that
would say as much (ibid. 11.5, with Geyer's 1992 initial monotone sequence).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def potential_scale_reduction(draws: Array) -> float:
    """Return split R̂ of draws `(n_chains, n_draws)`; near 1 where chains agree, NaN where nothing varies."""
    halves = _halves(draws)
    n = halves.shape[1]
    within = halves.var(axis=1, ddof=1).mean()
    between = halves.mean(axis=1).var(ddof=1)
    return float(np.sqrt((n - 1) / n + between / within)) if within > 0 else float("nan")


def effective_sample_size(draws: Array) -> float:
    """Return how many independent draws are worth as much as draws `(n_chains, n_draws)`; NaN where nothing varies."""
    halves = _halves(draws)
    m, n = halves.shape
    deviation = halves - halves.mean(axis=1, keepdims=True)
    within = halves.var(axis=1, ddof=1).mean()
    if not within > 0:
        return float("nan")
    power = np.abs(np.fft.rfft(deviation, 2 * n, axis=1)) ** 2
    covariance = np.fft.irfft(power, axis=1)[:, :n].mean(axis=0) / n
    total = within * (n - 1) / n + halves.mean(axis=1).var(ddof=1)
    correlation = 1 - (within - covariance * n / (n - 1)) / total
    pairs = correlation[0 : 2 * (n // 2) : 2] + correlation[1 : 2 * (n // 2) : 2]
    negative = np.flatnonzero(pairs < 0)
    pairs = np.minimum.accumulate(pairs[: negative[0] if len(negative) else len(pairs)])
    return float(min(m * n / max(2 * pairs.sum() - 1, 1e-12), m * n * np.log10(m * n)))


def _halves(draws: Array) -> Array:
    n = draws.shape[1] // 2
    return np.concatenate([draws[:, :n], draws[:, -n:]])
