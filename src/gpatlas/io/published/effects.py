"""Effects and pairs from the rows of a published `…_eff.txt` table, one row per trait × locus.

`epi_loc` and `epi_eff` name the partner of a QTL and the effect of their pair; both ends of a pair list it. The
published script joins these two columns by QTL number within the trait (AlphaSimR's `epiEff`) to rows by locus
number. Where all loci are QTL that is the same. Where there are more loci (dilution), row k of a trait holds the
partner's *number* and the pair's effect of the trait's k-th QTL, whichever locus that is. The two readings cannot be
taken for each other: all QTL of a trait are in pairs, so the rows with a partner are the rows with an additive
effect, or they are rows 1 to n_qtl. If both are true, the k-th QTL is locus k and both say the same.
"""

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Effects, Pairs
from gpatlas.errors import DataError


def effects_and_pairs(table: NDArray[np.float64], n_traits: int, n_loci: int, where: str) -> tuple[Effects, Pairs]:
    """Read the rows' meaning; moves the epistatic columns to their QTL where the published join displaced them.

    Parameters
    ----------
    table
        `(n_rows, 5)`: trait, locus (both counted from 1), add_eff, epi_loc, epi_eff; NaN without a partner.
    n_traits, n_loci
        What the phenotype and genotype tables have.
    where
        The file, for messages.

    Raises
    ------
    DataError
        A trait, locus or partner that is not there or is there twice, or partners that make no pairs either way.
    """
    for name, numbers, top in (("trait", table[:, 0], n_traits), ("locus", table[:, 1], n_loci)):
        wrong = ~((numbers >= 1) & (numbers <= top) & (numbers % 1 == 0))
        if wrong.any():
            raise DataError(f"{where}: {name} {numbers[wrong][0]:g} is not among 1..{top}")
    effects, pairs = [], []
    for trait in range(n_traits):
        rows = table[table[:, 0] == trait + 1]
        here = f"{where}, trait {trait + 1}"
        locus = rows[:, 1].astype(np.int32) - 1
        if len(np.unique(locus)) < len(locus):
            raise DataError(f"{here}: a locus has more than one row")
        order = np.argsort(locus)
        ends, epistatic = _pairs(locus[order], rows[order], here)
        additive = rows[order, 2]
        causal = (additive != 0) | np.isin(locus[order], ends[epistatic != 0])
        effects.append((np.full(causal.sum(), trait), locus[order][causal], additive[causal], np.zeros(causal.sum())))
        acting = epistatic != 0
        pairs.append((np.full(acting.sum(), trait), *ends[acting].T, epistatic[acting]))
    return (
        Effects(*(np.concatenate(c).astype(k) for c, k in zip(zip(*effects, strict=True), _EFFECTS, strict=True))),
        Pairs(*(np.concatenate(c).astype(k) for c, k in zip(zip(*pairs, strict=True), _PAIRS, strict=True))),
    )


_EFFECTS = (np.int32, np.int32, np.float64, np.float64)
_PAIRS = (np.int32, np.int32, np.int32, np.float64)


def _pairs(
    locus: NDArray[np.int32], rows: NDArray[np.float64], where: str
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return a trait's pairs `(n_pairs, 2)`, lower locus first, and their effects `(n_pairs,)`."""
    paired = np.isfinite(rows[:, 3])
    end, partner, effect = locus[paired], rows[paired, 3], rows[paired, 4]
    if not np.isfinite(effect).all():
        raise DataError(f"{where}, locus {end[~np.isfinite(effect)][0] + 1}: a partner without epi_eff")
    qtl = locus[rows[:, 2] != 0]
    if not np.isin(end, qtl).all():
        if not np.array_equal(end, np.arange(len(qtl))):
            raise DataError(
                f"{where}: {len(end)} loci have a partner and {len(qtl)} an additive effect; they are neither the "
                f"same loci nor, as the published dilution tables have it, loci 1..{len(qtl)}"
            )
        wrong = ~np.isin(partner, np.arange(1, len(qtl) + 1))
        if wrong.any():
            raise DataError(f"{where}: partner {partner[wrong][0]:g} is not among the QTL 1..{len(qtl)}")
        end, partner = qtl, qtl[partner.astype(np.intp) - 1] + 1.0
    mate = np.searchsorted(end, partner - 1)
    there = np.isin(partner - 1, end)
    mutual = there & (partner - 1 != end)
    mutual[there] &= (partner[mate[there]] - 1 == end[there]) & (effect[mate[there]] == effect[there])
    if not mutual.all():
        k = int(np.argmin(mutual))
        raise DataError(
            f"{where}, locus {end[k] + 1}: its partner {partner[k]:g} does not list it with the same epi_eff"
        )
    other = (partner - 1).astype(np.int32)
    once = end < other
    return np.column_stack([end[once], other[once]]), effect[once]
