"""Fixtures that several tests share."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small problems; several threads would only wait for each other
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from gpatlas.config.simulation import SimulationSpec
from gpatlas.dataset import Dataset
from gpatlas.simulate import simulate

settings.register_profile("any machine", deadline=None)  # a busy machine is not a failing test
settings.load_profile("any machine")

REPOSITORY = Path(__file__).parents[1]
# beside the repository, or beside the folder of its worktrees
REFERENCE = next((p / "shared/reference_data" for p in REPOSITORY.parents if (p / "shared").is_dir()), Path("absent"))


@pytest.fixture(scope="session")
def haploid_spec() -> SimulationSpec:
    """300 haploids, 24 loci that are all QTL, an additive and an epistatic trait."""
    return SimulationSpec.parse(
        {
            "founders": {"n_individuals": 300, "loci_per_chromosome": 24},
            "traits": [{"qtl_per_chromosome": 24, "rel_aa": rel_aa, "use_var_a": False} for rel_aa in (0.0, 1.0)],
            "phenotypes": {"h2_broad": 0.9},
        },
        "test",
    )


@pytest.fixture(scope="session")
def diploid_spec() -> SimulationSpec:
    """150 diploids on two chromosomes with ADE traits."""
    return SimulationSpec.parse(
        {
            "founders": {"n_individuals": 150, "loci_per_chromosome": [30, 20], "ploidy": 2},
            "traits": [
                {"type": "ADE", "n_traits": 2, "qtl_per_chromosome": 8, "rel_aa": 0.5, "mean_dd": 0.3, "var_dd": 0.1}
            ],
            "phenotypes": {"h2_broad": 0.8},
        },
        "test",
    )


@pytest.fixture(scope="session")
def haploids(haploid_spec) -> Dataset:
    return simulate(haploid_spec, seed=7)


@pytest.fixture(scope="session")
def diploids(diploid_spec) -> Dataset:
    return simulate(diploid_spec, seed=8)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def gpatlas():
    """Run the command line; returns the finished process."""

    def run(*arguments: object, cwd: Path | None = None, env: dict | None = None) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "gpatlas", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd or REPOSITORY,
            env={**os.environ, **(env or {})},
        )

    return run


def one_line_error(process: subprocess.CompletedProcess) -> str:
    """Check that a command failed as a user's mistake should, and return the line."""
    assert process.returncode == 2, (process.returncode, process.stdout, process.stderr)
    lines = process.stderr.splitlines()
    assert len(lines) == 1, process.stderr
    assert lines[0].startswith("gpatlas: error: ")
    return lines[0]
