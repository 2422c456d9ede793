"""Result tables as CSV."""

from pathlib import Path
from typing import Any

from gpatlas.errors import StoreError
from gpatlas.io.atomic import atomic_path

SIGNIFICANT_DIGITS = "%.10g"


def write_table(table: Any, path: str | Path) -> None:
    """Write a pandas table as CSV with ten significant digits; the file appears whole or not at all.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, float_format=SIGNIFICANT_DIGITS)


def read_table(path: str | Path) -> Any:
    """Read a CSV table to pandas.

    Raises
    ------
    StoreError
        The file is absent or empty.
    """
    import pandas as pd

    try:
        return pd.read_csv(path)
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except pd.errors.EmptyDataError:
        raise StoreError(f"{path}: the table is empty") from None
