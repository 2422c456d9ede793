"""Filling in missing calls of a dataset, by the samples that are most alike around them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import MISSING_CODE, dosage_of
from gpatlas.dataset import Dataset
from gpatlas.errors import DataError
from gpatlas.evaluate.imputation import choose_neighbours, knn_window_impute, seconds_of_imputing
from gpatlas.memory import available_memory
from gpatlas.nn.perceiver.layout import Layout, account_of_places
from gpatlas.packed import Bits
from gpatlas.wording import several

_CALLS_AT_ONCE = 1 << 20
_BYTES_OF_CALL = 16  # beside the genotypes themselves
_NONE_MISSING = "no call is missing: genotypes are as they were"


@dataclass(frozen=True)
class Imputed:
    """A dataset of which missing calls were filled in, and what was done, in sentences."""

    dataset: Dataset
    sentences: tuple[str, ...]


def impute(
    dataset: Dataset,
    seed: int = 0,
    announce: Callable[[int, float], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Imputed:
    """Fill in missing calls by the votes of nearest neighbours in a window of markers.

    Every sample's genotypes serve, whatever its fold; phenotypes are not looked at. How many neighbours vote, and how
    wide the window is, is chosen by hiding known calls (`gpatlas.evaluate.imputation.choose_neighbours`).

    Parameters
    ----------
    dataset
        Of any ploidy and number of alleles. Markers without places are ordered as perceivers order them.
    seed
        Of the calls that are hidden to choose by.
    announce
        Called before the work with (missing calls, about how many seconds it takes).
    progress
        Called with (samples done, samples in all).

    Returns
    -------
    Imputed
        All but the genotypes is as it was. A marker of which no call is known stays missing.

    Raises
    ------
    DataError
        Two markers of one name, no two samples to compare, no known call, or more calls than memory.
    """
    if dataset.n_samples < 2:
        raise DataError(f"{several(dataset.n_samples, 'sample')}: there are no others to fill in calls from")
    if isinstance(dataset.genotypes, Bits):
        return Imputed(dataset, (_NONE_MISSING,))
    _check_memory(dataset)
    layout, order = Layout.of(dataset)
    codes = dataset.allele_codes()[:, order]
    missing: NDArray[np.bool_] = np.asarray(codes == MISSING_CODE)
    n_missing = int(missing.sum())
    if not n_missing:
        return Imputed(dataset, (_NONE_MISSING,))
    if n_missing == codes.size:
        raise DataError(f"all {n_missing:,} calls are missing: there is nothing to fill them in from")
    if announce is not None:
        n, m = codes.shape
        announce(n_missing, seconds_of_imputing(n, n, m, n_missing / codes.size))
    of_panel = layout.number, layout.ploidy, layout.n_alleles
    chosen = choose_neighbours(codes, *of_panel, seed=seed)
    filled = codes.copy()
    for rows in _blocks(missing.sum(axis=1)):
        row, locus = np.nonzero(missing[rows])
        said = knn_window_impute(codes, codes[rows], row, locus, *of_panel, k=chosen.k, window=chosen.window)
        filled[rows.start + row, locus] = said
        if progress is not None:
            progress(rows.stop, len(codes))
    back = np.argsort(order)
    empty = int((filled == MISSING_CODE).all(axis=0).sum())
    right = f"{chosen.accuracy:.3f} were told right"
    if np.isnan(chosen.accuracy):
        right = "none: too few are known to say how many are told right"
    sentences = [
        f"{several(n_missing, 'call', 'was')} missing ({n_missing / codes.size:.1%}); each is the vote of up to "
        f"{chosen.k} samples that are most alike in the {chosen.window} known calls on either side",
        f"of known calls that were hidden to choose these, {right}",
        *account_of_places(dataset),
    ]
    if empty:
        sentences.append(f"{several(empty, 'marker', 'has')} no known call: missing as before")
    return Imputed(_with_codes(dataset, filled[:, back]), tuple(sentences))


def _check_memory(dataset: Dataset) -> None:
    needed = _BYTES_OF_CALL * dataset.n_samples * dataset.n_loci
    if needed > (free := available_memory()):
        raise DataError(
            f"imputing {dataset.n_samples:,} samples × {dataset.n_loci:,} loci needs about {needed / 1e9:.2g} GB of "
            f"memory, but {free / 1e9:.2g} GB are free; use fewer samples or loci"
        )


def _blocks(n_calls: NDArray[np.int64]) -> list[slice]:
    """Cut samples into runs with so many missing calls at most, or of one sample."""
    blocks, start, total = [], 0, 0
    for sample, n in enumerate(n_calls.tolist()):
        if sample > start and total + n > _CALLS_AT_ONCE:
            blocks.append(slice(start, sample))
            start, total = sample, 0
        total += n
    return [*blocks, slice(start, len(n_calls))]


def _with_codes(dataset: Dataset, codes: NDArray[np.int16]) -> Dataset:
    many = dataset.codes is not None
    return replace(
        dataset,
        genotypes=dosage_of(codes, dataset.ploidy, dataset.n_alleles),
        codes=codes if many else None,
        provenance={**dataset.provenance, "imputed": "nearest neighbours in a window"},
    )
