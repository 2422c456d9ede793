"""Checkpoints of networks: weights as safetensors, and what they are of as JSON in the file's metadata.

A checkpoint holds arrays and text alone: reading one runs no code. Nothing here knows a network; `config` says which
one the weights belong to.
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gpatlas.errors import StoreError
from gpatlas.io.arrays import read_arrays, write_arrays

FORMAT = "gpatlas-checkpoint"
FORMAT_VERSION = 1  # a reader refuses a larger one
SUFFIX = ".safetensors"


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
    write_arrays(path, checkpoint.arrays, {"format": FORMAT, "format_version": FORMAT_VERSION} | checkpoint.config)


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    StoreError
        Absent, damaged, of something else, or of a newer format.
    """
    arrays, about = read_arrays(path)
    if about.get("format") != FORMAT:
        raise StoreError(f"{path}: a file of arrays that gpatlas wrote, but not a checkpoint")
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
    if path.suffix == SUFFIX or path.is_file():  # a folder may have the name of one that comes with gpatlas
        return path
    packaged = _shipped() / f"{name}{SUFFIX}"
    if not packaged.exists():
        there = sorted(file.stem for file in _shipped().glob(f"*{SUFFIX}"))
        known = f"gpatlas comes with {', '.join(there)}" if there else "gpatlas comes with none so far"
        raise StoreError(
            f"checkpoint {str(name)!r}: {known}; name one, or a {SUFFIX} file (`gpatlas gpfn train` and "
            "`gpatlas perceiver pretrain` make them)"
        )
    return packaged


def is_shipped(name: str) -> bool:
    """Whether a checkpoint of this name comes with gpatlas."""
    return (_shipped() / f"{name}{SUFFIX}").is_file()


def _shipped() -> Path:
    return Path(str(files("gpatlas"))) / "checkpoints"
