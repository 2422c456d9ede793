"""Intervals: the corrected t interval by its formula, coverage by counting."""

import numpy as np
import pytest
from scipy import stats

from gpatlas.evaluate.intervals import corrected_interval, interval_coverage


def test_the_corrected_interval_is_that_of_nadeau_and_bengio():
    values = [0.5, 0.7, np.nan, 0.6]
    half = stats.t.ppf(0.975, 2) * np.sqrt((1 / 3 + 20 / 80) * 0.01)
    assert corrected_interval(values, 80, 20) == pytest.approx((0.6 - half, 0.6 + half))
    assert np.isnan(corrected_interval([0.5, np.nan], 80, 20)).all()


def test_coverage_is_a_count():
    """Half-widths of the 50, 80, 90 and 95 % intervals are 0.674, 1.282, 1.645 and 1.960 standard deviations."""
    z = np.array([0.67, -0.68, 1.28, -1.29, 1.64, -1.65, 1.95, -1.97])
    sd = np.arange(1.0, 9.0)
    found = interval_coverage(np.full(8, 3.0), sd, 3 + z * sd)
    assert found == {"coverage_50": 1 / 8, "coverage_80": 3 / 8, "coverage_90": 5 / 8, "coverage_95": 7 / 8}
