"""What the numbers of a dosage table mean: counts of an allele, or -1, 0, 1 around the heterozygote."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas.encoding import MISSING
from gpatlas.errors import DataError
from gpatlas.io.marker_tables.count_tokens import ABSENT
from gpatlas.wording import several

CODINGS = ("counts", "centred", "alleles")
_POLYPLOID_SHARE = 0.01  # of calls above 2; fewer are taken for mistakes, unless the ploidy is given


def decode(
    counts: NDArray[np.int8], ploidy: int | None, coding: str | None, path: str | Path
) -> tuple[NDArray[np.int8], int, list[str]]:
    """Turn counts as they stand into dosage 0..ploidy and -1; return it, the ploidy, and what is to be said.

    Raises
    ------
    DataError
        Counts above the ploidy, or -1 beside 0, 1 or both alone, where it may be a missing call or a homozygote.
    """
    values = [value for value in range(-1, int(counts.max()) + 1) if (counts == value).any()]
    said = []
    if coding is None and values in ([-1, 0, 1], [-1, 1], [-1, 0]) and ploidy != 1:
        alone = "-1, 0 and 1 occur" if len(values) == 3 else f"-1 and {values[1]} alone occur"
        raise DataError(
            f"{path}: {alone}; say coding = counts if -1 is missing, coding = centred if it is a homozygote"
        )
    if coding == "centred":
        if values and max(values) > 1:
            raise DataError(f"{path}: {max(values)} occurs, but the centred coding has -1, 0 and 1 alone")
        counts, values = np.where(counts == ABSENT, counts, counts + np.int8(1)), [value + 1 for value in values]
        if ploidy not in (None, 2):
            raise DataError(f"{path}: the centred coding is for diploids, but the ploidy is {ploidy}")
        ploidy = 2
        said.append("-1, 0 and 1 were read as 0, 1 and 2")
    elif -1 in values:
        said.append(f"{several(int((counts == -1).sum()), 'value')} of -1 taken as missing")
    dosage = np.where(counts < 0, np.int8(MISSING), counts)
    highest = max([value for value in values if value >= 0], default=0)
    if ploidy is None:
        above = (dosage > 2).mean()
        if 0 < above < _POLYPLOID_SHARE:
            i, j = np.argwhere(dosage > 2)[0]
            raise DataError(
                f"{path}: {(dosage > 2).sum()} of {dosage.size} values are above 2 (the first is {dosage[i, j]}, of "
                f"sample {i + 1} at locus {j + 1}); if they are meant, say the ploidy"
            )
        ploidy = highest if highest < 2 else highest + highest % 2
        ploidy = max(ploidy, 1)
        said.append(f"ploidy {ploidy} follows from the highest dosage, {highest}")
    if highest > ploidy:
        raise DataError(f"{path}: dosage {highest} occurs, but the ploidy is {ploidy}")
    return dosage, ploidy, said
