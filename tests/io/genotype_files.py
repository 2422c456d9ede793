"""Small genotype files for tests: their text, and brute-force readings of them."""

import gzip
from pathlib import Path

import numpy as np

HEADER = (
    '##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=X>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t'
)


def vcf(*records: str, samples: str = "a b c") -> str:
    """A VCF; a record is "CHROM POS ID REF ALT FORMAT call call …"."""
    lines = []
    for record in records:
        chromosome, position, name, ref, alt, form, *calls = record.split()
        lines.append("\t".join([chromosome, position, name, ref, alt, ".", ".", ".", form, *calls]) + "\n")
    return HEADER + "\t".join(samples.split()) + "\n" + "".join(lines)


def dosages_of_vcf(path: Path) -> tuple[list[str], list[tuple[str, ...]], np.ndarray]:
    """Read the biallelic diploid records of a VCF the slow way: samples, (chromosome, position, ref, alt), dosages."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("##")]
    samples, loci, dosages = rows[0][9:], [], []
    for row in rows[1:]:
        loci.append((row[0], row[1], row[3], row[4]))
        calls = [call.split(":")[0].replace("|", "/").split("/") for call in row[9:]]
        dosages.append([-1 if "." in call else sum(map(int, call)) for call in calls])
    return samples, loci, np.array(dosages, dtype=np.int8).T


def write_bed_set(stem: Path, dosage: np.ndarray, fam: str = "", bim: str = "") -> Path:
    """Write a PLINK 1 set byte by byte: A1 is counted, 0b00 two of it, 0b10 one, 0b11 none, 0b01 missing."""
    n_samples, n_loci = dosage.shape
    code = {2: 0b00, -1: 0b01, 1: 0b10, 0: 0b11}
    data = bytearray(b"\x6c\x1b\x01")
    for j in range(n_loci):
        for start in range(0, n_samples, 4):
            four = dosage[start : start + 4, j]
            data.append(sum(code[int(value)] << 2 * k for k, value in enumerate(four)))
    stem.with_name(stem.name + ".bed").write_bytes(data)
    fam = fam or "".join(f"f{i} s{i} 0 0 0 -9\n" for i in range(n_samples))
    bim = bim or "".join(f"1 rs{j} 0 {100 + j} A G\n" for j in range(n_loci))
    stem.with_name(stem.name + ".fam").write_text(fam)
    stem.with_name(stem.name + ".bim").write_text(bim)
    return stem.with_name(stem.name + ".bed")
