"""A small panel of genotypes whose truth is known, and files of it in every format, written without our own code."""

import gzip
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gpatlas.dataset import Dataset, as_bytes, as_text
from gpatlas.io import write_dataset

NAMES = ["811", "007", "B73", "Mo17", "s_1_2", "1e5", "NA12878", "x.1", "A-b", "33-16", "Oh43", "4226"]


@dataclass(frozen=True)
class Panel:
    """Names, map, alleles (other, counted) and dosage `(n_samples, n_loci)`, -1 missing."""

    samples: list[str]
    loci: list[str]
    position: list[int]
    alleles: list[tuple[str, str]]
    dosage: np.ndarray
    ploidy: int = 2

    def called(self, i: int, j: int) -> list[str]:
        """The alleles of a diploid's call, or none."""
        other, counted = self.alleles[j]
        return [[], [other, other], [other, counted], [counted, counted]][self.dosage[i, j] + 1]


def panel(seed: int = 0, n_loci: int = 15) -> Panel:
    """Draw a panel of diploids with missing calls; the first samples make sure that every dosage occurs."""
    rng = np.random.default_rng(seed)
    dosage = rng.choice([-1, 0, 1, 2], size=(len(NAMES), n_loci), p=[0.1, 0.4, 0.2, 0.3]).astype(np.int8)
    dosage[:3, :] = np.arange(3)[:, None]
    pairs = [("A", "C"), ("G", "A"), ("C", "T"), ("T", "G")]
    return Panel(
        list(NAMES),
        [f"rs{100 + j}_x" for j in range(n_loci)],
        [1000 + 17 * j for j in range(n_loci)],
        [pairs[j % 4] for j in range(n_loci)],
        dosage,
    )


def table(of: Panel, delimiter: str = ",", corner: str = "id") -> bytes:
    """Samples in rows."""
    rows = [[corner, *of.loci]]
    rows += [
        [name, *("NA" if value < 0 else str(value) for value in row)]
        for name, row in zip(of.samples, of.dosage.tolist(), strict=True)
    ]
    return "".join(delimiter.join(row) + "\n" for row in rows).encode()


def table_of_loci(of: Panel) -> bytes:
    """Loci in rows, with columns that describe them."""
    rows = [["marker", "chr", "pos", "ref", "alt", *of.samples]]
    for j, name in enumerate(of.loci):
        cells = ["-1" if value < 0 else str(value) for value in of.dosage[:, j].tolist()]
        rows.append([name, "1", str(of.position[j]), *of.alleles[j], *cells])
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def hapmap(of: Panel, letters: int) -> bytes:
    codes = {"AG": "R", "CT": "Y", "CG": "S", "AT": "W", "GT": "K", "AC": "M"}
    columns = [
        "rs#",
        "alleles",
        "chrom",
        "pos",
        "strand",
        "assembly#",
        "center",
        "protLSID",
        "assayLSID",
        "panelLSID",
        "QCcode",
    ]
    rows = [[*columns, *of.samples]]
    for j, name in enumerate(of.loci):
        calls = ["".join(of.called(i, j)) or "NN" for i in range(len(of.samples))]
        if letters == 1:
            calls = [call[0] if call[0] == call[1] else codes["".join(sorted(call))] for call in calls]
        described = [name, "/".join(of.alleles[j]), "1", str(of.position[j]), "+", *["NA"] * 6]
        rows.append([*described, *calls])
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def plink_raw(of: Panel) -> bytes:
    rows = [
        [
            "FID",
            "IID",
            "PAT",
            "MAT",
            "SEX",
            "PHENOTYPE",
            *(f"{n}_{a[1]}" for n, a in zip(of.loci, of.alleles, strict=True)),
        ]
    ]
    for name, row in zip(of.samples, of.dosage.tolist(), strict=True):
        rows.append([name, name, "0", "0", "0", "-9", *("NA" if value < 0 else str(value) for value in row)])
    return "".join(" ".join(row) + "\n" for row in rows).encode()


def vcf(of: Panel) -> bytes:
    head = '##fileformat=VCFv4.2\n##contig=<ID=1>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
    rows = [["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *of.samples]]
    for j, name in enumerate(of.loci):
        calls = [("./.", "0/0", "0/1", "1/1")[value + 1] for value in of.dosage[:, j]]
        rows.append(["1", str(of.position[j]), name, *of.alleles[j], ".", ".", ".", "GT", *calls])
    return (head + "".join("\t".join(row) + "\n" for row in rows)).encode()


def bed(of: Panel) -> dict[str, bytes]:
    """A1, the first allele of the .bim, is counted: 0b00 two of it, 0b10 one, 0b11 none, 0b01 missing."""
    code = {2: 0b00, -1: 0b01, 1: 0b10, 0: 0b11}
    data = bytearray(b"\x6c\x1b\x01")
    for column in of.dosage.T.tolist():
        for start in range(0, len(column), 4):
            data.append(sum(code[value] << 2 * k for k, value in enumerate(column[start : start + 4])))
    bim = [f"1\t{n}\t0\t{p}\t{a[1]}\t{a[0]}\n" for n, p, a in zip(of.loci, of.position, of.alleles, strict=True)]
    fam = [f"{name} {name} 0 0 0 -9\n" for name in of.samples]
    return {".bed": bytes(data), ".bim": "".join(bim).encode(), ".fam": "".join(fam).encode()}


def pgen(of: Panel, folder: Path) -> dict[str, bytes]:
    import pgenlib

    path = folder / "made.pgen"
    writer = pgenlib.PgenWriter(str(path).encode(), len(of.samples), variant_ct=len(of.loci), nonref_flags=False)
    for column in of.dosage.T:
        writer.append_biallelic(np.where(column < 0, -9, column).astype(np.int8))
    writer.close()
    pvar = ["#CHROM\tPOS\tID\tREF\tALT\n"]
    pvar += [f"1\t{p}\t{n}\t{a[0]}\t{a[1]}\n" for n, p, a in zip(of.loci, of.position, of.alleles, strict=True)]
    psam = ["#IID\n", *(f"{name}\n" for name in of.samples)]
    return {".pgen": path.read_bytes(), ".pvar": "".join(pvar).encode(), ".psam": "".join(psam).encode()}


def trees(of: Panel, folder: Path) -> bytes:
    """A star of nodes; only the calls that are there, so missing ones become 0."""
    import tskit

    tables = tskit.TableCollection(sequence_length=10_000)
    tables.individuals.metadata_schema = tskit.MetadataSchema({"codec": "json"})
    for name in of.samples:
        individual = tables.individuals.add_row(metadata={"id": name})
        for _ in range(2):
            tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, time=0, individual=individual)
    root = tables.nodes.add_row(time=1)
    for node in range(2 * len(of.samples)):
        tables.edges.add_row(0, 10_000, root, node)
    for j, (other, counted) in enumerate(of.alleles):
        site = tables.sites.add_row(of.position[j], other)
        for i, value in enumerate(of.dosage[:, j]):
            for copy in range(max(value, 0)):
                tables.mutations.add_row(site=site, node=2 * i + copy, derived_state=counted)
    tables.sort()
    tables.tree_sequence().dump(folder / "made.trees")
    return (folder / "made.trees").read_bytes()


def store(of: Panel, folder: Path) -> bytes:
    n, p = of.dosage.shape
    data = Dataset(
        genotypes=of.dosage,
        phenotypes=np.empty((n, 0)),
        sample_id=as_bytes(np.array(of.samples)),
        locus_id=as_bytes(np.array(of.loci)),
        trait_id=np.empty(0, dtype="S1"),
        ploidy=2,
        fold=np.zeros(n, dtype=np.uint8),
        chromosome=np.full(p, b"1"),
        position=np.array(of.position, dtype=float),
        position_unit="bp",
        alleles=as_bytes(np.array(of.alleles)),
    )
    write_dataset(data, folder / "made.h5")
    return (folder / "made.h5").read_bytes()


TEXT = {  # ending → the file, text that is one of its kind
    "a.csv": table,
    "b.txt": lambda of: table(of, " "),
    "c.tsv": table_of_loci,
    "d.hmp.txt": lambda of: hapmap(of, 1),
    "e.hmp": lambda of: hapmap(of, 2),
    "f.raw": plink_raw,
    "g.vcf": vcf,
}
BINARY = ("h.vcf.gz", "i.bed", "j.pgen", "k.h5", "l.trees", "m.csv.gz")


def files(name: str, of: Panel, folder: Path) -> dict[str, bytes]:
    """Return the files of a panel in one format by name, the one to read first."""
    stem, _, ending = name.partition(".")
    if name in TEXT:
        return {name: TEXT[name](of)}
    if ending == "vcf.gz":
        return {name: gzip.compress(vcf(of))}
    if ending == "csv.gz":
        return {name: gzip.compress(table(of))}
    if ending in ("bed", "pgen"):
        made = bed(of) if ending == "bed" else pgen(of, folder)
        return {stem + end: content for end, content in made.items()}
    return {name: store(of, folder) if ending == "h5" else trees(of, folder)}


def expected(name: str, of: Panel) -> Panel:
    """What a format can hold of a panel: tree sequences name no sites and miss no calls."""
    if not name.endswith(".trees"):
        return of
    dosage = np.maximum(of.dosage, 0)
    names = [f"1:{p}:{a[0]}:{a[1]}" for p, a in zip(of.position, of.alleles, strict=True)]
    names = [name if any(column) else name[:-4] for name, column in zip(names, dosage.T, strict=True)]  # no mutation
    return replace(of, loci=names, dosage=dosage)


def differences(data: Dataset, of: Panel) -> list[str]:
    """Say where data differ from a panel by more than one line of a file could: nothing, if all is well.

    One row or one column may hold other values, and one name may be another: that is what damage to one line does.
    """
    samples, loci = as_text(data.sample_id).tolist(), as_text(data.locus_id).tolist()
    found = []
    unknown = [name for name in samples if name not in of.samples] + [name for name in loci if name not in of.loci]
    if len(unknown) > 1:
        found.append(f"names {unknown} are not of the panel")
    rows = [(i, of.samples.index(name)) for i, name in enumerate(samples) if name in of.samples]
    columns = [(j, of.loci.index(name)) for j, name in enumerate(loci) if name in of.loci]
    dosage = data.dosage()
    wrong = {
        (i, j) for i, true_i in rows for j, true_j in columns if dosage[i, j] != _oriented(of, true_i, true_j, data, j)
    }
    if len({i for i, _ in wrong}) > 1 and len({j for _, j in wrong}) > 1:
        found.append(f"{len(wrong)} values are wrong, in several rows and columns")
    if data.position_unit:
        moved = [j for j, true_j in columns if data.position[j] != of.position[true_j]]
        if len(moved) > 1:
            found.append(f"{len(moved)} loci are elsewhere")
    return found


def _oriented(of: Panel, i: int, j: int, data: Dataset, column: int) -> int:
    """The panel's dosage of the allele that the data count."""
    value = int(of.dosage[i, j])
    if data.alleles is None or value < 0:
        return value
    pair = tuple(as_text(data.alleles[column]).tolist())
    return of.ploidy - value if pair == of.alleles[j][::-1] else value
