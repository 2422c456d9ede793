"""Who may import whom: the package's tiers, held by a test."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "gpatlas"

# a module may import from its own part and from tiers above it in this list
TIERS = [
    {"errors", "seeding", "wording", "encoding", "memory"},
    {"alleles", "packed"},
    {"dataset", "config", "predictions"},
    {"joins", "twins"},
    {"design", "runs", "simulate", "io", "nn", "evaluate"},
    {"priors"},
    {"engines", "train", "plotting", "munge", "harmonize", "imputing"},
    {"perceiver"},
    {"models"},
    {"predictor"},
    {"fitting", "tuning", "scoring", "cost", "gpfn"},
    {"finetuning"},
    {"automl"},
    {"report"},
    {"cli"},
]
# allowed sideways or upward steps, with the reason
EXCEPTIONS = {
    ("config", "models"): "config.docs writes the reference of hyperparameters, which the estimators declare",
    ("config", "nn"): "config.docs writes the reference of perceivers' settings, which the networks declare",
}
TIER = {part: number for number, tier in enumerate(TIERS) for part in tier}


def modules():
    return sorted(path for path in SOURCE.rglob("*.py") if path.name != "__main__.py" and path.parent != SOURCE.parent)


def imports(path: Path):
    """Yield (part imported, line) for every import of ours in a module, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] if node.module != "gpatlas" else [f"gpatlas.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "gpatlas" and len(parts) > 1 and not parts[1].startswith("__"):
                yield parts[1], node.lineno


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_go_up_the_tiers_only(path):
    own = part_of(path)
    if own == "__init__":
        return
    for other, line in imports(path):
        allowed = other == own or TIER[other] < TIER[own] or (own, other) in EXCEPTIONS
        assert allowed, f"{path.name}, line {line}: {own} may not import {other}"


def test_every_part_has_a_tier():
    assert {part_of(path) for path in modules()} - {"__init__"} == set(TIER)


@pytest.mark.parametrize(
    "path",
    [
        p
        for p in modules()
        if part_of(p) in ("models", "train", "nn", "evaluate", "simulate", "priors", "munge", "harmonize")
    ],
    ids=lambda p: p.name,
)
def test_numerics_open_no_files(path):
    text = path.read_text()
    for call in ("open(", "read_csv", "h5py", "Path("):
        assert not re.search(rf"\b{re.escape(call)}", text), f"{path}: {call}"


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import gpatlas", ["numpy", "torch", "sklearn", "pandas", "h5py", "matplotlib"]),
        ("import gpatlas.config, gpatlas.design", ["torch", "sklearn", "pandas", "h5py", "matplotlib", "scipy"]),
        ("import gpatlas.simulate, gpatlas.io, gpatlas.engines", ["torch", "sklearn", "pandas", "matplotlib", "rpy2"]),
        ("import gpatlas.fitting, gpatlas.models.rrblup, gpatlas.models.mlp", ["torch", "h5py", "matplotlib"]),
        ("import gpatlas.plotting", ["torch", "sklearn"]),
        ("import gpatlas.priors", ["torch", "sklearn", "pandas", "h5py", "matplotlib"]),
        ("import gpatlas.munge, gpatlas.harmonize", ["torch", "sklearn", "pandas", "h5py", "matplotlib", "numba"]),
    ],
)
def test_imports_stay_light(statement, absent):
    code = f"import sys; {statement}; print([m for m in {absent!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", f"{statement} loads {done.stdout}"
