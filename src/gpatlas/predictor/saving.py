"""A predictor in one file, and back."""

import json
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

import gpatlas
from gpatlas.config.base import Frozen
from gpatlas.dataset import as_bytes, as_text
from gpatlas.errors import ConfigError, StoreError
from gpatlas.harmonize import Variants
from gpatlas.io.model_file import ModelFile, read_model_file, write_model_file
from gpatlas.predictor.covariates import Covariate
from gpatlas.predictor.fingerprints import Fingerprints
from gpatlas.predictor.predictor import Predictor

MODEL_SUFFIX = ".gpatlas"
_LIBRARIES = ("numpy", "scikit-learn", "lightgbm", "skops")


class CovariateRecord(Frozen):
    """A covariate in the manifest."""

    name: str
    levels: tuple[str, ...]


class Manifest(Frozen):
    """The manifest of a model file, without its format and version."""

    gpatlas: str
    libraries: dict[str, str]
    trait: str
    kind: Literal["continuous", "binary", "multiclass"]
    classes: tuple[str, ...]
    covariates: tuple[CovariateRecord, ...]
    position_unit: str
    ploidy: int = Field(ge=1)
    salt: str = Field(pattern="^[0-9a-f]{1,64}$")
    summary: dict[str, Any]


def save_predictor(predictor: Predictor, path: str | Path) -> None:
    """Write a predictor to one file; it appears whole or not at all.

    Raises
    ------
    StoreError
        The file cannot be written, or the estimator cannot be stored without pickle.
    """
    variants, marks = predictor.variants, predictor.fingerprints
    manifest = Manifest(
        gpatlas=gpatlas.__version__,
        libraries={name: version(name) for name in _LIBRARIES},
        trait=predictor.trait,
        kind=predictor.kind,
        classes=predictor.classes,
        covariates=tuple(CovariateRecord(name=one.name, levels=one.levels) for one in predictor.covariates),
        position_unit=variants.position_unit,
        ploidy=variants.ploidy,
        salt=marks.salt,
        summary=json.loads(json.dumps(predictor.summary)),
    )
    arrays = {
        "locus_id": as_bytes(variants.locus_id),
        "chromosome": as_bytes(variants.chromosome),
        "position": variants.position,
        "mean_dosage": variants.mean_dosage,
        "hashes": marks.hashes,
        "chance": marks.chance,
        "residuals": predictor.residuals,
    }
    if variants.alleles is not None:
        arrays["alleles"] = as_bytes(variants.alleles)
    write_model_file(ModelFile(manifest.model_dump(mode="json"), arrays, predictor.estimator), path)


def load_predictor(path: str | Path) -> Predictor:
    """Read a predictor; whatever the file holds, no code of it is run.

    Raises
    ------
    StoreError
        As `gpatlas.io.model_file.read_model_file`, or contents that contradict each other.
    """
    file = read_model_file(path)
    section = {key: value for key, value in file.manifest.items() if key not in ("format", "format_version")}
    try:
        manifest = Manifest.parse(section, str(path))
    except ConfigError as error:
        raise StoreError(f"{error} (in the model's manifest)") from None
    _warn_of_versions(manifest.libraries, path)
    arrays = file.arrays
    _check_arrays(arrays, path)
    predictor = Predictor(
        estimator=file.estimator,
        trait=manifest.trait,
        kind=manifest.kind,
        classes=manifest.classes,
        variants=Variants(
            locus_id=as_text(arrays["locus_id"]),
            chromosome=as_text(arrays["chromosome"]),
            position=arrays["position"],
            position_unit=manifest.position_unit,
            alleles=as_text(arrays["alleles"]) if "alleles" in arrays else None,
            ploidy=manifest.ploidy,
            mean_dosage=arrays["mean_dosage"],
        ),
        covariates=tuple(Covariate(one.name, one.levels) for one in manifest.covariates),
        fingerprints=Fingerprints(arrays["hashes"], arrays["chance"], manifest.salt),
        residuals=arrays["residuals"],
        summary=manifest.summary,
    )
    expected = getattr(predictor.estimator, "n_features_in_", None)
    if expected not in (None, predictor.n_features):
        raise StoreError(f"{path}: damaged, its estimator takes {expected} features, not {predictor.n_features}")
    return predictor


def _warn_of_versions(saved: dict[str, str], path: str | Path) -> None:
    """Warn where a library has another minor version than the one that fitted the model."""
    differ = [
        f"{name} {saved[name]} (here {version(name)})"
        for name in _LIBRARIES
        if name in saved and saved[name].split(".")[:2] != version(name).split(".")[:2]
    ]
    if differ:
        warnings.warn(f"{path} was saved with {', '.join(differ)}; predictions may differ", stacklevel=3)


def _check_arrays(arrays: dict[str, Any], path: str | Path) -> None:
    """Refuse arrays that are missing, or of other types or shapes than they must be."""
    n_loci = len(arrays.get("locus_id", ()))
    of_loci = {"locus_id": "S", "chromosome": "S", "position": "f", "mean_dosage": "f"}
    expected: dict[str, tuple[str, tuple[int, ...] | None]] = {
        name: (kind, (n_loci,)) for name, kind in of_loci.items()
    }
    expected["residuals"] = ("f", None)
    if "alleles" in arrays:
        expected["alleles"] = ("S", (n_loci, 2))
    expected |= {"hashes": ("u", None), "chance": ("f", (len(arrays.get("hashes", ())),))}
    for name, (kind, shape) in expected.items():
        array = arrays.get(name)
        if array is None:
            raise StoreError(f"{path}: damaged, it has no array {name}")
        if array.dtype.kind != kind or (shape is not None and array.shape != shape):
            raise StoreError(f"{path}: damaged, its array {name} is {array.dtype} {array.shape}")
    if (
        arrays["hashes"].ndim != 2
        or not len(arrays["hashes"])
        or arrays["residuals"].ndim != 1
        or np.isnan(arrays["residuals"]).any()
    ):
        raise StoreError(f"{path}: damaged, its hashes or residuals are not what they must be")
