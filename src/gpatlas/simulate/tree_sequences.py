"""Populations as tskit tree sequences: who inherited which stretch from whom, and the founders' mutations."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError
from gpatlas.simulate.population import Population, require_same_map

_SCHEMA = {
    "codec": "json",
    "type": "object",
    "properties": {"id": {"type": "string"}},
    "required": ["id"],
}


class _Known(NamedTuple):
    """An individual of the tables: its number, its first node, and where it was found."""

    individual: int
    node: int
    population: Population
    row: slice


def to_tskit(populations: Sequence[Population], *, chromosome: int = 1, bp_per_morgan: float = 1e8) -> Any:
    """Make the tree sequence of one chromosome, with individuals and their pedigree.

    Haplotypes of a population made by a cross with `record=True` are edges to their parents' haplotypes, if these are
    in an earlier population; all others hang from one root and carry their alleles "1" as mutations.

    Parameters
    ----------
    populations
        In the order of their making; those of the last are the samples. Individuals that stand in several are taken
        from the first. One population alone will do.
    chromosome
        Which one; a tree sequence holds one.
    bp_per_morgan
        Scale of coordinates, which are `position` times it.

    Returns
    -------
    tskit.TreeSequence
        Write it with `.dump(path)`, and read it back with `read_genotypes(path)`. Times count populations backward.

    Raises
    ------
    DataError
        There is no such chromosome, two of its loci have one position, populations are on different maps, or an id is
        that of two individuals.
    """
    import tskit

    if not populations:
        raise DataError("to_tskit: no population was given")
    first = populations[0]
    loci = np.flatnonzero(first.chromosome == chromosome)
    if not len(loci):
        raise DataError(f"to_tskit: chromosome {chromosome} has no loci; there are {np.unique(first.chromosome)}")
    coordinate = first.position[loci] * bp_per_morgan
    if (np.diff(coordinate) <= 0).any():
        locus = int(np.flatnonzero(np.diff(coordinate) <= 0)[0])
        raise DataError(f"to_tskit: loci {locus + 1} and {locus + 2} of chromosome {chromosome} have one position")
    tables = tskit.TableCollection(sequence_length=float(coordinate[-1]) + 1)
    tables.time_units = "generations"
    tables.individuals.metadata_schema = tskit.MetadataSchema(_SCHEMA)
    root = tables.nodes.add_row(time=len(populations))
    tables.sites.set_columns(
        position=coordinate,
        ancestral_state=np.full(len(loci), ord("0"), dtype=np.int8),
        ancestral_state_offset=np.arange(len(loci) + 1, dtype=np.uint32),
    )
    known: dict[int, _Known] = {}
    carried: list[tuple[int, NDArray[np.intp]]] = []  # nodes below the root, and the sites where they have a 1
    for number, population in enumerate(populations):
        require_same_map(first, population)
        _add(tables, population, float(len(populations) - 1 - number), known, carried, root, loci, coordinate)
    n_carried = [len(sites) for _, sites in carried]
    n_mutations = sum(n_carried)
    tables.mutations.set_columns(
        site=np.concatenate([sites for _, sites in carried]).astype(np.int32),
        node=np.repeat([node for node, _ in carried], n_carried).astype(np.int32),
        derived_state=np.full(n_mutations, ord("1"), dtype=np.int8),
        derived_state_offset=np.arange(n_mutations + 1, dtype=np.uint32),
    )
    flags = np.zeros(tables.nodes.num_rows, dtype=np.uint32)
    for one in populations[-1].id.tolist():
        node = known[one].node
        flags[node : node + populations[-1].ploidy] = tskit.NODE_IS_SAMPLE
    tables.nodes.flags = flags
    tables.sort()
    return tables.tree_sequence()


def _add(
    tables: Any,
    population: Population,
    time: float,
    known: dict[int, _Known],
    carried: list[tuple[int, NDArray[np.intp]]],
    root: int,
    loci: NDArray[np.intp],
    coordinate: NDArray[np.float64],
) -> None:
    """Add a population's individuals and nodes, and edges to parents' nodes or, with what they carry, to the root."""
    ploidy, record = population.ploidy, population.recombinations
    number = int(np.searchsorted(np.unique(population.chromosome), population.chromosome[loci[0]]))
    pedigree = zip(population.id.tolist(), population.mother.tolist(), population.father.tolist(), strict=True)
    for i, (one, mother, father) in enumerate(pedigree):
        if one in known:
            before = known[one]
            alike = population.dosage(slice(i, i + 1), loci) == before.population.dosage(before.row, loci)
            if not alike.all():
                raise DataError(
                    f"to_tskit: id {one} is that of two individuals; give crosses and founders ids of their own"
                )
            continue
        parents = [known[parent].individual for parent in (mother, father) if parent in known]
        individual = tables.individuals.add_row(parents=parents, metadata={"id": str(one)})
        node = tables.nodes.num_rows
        for _ in range(ploidy):
            tables.nodes.add_row(time=time, individual=individual)
        known[one] = _Known(individual, node, population, slice(i, i + 1))
        inherited = record is not None and all(parent in known for parent in record.parent[i].tolist())
        for h in range(ploidy):
            stored = 0 if population.inbred else h
            if inherited:
                assert record is not None
                source = known[int(record.parent[i, stored])].node
                stretches = record.of(i, stored, number)
                starts = np.append(coordinate[stretches[:, 1] - 1], tables.sequence_length)
                starts[0] = 0.0
                for (haplotype, _), left, right in zip(stretches.tolist(), starts, starts[1:], strict=False):
                    tables.edges.add_row(left, right, source + haplotype - 1, node + h)
            else:
                tables.edges.add_row(0.0, tables.sequence_length, root, node + h)
                row = i * population.copies + stored
                carried.append((node + h, np.flatnonzero(population.haplotypes.unpack(slice(row, row + 1), loci)[0])))
