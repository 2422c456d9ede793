"""Fitting a named model to a dataset under an evaluation protocol, and predicting the test samples once.

`holdout`    models that stop early get train to fit and validation to stop; the others fit train and validation.
             Nothing sees test before it is predicted.
`published`  the study's protocol, to compare with its numbers: networks stop early on the test fold itself; ridge is
             fitted to random splits of all samples.
"""

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.config.experiment import EvaluationSpec
from gpatlas.dataset import Dataset, Fold, as_text
from gpatlas.errors import DataError
from gpatlas.memory import available_memory
from gpatlas.models import REGISTRY, make, model_class
from gpatlas.models.network import NetworkRegressor, fit_together
from gpatlas.models.ridge import PUBLISHED_PENALTIES
from gpatlas.models.ridge_splits import fit_splits, published_splits, random_splits
from gpatlas.packed import Bits
from gpatlas.predictions import TEST, FitResult, FoundPairs, Prediction

Progress = Callable[[int, int, str], None]  # steps done, steps in all, and what is going on


def fit_dataset(
    dataset: Dataset,
    model: str,
    hyperparameters: dict[str, Any],
    evaluation: EvaluationSpec,
    seed: int,
    progress: Progress | None = None,
) -> FitResult:
    """Fit one model and predict the test samples.

    Parameters
    ----------
    dataset
        With folds.
    model, hyperparameters
        For `gpatlas.models.make`.
    evaluation
        Protocol and its settings.
    seed
        Given to the model as `random_state` unless the hyperparameters hold one.
    progress
        Called as a network's epochs or another model's stages go by.

    Raises
    ------
    DataError
        A fold that the protocol needs is empty, the model cannot be fitted to these data, or it needs more memory
        than there is.
    """
    estimator = make(model, **hyperparameters)
    _check_memory(dataset, estimator, model)
    if estimator.uses_validation:
        import gpatlas.train.regression  # noqa: F401 - torch's import is not part of fitting
    start, cpu_start = time.perf_counter(), time.process_time()
    tell_of_loci(estimator, dataset)
    if "random_state" in estimator.get_params() and "random_state" not in hyperparameters:
        estimator.set_params(random_state=seed % (2**31))
    try:
        if evaluation.protocol == "published" and model == "rrblup":
            predictions = _ridge_over_splits(dataset, estimator, evaluation, seed)
        else:
            predictions = (_hold_out(dataset, estimator, evaluation, progress),)
    except (ValueError, FloatingPointError) as error:
        raise DataError(f"model {model}: {' '.join(str(error).split())}") from None
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    return FitResult(dataset.content_hash, predictions, seconds, cpu_seconds, getattr(estimator, "device_", "cpu"))


def tell_of_loci(estimator: Any, dataset: Dataset) -> None:
    """Tell an estimator what loci the data have, where it asks for it: hyperparameters that are None."""
    asked = {name for name, value in estimator.get_params(deep=False).items() if value is None}
    known: dict[str, Any] = {"locus_id": as_text(dataset.locus_id), "ploidy": dataset.ploidy}
    known |= {"n_alleles": dataset.n_alleles, "alleles": None if dataset.alleles is None else as_text(dataset.alleles)}
    if (as_text(dataset.chromosome) != "").any():
        known["chromosome"] = as_text(dataset.chromosome)
    if "chromosome" in known or np.isfinite(dataset.position).any():
        known["position"] = dataset.position
    elif {"position", "checkpoint"} <= asked:  # no map here, and no network that was pretrained with one
        known["position"] = _linkage_rank(dataset)
    estimator.set_params(**{name: value for name, value in known.items() if name in asked})


def _linkage_rank(dataset: Dataset) -> NDArray[np.float64] | None:
    """Ranks of loci in an order of linkage disequilibrium, as seen in samples that are not predicted."""
    from gpatlas.nn.perceiver.linkage import MOST_LOCI, linkage_order

    if dataset.n_loci > MOST_LOCI:
        return None
    rows = dataset.rows(Fold.train, Fold.validation)
    return np.argsort(linkage_order(dataset.dosage(rows))).astype(np.float64)


def _check_memory(dataset: Dataset, estimator: Any, model: str) -> None:
    """Refuse what would be killed for its memory, before anything is computed."""
    n, p = dataset.genotypes.shape
    needed = estimator.work(n, p, dataset.n_traits).held(estimator, packed=isinstance(dataset.genotypes, Bits))
    if needed > (free := available_memory()):
        way_out = ""
        if not getattr(estimator, "streams", False):
            streaming = [name for name in sorted(REGISTRY) if getattr(model_class(name), "streams", False)]
            way_out = f"; models that read packed genotypes from disk are {', '.join(streaming)}"
        raise DataError(
            f"model {model} needs about {needed / 1e9:.2g} GB of memory for {n:,} samples × {p:,} loci, but "
            f"{free / 1e9:.2g} GB are free{way_out}"
        )


def fits_together(dataset: Dataset, model: str, hyperparameters: dict[str, Any]) -> bool:
    """Say whether datasets like this one are faster fitted by `fit_datasets` than one by one."""
    estimator = make(model, **hyperparameters)
    return isinstance(estimator, NetworkRegressor) and estimator.fits_together(dataset.n_loci, dataset.n_traits)


def fit_datasets(
    datasets: Sequence[Dataset],
    model: str,
    hyperparameters: dict[str, Any],
    evaluation: EvaluationSpec,
    seeds: Sequence[int],
) -> list[FitResult] | None:
    """Fit a network to each dataset, all at once; None where their shapes differ.

    Parameters
    ----------
    datasets
        With folds, e.g. the replicates of a cell.
    model, hyperparameters, evaluation
        As for `fit_dataset`.
    seeds
        Of each.

    Raises
    ------
    DataError
        As for `fit_dataset`.
    """
    estimators = [make(model, **{"random_state": seed % (2**31), **hyperparameters}) for seed in seeds]
    import gpatlas.train.regression  # noqa: F401 - torch's import is not part of fitting

    start, cpu_start = time.perf_counter(), time.process_time()
    parts = [_parts(dataset, estimators[0], evaluation) for dataset in datasets]
    try:
        if not fit_together(estimators, [(part.x, part.y, part.validation) for part in parts]):
            return None
        predictions = [
            _prediction(dataset, estimator, part)
            for dataset, estimator, part in zip(datasets, estimators, parts, strict=True)
        ]
    except (ValueError, FloatingPointError) as error:
        raise DataError(f"model {model}: {' '.join(str(error).split())}") from None
    seconds = (time.perf_counter() - start) / len(datasets)
    cpu_seconds = (time.process_time() - cpu_start) / len(datasets)
    return [
        FitResult(dataset.content_hash, (prediction,), seconds, cpu_seconds, estimator.device_)
        for dataset, prediction, estimator in zip(datasets, predictions, estimators, strict=True)
    ]


@dataclass(frozen=True)
class _Parts:
    """What of a dataset a protocol gives an estimator to fit and to stop on, and which rows it predicts."""

    x: NDArray | Bits
    y: NDArray[np.float64]
    validation: tuple[NDArray, NDArray[np.float64]] | None
    test: NDArray[np.intp]


def _parts(dataset: Dataset, estimator: Any, evaluation: EvaluationSpec) -> _Parts:
    stop_on = Fold.test if evaluation.protocol == "published" else Fold.validation
    fit_on = (Fold.train,) if estimator.uses_validation or stop_on is Fold.test else (Fold.train, Fold.validation)
    train, test = _rows(dataset, *fit_on), _rows(dataset, Fold.test)
    validation = None
    features = features_of(dataset, estimator)
    if estimator.uses_validation:
        stop = _rows(dataset, stop_on)
        validation = features(stop), dataset.phenotypes[stop]
    return _Parts(features(train), dataset.phenotypes[train], validation, test)


def features_of(dataset: Dataset, estimator: Any) -> Callable[[NDArray[np.intp]], Any]:
    """Return what gives rows of genotypes: dosage; bits, if they are packed and the estimator streams; or allele codes.

    Codes are given to an estimator that knows of numbers of alleles, where loci have more than two.
    """
    if dataset.n_alleles > 2 and "n_alleles" in estimator.get_params(deep=False):
        return dataset.allele_codes
    return dataset.streamed_features if getattr(estimator, "streams", False) else dataset.features


def _hold_out(dataset: Dataset, estimator: Any, evaluation: EvaluationSpec, progress: Progress | None) -> Prediction:
    parts = _parts(dataset, estimator, evaluation)
    if estimator.uses_validation:
        more = {}
        if estimator.get_params(deep=False).get("pretrain") is not None:  # genotypes, of which all may serve
            more["unlabelled"] = features_of(dataset, estimator)(parts.test)
        estimator.fit(parts.x, parts.y, validation=parts.validation, progress=_of_epochs(progress), **more)
    elif progress is not None and getattr(estimator, "reports_stages", False):
        estimator.fit(parts.x, parts.y, progress=lambda stage: progress(0, 1, f"fitted; {stage}"))
    else:
        estimator.fit(parts.x, parts.y)
    return _prediction(dataset, estimator, parts)


def _of_epochs(progress: Progress | None) -> Callable[[int, int, float], None] | None:
    if progress is None:
        return None
    return lambda epoch, epochs, loss: progress(epoch, epochs, f"epochs, validation loss {loss:.4g}")


def _prediction(dataset: Dataset, estimator: Any, parts: _Parts) -> Prediction:
    traits, std = np.arange(dataset.n_traits), None
    x = features_of(dataset, estimator)(parts.test)
    if "return_std" in inspect.signature(estimator.predict).parameters:
        predicted, std = estimator.predict(x, return_std=True)
    else:
        predicted = estimator.predict(x)
    return Prediction(
        fold=TEST,
        rows=parts.test,
        traits=traits,
        predicted=predicted,
        std=std,
        n_train=(~np.isnan(parts.y)).sum(axis=0),
        marker_effects=getattr(estimator, "marker_effects_", None),
        selected=getattr(estimator, "selected_", None),
        pairs=_pairs(estimator, len(traits)),
        parameters=_parameters(estimator, len(traits)),
    )


def _ridge_over_splits(
    dataset: Dataset, estimator: Any, evaluation: EvaluationSpec, seed: int
) -> tuple[Prediction, ...]:
    x, y = dataset.streamed_features(), dataset.phenotypes
    if (isinstance(x, np.ndarray) and x.dtype.kind == "f") or np.isnan(y).any():
        raise ValueError("the published ridge protocol needs complete genotypes and phenotypes")
    size = (dataset.n_samples, dataset.n_traits, evaluation.n_splits, evaluation.test)
    splits = published_splits(*size) if evaluation.splits == "published" else random_splits(*size, seed=seed)
    penalties = PUBLISHED_PENALTIES if estimator.penalties is None else np.asarray(estimator.penalties)
    fits = fit_splits(x, y, splits, estimator.penalty, penalties)
    counter: dict[tuple, int] = {}
    predictions = []
    for fit in fits:
        key = tuple(fit.split.traits)
        counter[key] = counter.get(key, 0) + 1
        predictions.append(
            Prediction(
                fold=f"split {counter[key]}",
                rows=fit.split.test,
                traits=fit.split.traits,
                predicted=fit.predicted,
                n_train=np.full(len(key), len(fit.split.train)),
                marker_effects=fit.marker_effects,
                parameters={"penalty": fit.penalty},
            )
        )
    return tuple(predictions)


def _rows(dataset: Dataset, *folds: Fold) -> NDArray[np.intp]:
    rows = dataset.rows(*folds)
    if not len(rows):
        raise DataError(f"the dataset has no samples in fold {' or '.join(fold.name for fold in folds)}")
    return rows


def _pairs(estimator: Any, n_traits: int) -> tuple[FoundPairs, ...] | None:
    """Pairs that the estimator found, for every trait: `pairs_` is one array for one trait, a list for several."""
    if not hasattr(estimator, "pairs_"):
        return None

    def of_traits(name: str) -> list[NDArray]:
        found = getattr(estimator, name, None)
        if found is None:
            return [np.full(len(loci), np.nan) for loci in pairs]
        return found if isinstance(found, list) else [found]

    pairs = of_traits("pairs_")
    columns = zip(pairs, of_traits("pair_effects_"), of_traits("pair_z_"), strict=True)
    found = tuple(FoundPairs(np.asarray(loci).reshape(-1, 2), np.asarray(e), np.asarray(z)) for loci, e, z in columns)
    assert len(found) == n_traits
    return found


def _parameters(estimator: Any, n_traits: int) -> dict[str, NDArray[np.float64]]:
    """What the fit settled on, as columns over traits."""
    found = {"penalty": "penalty_", "h2": "h2_", "epochs": "n_epochs_"}
    return {
        name: np.broadcast_to(np.asarray(getattr(estimator, attribute), dtype=np.float64), n_traits)
        for name, attribute in found.items()
        if hasattr(estimator, attribute)
    }
