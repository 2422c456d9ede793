"""Summary statistics of a GWAS: a table with a locus id and a p value in every row."""

import math
from pathlib import Path

from gpatlas.errors import DataError
from gpatlas.io.marker_tables.delimited import table_rows

ID_COLUMNS = ("snp", "id", "rsid", "rs", "snpid", "markername", "marker", "variant_id", "variant", "locus_id")
P_COLUMNS = ("p", "pval", "p_value", "pvalue", "p-value", "p.value", "p_wald", "p_bolt_lmm")
NOT_TESTED = {"", "na", "nan", ".", "null"}


def read_gwas(paths: list[Path]) -> dict[str, float]:
    """Return the smallest p of every locus id over some tables.

    Columns are found by their names, whatever the case and the delimiter; rows without a p (NA) are left out.

    Raises
    ------
    StoreError, DataError
        A file that cannot be read, without the columns, with ragged rows, or with something else than p values.
    """
    smallest: dict[str, float] = {}
    for path in paths:
        names, rows, _ = table_rows(path)
        header = [name.lstrip("#").lower() for name in names]
        of_id, of_p = _column(header, ID_COLUMNS, "locus ids", path), _column(header, P_COLUMNS, "p values", path)
        for number, row in rows:
            if row[of_p].lower() in NOT_TESTED:
                continue
            p = _p_value(row[of_p], path, number)
            if p < smallest.get(row[of_id], math.inf):
                smallest[row[of_id]] = p
    return smallest


def _column(header: list[str], names: tuple[str, ...], what: str, path: Path) -> int:
    found = next((header.index(name) for name in names if name in header), None)
    if found is None:
        raise DataError(f"{path}: no column of {what} (such as {names[0].upper()}); it has {', '.join(header[:8])}")
    return found


def _p_value(text: str, path: Path, line: int) -> float:
    try:
        p = float(text)
    except ValueError:
        p = math.nan
    if not 0 <= p <= 1:
        raise DataError(f"{path}, line {line}: p is '{text}', but must be a number from 0 to 1")
    return p
