"""Finetuning a perceiver on a dataset: every sample is predicted in every environment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, Fold, as_text
from gpatlas.errors import ConfigError, DataError, did_you_mean
from gpatlas.evaluate.classification import auc, balanced_accuracy
from gpatlas.evaluate.metrics import correlation
from gpatlas.fitting import features_of, tell_of_loci
from gpatlas.io.text import is_number
from gpatlas.models import make
from gpatlas.models.perceiver_fit import CLASSES, LEAST_SAMPLES
from gpatlas.predictor import Predictor, make_predictor
from gpatlas.wording import several, some_names

_LEAST_OBSERVED = 2  # of every trait


@dataclass(frozen=True)
class FinetunedDataset:
    """What finetuning gave.

    Parameters
    ----------
    table
        By column, one row per sample and trait: sample_id, trait (and environment, where traits have one), fold,
        observed (NaN where it is not known), prediction, and p_<class> of every class. Classes that have names are
        written by name, and then the prediction is the most probable one; of ordered classes it is what is expected.
    sentences
        What was used, and how well new samples were predicted.
    estimator
        The fitted `gpatlas.models.perceiver.Perceiver`.
    """

    table: dict[str, NDArray]
    sentences: tuple[str, ...]
    estimator: Any


def finetune_dataset(
    dataset: Dataset,
    hyperparameters: dict[str, Any],
    *,
    traits: Sequence[str] | None = None,
    seed: int = 1,
    announce: Callable[[Any, int, int, int], None] | None = None,
    progress: Callable[[int, int, float], None] | None = None,
) -> FinetunedDataset:
    """Finetune on the training samples, stop by the validation samples, predict all.

    Phenotypes of test samples are compared with predictions and nothing else; their genotypes serve where the model
    pretrains. A dataset without test samples is scored on its validation samples, which then are not trained on.

    Parameters
    ----------
    dataset
        Traits are environments, or traits to learn jointly.
    hyperparameters
        Of model perceiver.
    traits
        Which; None: all.
    seed
        Unless hyperparameters have `random_state`.
    announce
        Called before the fit with (estimator, training and validation samples with phenotypes, loci, traits).
    progress
        Called after every epoch with (epoch, max_epochs, validation loss).

    Raises
    ------
    ConfigError
        Unknown hyperparameter, trait or part of the network.
    DataError
        The data cannot be learnt from, or are not of the checkpoint's panel.
    StoreError
        There is no such checkpoint.
    """
    dataset = _with_traits(dataset, traits)
    scored_on = Fold.test if len(dataset.rows(Fold.test)) else Fold.validation
    estimator = make("perceiver", **({"random_state": seed % 2**31} | hyperparameters))
    if scored_on is Fold.validation and len(dataset.rows(scored_on)) and "refit" not in hyperparameters:
        estimator.set_params(refit=False)
    _refuse_classes_as_numbers(dataset, estimator.loss)
    tell_of_loci(estimator, dataset)
    features = features_of(dataset, estimator)
    y = dataset.phenotypes if dataset.n_traits > 1 else dataset.phenotypes[:, 0]
    train, stop, test = (dataset.rows(fold) for fold in Fold)
    validation = (features(stop), y[stop]) if len(stop) and not np.isnan(y[stop]).all() else None
    more = {"unlabelled": features(test)} if estimator.pretrain is not None and len(test) else {}
    if announce is not None:
        n_known = np.count_nonzero(~np.isnan(dataset.phenotypes[np.concatenate([train, stop])]).all(axis=1))
        announce(estimator, int(n_known), dataset.n_loci, dataset.n_traits)
    try:
        estimator.fit(features(train), y[train], validation=validation, progress=progress, **more)
        x = features(np.arange(dataset.n_samples))
        value = estimator.predict(x)
        chances = estimator.predict_proba(x) if estimator.loss in CLASSES else np.empty((*value.shape, 0))
    except ConfigError:
        raise
    except (ValueError, FloatingPointError) as error:
        raise DataError(" ".join(str(error).split())) from None
    value = value.reshape(dataset.phenotypes.shape)
    chances = chances.reshape(*value.shape, len(estimator.classes_))
    said = [*_used(dataset, estimator, validation is not None), *_scores(dataset, estimator, value, chances, scored_on)]
    return FinetunedDataset(_table(dataset, estimator, value, chances), tuple(said), estimator)


def predictor_of(estimator: Any, dataset: Dataset, trait: str) -> Predictor:
    """Return a model that travels, of an estimator that was finetuned to one trait of a dataset.

    Raises
    ------
    DataError
        Loci of more than two alleles, or classes that are not 0, 1, …
    """
    if dataset.n_alleles > 2:
        raise DataError(f"a model file reads dosage, but loci here have up to {dataset.n_alleles} alleles")
    codes = estimator.classes_.tolist()
    if codes != list(range(len(codes))):
        shown = some_names([f"{code:g}" for code in codes])
        raise DataError(f"a model file is of classes 0, 1, …, but trait {trait} has {shown}")
    names = dataset.levels.get(trait, tuple(str(k) for k in range(len(codes))))
    known = ~np.isnan(dataset.phenotypes[:, as_text(dataset.trait_id).tolist().index(trait)])
    return make_predictor(
        estimator,
        dataset,
        trait,
        kind="continuous" if not codes else "binary" if len(codes) == 2 else "multiclass",
        classes=names if codes else (),
        covariates=(),
        rows=np.flatnonzero(known & (dataset.fold != Fold.test)),
    )


def _with_traits(dataset: Dataset, traits: Sequence[str] | None) -> Dataset:
    known = as_text(dataset.trait_id).tolist()
    for name in traits or ():
        if name not in known:
            raise ConfigError(f"no trait '{name}'{did_you_mean(name, known)}")
    if not known:
        raise DataError("the dataset has no phenotypes to finetune on")
    n_train = len(dataset.rows(Fold.train))
    if n_train < LEAST_SAMPLES:
        raise DataError(
            f"{several(n_train, 'training sample')}, but at least {LEAST_SAMPLES} are needed to finetune on"
        )
    columns = [known.index(name) for name in traits or known]
    for name, column in zip(traits or known, columns, strict=True):
        n = int((~np.isnan(dataset.phenotypes[dataset.rows(Fold.train), column])).sum())
        if n < _LEAST_OBSERVED:
            raise DataError(
                f"trait {name}: {several(n, 'training sample', 'has')} a phenotype, but at least {_LEAST_OBSERVED} "
                "are needed to finetune on"
            )
    return replace(dataset, phenotypes=dataset.phenotypes[:, columns], trait_id=dataset.trait_id[columns], truth=None)


def _refuse_classes_as_numbers(dataset: Dataset, loss: str) -> None:
    named = [name for name in as_text(dataset.trait_id).tolist() if name in dataset.levels]
    if named and loss not in CLASSES:
        levels = some_names(dataset.levels[named[0]])
        raise ConfigError(f"trait {named[0]} has classes ({levels}); choose a loss of classes: {', '.join(CLASSES)}")
    for name in named if loss == "ordinal" else ():
        if len(dataset.levels[name]) > 2 and not all(is_number(level) for level in dataset.levels[name]):
            levels = some_names(dataset.levels[name])
            raise ConfigError(
                f"loss ordinal: classes of trait {name} are names without an order ({levels}); write them as numbers "
                f"in their order and import them with --categorical {name}, or choose loss multiclass"
            )


def _used(dataset: Dataset, estimator: Any, told_when_to_stop: bool) -> list[str]:
    known: NDArray[np.bool_] = np.asarray(~np.isnan(dataset.phenotypes).all(axis=1))
    counts = ", ".join(f"{known[dataset.rows(fold)].sum():,} {fold.name}" for fold in Fold)
    said = [f"{known.sum():,} of {several(dataset.n_samples, 'sample', 'has')} a phenotype: {counts}."]
    if estimator.n_ignored_:
        said.append(f"{several(estimator.n_ignored_, 'marker')} not in the checkpoint's panel: not used.")
    if estimator.n_absent_:
        said.append(f"{several(estimator.n_absent_, 'marker')} of the checkpoint's panel not in the data: missing.")
    if estimator.n_turned_:
        turned = several(estimator.n_turned_, "marker", "counts")
        said.append(f"{turned} the other allele than the checkpoint's panel: turned round.")
    frozen, free = estimator.epochs_
    steps = ["a readout of frozen latents was solved"] if estimator.solved_ else []
    steps += [f"the head learnt alone for {several(frozen, 'epoch')}"] if frozen else []
    steps += [f"head and encoder learnt for {several(free, 'epoch')}"] if free else []
    if estimator.checkpoint is None and estimator.pretrain is None:
        said.append("The network starts from scratch: there is no checkpoint.")
    judges = "validation samples"
    if not told_when_to_stop:
        judges = f"{estimator.validation_fraction:.0%} of the training samples, as there are no validation samples"
    again = ", and with these trained anew" if estimator.refit else ""
    said.append(f"Best on {judges}: {', then '.join(steps)}{again}.")
    return said


def _scores(
    dataset: Dataset, estimator: Any, value: NDArray[np.float64], chances: NDArray[np.float64], fold: Fold
) -> list[str]:
    said, rows = [], dataset.rows(fold)
    if not len(rows):
        return ["There are no test samples, so that nothing says how good this is; `gpatlas split` chooses some."]
    for k, name in enumerate(as_text(dataset.trait_id).tolist()):
        here = rows[~np.isnan(dataset.phenotypes[rows, k])]
        if len(here) > 1:
            chose = ", which also said when to stop" if fold is Fold.validation else ""
            observed, where = dataset.phenotypes[here, k], f"on {len(here):,} {fold.name} samples{chose}"
            if estimator.loss in ("binary", "focal", "multiclass"):
                codes = np.searchsorted(estimator.classes_, observed)
                area, right = auc(codes, chances[here, k]), balanced_accuracy(codes, chances[here, k])
                said.append(f"{name}: area under the ROC curve {area:.3f}, balanced accuracy {right:.3f} {where}.")
                continue
            found = correlation(value[here, k], observed)
            shown = "not defined, as one of both does not vary" if np.isnan(found) else f"{found:.3f}"
            said.append(f"{name}: predictive ability {shown} {where}.")
    return said


def _table(dataset: Dataset, estimator: Any, value: NDArray, chances: NDArray) -> dict[str, NDArray]:
    names, n, t = as_text(dataset.trait_id).tolist(), dataset.n_samples, dataset.n_traits
    table = {"sample_id": np.repeat(as_text(dataset.sample_id), t)}
    pairs = [dataset.environments.get(name, (name, "")) for name in names]
    table["trait"] = np.tile([trait for trait, _ in pairs], n)
    if dataset.environments:
        table["environment"] = np.tile([environment for _, environment in pairs], n)
    table["fold"] = np.repeat([Fold(code).name for code in dataset.fold.tolist()], t)
    table["observed"], table["prediction"] = dataset.phenotypes.ravel(), value.ravel()
    levels = {dataset.levels.get(name) for name in names}
    named = levels.pop() if len(levels) == 1 else None
    if named and estimator.loss in CLASSES:
        classes = np.array([named[int(code)] for code in estimator.classes_])
        ordered = estimator.loss == "ordinal" and all(map(is_number, classes))
        table["observed"] = np.array(["" if np.isnan(y) else named[int(y)] for y in table["observed"]])
        expected = chances @ classes.astype(float) if ordered else classes[chances.argmax(axis=-1)]
        table["prediction"] = expected.ravel()
    for k, code in enumerate(estimator.classes_.tolist()):
        table[f"p_{named[int(code)] if named else f'{code:g}'}"] = chances[..., k].ravel()
    return table
