"""Predicting a population from another one: a pretrained network, conditioned on the phenotyped samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gpatlas.dataset import Dataset, as_text
from gpatlas.errors import ConfigError, DataError, did_you_mean
from gpatlas.evaluate.metrics import correlation
from gpatlas.gpfn.panels import LEAST_SHARED, panels_of
from gpatlas.harmonize.harmonize import Ambiguous
from gpatlas.models import make
from gpatlas.models.gpfn import LEAST_SAMPLES
from gpatlas.predictor.covariates import Covariate, covariate_columns, covariates_of
from gpatlas.predictor.scoring import LEAST
from gpatlas.wording import several, some_names


@dataclass(frozen=True)
class PopulationPrediction:
    """Predictions of a population.

    Parameters
    ----------
    table
        By column, one row per trait and target sample: sample_id; trait; gebv, the genetic value in units of the
        trait, at the training samples' mean of covariates; se, its standard error; lower and upper, of an interval
        that holds the genetic value; with covariates, prediction: the phenotype that is expected with the sample's
        own; observed, the phenotype where one is known; in_training, whether the sample has trained the trait;
        missing_loci, its share of missing calls at the loci that both panels have.
    sentences
        What was matched, left out, scored.
    """

    table: dict[str, NDArray]
    sentences: tuple[str, ...]


def predict_population(
    training: Dataset,
    target: Dataset,
    *,
    traits: Sequence[str] | None = None,
    checkpoint: str | None = "default",
    coverage: float = 0.9,
    ambiguous: Ambiguous = "keep",
    anyway: bool = False,
    device: str = "cpu",
) -> PopulationPrediction:
    """Predict the samples of one population by the phenotypes of another.

    Parameters
    ----------
    training
        Its traits are predicted, its covariates are fixed effects.
    target
        May lack loci, order them otherwise, count other alleles. Its phenotypes are compared with predictions.
    traits
        Which; None: all numbers that ten training samples have.
    checkpoint
        As of `gpatlas.models.gpfn.GPFN`.
    coverage
        Of intervals.
    ambiguous
        As in `gpatlas.harmonize.harmonize`.
    anyway
        Predict although the panels share next to nothing.
    device
        "cpu", "cuda" or "auto".

    Raises
    ------
    DataError
        Fewer than ten phenotyped samples, too few loci in common, or a problem beyond memory.
    ConfigError
        An unknown trait.
    StoreError
        There is no such checkpoint.
    """
    names, said = _traits(training, traits)
    known = as_text(training.trait_id).tolist()
    y = training.phenotypes[:, [known.index(name) for name in names]]
    phenotyped = np.flatnonzero(~np.isnan(y).all(axis=1))
    if n_without := training.n_samples - len(phenotyped):
        of_traits = f"any of {some_names(names)}" if len(names) > 1 else names[0]
        said.append(f"{n_without:,} of {training.n_samples:,} samples of the training panel lack {of_traits}.")
    training, y = training.samples(phenotyped), y[phenotyped]
    panels = panels_of(training, target, ambiguous, 0.0 if anyway else LEAST_SHARED)
    here, there, of_covariates = _covariates(training, target)
    said += [*panels.sentences, *of_covariates]
    n_covariates, m = here.shape[1], len(panels.locus_id)
    model = make("gpfn", checkpoint=checkpoint, n_covariates=n_covariates, device=device)
    try:
        model.set_params(chromosome=panels.chromosome).fit(np.hstack([panels.training, here]), y)
    except ValueError as error:
        raise DataError(" ".join(str(error).split())) from None
    average = np.full_like(there, np.nan)  # which the estimator takes for training means
    value, se = model.predict(np.hstack([panels.target, average]), return_std=True)
    own = np.nan_to_num(there - np.nanmean(here, axis=0, dtype=np.float64))
    expected = value + own @ model.covariate_effects_
    deviates = ndtri((1 + coverage) / 2)
    trained, observed = _trained(panels.known_as, training, y), _observed(target, names)
    columns = {"gebv": value, "se": se, "lower": value - deviates * se, "upper": value + deviates * se}
    columns |= {"prediction": expected} if n_covariates else {}
    columns |= {} if np.isnan(observed).all() else {"observed": observed}
    columns["in_training"] = trained
    for k, name in enumerate(names):
        half = deviates * np.sqrt(se[:, k] ** 2 + model.var_e_[k])  # of a phenotype
        new = ~trained[:, k] & ~np.isnan(observed[:, k])
        said.append(_described(name, y[:, k], value[:, k], se[:, k]))
        said.append(_scored(name, expected[new, k], half[new], observed[new, k], coverage))
    samples = as_text(target.sample_id)
    table = {"sample_id": np.tile(samples, len(names)), "trait": np.repeat(names, len(samples))}
    table |= {name: values.T.ravel() for name, values in columns.items()}
    missing = (np.isnan(panels.target) if panels.target.dtype.kind == "f" else np.zeros((len(samples), m))).mean(axis=1)
    table["missing_loci"] = np.tile(missing, len(names))
    return PopulationPrediction(table, tuple(sentence for sentence in said if sentence))


def _traits(training: Dataset, asked: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Return the traits to predict, and what is said of those left out."""
    known = as_text(training.trait_id).tolist()
    if not known:
        raise DataError("the training population has no trait: give a table of phenotypes")
    for name in asked or ():
        if name not in known:
            raise ConfigError(f"no trait '{name}'{did_you_mean(name, known)}")
    count = dict(zip(known, (~np.isnan(training.phenotypes)).sum(axis=0).tolist(), strict=True))
    why: dict[str, str] = {}
    for name in asked or known:
        if name in training.levels:
            why[name] = f"trait {name} has classes ({some_names(training.levels[name])}), and gpfn predicts numbers"
        elif count[name] < LEAST_SAMPLES:
            of_how_many = several(count[name], "training sample", "has")
            why[name] = f"{of_how_many} genotypes and {name}, but at least {LEAST_SAMPLES} are needed"
    kept = [name for name in dict.fromkeys(asked or known) if name not in why]
    if why and (asked or not kept):
        raise DataError(next(iter(why.values())))
    return kept, [f"Left out: {text}." for text in why.values()]


def _covariates(training: Dataset, target: Dataset) -> tuple[NDArray, NDArray, list[str]]:
    """Return columns of the training samples' covariates and of the target's, and what is said of them."""
    known = []
    for k, covariate in enumerate(covariates_of(training)):
        codes = set(training.covariates[:, k])
        if np.isnan(training.covariates[:, k]).all():
            raise DataError(f"no training sample has a known {covariate.name}")
        levels = [name for code, name in enumerate(covariate.levels) if code in codes]
        known.append(Covariate(covariate.name, tuple(levels)))
    here, there = covariate_columns(known, training), covariate_columns(known, target)
    said = [f"Training: {sentence}" for sentence in here.sentences]
    said += [f"Target: {sentence}" for sentence in there.sentences if not there.absent]
    if unknown := int(np.isnan(there.values).any(axis=1).sum()):
        said.append(f"{several(unknown, 'target sample')} without known covariates: expected at their training means.")
    return here.values, there.values, said


def _trained(known_as: NDArray, training: Dataset, y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which target samples trained which trait, `(n_target, n_traits)`."""
    row = {name: k for k, name in enumerate(as_text(training.sample_id).tolist())}
    known = np.vstack([~np.isnan(y), np.zeros((1, y.shape[1]), dtype=bool)])
    return known[[row.get(name, -1) for name in known_as.tolist()]]


def _observed(target: Dataset, names: Sequence[str]) -> NDArray[np.float64]:
    """Return phenotypes of the target, `(n_target, n_traits)`, NaN where not known."""
    there = as_text(target.trait_id).tolist()
    none = np.full(target.n_samples, np.nan)
    return np.column_stack([target.phenotypes[:, there.index(name)] if name in there else none for name in names])


def _described(name: str, y: NDArray, value: NDArray, se: NDArray) -> str:
    known = y[~np.isnan(y)]
    trained = f"{name}: {several(len(known), 'training sample')}"
    if np.ptp(known) == 0:
        return f"{trained}, all of which have {known[0]:g}: that is predicted, with a standard error of 0."
    return (
        f"{trained} of mean {known.mean():.4g}, GEBVs from {value.min():.4g} to {value.max():.4g}, standard errors of "
        f"{se.mean():.3g} on average."
    )


def _scored(name: str, expected: NDArray, half: NDArray, observed: NDArray, coverage: float) -> str:
    """Say how well new samples with a phenotype were predicted; "" where there are none."""
    if not len(observed):
        return ""
    if len(observed) < LEAST:
        return f"{name}: not scored, {several(len(observed), 'new sample', 'has')} a phenotype, and {LEAST} are needed."
    ability, held = correlation(expected, observed), (np.abs(observed - expected) <= half).mean()
    found = "not defined, as one of both does not vary" if np.isnan(ability) else f"{ability:.3f}"
    return (
        f"{name}: predictive ability {found} on {len(observed):,} new samples; {coverage:.0%} intervals hold "
        f"{held:.0%} of their phenotypes."
    )
