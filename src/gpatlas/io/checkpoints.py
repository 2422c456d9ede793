"""Checkpoints of networks: weights as safetensors, and what they are of as JSON in the file's metadata.

A checkpoint holds arrays and text alone: reading one runs no code. Nothing here knows a network; `config` says which
one the weights belong to.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import StoreError
from gpatlas.io.atomic import atomic_path

FORMAT = "gpatlas-checkpoint"
FORMAT_VERSION = 1  # a reader refuses a larger one
SUFFIX = ".safetensors"
_KEY = "gpatlas"


@dataclass(frozen=True)
class Checkpoint:
    """Weights of a network.

    Parameters
    ----------
    arrays
        By parameter name.
    config
        JSON-like: the network ("architecture" and its settings) under "network"; how it was trained under other keys.
    """

    arrays: dict[str, NDArray]
    config: dict[str, Any]


def write_checkpoint(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write a checkpoint; the file appears whole or not at all, and equal checkpoints give equal bytes.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    from safetensors.numpy import save

    about = {"format": FORMAT, "format_version": FORMAT_VERSION} | checkpoint.config
    arrays = {name: np.ascontiguousarray(checkpoint.arrays[name]) for name in sorted(checkpoint.arrays)}
    content = save(arrays, metadata={_KEY: json.dumps(about, sort_keys=True, allow_nan=False)})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    StoreError
        Absent, damaged, of something else, or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {}).get(_KEY, "null"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no mapping
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (SafetensorError, json.JSONDecodeError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise StoreError(f"{path}: not a checkpoint of gpatlas, or damaged ({said})") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise StoreError(f"{path}: a safetensors file, but not a checkpoint of gpatlas (its metadata do not say so)")
    version = about.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise StoreError(
            f"{path}: checkpoint format {version} is newer than this gpatlas reads ({FORMAT_VERSION}); update gpatlas"
        )
    return Checkpoint(arrays, {key: value for key, value in about.items() if not key.startswith("format")})


def find_checkpoint(name: str | Path) -> Path:
    """Return the file of a checkpoint: a path, or the name of one that comes with gpatlas, such as "default".

    Raises
    ------
    StoreError
        There is none.
    """
    path = Path(name)
    if path.suffix == SUFFIX or path.exists():
        return path
    shipped = Path(str(files("gpatlas"))) / "checkpoints"
    packaged = shipped / f"{name}{SUFFIX}"
    if not packaged.exists():
        there = sorted(file.stem for file in shipped.glob(f"*{SUFFIX}"))
        known = f"gpatlas comes with {', '.join(there)}" if there else "gpatlas comes with none so far"
        raise StoreError(
            f"checkpoint {str(name)!r}: {known}; name one, or a {SUFFIX} file (`gpatlas gpfn train` makes one)"
        )
    return packaged
