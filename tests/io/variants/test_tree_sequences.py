"""Tree sequences, against tskit's own VCF writer."""

import io

import numpy as np
import pytest
import tskit

from gpatlas.dataset import as_text
from gpatlas.errors import DataError, GpatlasError
from gpatlas.io import read_genotypes


def trees(n_individuals=4, ploidy=2, metadata=False, recurrent=True):
    """Build a star of nodes with mutations on some of them; the third site has three alleles."""
    tables = tskit.TableCollection(sequence_length=1000)
    if metadata:
        tables.individuals.metadata_schema = tskit.MetadataSchema({"codec": "json"})
    for k in range(n_individuals):
        individual = tables.individuals.add_row(metadata={"id": f"line {k}"} if metadata else None)
        for _ in range(ploidy):
            tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, time=0, individual=individual)
    root = tables.nodes.add_row(time=1)
    for node in range(n_individuals * ploidy):
        tables.edges.add_row(0, 1000, root, node)
    for position, ancestral, mutations in (
        (10, "A", {0: "T", 3: "T"}),
        (500, "G", dict.fromkeys(range(n_individuals * ploidy), "C")),
        (700, "G", {0: "C", 1: "T"} if recurrent else {0: "C"}),
        (900, "C", {2: "G"}),
    ):
        site = tables.sites.add_row(position, ancestral)
        for node, derived in mutations.items():
            tables.mutations.add_row(site=site, node=node, derived_state=derived)
    tables.sort()
    return tables.tree_sequence()


@pytest.mark.parametrize("ploidy", [1, 2, 4])
def test_dosage_is_that_of_tskits_vcf(tmp_path, ploidy):
    made = trees(ploidy=ploidy, recurrent=False)
    made.dump(tmp_path / "x.trees")
    data = read_genotypes(tmp_path / "x.trees", chromosome="7")
    text = io.StringIO()
    made.write_vcf(text, contig_id="7")
    header, *rows = [line.split("\t") for line in text.getvalue().splitlines() if not line.startswith("##")]
    assert as_text(data.sample_id).tolist() == header[9:]
    expected = [[sum(map(int, call.split("|"))) for call in row[9:]] for row in rows]
    np.testing.assert_array_equal(data.dosage().T, expected)
    assert as_text(data.alleles).tolist() == [row[3:5] for row in rows]
    assert data.position.tolist() == [float(row[1]) for row in rows]
    assert (data.ploidy, set(as_text(data.chromosome))) == (ploidy, {"7"})
    assert as_text(data.locus_id)[0] == "7:10:A:T"


def test_names_and_sites_with_three_alleles(tmp_path):
    trees(metadata=True).dump(tmp_path / "x.trees")
    data = read_genotypes(tmp_path / "x.trees")
    assert as_text(data.sample_id).tolist() == [f"line {k}" for k in range(4)]
    assert data.position.tolist() == [10, 500, 900]
    assert "1 site with more than two alleles left out" in data.provenance["account"]


def test_missing_nodes(tmp_path):
    tables = trees().dump_tables()
    tables.edges.truncate(len(tables.edges) - 1)  # an isolated sample is missing in tskit
    tables.mutations.clear()
    tables.mutations.add_row(site=0, node=0, derived_state="T")
    tables.tree_sequence().dump(tmp_path / "x.trees")
    assert read_genotypes(tmp_path / "x.trees").dosage()[:, 0].tolist() == [1, 0, 0, -1]


def test_damage_is_said_in_one_line(tmp_path):
    path = tmp_path / "x.trees"
    trees().dump(path)
    whole = path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"not trees", whole[:100] + b"\xff" * 400 + whole[500:]):
        path.write_bytes(damaged)
        with pytest.raises(GpatlasError) as error:
            read_genotypes(path)
        assert "\n" not in str(error.value)
    with pytest.raises(GpatlasError, match="no such file"):
        read_genotypes(tmp_path / "nothing.trees")


def test_individuals_of_different_ploidy(tmp_path):
    tables = trees().dump_tables()
    tables.nodes.individual = np.where(tables.nodes.individual == 1, 0, tables.nodes.individual)
    tables.tree_sequence().dump(tmp_path / "x.trees")
    with pytest.raises(DataError, match="individuals have 2 to 4 sample nodes"):
        read_genotypes(tmp_path / "x.trees")
