"""GBLUP by REML against a restricted likelihood of dense matrices, and against rrBLUP's `mixed.solve` in R."""

import shutil
import subprocess

import numpy as np
import pytest
from scipy.optimize import brentq

from gpatlas import priors
from gpatlas.models import make
from tests.conftest import REFERENCE

# one population of each kind of structure, at sizes of the field
POPULATIONS = [("unstructured", 3, 200, 600), ("nam", 1, 300, 400), ("half_sibs", 2, 150, 1000), ("f2", 4, 260, 100)]


def told(prior, seed, n, m):
    task = priors.draw(prior, seed, n, m)
    return task.genotypes[task.context].astype(float), task.phenotype[task.context]


def dense_h2(x, y):
    """Heritability at the highest restricted likelihood, by roots of its derivative in V = h2 K + (1 - h2) I.

    K has a mean diagonal of 1 (n - 1 in the denominator). With P = V⁻¹ - V⁻¹1(1'V⁻¹1)⁻¹1'V⁻¹ and D = K - I,
    -2ℓ = log|V| + log|1'V⁻¹1| + (n - 1) log y'Py, and its derivative is tr(PD) - (n - 1) y'PDPy / y'Py.
    """
    n, ones = len(x), np.ones((len(x), 1))
    z = x - x.mean(axis=0)
    kernel = z @ z.T
    kernel *= (n - 1) / np.trace(kernel)

    def matrices(h2):
        v = h2 * kernel + (1 - h2) * np.eye(n)
        inverse = np.linalg.inv(v)
        information = (ones.T @ inverse @ ones).item()
        return v, information, inverse - inverse @ ones @ ones.T @ inverse / information

    def deviance(h2):
        v, information, p = matrices(h2)
        return np.linalg.slogdet(v)[1] + np.log(information) + (n - 1) * np.log(y @ p @ y)

    def derivative(h2):
        p, d = matrices(h2)[2], kernel - np.eye(n)
        py = p @ y
        return np.trace(p @ d) - (n - 1) * (py @ d @ py) / (y @ py)

    grid = np.linspace(0.001, 0.999, 60)
    signs = np.array([derivative(h2) for h2 in grid])
    falls = np.flatnonzero((signs[:-1] < 0) & (signs[1:] >= 0))
    maxima = [brentq(derivative, grid[k], grid[k + 1], xtol=1e-13) for k in falls]
    return min([*maxima, grid[0], grid[-1]], key=deviance)


@pytest.mark.parametrize("population", POPULATIONS, ids=[p[0] for p in POPULATIONS])
def test_heritability_is_where_the_dense_likelihood_is_highest(population):
    x, y = told(*population)
    expected = dense_h2(x, y)
    assert 0.01 < expected < 0.99  # a maximum, not an end of the grid
    assert make("rrblup").fit(x, y).h2_ == pytest.approx(expected, abs=1e-6)


@pytest.mark.skipif(not REFERENCE.exists(), reason="reference data are not here")
def test_heritability_of_the_wheat_lines():
    x = np.loadtxt(REFERENCE / "wheat/genotypes.csv.gz", delimiter=",", skiprows=1)[:, 1:]
    y = np.loadtxt(REFERENCE / "wheat/phenotypes.csv", delimiter=",", skiprows=1)[:, 1]
    assert make("rrblup").fit(x, y).h2_ == pytest.approx(dense_h2(x, y), abs=1e-6)


MIXED_SOLVE = """
library(rrBLUP)
folder <- commandArgs(TRUE)
x <- as.matrix(read.csv(file.path(folder, "x.csv"), header = FALSE))
y <- scan(file.path(folder, "y.csv"), quiet = TRUE)
found <- mixed.solve(y, Z = x)
writeLines(sprintf("%.15g", c(found$Vu, found$Ve, found$beta, found$u)))
"""


@pytest.mark.r
@pytest.mark.parametrize("population", POPULATIONS, ids=[p[0] for p in POPULATIONS])
def test_variances_and_effects_are_those_of_mixed_solve(population, tmp_path):
    """Its optimiser stops when λ is known to 4e-5; the tolerances follow from it."""
    if (
        shutil.which("Rscript") is None
        or subprocess.run(["Rscript", "-e", "library(rrBLUP)"], capture_output=True).returncode
    ):
        pytest.skip("R with rrBLUP is not here")
    x, y = told(*population)
    np.savetxt(tmp_path / "x.csv", x, delimiter=",")
    np.savetxt(tmp_path / "y.csv", y, fmt="%.17g")
    (tmp_path / "solve.R").write_text(MIXED_SOLVE)
    command = ["Rscript", str(tmp_path / "solve.R"), str(tmp_path)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    var_u, var_e, intercept, *effects = map(float, printed.split())
    model = make("rrblup").fit(x, y)
    np.testing.assert_allclose([model.var_u_, model.var_e_], [var_u, var_e], rtol=1e-5)
    assert model.intercept_ == pytest.approx(intercept, abs=1e-5)
    np.testing.assert_allclose(model.marker_effects_, effects, atol=1e-5 * np.abs(effects).max())
