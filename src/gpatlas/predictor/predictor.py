"""`Predictor`: a fitted estimator with all that it takes to predict samples of another file."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, as_text
from gpatlas.encoding import MISSING
from gpatlas.errors import DataError
from gpatlas.harmonize import Harmonized, Variants, harmonize
from gpatlas.harmonize.harmonize import Ambiguous
from gpatlas.predictor.covariates import Covariate, CovariateColumns, covariate_columns, covariates_of
from gpatlas.predictor.fingerprints import Fingerprints
from gpatlas.predictor.intervals import half_width
from gpatlas.wording import some_names

MOST_MISSING = 0.1  # share of the model's loci that new data may lack
COVERAGE = 0.9
_BLOCK = 1 << 24  # features at once


@dataclass(frozen=True)
class Prediction:
    """Predictions of new samples.

    Parameters
    ----------
    table
        By column, each `(n_samples,)`: sample_id; prediction (a class by name); lower and upper, of a continuous
        trait; reliability, of models that have it; p_<class>; missing_loci, share of the model's loci that were
        missing; in_training, whether the sample looks like a copy of a training sample.
    sentences
        What was missing, turned round, ambiguous, absent, unknown.
    harmonized
        What was done to each locus.
    """

    table: dict[str, NDArray]
    sentences: tuple[str, ...]
    harmonized: Harmonized


@dataclass(frozen=True)
class Predictor:
    """A model that travels.

    Parameters
    ----------
    estimator
        Fitted; X is dosage of `variants`, then columns of `covariates`, float32 with NaN for missing.
    trait, kind, classes
        What it predicts: "continuous", "binary" or "multiclass"; names of the codes of classes.
    variants
        Its loci.
    covariates
        Its covariates.
    fingerprints
        Of its training samples.
    residuals
        Absolute errors of samples that were left out, ascending; empty for classes, or where none were kept.
    summary
        JSON-like record of its training: scores, sizes, provenance.
    """

    estimator: Any
    trait: str
    kind: str
    classes: tuple[str, ...]
    variants: Variants
    covariates: tuple[Covariate, ...]
    fingerprints: Fingerprints
    residuals: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def n_features(self) -> int:
        """Columns of X."""
        return self.variants.n_loci + sum(covariate.width for covariate in self.covariates)

    def predict(
        self,
        dataset: Dataset,
        *,
        ambiguous: Ambiguous = "keep",
        most_missing: float = MOST_MISSING,
        coverage: float = COVERAGE,
    ) -> Prediction:
        """Predict the samples of a dataset, which need not have the model's loci, order or counted alleles.

        Parameters
        ----------
        dataset
            New samples; phenotypes are not looked at.
        ambiguous
            What becomes of A/T and C/G loci; see `gpatlas.harmonize.harmonize`.
        most_missing
            Share of the model's loci that may be absent or unusable; a missing dosage is taken as the training mean.
            1 also lets covariates be absent.
        coverage
            Of intervals.

        Raises
        ------
        DataError
            Too many loci are missing, a covariate is absent, or nothing is in common.
        """
        harmonized = harmonize(self.variants, dataset, ambiguous)
        columns = covariate_columns(self.covariates, dataset)
        self._refuse_too_little(harmonized, columns, most_missing)
        in_training = self.fingerprints.known(harmonized.genotypes, harmonized.usable)
        table = {"sample_id": as_text(dataset.sample_id)}
        table |= self._columns(harmonized.genotypes, columns.values, coverage)
        table["missing_loci"] = (harmonized.genotypes == MISSING).mean(axis=1)
        table["in_training"] = in_training
        said = [
            *harmonized.sentences,
            *columns.sentences,
            *self._twins(table["sample_id"], in_training, harmonized.usable),
        ]
        return Prediction(table, tuple(said), harmonized)

    def _refuse_too_little(self, harmonized: Harmonized, columns: CovariateColumns, most_missing: float) -> None:
        missing = float((harmonized.account["taken"] == "missing").mean())
        if missing > most_missing:
            raise DataError(
                f"{missing:.1%} of the model's {self.variants.n_loci:,} loci are absent from the new data or unusable, "
                f"more than {most_missing:.0%}; predictions would rest on training means (--anyway makes them)"
            )
        if columns.absent and most_missing < 1:
            raise DataError(
                f"the model uses the covariate{'s' * (len(columns.absent) > 1)} {', '.join(columns.absent)}, which the "
                "new data lack; give a table that has them (--anyway takes training means)"
            )

    def _columns(self, genotypes: NDArray[np.int8], covariates: NDArray, coverage: float) -> dict[str, NDArray]:
        """Predict in blocks of samples; returns columns of the table."""
        parts: list[dict[str, NDArray]] = []
        step = max(1, _BLOCK // max(1, self.n_features))
        for start in range(0, len(genotypes), step):
            dosage = genotypes[start : start + step].astype(np.float32)
            dosage[dosage == MISSING] = np.nan
            parts.append(self._block(np.hstack([dosage, covariates[start : start + step]])))
        table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        if self.kind == "continuous" and len(self.residuals):
            value, width = table["prediction"], half_width(self.residuals, coverage)
            table = {"prediction": value, "lower": value - width, "upper": value + width} | table
        return table

    def _block(self, x: NDArray[np.float32]) -> dict[str, NDArray]:
        if self.kind == "continuous":
            values, reliability = _with_reliability(self.estimator, x)
            found = {"prediction": np.asarray(values, dtype=np.float64)}
            return found if reliability is None else found | {"reliability": reliability}
        probability = np.zeros((len(x), len(self.classes)))
        probability[:, np.asarray(self.estimator.classes_, dtype=int)] = self.estimator.predict_proba(x)
        shown = np.array(self.classes)[probability.argmax(axis=1)]
        return {"prediction": shown} | {f"p_{name}": probability[:, k] for k, name in enumerate(self.classes)}

    def _twins(self, sample_id: NDArray, in_training: NDArray[np.bool_], usable: NDArray[np.bool_]) -> list[str]:
        n, known = len(sample_id), sample_id[in_training]
        if not len(known):
            if not self.fingerprints.can_tell(n, usable):
                return ["Too few loci, or too many absent, to tell whether a sample was in the model's training data."]
            return ["No sample looks like a copy of one that the model was trained on."]
        shown = some_names(known.tolist())
        return [
            f"{len(known):,} of {n:,} samples have the genotypes of training samples ({shown}): "
            "the model has seen them, and how well it predicts them says nothing."
        ]


def make_predictor(
    estimator: Any,
    dataset: Dataset,
    trait: str,
    *,
    kind: str,
    classes: Sequence[str] = (),
    covariates: Sequence[str] | None = None,
    rows: NDArray | None = None,
    residuals: NDArray | None = None,
    summary: dict[str, Any] | None = None,
) -> Predictor:
    """Make a predictor from a fitted estimator and the dataset that it was fitted to.

    Parameters
    ----------
    estimator
        Fitted to X as `Predictor` says; for classes with `predict_proba` and `classes_`, codes of `classes`.
    dataset
        Whose loci are the model's.
    trait, kind, classes
        What is predicted.
    covariates
        Names of the covariates that the model uses, in the order of X; None: all of the dataset.
    rows
        The training samples; None: all.
    residuals
        Errors of samples that were left out, for intervals of a continuous trait.
    summary
        JSON-like record of the training.
    """
    rows = np.arange(dataset.n_samples) if rows is None else np.unique(rows)
    made = Predictor(
        estimator=estimator,
        trait=trait,
        kind=kind,
        classes=tuple(classes),
        variants=Variants.of(dataset, rows),
        covariates=covariates_of(dataset, covariates),
        fingerprints=Fingerprints.of(dataset.dosage(rows), salt=dataset.content_hash),
        residuals=np.sort(np.abs(np.empty(0) if residuals is None else residuals)),
        summary={"n_samples": len(rows), "n_loci": dataset.n_loci} | (summary or {}),
    )
    expected = getattr(estimator, "n_features_in_", made.n_features)
    if expected != made.n_features:
        raise ValueError(f"the estimator was fitted to {expected} features, but the predictor has {made.n_features}")
    return made


def _with_reliability(estimator: Any, x: NDArray[np.float32]) -> tuple[NDArray, NDArray | None]:
    """Return predictions, and reliabilities where the estimator, or the last step of a pipeline, has them."""
    steps = getattr(estimator, "steps", None)
    model = steps[-1][1] if steps else estimator
    has = "return_reliability" in inspect.signature(model.predict).parameters
    if not has or not getattr(model, "reliability", True):
        return estimator.predict(x), None
    return model.predict(estimator[:-1].transform(x) if steps else x, return_reliability=True)
