"""The panel that a network reads: its markers in order, where they lie, and what a call at them is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import n_codes
from gpatlas.dataset import Dataset, as_text
from gpatlas.errors import DataError
from gpatlas.nn.perceiver.linkage import MOST_LOCI, linkage_order
from gpatlas.wording import several, some_names


@dataclass(frozen=True)
class Layout:
    """Markers of a panel, ordered by chromosome and position.

    Parameters
    ----------
    ploidy, n_alleles
        p and k: what allele codes mean (`gpatlas.alleles`).
    locus_id, chromosome
        Text `(n_loci,)`; the markers of a chromosome stand beside each other.
    position
        float64 `(n_loci,)`, ascending within a chromosome, in `position_unit`.
    position_unit
        "Morgan", "cM", "bp", or "" where positions are ranks.
    """

    ploidy: int
    n_alleles: int
    locus_id: NDArray
    chromosome: NDArray
    position: NDArray[np.float64]
    position_unit: str

    @classmethod
    def of(cls, dataset: Dataset) -> tuple["Layout", NDArray[np.intp]]:
        """Return the layout of a dataset's panel, and its loci in the order of the layout.

        A marker whose position is not known stands last on its chromosome. Where no position is known, a chromosome's
        markers stay in the order of the data, and their ranks are positions. Where nothing is known of any marker,
        neither chromosome nor position, those in linkage disequilibrium are put beside each other (`linkage_order`; up
        to `MOST_LOCI` markers). `account_of_places` says which it was.

        Raises
        ------
        DataError
            Two loci have the same name.
        """
        chromosome = as_text(dataset.chromosome)
        position, unit = np.asarray(dataset.position, dtype=np.float64), dataset.position_unit
        if _without_map(dataset) and dataset.n_loci <= MOST_LOCI:
            position, unit = np.argsort(linkage_order(dataset.dosage())).astype(np.float64), ""
        names = as_text(dataset.locus_id)
        return cls.arrange(dataset.ploidy, dataset.n_alleles, names, chromosome, position, unit)

    @classmethod
    def arrange(
        cls,
        ploidy: int,
        n_alleles: int,
        locus_id: NDArray,
        chromosome: NDArray,
        position: NDArray[np.float64],
        position_unit: str,
    ) -> tuple["Layout", NDArray[np.intp]]:
        """Return the layout of markers, given as text and numbers in any order, and their order in it.

        A marker whose position is not finite stands last on its chromosome, where the last known one does; where none
        is finite, ranks are positions.

        Raises
        ------
        DataError
            Two loci have the same name.
        """
        known, counts = np.unique(locus_id, return_counts=True)
        if (counts > 1).any():
            twice = known[counts > 1].tolist()
            raise DataError(f"markers must have different names, but {some_names(twice)} stand more than once")
        _, first, number = np.unique(chromosome, return_index=True, return_inverse=True)
        number = np.argsort(np.argsort(first))[number]  # chromosomes in the order of the data
        placed = np.isfinite(position)
        if not placed.any():
            position, position_unit, placed = np.arange(len(locus_id), dtype=np.float64), "", ~placed
        last = np.zeros(number.max(initial=0) + 1)
        np.maximum.at(last, number[placed], position[placed])
        position = np.where(placed, position, last[number])
        order = np.lexsort((~placed, position, number))
        return cls(ploidy, n_alleles, locus_id[order], chromosome[order], position[order], position_unit), order

    @property
    def n_loci(self) -> int:
        """Number of markers."""
        return len(self.locus_id)

    @property
    def n_codes(self) -> int:
        """Number of allele codes of calls that are not missing."""
        return n_codes(self.ploidy, self.n_alleles)

    @cached_property
    def number(self) -> NDArray[np.int64]:
        """Chromosomes as numbers 0, 1, … in their order, `(n_loci,)`."""
        return np.cumsum(np.append(False, self.chromosome[1:] != self.chromosome[:-1])).astype(np.int64)

    @cached_property
    def place(self) -> NDArray[np.float64]:
        """Positions within the chromosome, from 0 (its first marker) to 1 (the last of the longest), `(n_loci,)`."""
        starts = np.flatnonzero(np.append(True, np.diff(self.number) > 0))
        place = self.position - self.position[starts][self.number]
        return place / max(place.max(initial=0.0), np.finfo(float).tiny)

    def as_config(self) -> dict[str, Any]:
        """Return the layout as JSON-like values, which a checkpoint keeps."""
        return {
            "ploidy": self.ploidy,
            "n_alleles": self.n_alleles,
            "locus_id": self.locus_id.tolist(),
            "chromosome": self.chromosome.tolist(),
            "position": self.position.tolist(),
            "position_unit": self.position_unit,
        }

    @classmethod
    def of_config(cls, config: Mapping[str, Any]) -> "Layout":
        """Return the layout that a checkpoint keeps."""
        return cls(
            int(config["ploidy"]),
            int(config["n_alleles"]),
            np.asarray(config["locus_id"], dtype=str),
            np.asarray(config["chromosome"], dtype=str),
            np.asarray(config["position"], dtype=np.float64),
            str(config["position_unit"]),
        )


def account_of_places(dataset: Dataset) -> list[str]:
    """Say, in sentences, how `Layout.of` orders markers of which it is not known where they lie."""
    absent = int((~np.isfinite(dataset.position)).sum())
    if not absent:
        return []
    if absent < dataset.n_loci:
        return [f"{several(absent, 'marker', 'has', 'no position and stands')} last on its chromosome"]
    if not _without_map(dataset):
        return ["no marker has a position: on their chromosomes they lie in the order of the data"]
    if dataset.n_loci <= MOST_LOCI:
        return ["no map: markers in linkage disequilibrium are put beside each other"]
    return [f"no map, and more than {MOST_LOCI:,} markers: they lie in the order of the data"]


def _without_map(dataset: Dataset) -> bool:
    return not (as_text(dataset.chromosome) != "").any() and not np.isfinite(dataset.position).any()
