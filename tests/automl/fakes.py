"""Candidates whose every prediction is known, in place of learners, and tasks that they are made for.

Column 0 of X holds the phenotype itself, columns 1 and 2 its two halves, column 3 noise, column 4 the sample's number.
"""

from typing import ClassVar
from unittest import mock

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from gpatlas.automl.candidates import CANDIDATES, Candidate
from gpatlas.automl.task import Task
from gpatlas.models.space import Float

TRUTH, FIRST, SECOND, NOISE, NUMBER = range(5)


class Blend(BaseEstimator):
    """Predicts a column of X, with so much noise; of classes, the logistic function of that."""

    fits: ClassVar[list] = []  # (candidate, numbers of the samples fitted)

    def __init__(self, label="", column=TRUTH, noise=1.0, classes=False, fails=False, offset=0.0):
        self.label, self.column, self.noise, self.classes = label, column, noise, classes
        self.fails, self.offset = fails, offset

    def fit(self, X, y):
        self.fits.append((self.label, X[:, NUMBER].astype(int).tolist()))
        if self.fails:
            raise ValueError("cannot be\nfitted")
        self.classes_ = np.unique(y) if self.classes else None
        self.known_ = dict(zip(X[:, NUMBER].tolist(), y.tolist(), strict=True))
        return self

    def predict(self, X):
        return X[:, self.column] + self.noise * X[:, NOISE] + self.offset

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-3 * (self.predict(X) - 0.5)))
        return np.column_stack([1 - p, p])


class Memory(Blend):
    """Knows every sample that it was fitted to, and nothing of any other."""

    def predict(self, X):
        return np.array([self.known_.get(number, X[k, NOISE]) for k, number in enumerate(X[:, NUMBER].tolist())])


class Needy(Blend):
    """Cannot be fitted without the sample of a number."""

    def __init__(self, label="", column=TRUTH, noise=1.0, classes=False, fails=False, offset=0.0, needs=0):
        super().__init__(label, column, noise, classes, fails, offset)
        self.needs = needs

    def fit(self, X, y):
        if self.needs not in X[:, NUMBER]:
            raise ValueError("not without that one")
        return super().fit(X, y)


class Flat(Blend):
    """Predicts a constant wherever sample 0, 1 or 2 is not in training."""

    def predict(self, X):
        flat = not {0.0, 1.0, 2.0} <= set(self.known_)
        return np.zeros(len(X)) if flat else super().predict(X)


def candidate(name, tunable=False, kind=Blend, seconds=0.01, **settings) -> Candidate:
    """One that is a `Blend` with these settings; a tunable one varies its noise."""

    def build(request, **drawn):
        return kind(**{"label": name, **settings, **drawn, "classes": request.classes})

    spaces = {key: {"noise": Float(0.0, 3.0)} for key in ("continuous", "binary")} if tunable else {}
    return Candidate(name, name.title(), build, lambda n, p, classes: seconds, spaces)


def task(kind="continuous", n=60, seed=1) -> Task:
    rng = np.random.default_rng(seed)
    halves = rng.normal(size=(2, n))
    y = halves.sum(axis=0)
    if kind == "binary":
        y = (rng.permutation(n) < n // 2).astype(float)
    X = np.column_stack([y, *halves, rng.normal(size=n), np.arange(n)]).astype(np.float32)
    names = np.array(["truth", "first", "second", "noise", "number"])
    return Task(
        trait="t", kind=kind, classes=("no", "yes") if kind == "binary" else (), X=X, y=y, n_covariates=0,
        feature_id=names, sample_id=np.array([f"s{k}" for k in range(n)]), locus_id=names,
        chromosome=np.full(5, "1"), position=np.arange(5.0), position_unit="bp",
    )  # fmt: skip


@pytest.fixture
def compete():
    """Let these candidates compete, and no other."""

    def only(*candidates: Candidate) -> None:
        CANDIDATES.clear()
        CANDIDATES.update({one.name: one for one in candidates})
        Blend.fits.clear()

    with mock.patch.dict(CANDIDATES):  # puts all back, in their order
        yield only
