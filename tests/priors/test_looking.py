"""Looking at draws: linkage disequilibrium against its closed form, and the notebook that adds a prior."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gpatlas import priors
from tests.conftest import REPOSITORY


def test_linkage_disequilibrium_of_an_f2_falls_with_the_map():
    """The correlation of dosage in an F2 is 1 - 2r; r of our meiosis is near Kosambi's tanh(2d) / 2."""
    task = priors.draw("f2", 3, 4000, 600)
    decay = priors.ld_decay(task)
    assert (np.diff(decay.distance) > 0).all()
    near = decay[decay.distance < 12]
    d = near.distance / 100
    np.testing.assert_allclose(near.r2, (1 - np.tanh(2 * d)) ** 2, atol=0.03)
    assert decay.r2.is_monotonic_decreasing


def test_all_pairs_of_a_chromosome_are_looked_at():
    task = priors.draw("unstructured", 4, 50, 60)
    same = task.chromosome[:, None] == task.chromosome
    apart = 100 * np.abs(task.position[:, None] - task.position)
    pairs = np.triu(same & (apart < 100), 1)
    r2 = np.corrcoef(task.genotypes.T) ** 2
    varies = np.ptp(task.genotypes, axis=0) > 0
    assert varies.all()
    decay = priors.ld_decay(task)
    assert decay.n_pairs.sum() == pairs.sum()
    assert (decay.r2 * decay.n_pairs).sum() == pytest.approx(r2[pairs].sum())


def test_frequencies_and_components():
    task = priors.draw("f2", 5, 400, 300)
    table = priors.marker_frequencies(task)
    assert abs(table.minor_allele_frequency.mean() - 0.48) < 0.02
    assert abs(table.heterozygosity.mean() - 0.5) < 0.02
    scores = priors.components(task)
    x = task.genotypes - task.genotypes.mean(axis=0)
    largest = np.linalg.svd(x, compute_uv=False)[:2]
    np.testing.assert_allclose(np.sqrt((scores[["pc1", "pc2"]] ** 2).sum()), largest)
    np.testing.assert_array_equal(scores.context, task.context)


def test_the_notebook_that_adds_a_prior_runs(tmp_path):
    settings = ["--no-progress-bar", "-p", "n_draws", "2", "-p", "figures", tmp_path]
    done = subprocess.run(
        [sys.executable, "-m", "papermill", *settings, "add_a_prior.ipynb", tmp_path / "out.ipynb"],
        cwd=REPOSITORY / "notebooks",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "add_a_prior.svg").stat().st_size > 10_000
    assert "Task(topcross" in (tmp_path / "out.ipynb").read_text()


def test_the_figure_takes_tables():
    from gpatlas import plotting

    task = priors.draw("nam", 6, 60, 200)
    tables = [table(task).assign(draw=0) for table in (priors.marker_frequencies, priors.ld_decay, priors.components)]
    figure = plotting.plot_prior_draws(*tables, pd.DataFrame({"draw": [0], "h2": [task.h2], "accuracy": [-0.1]}))
    assert [axis.get_xlabel() for axis in figure.axes] == [
        "minor allele frequency",
        "distance (cM)",
        "first component",
        "heritability",
    ]
