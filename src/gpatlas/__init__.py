"""gpatlas: which model predicts a phenotype best from genotypes, by how much, and why."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["Dataset", "config", "evaluate", "io", "models", "plotting", "simulate"]


def __getattr__(name: str) -> Any:
    # loaded on first use, so that `import gpatlas` stays light
    if name == "Dataset":
        return import_module("gpatlas.dataset").Dataset
    if name in __all__:
        return import_module(f"gpatlas.{name}")
    raise AttributeError(f"module 'gpatlas' has no attribute '{name}'")
