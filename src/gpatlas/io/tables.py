"""Result tables as CSV, and records as JSON."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

from gpatlas.errors import StoreError
from gpatlas.io.atomic import atomic_path

SIGNIFICANT_DIGITS = "%.10g"
Entry = TypeVar("Entry")


def write_table(table: Any, path: str | Path) -> None:
    """Write a pandas table with ten significant digits: CSV, or with tabs where the name ends in .tsv.

    The file appears whole or not at all.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    with atomic_path(path) as temporary:
        tabs = Path(path).suffix == ".tsv"
        table.to_csv(temporary, sep="\t" if tabs else ",", index=False, float_format=SIGNIFICANT_DIGITS)


def read_table(path: str | Path, text: Collection[str] = ()) -> Any:
    """Read a CSV table to pandas.

    Parameters
    ----------
    path
        The file.
    text
        Columns that hold names: "007" stays as it is, and "NA" is a name. Those that the table lacks are passed over.

    Raises
    ------
    StoreError
        The file is absent or empty.
    """
    import pandas as pd

    try:
        if not text:
            return pd.read_csv(path)
        columns = pd.read_csv(path, nrows=0).columns
        absent = {column: ["", "nan", "NaN"] for column in columns if column not in text}
        names = {column: str for column in columns if column in text}
        return pd.read_csv(path, dtype=names, keep_default_na=False, na_values=absent)
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except pd.errors.EmptyDataError:
        raise StoreError(f"{path}: the table is empty") from None


def read_json(path: str | Path) -> Any:
    """Read a record that `write_json` wrote.

    Raises
    ------
    StoreError
        The file cannot be read, or is no JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise StoreError(f"{path} is no JSON: {error}") from None


def read_entry(path: str | Path, key: str, kind: type[Entry]) -> Entry:
    """Read one entry of a record, of the kind that it must be.

    Raises
    ------
    StoreError
        As `read_json`; or the record has no such entry.
    """
    record = read_json(path)
    entry = record.get(key) if isinstance(record, dict) else None
    if not isinstance(entry, kind):
        raise StoreError(f"{path} does not say {key}: damaged, or another file")
    return entry


def write_json(record: Any, path: str | Path) -> None:
    """Write a record as JSON; the file appears whole or not at all.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", encoding="utf-8")
