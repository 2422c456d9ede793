"""Import of a bed and of a VCF at the size of 1000 Genomes: wall and CPU seconds, and peak memory.

The bed's peer is a loop of bed-reader over the file; the VCF's are the two shortest loops of cyvcf2 that touch
genotypes, `for v in VCF(path): v.genotype.array()` and `for v in VCF(path): v.gt_types`, and the one that does not.
Each runs in a fresh process, one after the other, and is timed from the call on. Ours is the verb `gpatlas import`:
loading what it needs, reading, writing the dataset file and its content hash.
"""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from gpatlas.io.variants.bgzf import BgzfWriter
from tests.benchmarks.scale import peak_memory

LOCI_AT_ONCE = 2_000


def compare(n_samples: int, n_bed_loci: int, n_vcf_loci: int) -> list[tuple]:
    """Rows of (what, wall seconds, CPU seconds, peak in MB)."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "x"
        for kind, n_loci, peers in (
            ("bed", n_bed_loci, {"bed": "bed-reader, all blocks"}),
            ("vcf", n_vcf_loci, {
                "iterate": "cyvcf2, for v in VCF(path): pass",
                "array": "cyvcf2, for v in VCF(path): v.genotype.array()",
                "types": "cyvcf2, for v in VCF(path): v.gt_types",
            }),
        ):  # fmt: skip
            path = {"bed": _write_bed, "vcf": _write_vcf}[kind](stem, n_samples, n_loci)
            size = f"{n_samples:,} × {n_loci:,}"
            for what, name in {"ours": f"gpatlas import of a {kind}, {size}", **peers}.items():
                command = [sys.executable, "-m", "tests.benchmarks.importing", what, path, n_samples, n_loci]
                done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
                rows.append((name, *json.loads(done.stdout.splitlines()[-1])))
            for file in Path(folder).iterdir():
                file.unlink()
    return rows


def _blocks(n_samples: int, n_loci: int):
    """Yield dosages by loci: allele frequencies as in sequence data, most of them rare; 1 % missing."""
    rng = np.random.default_rng(1)
    frequency = np.clip(rng.beta(0.2, 1.5, n_loci), 1e-3, 1 - 1e-3)
    for start in range(0, n_loci, LOCI_AT_ONCE):
        of_locus = frequency[start : start + LOCI_AT_ONCE, None]
        draws = rng.random((2, len(of_locus), n_samples), dtype=np.float32)
        dosage = (draws < of_locus).sum(axis=0, dtype=np.int8)
        dosage[draws[0] > 0.99] = -1
        yield start, dosage


def _write_bed(stem: Path, n_samples: int, n_loci: int) -> Path:
    code = np.array([0b11, 0b10, 0b00, 0b01], dtype=np.uint8)  # of dosage 0, 1, 2 and -1
    with stem.with_suffix(".bed").open("wb") as bed, stem.with_suffix(".bim").open("w") as bim:
        bed.write(b"\x6c\x1b\x01")
        for start, dosage in _blocks(n_samples, n_loci):
            codes = np.zeros((len(dosage), -(-n_samples // 4) * 4), dtype=np.uint8)
            codes[:, :n_samples] = code[dosage]
            four = codes.reshape(len(dosage), -1, 4) << np.arange(0, 8, 2, dtype=np.uint8)
            bed.write(four.sum(axis=2, dtype=np.uint8).tobytes())
            loci = range(start, start + len(dosage))
            bim.writelines(f"{1 + k * 22 // n_loci}\trs{k}\t0\t{100 * k + 1}\tC\tA\n" for k in loci)
    stem.with_suffix(".fam").write_text("".join(f"0 s{i} 0 0 0 -9\n" for i in range(n_samples)))
    return stem.with_suffix(".bed")


def _write_vcf(stem: Path, n_samples: int, n_loci: int) -> Path:
    calls = np.frombuffer(b"0|0\t0|1\t1|1\t.|.\t", dtype=np.uint8).reshape(4, 4)
    path = stem.with_suffix(".vcf.gz")
    with path.open("wb") as file:
        out = BgzfWriter(file)
        names = "\t".join(f"s{i}" for i in range(n_samples))
        form = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
        out.write(f"##fileformat=VCFv4.2\n##contig=<ID=1>\n{form}{columns}{names}\n".encode())
        for start, dosage in _blocks(n_samples, n_loci):
            for k, row in enumerate(dosage, start=start):
                site = f"1\t{100 * k + 1}\trs{k}\tA\tC\t.\tPASS\t.\tGT\t"
                out.write(site.encode() + calls[row].tobytes()[:-1] + b"\n")
        out.close()
    return path


def _run(what: str, path: Path, n_samples: int, n_loci: int) -> None:
    if what == "ours":
        from gpatlas.cli import main

        sys.argv = ["gpatlas", "import", str(path), "--out", str(path.with_name("ours.h5"))]
        with suppress(SystemExit):
            main()
        assert path.with_name("ours.h5").exists()
    elif what == "bed":
        from bed_reader import open_bed

        with open_bed(path, iid_count=n_samples, sid_count=n_loci, properties={}) as bed:
            for start in range(0, n_loci, LOCI_AT_ONCE):
                bed.read(np.s_[:, start : start + LOCI_AT_ONCE], dtype="int8", num_threads=1)
    else:
        from cyvcf2 import VCF

        for record in VCF(path):
            if what == "array":
                record.genotype.array()
            elif what == "types":
                record.gt_types  # noqa: B018


def main() -> None:
    what, path, n_samples, n_loci = sys.argv[1:]
    start, cpu_start = time.perf_counter(), time.process_time()
    _run(what, Path(path), int(n_samples), int(n_loci))
    print(json.dumps([time.perf_counter() - start, time.process_time() - cpu_start, peak_memory() / 1e6]))


if __name__ == "__main__":
    main()
