"""Estimators whose every loss and prediction is known, in place of models."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from gpatlas.models.space import Choice, Float


class Fake(BaseEstimator):
    """Predicts y plus noise that `a` sets; `losses` are what it reports epoch by epoch."""

    uses_validation: ClassVar[bool] = True
    presets: ClassVar[dict] = {}
    search_spaces: ClassVar[dict] = {"default": {"a": Float(0.0, 1.0), "b": Choice(((1,), (2, 2), (3,)))}}
    seen: ClassVar[list] = []

    def __init__(self, a=0.5, b=(1,), kind="honest", inner=None, random_state=0):
        self.a, self.b, self.kind, self.inner, self.random_state = a, b, kind, inner, random_state

    def _validate_params(self):
        pass

    def fit(self, X, y, validation=None, progress=None):
        self.seen.append((self.get_params(), X.shape, y.copy(), validation[1].copy()))
        for epoch in range(1, 11):
            progress(epoch, 10, self.a)
        if self.kind == "diverges" or (self.kind == "diverges above" and self.a > 0.5):
            raise FloatingPointError("training diverged")
        if self.kind == "refuses":
            raise ValueError("cannot be\nfitted")
        self.truth = validation[1]
        return self

    def predict(self, X):
        if self.kind == "constant":
            return np.zeros_like(self.truth)
        noise = np.random.default_rng(1).normal(size=self.truth.shape)
        return self.truth / self.truth.std() + 3 * self.a * noise


class Preparing(Fake):
    """Has a stage that does not depend on `a`."""

    preparation_keys: ClassVar[tuple] = ("b", "inner.width")
    search_spaces: ClassVar[dict] = {
        "default": {"a": Float(0.0, 1.0), "b": Choice((1, 2)), "inner.rate": Choice((8, 9))}
    }
    prepared: ClassVar[list] = []

    def prepare(self, X, y, validation):
        self.prepared.append((self.b, X.shape))
        return ("prepared for", self.b)

    def fit(self, X, y, validation=None, progress=None, prepared=None):
        assert prepared == ("prepared for", self.b)
        assert self.inner["width"] == 4
        assert self.inner["rate"] in (8, 9)
        return super().fit(X, y, validation, progress)


class Several(Fake):
    """Fits several networks, whose epochs cannot be compared by number."""

    def one_course(self, n_traits):
        return n_traits == 1
