"""The published pipeline's text tables, written by tests and benchmarks."""

from pathlib import Path

import numpy as np


def write_tables(stem: Path, x: np.ndarray, y: np.ndarray) -> None:
    """Write `_g.txt` and `_p.txt` as the published scripts do."""
    names = [str(i + 1) for i in range(len(x))]
    genotypes = [f"1_{k + 1} " + " ".join(map(str, column)) for k, column in enumerate(x.T)]
    header = "qtl " + " ".join(f"{name}_1" for name in names)
    stem.with_name(stem.name + "_g.txt").write_text("\n".join([header, *genotypes]) + "\n")
    phenotypes = [f"{name} " + " ".join(repr(float(v)) for v in row) for name, row in zip(names, y, strict=True)]
    stem.with_name(stem.name + "_p.txt").write_text(
        "\n".join(["ind Trait1 Trait2 Trait3 Trait4 Trait5", *phenotypes]) + "\n"
    )
