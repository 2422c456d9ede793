"""Named arrays and a record in one file: safetensors, which hold numbers and text and can run nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import StoreError
from gpatlas.io.atomic import atomic_path

_KEY = "gpatlas"


def write_arrays(path: str | Path, arrays: dict[str, NDArray], record: dict[str, Any]) -> None:
    """Write arrays and a JSON-like record; the file appears whole or not at all.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    from safetensors.numpy import save

    about = {_KEY: json.dumps(record, sort_keys=True, allow_nan=False)}
    content = save({name: np.ascontiguousarray(a) for name, a in arrays.items()}, about)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_arrays(path: str | Path) -> tuple[dict[str, NDArray], dict[str, Any]]:
    """Read arrays and their record.

    Raises
    ------
    StoreError
        The file is absent, cut short, or none that `write_arrays` wrote.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            record = json.loads((file.metadata() or {}).get(_KEY, "null"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no mapping
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (SafetensorError, json.JSONDecodeError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise StoreError(f"{path}: not a file of arrays that gpatlas wrote, or damaged ({said})") from None
    if not isinstance(record, dict):
        raise StoreError(f"{path}: a safetensors file, but gpatlas did not write it (its metadata do not say so)")
    return arrays, record
