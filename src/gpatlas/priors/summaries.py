"""What a task's genotypes look like: tables of allele frequencies, decay of linkage disequilibrium, structure."""

from typing import TYPE_CHECKING

import numpy as np

from gpatlas.priors.task import Task

if TYPE_CHECKING:
    from pandas import DataFrame

_CENTIMORGANS = np.array([0, 0.5, 1, 2, 5, 10, 20, 50, 100])
_MOST_LOCI = 300  # of a chromosome whose pairs are looked at


def marker_frequencies(task: Task) -> "DataFrame":
    """Return `minor_allele_frequency` and `heterozygosity` of every marker, over all rows."""
    import pandas as pd

    share = task.genotypes.mean(axis=0) / 2
    return pd.DataFrame(
        {
            "minor_allele_frequency": np.minimum(share, 1 - share),
            "heterozygosity": (task.genotypes == 1).mean(axis=0),
        }
    )


def ld_decay(task: Task) -> "DataFrame":
    """Return the mean r² of pairs of markers on a chromosome by their distance.

    Returns
    -------
    DataFrame
        Columns `distance`, the mean of the class in centimorgan, `r2`, and `n_pairs`; classes end at 0.5, 1, 2, 5, 10,
        20, 50 and 100 cM. At most 300 evenly chosen markers of a chromosome are looked at. Of n unrelated rows
        unlinked loci have r² = 1/n in expectation.
    """
    import pandas as pd

    x = task.genotypes.astype(np.float64)
    x -= x.mean(axis=0)
    spread = x.std(axis=0)
    totals = np.zeros((3, len(_CENTIMORGANS) - 1))
    for chromosome in np.unique(task.chromosome):
        loci = np.flatnonzero((task.chromosome == chromosome) & (spread > 0))
        loci = loci[:: -(-len(loci) // _MOST_LOCI) or 1]
        first, second = np.triu_indices(len(loci), 1)
        here = x[:, loci] / spread[loci]
        r2 = ((here.T @ here)[first, second] / len(x)) ** 2
        apart = 100 * (task.position[loci[second]] - task.position[loci[first]])
        group = np.searchsorted(_CENTIMORGANS, apart, side="right") - 1
        seen = group < totals.shape[1]
        for total, values in zip(totals, (np.ones(seen.sum()), apart[seen], r2[seen]), strict=True):
            total += np.bincount(group[seen], weights=values, minlength=totals.shape[1])
    n_pairs, distance, r2 = totals[:, totals[0] > 0]
    return pd.DataFrame({"distance": distance / n_pairs, "r2": r2 / n_pairs, "n_pairs": n_pairs.astype(int)})


def components(task: Task) -> "DataFrame":
    """Return the first two principal components of the genotypes, `pc1` and `pc2`, and `context` of every row."""
    import pandas as pd

    x = task.genotypes - task.genotypes.mean(axis=0)
    values, vectors = np.linalg.eigh(x @ x.T)
    scores = vectors[:, :-3:-1] * np.sqrt(np.maximum(values[:-3:-1], 0))
    return pd.DataFrame({"pc1": scores[:, 0], "pc2": scores[:, 1], "context": task.context})
