"""Compiled counting in bit planes (`gpatlas.munge.planes`): genotypes, correlations, and pruning by them.

Sums are of x in {-1, 0, 1} over samples that both loci know, exact integers, so that r² is what brute force gives:

    r² = (n Σx_1 x_2 - Σx_1 Σx_2)² / [(n Σx_1² - (Σx_1)²) (n Σx_2² - (Σx_2)²)]

Populations are counted by LLVM's vectors of 512 bits where the processor has such an instruction.
"""

import numpy as np
from numba import int64
from numpy.typing import NDArray

from gpatlas.packed.kernels import compiled, count_ones

TINY = 2.0**-44  # relative: two frequencies or correlations that differ by less are equal


@compiled
def tally(words: NDArray, counts: NDArray) -> None:
    """Count samples with x = -1, 0, 1 of each locus into `counts`, int64 `(n_loci, 3)`."""
    for j in range(len(words)):
        homozygous, carrier = words[j, 0], words[j, 1]
        n_homozygous = n_carrier = n_both = 0
        for w in range(words.shape[2]):
            n_homozygous += int64(count_ones(homozygous[w]))
            n_carrier += int64(count_ones(carrier[w]))
            n_both += int64(count_ones(homozygous[w] & carrier[w]))
        counts[j, 0] = n_homozygous - n_both
        counts[j, 1] = n_carrier - n_both
        counts[j, 2] = n_both


@compiled
def _product(a: NDArray, b: NDArray) -> int:
    """Return Σ x_1 x_2."""
    h1, c1, h2, c2 = a[0], a[1], b[0], b[1]
    both = opposite = 0
    for w in range(len(h1)):
        here = h1[w] & h2[w]
        both += int64(count_ones(here))
        opposite += int64(count_ones(here & (c1[w] ^ c2[w])))
    return both - 2 * opposite


@compiled
def _sums_of_both(a: NDArray, b: NDArray) -> tuple[int, int, int, int, int]:
    """Return n, Σx_1, Σx_1², Σx_2 and Σx_2² over samples that both loci know."""
    h1, c1, h2, c2 = a[0], a[1], b[0], b[1]
    known = squares_1 = plus_1 = squares_2 = plus_2 = 0
    for w in range(len(h1)):
        both = (h1[w] | c1[w]) & (h2[w] | c2[w])
        first, second = h1[w] & both, h2[w] & both
        known += int64(count_ones(both))
        squares_1 += int64(count_ones(first))
        plus_1 += int64(count_ones(first & c1[w]))
        squares_2 += int64(count_ones(second))
        plus_2 += int64(count_ones(second & c2[w]))
    return known, 2 * plus_1 - squares_1, squares_1, 2 * plus_2 - squares_2, squares_2


@compiled
def _correlated(words: NDArray, counts: NDArray, n_samples: int, i: int, j: int, threshold: float) -> bool:
    """Whether r² of two loci exceeds a threshold; not where nothing is known of both."""
    n = n_samples
    sum_1, squares_1 = counts[i, 2] - counts[i, 0], counts[i, 2] + counts[i, 0]
    sum_2, squares_2 = counts[j, 2] - counts[j, 0], counts[j, 2] + counts[j, 0]
    if squares_1 + counts[i, 1] != n or squares_2 + counts[j, 1] != n:
        n, sum_1, squares_1, sum_2, squares_2 = _sums_of_both(words[i], words[j])
    product = _product(words[i], words[j])
    covariance = float(product * n - sum_1 * sum_2)
    variance_1 = float(squares_1 * n - sum_1 * sum_1)
    variance_2 = float(squares_2 * n - sum_2 * sum_2)
    return covariance * covariance > threshold * variance_1 * variance_2


@compiled
def prune_windows(
    words: NDArray,
    counts: NDArray,
    n_samples: int,
    order: NDArray,
    windows: NDArray,
    threshold: float,
    removed: NDArray,
) -> None:
    """Prune one chromosome; see `gpatlas.munge.pruning`.

    `order` holds its loci from first to last, `windows` rows of (first, end) into `order`; `removed` is written, by
    place in `order`.
    """
    n = len(order)
    major = np.empty(n)
    unchecked = np.empty(n, dtype=np.int64)  # of each locus: the first of the following that it was not compared with
    for k in range(n):
        minus, het, plus = counts[order[k]]
        known = minus + het + plus
        frequency = (2 * plus + het) / (2.0 * max(known, 1))
        major[k] = max(frequency, 1.0 - frequency)
        unchecked[k] = k + 1
        if minus + plus == 0 or minus == known or plus == known:
            removed[k] = True
    live = np.empty(n, dtype=np.int64)
    for window in windows:
        first, end = window
        lost = True
        while lost:
            lost = False
            n_live = 0
            for k in range(first, end):
                if not removed[k]:
                    live[n_live] = k
                    n_live += 1
            for a in range(n_live):
                k = live[a]
                if removed[k] or unchecked[k] >= end:
                    continue
                b = a + 1
                while b < n_live and (removed[live[b]] or live[b] < unchecked[k]):
                    b += 1
                if b == n_live:
                    continue
                unchecked[k] = end
                while b < n_live:
                    m = live[b]
                    b += 1
                    if removed[m]:
                        continue
                    if _correlated(words, counts, n_samples, order[k], order[m], threshold):
                        lost = True
                        if major[k] > major[m] * (1 + TINY):
                            removed[k] = True
                        else:
                            removed[m] = True
                            while b < n_live and removed[live[b]]:
                                b += 1
                            if b < n_live:
                                unchecked[k] = live[b]
                        break


@compiled
def windows_of_positions(position: NDArray, size: float) -> NDArray:
    """Return windows (first, end) of ascending positions: all loci within `size` of the first, each as it moves on."""
    n = len(position)
    windows = np.empty((n, 2), dtype=np.int64)
    first = end = count = 0
    while True:
        while end < n and position[end] <= position[first] + size:
            end += 1
        windows[count, 0], windows[count, 1] = first, end
        count += 1
        if end == n:
            return windows[:count]
        while position[first] < position[end] - size:
            first += 1


@compiled
def genotype_table(words: NDArray, i: int, j: int, table: NDArray) -> None:
    """Count samples by their genotypes at two loci into `table` `(3, 3)`, x = -1, 0, 1 in rows and columns."""
    h1, c1, h2, c2 = words[i, 0], words[i, 1], words[j, 0], words[j, 1]
    table[:] = 0
    for w in range(len(h1)):
        ours = (h1[w] & ~c1[w], ~h1[w] & c1[w], h1[w] & c1[w])
        theirs = (h2[w] & ~c2[w], ~h2[w] & c2[w], h2[w] & c2[w])
        for a in range(3):
            for b in range(3):
                table[a, b] += int64(count_ones(ours[a] & theirs[b]))


@compiled
def exact_test(counts: NDArray, log_factorial: NDArray, p: NDArray) -> None:
    """Write p of the exact test of Hardy-Weinberg proportions for rows of genotype counts; see `hardy_weinberg_p`."""
    for row in range(len(counts)):
        aa, ab, bb = counts[row]
        n, rare = aa + ab + bb, 2 * aa + ab
        if rare == 0:
            p[row] = 1.0
            continue
        ln2 = np.log(2.0)
        # ln P(het) up to a constant: ln [2^het / (aa! het! bb!)]
        observed = ab * ln2 - log_factorial[aa] - log_factorial[ab] - log_factorial[bb]
        most = -np.inf
        for het in range(rare % 2, rare + 1, 2):
            a = (rare - het) // 2
            most = max(most, het * ln2 - log_factorial[a] - log_factorial[het] - log_factorial[n - het - a])
        total = tail = 0.0
        for het in range(rare % 2, rare + 1, 2):
            a = (rare - het) // 2
            value = het * ln2 - log_factorial[a] - log_factorial[het] - log_factorial[n - het - a]
            probability = np.exp(value - most)
            total += probability
            if value <= observed + 1e-9:
                tail += probability
        p[row] = min(1.0, tail / total)


@compiled
def haplotype_r2(table: NDArray) -> float:
    """Return r² between the haplotypes of two loci from their genotypes `(3, 3)`, by maximum likelihood; NaN if none.

    Only double heterozygotes hide their phase. Let x be the share of haplotypes that are 1-1 (and 0-0) among theirs:
    its likelihood is stationary at roots of a cubic (Weir & Cockerham 1979; Gaunt, Rodríguez & Day 2007), of which,
    and of the ends of its range, the likeliest is taken.
    """
    total = 2.0 * table.sum()
    if total == 0:
        return np.nan
    f00 = (2 * table[0, 0] + table[0, 1] + table[1, 0]) / total
    f01 = (2 * table[0, 2] + table[0, 1] + table[1, 2]) / total
    f10 = (2 * table[2, 0] + table[1, 0] + table[2, 1]) / total
    f11 = (2 * table[2, 2] + table[1, 2] + table[2, 1]) / total
    hidden = table[1, 1] / total
    first, second = f10 + f11 + hidden, f01 + f11 + hidden
    variances = first * (1 - first) * second * (1 - second)
    if variances <= 0:
        return np.nan
    best, best_x = -np.inf, 0.0
    if hidden > 0:
        roots = _cubic_roots(
            0.5 * (f00 + f11 - f01 - f10 - 3 * hidden),
            0.5 * (f00 * f11 + f01 * f10 + hidden * (f01 + f10 - f00 - f11 + hidden)),
            -0.5 * hidden * f00 * f11,
        )
        for x in (roots[0], roots[1], roots[2], 0.0, hidden):
            if not -1e-9 <= x <= hidden + 1e-9:
                continue
            x = min(max(x, 0.0), hidden)
            y = hidden - x
            value = _times_log(f00, f00 + x) + _times_log(f11, f11 + x) + _times_log(f01, f01 + y)
            value += _times_log(f10, f10 + y) + _times_log(hidden, (f00 + x) * (f11 + x) + (f01 + y) * (f10 + y))
            if value > best + 1e-15:
                best, best_x = value, x
    covariance = f11 + best_x - first * second
    return covariance * covariance / variances if abs(covariance) >= TINY else 0.0


@compiled
def _times_log(weight: float, value: float) -> float:
    if weight == 0:
        return 0.0
    return weight * np.log(value) if value > 0 else -np.inf


@compiled
def _cubic_roots(a: float, b: float, c: float) -> tuple[float, float, float]:
    """Return the real roots of x³ + ax² + bx + c, NaN in the place of those that are not real (Viète, Cardano)."""
    q, r = (a * a - 3 * b) / 9, (2 * a * a * a - 9 * a * b + 27 * c) / 54
    if r * r < q * q * q:
        angle, scale = np.arccos(r / np.sqrt(q * q * q)) / 3, -2 * np.sqrt(q)
        third = 2 * np.pi / 3
        return (
            scale * np.cos(angle) - a / 3,
            scale * np.cos(angle + third) - a / 3,
            scale * np.cos(angle - third) - a / 3,
        )
    s = -np.sign(r) * np.cbrt(abs(r) + np.sqrt(r * r - q * q * q)) if r != 0 else np.cbrt(np.sqrt(-q * q * q))
    t = q / s if s != 0 else 0.0
    double = -(s + t) / 2 - a / 3 if s == t else np.nan
    return s + t - a / 3, double, np.nan


@compiled
def clump_around(words: NDArray, index: int, candidates: NDArray, r2: float, clump_of: NDArray) -> None:
    """Give the candidates whose haplotype r² with an index locus exceeds a threshold to its clump."""
    table = np.empty((3, 3), dtype=np.int64)
    for j in candidates:
        if clump_of[j] >= 0 or j == index:
            continue
        genotype_table(words, index, j, table)
        if haplotype_r2(table) > r2:
            clump_of[j] = index
