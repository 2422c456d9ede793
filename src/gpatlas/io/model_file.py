"""The saved model: one file that can be sent to others, and opened by them without trusting the sender.

A zip archive whose entries are stored as they are (a file cannot grow when it is opened):
    manifest.json       format, version, task, covariates, training summary, provenance
    arrays/NAME.npy     loci, alleles, frequencies, residuals, … (plain NumPy arrays, no pickle)
    estimator.skops     the fitted estimator, of types on a fixed list (`gpatlas.io.estimator_bytes`)
"""

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import StoreError
from gpatlas.io.atomic import atomic_path
from gpatlas.io.estimator_bytes import dump_estimator, load_estimator

FORMAT = "gpatlas-model"
FORMAT_VERSION = (1, 0)  # a reader refuses a larger first number
MANIFEST, ESTIMATOR = "manifest.json", "estimator.skops"
_ARRAY = re.compile(r"arrays/([a-z_]+)\.npy")
_SAME_DAY = (1980, 1, 1, 0, 0, 0)  # a zip file's zero


@dataclass(frozen=True)
class ModelFile:
    """What is in a model file.

    Parameters
    ----------
    manifest
        JSON-like.
    arrays
        By name; numbers or text.
    estimator
        Fitted.
    """

    manifest: dict[str, Any]
    arrays: dict[str, NDArray]
    estimator: Any


def write_model_file(model: ModelFile, path: str | Path) -> None:
    """Write a model; the file appears whole or not at all.

    Raises
    ------
    StoreError
        The file cannot be written, or the estimator cannot be stored without pickle.
    """
    manifest = {"format": FORMAT, "format_version": list(FORMAT_VERSION)} | model.manifest
    entries = {MANIFEST: json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False).encode()}
    for name, array in model.arrays.items():
        entries[f"arrays/{name}.npy"] = _npy(array)
    entries[ESTIMATOR] = dump_estimator(model.estimator)
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, _SAME_DAY), content)


def read_model_file(path: str | Path) -> ModelFile:
    """Read a model; whatever the file holds, no code of it is run.

    Raises
    ------
    StoreError
        Absent, damaged, of a newer format, or holding what a model of ours does not.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = _checked_names(archive, path)
            manifest = _manifest(archive.read(MANIFEST), path)
            arrays = {
                match.group(1): _array(archive.read(name), f"{path}: {name}")
                for name in names
                if (match := _ARRAY.fullmatch(name))
            }
            return ModelFile(manifest, arrays, load_estimator(archive.read(ESTIMATOR), str(path)))
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except zipfile.BadZipFile as error:
        raise StoreError(f"{path}: not a gpatlas model, or damaged ({error})") from None
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (NotImplementedError, RuntimeError, EOFError) as error:  # zipfile's words for odd or encrypted entries
        raise StoreError(f"{path}: not a gpatlas model, or damaged ({error})") from None


def _checked_names(archive: zipfile.ZipFile, path: str | Path) -> list[str]:
    """Return the entries' names; refuse others than ours, doubles, and whatever is compressed."""
    names = archive.namelist()
    if MANIFEST not in names:
        raise StoreError(f"{path}: a zip archive, but not a gpatlas model (it has no {MANIFEST})")
    for name in names:
        if name not in (MANIFEST, ESTIMATOR) and not _ARRAY.fullmatch(name):
            raise StoreError(f"{path}: refused, a gpatlas model has no entry {name[:80]!r}")
    if ESTIMATOR not in names:
        raise StoreError(f"{path}: damaged, it has no {ESTIMATOR}")
    if len(set(names)) < len(names):
        raise StoreError(f"{path}: refused, an entry is there twice")
    size = Path(path).stat().st_size
    for entry in archive.infolist():
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > size:
            raise StoreError(f"{path}: refused, entry {entry.filename} would grow to {entry.file_size:,} bytes")
    return names


def _manifest(content: bytes, path: str | Path) -> dict[str, Any]:
    try:
        manifest = json.loads(content.decode())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise StoreError(f"{path}: its {MANIFEST} is damaged ({error})") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise StoreError(f"{path}: a zip archive, but not a gpatlas model (its {MANIFEST} does not say so)")
    version = manifest.get("format_version")
    if not isinstance(version, list) or not version or not isinstance(version[0], int):
        raise StoreError(f"{path}: its {MANIFEST} is damaged (format_version is {version!r})")
    if version[0] > FORMAT_VERSION[0]:
        raise StoreError(
            f"{path}: model format {version[0]} is newer than this gpatlas reads ({FORMAT_VERSION[0]}); "
            f"it was written by gpatlas {manifest.get('gpatlas', 'of a newer version')}, which can read it"
        )
    return manifest


def _npy(array: NDArray) -> bytes:
    content = io.BytesIO()
    np.save(content, np.ascontiguousarray(array), allow_pickle=False)
    return content.getvalue()


def _array(content: bytes, what: str) -> NDArray:
    """Read an array; its header must claim as many bytes as follow it, and no objects."""
    file = io.BytesIO(content)
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("not of version 1.0")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
        claimed = dtype.itemsize
        for length in shape:
            claimed *= length
        if claimed != len(content) - file.tell():
            raise ValueError(f"its header claims {claimed:,} bytes, but {len(content) - file.tell():,} follow")
        return np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, TypeError, SyntaxError, MemoryError, EOFError) as error:
        raise StoreError(f"{what} is damaged ({' '.join(str(error).split())})") from None
