"""Maps of loci: a delimited table with a column of names, a chromosome and a position, and perhaps alleles.

Columns are found by name (`marker chr pos`, `SNP Chromosome Position`, …; see `table_layout`). A position column named
cM, or positions that are not whole numbers, mean centimorgans, others base pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError
from gpatlas.io.marker_tables.delimited import table_rows
from gpatlas.io.marker_tables.table_layout import DESCRIPTIONS, LOCUS_WORDS, SAMPLE_WORDS, described_columns, word_of
from gpatlas.io.text import shown
from gpatlas.wording import several, some_names


@dataclass(frozen=True)
class LocusDescriptions:
    """Chromosome, position and alleles of loci, in their order.

    Parameters
    ----------
    chromosome
        Names, "" where not known.
    position, position_unit
        float64 `(n_loci,)`, NaN where not known, in "bp", "cM" or "".
    alleles
        Text `(n_loci, 2)`: the other and the counted one; None where not known.
    """

    chromosome: list[str]
    position: NDArray[np.float64]
    position_unit: str
    alleles: NDArray | None


def read_marker_map(
    path: str | Path, locus_id: Sequence[str], complete: bool = False
) -> tuple[LocusDescriptions, list[str]]:
    """Read what a map says of these loci, and sentences on how the two match.

    Raises
    ------
    DataError
        No column of names, chromosome or position; a locus that stands twice; a position that is no number; no locus
        of the genotypes in the map, or where it must be complete, not all of them.
    StoreError
        The file cannot be read.
    """
    header, rows, _ = table_rows(path)
    words = [word_of(name) for name in header]
    columns = described_columns(words)
    names = next((k for k, word in enumerate(words) if word in LOCUS_WORDS | SAMPLE_WORDS), None)
    if names is None or not columns:
        raise DataError(f"{path}: a map needs columns such as marker, chr and pos; found {shown(', '.join(header))}")
    of_name: dict[str, list[str]] = {}
    for number, row in rows:
        if row[names] in of_name:
            raise DataError(f"{path}, line {number}: locus {shown(row[names])} stands more than once in the map")
        of_name[row[names]] = row
    absent = [name for name in locus_id if name not in of_name]
    if len(absent) == len(locus_id):
        raise DataError(
            f"{path}: none of {several(len(absent), 'locus')} is in the map; the genotypes have {some_names(absent)}, "
            f"the map {some_names(list(of_name))}"
        )
    if absent and complete:
        raise DataError(
            f"{path}: {several(len(absent), 'marker', 'is')} not in the map ({some_names(absent)}); it must place all "
            f"{len(locus_id):,} markers of the genotypes"
        )
    blank = [""] * len(header)
    described = describe([of_name.get(name, blank) for name in locus_id], columns, path)
    said = [f"map {Path(path).name}: {len(locus_id) - len(absent):,} of {len(locus_id):,} loci are placed"]
    if absent:
        said.append(f"{several(len(absent), 'locus', 'is')} not in the map ({some_names(absent)})")
    unused = len(of_name) - (len(locus_id) - len(absent))
    if unused:
        said.append(f"{several(unused, 'locus')} of the map without genotypes")
    return described, said


def describe(rows: Sequence[Sequence[str]], columns: dict[str, int], where: str | Path) -> LocusDescriptions:
    """Turn the cells that describe loci into chromosomes, positions and alleles (see `DESCRIPTIONS`).

    Raises
    ------
    DataError
        A position is not a number.
    """
    assert set(columns) <= set(DESCRIPTIONS)
    n_loci = len(rows)
    chromosome = [row[columns["chromosome"]] for row in rows] if "chromosome" in columns else [""] * n_loci
    unit, position = "", np.full(n_loci, np.nan)
    if "position" in columns or "centimorgan" in columns:
        column = columns.get("position", columns.get("centimorgan", 0))
        position = np.array([_position(row[column], row, where) for row in rows])
        known = position[np.isfinite(position)]
        unit = "bp" if "position" in columns and (known == np.floor(known)).all() else "cM"
    alleles = None
    if "alleles" in columns:
        pairs = [row[columns["alleles"]].replace("|", "/").split("/") for row in rows]
        alleles = np.array([pair if len(pair) == 2 else ["", ""] for pair in pairs])
    elif "counted" in columns or "other" in columns:
        cells = [[row[columns[what]] if what in columns else "" for what in ("other", "counted")] for row in rows]
        alleles = np.array(cells)
    return LocusDescriptions(chromosome, position, unit, alleles)


def _position(text: str, row: Sequence[str], where: str | Path) -> float:
    if text.upper() in ("", "NA", ".", "NAN"):
        return np.nan
    try:
        return float(text)
    except ValueError:
        raise DataError(f"{where}: position {shown(text)} of {shown(row[0])} is not a number") from None
