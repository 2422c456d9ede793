"""An order for markers that have no map: those in linkage disequilibrium beside each other."""

import numpy as np
from numpy.typing import NDArray

MOST_LOCI = 10_000  # correlations of more would take gigabytes


def linkage_order(dosage: NDArray[np.int8]) -> NDArray[np.intp]:
    """Order loci as the leaves of a tree of their correlations lie (average linkage of 1 - |r|).

    Parameters
    ----------
    dosage
        `(n_samples, n_loci)`, -1 for missing, which is taken as the locus' mean.

    Returns
    -------
    ndarray of shape (n_loci,)
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if dosage.shape[1] < 3:
        return np.arange(dosage.shape[1])
    known = dosage >= 0
    x = np.where(known, dosage, 0).astype(np.float32)
    x = np.where(known, x - x.sum(axis=0) / np.maximum(known.sum(axis=0), 1), 0)
    x /= np.maximum(np.sqrt((x**2).sum(axis=0)), np.finfo(np.float32).tiny)
    distance = 1 - np.abs(x.T @ x).clip(0, 1)
    distance = (distance + distance.T) / 2
    np.fill_diagonal(distance, 0)
    return leaves_list(linkage(squareform(distance, checks=False), "average")).astype(np.intp)
