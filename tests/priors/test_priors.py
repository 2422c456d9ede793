"""Every registered prior: tasks of the promised form, the same ones from the same seed."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas import priors
from gpatlas.errors import ConfigError
from gpatlas.priors.splits import MIN_CONTEXT

ARRAYS = ("genotypes", "chromosome", "position", "phenotype", "genetic_value", "context")


@pytest.mark.parametrize("name", priors.REGISTRY)
@settings(max_examples=12)
@given(seed=st.integers(0, 2**63), n=st.integers(11, 90), m=st.integers(1, 150))
def test_tasks_are_as_promised(name, seed, n, m):
    task = priors.draw(name, seed, n, m)
    assert task.genotypes.shape == (n, m) == (task.n_samples, task.n_markers)
    assert task.genotypes.dtype == np.int8
    assert 0 <= task.genotypes.min() <= task.genotypes.max() <= 2
    assert np.ptp(task.genotypes[task.context], axis=0).min() > 0
    assert (np.diff(task.chromosome) >= 0).all()
    assert (np.diff(task.position)[np.diff(task.chromosome) == 0] >= 0).all()
    assert np.isfinite(task.phenotype).all()
    assert MIN_CONTEXT <= task.context.sum() < n
    assert 0.1 <= task.h2 <= 0.9 or name == "recurrent"  # among those told
    assert task.genetic_value.mean() == pytest.approx(0, abs=1e-9)
    assert task.genetic_value.var() == pytest.approx(task.h2)
    assert np.ptp(task.genetic_value[task.context]) > 0
    assert (task.scheme, task.seed) == (name, seed)
    assert task.n_qtl >= 1


@pytest.mark.parametrize("name", priors.REGISTRY)
def test_the_same_seed_gives_the_same_bytes(name):
    one, two, other = (priors.draw(name, seed, (30, 60), (50, 200)) for seed in (5, 5, 6))
    for array in ARRAYS:
        np.testing.assert_array_equal(getattr(one, array), getattr(two, array))
    assert one.phenotype[0] != other.phenotype[0]


def test_threads_change_nothing():
    code = (
        "import hashlib; from gpatlas import priors; task = priors.draw('default', 3, 300, 2000); "
        "print(hashlib.sha256(task.genotypes.tobytes() + task.phenotype.tobytes()).hexdigest(), task)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", f"import os; os.environ['OMP_NUM_THREADS'] = '{n}'; {code}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in (1, 2)
    }
    assert len(found) == 1


def test_errors_have_the_variance_that_heritability_promises():
    """Var(e) is 1 - h2 in expectation: over many tasks its mean ratio is 1."""
    ratios = []
    for seed in range(400):
        task = priors.draw("unstructured", seed, 60, 20)
        error = task.phenotype - task.genetic_value
        ratios.append((error**2).mean() / (1 - task.h2))
    assert abs(np.mean(ratios) - 1) < 3.5 * np.sqrt(2 / (400 * 60))


def test_hidden_qtl_are_not_in_the_panel():
    """A panel of independent loci explains all of g where it holds the QTL, and little of it where it does not."""

    class Few(priors.Prior):
        """Three additive QTL in a panel of independent loci."""

        def scheme(self, rng, size):
            from gpatlas.simulate import quick_haplo

            return priors.Lines(quick_haplo(size.n_samples, [size.n_sites], rng, ploidy=2, genetic_length=100.0))

    residuals = {True: [], False: []}
    for seed in range(60):
        law = priors.TraitLaw(infinitesimal=0, n_qtl=(3, 3), dominance=0, epistasis=0, hidden=seed % 2)
        task = priors.draw(Few(law=law), seed, 200, 30)
        x = task.genotypes - task.genotypes.mean(axis=0)
        fitted = x @ np.linalg.lstsq(x, task.genetic_value, rcond=None)[0]
        residuals[task.hidden].append((task.genetic_value - fitted).var() / task.h2)
    assert max(residuals[False]) < 1e-12
    assert min(residuals[True]) > 0.5


def test_mixtures():
    names = sorted(priors.REGISTRY)[:2]
    found = [priors.draw(dict.fromkeys(names, 1.0), seed, 20, 10).scheme for seed in range(60)]
    assert set(found) == set(names)
    assert priors.draw({names[-1]: 0, names[0]: 1}, 1, 20, 10).scheme == names[0]
    sizes = [priors.draw(names[0], seed, (20, 40), (5, 10)) for seed in range(40)]
    assert {min(t.n_samples for t in sizes) < 25, max(t.n_samples for t in sizes) > 35} == {True}
    assert {t.n_markers for t in sizes} == set(range(5, 11))
    assert set(priors.DEFAULT_MIXTURE) == set(priors.REGISTRY)


@pytest.mark.parametrize(
    ("prior", "n", "m", "message"),
    [
        ("nma", 20, 10, "unknown prior 'nma'"),
        ({"f3": 1.0}, 20, 10, "unknown prior 'f3'"),
        ({"unstructured": -1.0}, 20, 10, "weight of unstructured is -1"),
        ({"unstructured": 0.0}, 20, 10, "no weight is positive"),
        ("unstructured", 10, 10, "n_samples = 10, n_markers = 10; at least 11 samples"),
        ("unstructured", 20, 0, "n_markers = 0"),
        ("unstructured", (30, 20), 10, "n_samples = (30, 20) is no range"),
    ],
)
def test_bad_requests_are_one_line(prior, n, m, message):
    with pytest.raises(ConfigError) as error:
        priors.draw(prior, 1, n, m)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_range_of_heritability_lies_within_bounds():
    with pytest.raises(ConfigError, match=r"h2 = \(0, 0.5\)"):
        priors.make("unstructured", h2=(0, 0.5))
    task = priors.draw(priors.make("unstructured", h2=(0.4, 0.4)), 1, 30, 20)
    assert task.h2 == 0.4
    assert "unstructured" in repr(task)


@pytest.mark.parametrize("name", priors.REGISTRY)
def test_every_prior_says_what_it_is(name):
    prior = priors.make(name)
    assert prior.name == name
    assert len(inspect.getdoc(type(prior)).split("\n")[0]) > 20
