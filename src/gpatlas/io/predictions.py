"""The predictions file: what one fitting job found, one HDF5 group per dataset, one subgroup per split.

    <hash>/<k>/rows            indices of the predicted samples in the dataset with this content hash
    <hash>/<k>/traits          indices of the predicted traits
    <hash>/<k>/predicted       (n_rows, n_traits)
    <hash>/<k>/n_train         (n_traits)
    <hash>/<k>/marker_effects  (n_loci, n_traits), where the model has them
    <hash>/<k>/selected        bool (n_loci, n_traits), where the model selects loci
    <hash>/<k>/pairs/*         trait, locus_1, locus_2, effect, z: a row per found pair, where the model finds them;
                               trait counts within `traits`
    <hash>/<k>/parameters/*    (n_traits)

Attributes: of the file, model and hyperparameters (JSON); of a dataset, seconds, cpu_seconds, device.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import StoreError
from gpatlas.io.atomic import atomic_hdf5
from gpatlas.predictions import FitResult, FoundPairs, Prediction

FORMAT = "gpatlas-predictions"


def write_predictions(path: str | Path, fits: Mapping[str, FitResult], model: Mapping[str, Any]) -> None:
    """Write the fits of one model to several datasets.

    Parameters
    ----------
    path
        File to make.
    fits
        Content hash of the dataset → result.
    model
        Label, model name and hyperparameters (content hash → hyperparameters, where datasets differ in them), as
        JSON-like data.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    with atomic_hdf5(path) as file:
        file.attrs["format"] = FORMAT
        file.attrs["model"] = json.dumps(model, sort_keys=True)
        for name, fit in fits.items():
            row = file.create_group(name)
            for key in ("seconds", "cpu_seconds", "device"):
                row.attrs[key] = getattr(fit, key)
            for k, prediction in enumerate(fit.predictions):
                _write(row.create_group(str(k)), prediction)


def read_predictions(path: str | Path) -> dict[str, FitResult]:
    """Read a predictions file to content hash of the dataset → result.

    Raises
    ------
    StoreError
        The file is absent, truncated or something else.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise StoreError(f"{path}: HDF5, but not a gpatlas predictions file")
            return {name: _read(row, name) for name, row in file.items()}
    except StoreError:
        raise
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except (OSError, KeyError) as error:
        raise StoreError(f"{path}: cannot be read ({' '.join(str(error).split())})") from None


def read_part(path: str | Path, model: Mapping[str, Any]) -> FitResult | None:
    """Read the single fit of an interrupted job, if it is there, whole, and of the same model and settings."""
    try:
        fits = read_predictions(path)
        with h5py.File(path, "r") as file:
            same = json.loads(file.attrs["model"]) == json.loads(json.dumps(model))
    except StoreError:
        return None
    return next(iter(fits.values())) if same else None


def _write(group: h5py.Group, prediction: Prediction) -> None:
    group.attrs["fold"] = prediction.fold
    for key in ("rows", "traits", "predicted", "n_train"):
        group.create_dataset(key, data=getattr(prediction, key))
    for key in ("std", "marker_effects", "selected"):
        if getattr(prediction, key) is not None:
            group.create_dataset(key, data=getattr(prediction, key))
    if prediction.pairs is not None:
        for name, column in _pair_table(prediction.pairs).items():
            group.create_dataset(f"pairs/{name}", data=column)
    for name, values in prediction.parameters.items():
        group.create_dataset(f"parameters/{name}", data=values)


def _read(row: h5py.Group, dataset_hash: str) -> FitResult:
    predictions = tuple(
        Prediction(
            fold=group.attrs["fold"],
            rows=group["rows"][()],
            traits=group["traits"][()],
            predicted=group["predicted"][()],
            n_train=group["n_train"][()],
            std=group["std"][()] if "std" in group else None,
            marker_effects=group["marker_effects"][()] if "marker_effects" in group else None,
            selected=group["selected"][()] if "selected" in group else None,
            pairs=_found_pairs(group["pairs"], len(group["traits"])) if "pairs" in group else None,
            parameters={name: values[()] for name, values in group.get("parameters", {}).items()},
        )
        for _, group in sorted(row.items(), key=lambda item: int(item[0]))
    )
    return FitResult(
        dataset_hash=dataset_hash,
        predictions=predictions,
        seconds=float(row.attrs["seconds"]),
        cpu_seconds=float(row.attrs["cpu_seconds"]),
        device=str(row.attrs["device"]),
    )


def _pair_table(pairs: tuple[FoundPairs, ...]) -> dict[str, NDArray]:
    loci = np.concatenate([np.empty((0, 2), dtype=np.int32), *(found.loci for found in pairs)]).astype(np.int32)
    return {
        "trait": np.repeat(np.arange(len(pairs), dtype=np.int32), [len(found.loci) for found in pairs]),
        "locus_1": loci[:, 0],
        "locus_2": loci[:, 1],
        "effect": np.concatenate([np.empty(0), *(found.effect for found in pairs)]),
        "z": np.concatenate([np.empty(0), *(found.z for found in pairs)]),
    }


def _found_pairs(table: h5py.Group, n_traits: int) -> tuple[FoundPairs, ...]:
    trait, effect, z = (table[name][()] for name in ("trait", "effect", "z"))
    loci = np.column_stack([table["locus_1"][()], table["locus_2"][()]]).astype(np.intp)
    rows = [trait == k for k in range(n_traits)]
    return tuple(FoundPairs(loci[mine], effect[mine], z[mine]) for mine in rows)
