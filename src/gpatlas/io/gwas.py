"""Summary statistics of a GWAS: a table with a locus id and a p value in every row."""

from pathlib import Path

import numpy as np

from gpatlas.errors import DataError, StoreError

ID_COLUMNS = ("snp", "id", "rsid", "rs", "snpid", "markername", "marker", "variant_id", "variant", "locus_id")
P_COLUMNS = ("p", "pval", "p_value", "pvalue", "p-value", "p.value", "p_bolt_lmm", "p_wald")


def read_gwas(paths: list[Path]) -> dict[str, float]:
    """Return the smallest p of every locus id over some tables.

    Commas, tabs and blanks separate; columns are found by their names whatever the case; rows without a p (NA) are
    left out; files may be compressed (.gz).

    Raises
    ------
    StoreError, DataError
        A file that cannot be read, without the columns, or with something else than p values.
    """
    smallest: dict[str, float] = {}
    for path in paths:
        ids, p = _read(path)
        for name, value in zip(ids, p, strict=True):
            if value < smallest.get(name, np.inf):
                smallest[name] = float(value)
    return smallest


def _read(path: Path):  # type: ignore[no-untyped-def]
    import pandas as pd

    try:
        table = pd.read_csv(path, sep=r"[,\t ]+", engine="python", dtype=str, encoding="utf-8-sig", comment=None)
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read as a table ({' '.join(str(error).split())})") from None
    by_name = {str(column).lstrip("#").lower(): column for column in table.columns}
    found = []
    for what, names in (("locus ids", ID_COLUMNS), ("p values", P_COLUMNS)):
        column = next((by_name[name] for name in names if name in by_name), None)
        if column is None:
            known = ", ".join(map(str, table.columns[:8]))
            raise DataError(f"{path}: no column of {what} (such as {names[0].upper()}); it has {known}")
        found.append(table[column])
    p = pd.to_numeric(found[1], errors="coerce")
    wrong = found[1].notna() & (p.isna() | (p < 0) | (p > 1))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{path}, line {row + 2}: p is '{found[1].iloc[row]}', but must be a number from 0 to 1")
    there = p.notna() & found[0].notna()
    return found[0][there].to_numpy(str), p[there].to_numpy(float)
