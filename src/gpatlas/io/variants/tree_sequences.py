"""tskit tree sequences: the dosage of the derived allele in every individual, at every site with two alleles."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset
from gpatlas.errors import DataError, GpatlasError, StoreError
from gpatlas.io.field_data import field_dataset
from gpatlas.wording import several


def read_tree_sequence(path: str | Path, chromosome: str = "1") -> Dataset:
    """Read a tree sequence (`.trees`).

    Samples are the individuals that have sample nodes, named by `id` or `name` in their metadata where these differ,
    else tsk_0, tsk_1, … as tskit names them in VCF; without individuals, every sample node is a haploid. Dosage counts
    the allele that is not the ancestral state. Sites with more than two alleles are left out and counted.

    Parameters
    ----------
    path
        File.
    chromosome
        Its name, which the file does not hold.

    Raises
    ------
    DataError
        There is no site with two alleles, or individuals differ in ploidy.
    StoreError
        The file cannot be read as a tree sequence.
    """
    import tskit

    try:
        trees = tskit.load(path)
        names, nodes = _individuals(trees, path)
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except GpatlasError:
        raise
    except (tskit.FileFormatError, tskit.TskitException, OSError, EOFError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read as a tree sequence ({str(error).splitlines()[0]})") from None
    columns, positions, alleles, multiallelic = [], [], [], 0
    for position, haplotypes, of_site in _sites(trees, nodes):
        if len(of_site) > 2:
            multiallelic += 1
            continue
        copies = haplotypes.reshape(len(names), -1)
        columns.append(np.where((copies < 0).any(axis=1), -1, copies.sum(axis=1)).astype(np.int8))
        positions.append(position)
        alleles.append([*of_site, ""][:2])
    if not columns:
        raise DataError(f"{path}: no site with two alleles among {trees.num_sites} sites")
    account = ["tree sequence: dosage counts the derived allele"]
    if names[0] == "tsk_0":
        account.append("the file names no individuals, so they are tsk_0, tsk_1, …")
    if multiallelic:
        account.append(f"{several(multiallelic, 'site')} with more than two alleles left out")
    return field_dataset(
        path,
        np.ascontiguousarray(np.array(columns).T),
        names,
        [""] * len(columns),
        ploidy=nodes.shape[1],
        chromosome=[chromosome] * len(columns),
        position=np.array(positions),
        position_unit="bp",
        alleles=np.array(alleles),
        account=account,
    )


def _individuals(trees: Any, path: str | Path) -> tuple[list[str], NDArray[np.int32]]:
    """Return names and sample nodes `(n_individuals, ploidy)`."""
    of_node = trees.nodes_individual[trees.samples()]
    if (of_node < 0).any():
        return [f"tsk_{k}" for k in range(trees.num_samples)], trees.samples()[:, None]
    found, sizes = np.unique(of_node, return_counts=True)
    if len(set(sizes.tolist())) > 1:
        raise DataError(f"{path}: individuals have {sizes.min()} to {sizes.max()} sample nodes; one ploidy is needed")
    nodes = trees.samples()[np.argsort(of_node, kind="stable")].reshape(len(found), -1)
    names = [_name(trees.individual(int(k)).metadata) for k in found]
    if not all(names) or len(set(names)) < len(names):
        names = [f"tsk_{k}" for k in range(len(found))]
    return names, nodes


def _name(metadata: Any) -> str:
    if not isinstance(metadata, dict):
        return ""
    return str(metadata.get("id", metadata.get("name", "")))


def _sites(trees: Any, nodes: NDArray[np.int32]) -> Iterator[tuple[float, NDArray[np.int32], list[str]]]:
    """Yield position, alleles of the nodes (0 ancestral, -1 missing) and names of the alleles that occur."""
    for variant in trees.variants(samples=nodes.ravel(), copy=False):
        present = [k for k in range(len(variant.alleles)) if variant.alleles[k] is not None]
        called = set(np.unique(variant.genotypes).tolist())
        kept = [k for k in present if k == 0 or k in called]
        number = np.full(len(variant.alleles) + 1, -1)
        number[kept] = np.arange(len(kept))
        yield variant.site.position, number[variant.genotypes], [variant.alleles[k] for k in kept]
