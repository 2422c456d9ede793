"""Which loci are asked for: all alike, or those where an individual has rare alleles.

An allele of frequency f has the logit log(1 - f), and a locus the mean of the logits of the copies there (gperceiver).
Logits are of a draw with weights exp(logit): an allele's weight is 1 - f, so that the rarer is the likelier, and that
of a call is the geometric mean over its copies. gperceiver drew with replacement, which asks for a locus twice; here
loci are drawn one after another without.
"""

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import MISSING_CODE, call_counts, decoder
from gpatlas.nn.perceiver import Layout


def allele_frequencies(codes: NDArray, layout: Layout) -> NDArray[np.float64]:
    """Return the frequency of every allele, `(n_loci, n_alleles)`, among known calls; 0 where none is known."""
    copies = call_counts(codes, layout.n_codes) @ decoder(layout.ploidy, layout.n_alleles).astype(np.int64)
    return copies / np.maximum(copies.sum(axis=1, keepdims=True), 1)


def indicator_shares(codes: NDArray, layout: Layout) -> NDArray[np.float32]:
    """Return the share of known calls with at least 1, …, P copies of each allele, `(n_loci, K, P)`; .5 of none."""
    counts = call_counts(codes, layout.n_codes)
    n_known = counts.sum(axis=1)[:, None, None]
    at_least = decoder(layout.ploidy, layout.n_alleles)[..., None] > np.arange(layout.ploidy)
    shares = np.tensordot(counts, at_least.astype(np.float64), axes=1)
    return np.where(n_known, shares / np.maximum(n_known, 1), 0.5).astype(np.float32)


def rarity(frequencies: NDArray[np.float64], layout: Layout) -> NDArray[np.float32]:
    """Return the weight of every call at every locus, `(n_loci, n_codes + 1)`: Π (1 - f)^(copies / ploidy).

    A missing call has none, and neither has the only call of a locus that does not vary.
    """
    table = decoder(layout.ploidy, layout.n_alleles)
    weights = np.ones((len(frequencies), len(table)))
    for allele, copies in enumerate(table.T):
        weights *= np.maximum(1 - frequencies[:, allele, None], 0) ** (copies / layout.ploidy)
    weights[:, MISSING_CODE] = 0
    return weights.astype(np.float32)


def draw_loci(
    weights: NDArray[np.float32], n: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Draw loci of every row without replacement, the next one always with a chance in proportion to its weight.

    The loci with the smallest exponential variates of rates `weights` are such a draw (Efraimidis & Spirakis 2006,
    Inf Process Lett 97:181; the "Gumbel top-k trick" in logarithms).

    Parameters
    ----------
    weights
        `(n_rows, n_loci)`, 0 where a locus must not be drawn.
    n
        Loci to draw of each row; at most half of those with a weight (rounded up) are.

    Returns
    -------
    loci, drawn
        `(n_rows, n)`, in the order of the draw; loci where `drawn` is false are fillers.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        keys = rng.standard_exponential(weights.shape, dtype=np.float32) / weights
    loci = np.argpartition(keys, n - 1, axis=1)[:, :n] if n < keys.shape[1] else np.argsort(keys, axis=1)
    chosen = np.take_along_axis(keys, loci, axis=1)
    order = np.argsort(chosen, axis=1, kind="stable")
    loci, chosen = np.take_along_axis(loci, order, axis=1), np.take_along_axis(chosen, order, axis=1)
    most = (np.count_nonzero(weights, axis=1) + 1) // 2
    return loci, np.isfinite(chosen) & (np.arange(n) < most[:, None])
