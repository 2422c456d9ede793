"""The published pipeline's text tables, written by tests and benchmarks."""

from pathlib import Path

import numpy as np

from gpatlas.dataset import Dataset


def write_tables(stem: Path, x: np.ndarray, y: np.ndarray) -> None:
    """Write `_g.txt` and `_p.txt` as the published scripts do."""
    names = [str(i + 1) for i in range(len(x))]
    genotypes = [f"1_{k + 1} " + " ".join(map(str, column)) for k, column in enumerate(x.T)]
    header = "qtl " + " ".join(f"{name}_1" for name in names)
    stem.with_name(stem.name + "_g.txt").write_text("\n".join([header, *genotypes]) + "\n")
    phenotypes = [f"{name} " + " ".join(repr(float(v)) for v in row) for name, row in zip(names, y, strict=True)]
    stem.with_name(stem.name + "_p.txt").write_text(
        "\n".join([" ".join(["ind", *(f"Trait{k + 1}" for k in range(y.shape[1]))]), *phenotypes]) + "\n"
    )


def write_effects(stem: Path, data: Dataset, *, by_number: bool = True) -> None:
    """Write `_eff.txt` of haploids as the published scripts do.

    Each trait has its QTL ascending and a matrix of pairs whose columns are QTL numbers within the trait and an
    effect (zeros at relAA 0). The scripts join the pairs' first, then their second column to the rows' *locus*;
    `by_number=False` writes what they meant.
    """
    x, rng, lines = data.dosage(), np.random.default_rng(0), ["trait locus add_eff epi_loc epi_eff sfs"]
    effects, pairs = data.truth.effects, data.truth.pairs
    for trait in range(data.n_traits):
        loci = effects.locus[effects.trait == trait] + 1
        additive = dict(zip(loci, effects.additive[effects.trait == trait], strict=True))
        mine = pairs.trait == trait
        matrix = [
            (*np.searchsorted(loci, (a + 1, b + 1)) + 1, e)
            for a, b, e in zip(pairs.locus_1[mine], pairs.locus_2[mine], pairs.epistatic[mine], strict=True)
        ] or [(*pair, 0.0) for pair in rng.permutation(len(loci)).reshape(-1, 2) + 1]
        if not by_number:
            matrix = [(loci[i - 1], loci[j - 1], e) for i, j, e in matrix]
        partner = {i: (j, e) for i, j, e in matrix} | {j: (i, e) for i, j, e in matrix}
        for locus in range(1, data.n_loci + 1):
            other, effect = partner.get(locus, (None, None))
            epistasis = "NA NA" if other is None else f"{other} {effect:.15g}"
            lines.append(f"{trait + 1} {locus} {additive.get(locus, 0):.15g} {epistasis} {x[:, locus - 1].mean():.15g}")
    stem.with_name(stem.name + "_eff.txt").write_text("\n".join(lines) + "\n")
