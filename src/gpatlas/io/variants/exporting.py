"""Genotypes back to VCF and PLINK files, which bcftools and PLINK read."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas import __version__
from gpatlas.dataset import Dataset, as_text
from gpatlas.encoding import MISSING
from gpatlas.errors import DataError
from gpatlas.io.atomic import atomic_path
from gpatlas.io.variants.bgzf import BgzfWriter
from gpatlas.io.variants.several_alleles import alternatives_of, call_texts
from gpatlas.packed import Bits
from gpatlas.packed.dosages import TILE_LOCI
from gpatlas.wording import several

Report = Callable[[int, int, str], None]

BASE_PAIRS = {"bp": 1.0, "cM": 1e6, "Morgan": 1e8}  # in one unit; of genetic distances by 1 cM for a million
_BASES = re.compile(r"[ACGTNacgtn]+|\*")
_PLINK_MISSING = -127  # bed-reader's


class Sites:
    """Loci as the other formats can say them, with an account of what had to be changed.

    `other` and `counted` are alleles, "" where not known; `position` is an integer in bp, 0 where not known.
    """

    def __init__(self, dataset: Dataset):
        self.account: list[str] = []
        self.chromosome = np.where(
            dataset.chromosome == dataset.chromosome.dtype.type(), "0", as_text(dataset.chromosome)
        )
        self.locus_id = self.without_spaces(as_text(dataset.locus_id), "names of loci")
        self.position = self._positions(dataset)
        if dataset.alleles is None and dataset.codes is not None:
            self.other, self.counted = np.full((2, dataset.n_loci), "")
        elif dataset.alleles is None:
            self.other, self.counted = np.full(dataset.n_loci, "A"), np.full(dataset.n_loci, "T")
            self.account.append("alleles are not known: written as A, and T for the counted one")
        else:
            self.other, self.counted = as_text(dataset.alleles).T
        if dataset.n_traits or dataset.covariates.shape[1]:
            self.account.append("phenotypes and covariates are not written (but sex is, to PLINK files)")

    def without_spaces(self, names: NDArray, what: str) -> NDArray:
        """Return names without white space and semicolons, which would end them."""
        changed = np.array([re.sub(r"[\s;]", "_", name) for name in names.tolist()], dtype=str)
        if count := int((changed != names).sum()):
            self.account.append(f"{count:,} {what} have white space or semicolons, written as _")
        return changed

    def _positions(self, dataset: Dataset) -> NDArray[np.int64]:
        unit = dataset.position_unit
        known = np.isfinite(dataset.position) & (unit in BASE_PAIRS)
        found = np.where(known, np.rint(np.where(known, dataset.position, 0) * BASE_PAIRS.get(unit, 1)), 0)
        if unit in ("cM", "Morgan"):
            found += known  # a chromosome starts at 1 bp
            self.account.append(f"positions in {unit} are written in bp, by a million bp for 1 cM, from 1 on")
        if not known.all():
            self.account.append(several(int((~known).sum()), "locus", "has", "no position, written as 0"))
        return found.astype(np.int64)


def write_vcf(
    dataset: Dataset,
    path: str | Path,
    report: Report = lambda done, total, note: None,
    haplotypes: Bits | None = None,
) -> list[str]:
    """Write a VCF 4.2; ALT is the counted allele, or where there are allele codes all alleles but the first.

    Parameters
    ----------
    dataset
        Of any ploidy; loci keep their order.
    path
        `.vcf`, or `.vcf.gz`, which is compressed in blocks (bgzip).
    report
        Called after every block with loci written, loci in all and a note.
    haplotypes
        0/1 `(n_samples · ploidy, n_loci)`, a sample's rows next to each other, whose sums are the dosages: calls are
        phased then (`0|1`), such as those of `gpatlas.simulate.phased_haplotypes`.

    Returns
    -------
    list of str
        What had to be changed or left out, in sentences.

    Raises
    ------
    DataError
        The haplotypes are not those of the dataset, or it has loci of several alleles, which 0/1 does not tell.
    StoreError
        The file cannot be written.
    """
    path, sites = Path(path), Sites(dataset)
    if haplotypes is not None and haplotypes.shape != (dataset.n_samples * dataset.ploidy, dataset.n_loci):
        raise DataError(
            f"{path}: haplotypes have the shape {haplotypes.shape}, but {dataset.n_samples} samples of ploidy "
            f"{dataset.ploidy} at {dataset.n_loci} loci are written"
        )
    if haplotypes is not None and dataset.codes is not None:
        raise DataError(f"{path}: haplotypes of 0 and 1 cannot hold the several alleles of these loci")
    reference, alternative = _vcf_alleles(sites, dataset)
    contigs = "".join(f"##contig=<ID={name}>\n" for name in dict.fromkeys(sites.chromosome.tolist()))
    columns = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *as_text(dataset.sample_id))
    header = (
        f"##fileformat=VCFv4.2\n##source=gpatlas {__version__}\n{contigs}"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n' + "\t".join(columns) + "\n"
    )
    texts = _calls(dataset.ploidy)
    of_codes = [] if dataset.codes is None else call_texts(dataset.ploidy, dataset.n_alleles)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        out: Any = BgzfWriter(file) if path.suffix in (".gz", ".bgz") else file
        out.write(header.encode())
        for loci, dosage in _blocks_of_loci(dataset):
            lines = []
            phased = None if haplotypes is None else _phased_calls(haplotypes, loci, dosage, dataset.ploidy, path)
            for k, row in zip(range(loci.start, loci.stop), dosage, strict=True):
                if dataset.codes is not None:
                    calls = b"\t".join([of_codes[code] for code in dataset.codes[:, k].tolist()])
                else:
                    calls = (texts[row] if phased is None else phased[k - loci.start]).tobytes()[:-1]
                absent = "." if row.max(initial=0) < 1 else "<unknown>"  # an ALT without name, with or without copies
                site = (
                    sites.chromosome[k],
                    str(sites.position[k]),
                    sites.locus_id[k],
                    reference[k],
                    alternative[k] or absent,
                )
                lines.append("\t".join((*site, ".\tPASS\t.\tGT\t")).encode() + calls + b"\n")
            out.write(b"".join(lines))
            report(loci.stop, dataset.n_loci, "loci")
        if out is not file:
            out.close()
    return sites.account


def _calls(ploidy: int) -> NDArray[np.uint8]:
    """Return the text of every call with a tab behind it, `(ploidy + 2, bytes)`; the last row is the missing one."""
    alleles = [["0"] * (ploidy - dosage) + ["1"] * dosage for dosage in range(ploidy + 1)] + [["."] * ploidy]
    return np.array([list(("/".join(call) + "\t").encode()) for call in alleles], dtype=np.uint8)


def _phased_calls(
    haplotypes: Bits, loci: slice, dosage: NDArray[np.int8], ploidy: int, path: Path
) -> NDArray[np.uint8]:
    """Return the text of phased calls, `(n_loci, n_samples, bytes)`."""
    alleles = haplotypes.unpack(None, np.arange(loci.start, loci.stop)).T.reshape(len(dosage), -1, ploidy)
    if (alleles.sum(axis=2) != dosage).any():
        raise DataError(f"{path}: the haplotypes do not sum up to the dosages; they are those of other samples or loci")
    text = np.full((*alleles.shape[:2], 2 * ploidy), ord("|"), dtype=np.uint8)
    text[:, :, ::2] = alleles + ord("0")
    text[:, :, -1] = ord("\t")
    return text


def _vcf_alleles(sites: Sites, dataset: Dataset) -> tuple[list[str], list[str]]:
    """Return REF and ALT; what is not spelt in bases is N as REF and a symbol as ALT."""
    reference = [name if _BASES.fullmatch(name) else "N" for name in sites.other.tolist()]
    whole = dataset.codes is None
    names = [[name] if whole else name.split(",") if name else [] for name in sites.counted.tolist()]
    named = [[_alternative(name) for name in of_locus] for of_locus in names]
    changed = sum(a != b for a, b in zip(reference, sites.other.tolist(), strict=True))
    changed += sum(a != b for pair in zip(named, names, strict=True) for a, b in zip(*pair, strict=True))
    if changed:
        spelling = "not spelt in bases, written as REF N or as a symbolic ALT"
        sites.account.append(several(changed, "allele", "is", spelling))
    if not whole:
        named, said = alternatives_of(dataset, named)
        sites.account += said
    return reference, [",".join(of_locus) for of_locus in named]


def _alternative(name: str) -> str:
    return name if _BASES.fullmatch(name) or not name or re.fullmatch(r"<[^<>]+>", name) else f"<{name}>"


def write_bed(dataset: Dataset, path: str | Path, report: Report = lambda done, total, note: None) -> list[str]:
    """Write a PLINK 1 file set, `.bed`, `.bim` and `.fam`; A1 is the counted allele.

    Parameters
    ----------
    dataset
        Haploids (each allele counts twice, as in PLINK) or diploids.
    path
        Of the `.bed` file.
    report
        As in `write_vcf`.

    Returns
    -------
    list of str
        What had to be changed or left out, in sentences.

    Raises
    ------
    DataError
        The ploidy is beyond two.
    StoreError
        The files cannot be written.
    """
    from bed_reader import create_bed

    path, sites = Path(path), Sites(dataset)
    fold = _copies(dataset, sites)
    samples = sites.without_spaces(as_text(dataset.sample_id), "names of samples")
    family = np.full(len(samples), "0") if dataset.family is None else as_text(dataset.family)
    properties = {
        "fid": np.where(family == "", "0", family),
        "iid": samples,
        "sex": _sex(dataset),
        "pheno": np.full(len(samples), "-9"),
        "chromosome": sites.chromosome,
        "sid": sites.locus_id,
        "bp_position": sites.position,
        "allele_1": np.where(sites.counted == "", "0", sites.counted),
        "allele_2": np.where(sites.other == "", "0", sites.other),
    }
    size = dataset.n_samples, dataset.n_loci
    with (
        atomic_path(path.with_suffix(".bim")) as bim,
        atomic_path(path.with_suffix(".fam")) as fam,
        atomic_path(path) as bed,
        create_bed(bed, *size, properties, fam_location=fam, bim_location=bim, num_threads=1) as file,
    ):
        for loci, dosage in _blocks_of_loci(dataset):
            for row in dosage:
                file.write(np.where(row == MISSING, np.int8(_PLINK_MISSING), row * fold))
            report(loci.stop, dataset.n_loci, "loci")
    return sites.account


def write_pgen(dataset: Dataset, path: str | Path, report: Report = lambda done, total, note: None) -> list[str]:
    """Write a PLINK 2 file set, `.pgen`, `.pvar` and `.psam`; ALT is the counted allele.

    Parameters, return value and errors are those of `write_bed`.
    """
    from pgenlib import PgenWriter

    path, sites = Path(path), Sites(dataset)
    fold = _copies(dataset, sites)
    samples = sites.without_spaces(as_text(dataset.sample_id), "names of samples")
    family = ["0"] * len(samples) if dataset.family is None else [name or "0" for name in as_text(dataset.family)]
    table = zip(family, samples, _sex(dataset), strict=True)
    pvar, psam = path.with_suffix(".pvar"), path.with_suffix(".psam")
    with atomic_path(pvar) as loci_file, atomic_path(psam) as sample_file, atomic_path(path) as pgen:
        sample_file.write_text("#FID\tIID\tSEX\n" + "".join(f"{f}\t{s}\t{x}\n" for f, s, x in table), encoding="utf-8")
        columns = (sites.chromosome, sites.position, sites.locus_id, sites.other, sites.counted)
        lines = ("\t".join(str(value) or "." for value in row) for row in zip(*columns, strict=True))
        loci_file.write_text("#CHROM\tPOS\tID\tREF\tALT\n" + "\n".join(lines) + "\n", encoding="utf-8")
        writer = PgenWriter(str(pgen).encode(), dataset.n_samples, variant_ct=dataset.n_loci, nonref_flags=False)
        for loci, dosage in _blocks_of_loci(dataset):
            writer.append_biallelic_batch(np.where(dosage == MISSING, np.int8(-9), dosage * fold))
            report(loci.stop, dataset.n_loci, "loci")
        writer.close()
    return sites.account


def _copies(dataset: Dataset, sites: Sites) -> np.int8:
    if dataset.codes is not None:
        raise DataError(
            f"PLINK files hold two alleles of a locus, but these data have up to {dataset.n_alleles}; write a VCF"
        )
    if dataset.ploidy > 2:
        raise DataError(f"PLINK files hold haploids and diploids; the ploidy of these data is {dataset.ploidy}")
    if dataset.ploidy == 1:
        sites.account.append("haploid calls are written as homozygous ones, which PLINK takes them for")
    return np.int8(2 // dataset.ploidy)


def _sex(dataset: Dataset) -> NDArray:
    """Return PLINK's 1, 2 or 0 from a covariate "sex" of the classes male and female."""
    names = as_text(dataset.covariate_id).tolist()
    if "sex" not in names or dataset.levels.get("sex") != ("male", "female"):
        return np.full(dataset.n_samples, "0")
    codes = dataset.covariates[:, names.index("sex")]
    return np.where(np.isnan(codes), "0", np.where(codes == 1, "2", "1"))


def _blocks_of_loci(dataset: Dataset) -> Iterator[tuple[slice, NDArray[np.int8]]]:
    """Yield ranges of loci with their dosage, `(n_loci, n_samples)`."""
    for start in range(0, dataset.n_loci, TILE_LOCI):
        loci = slice(start, min(start + TILE_LOCI, dataset.n_loci))
        yield loci, np.ascontiguousarray(dataset.dosage(None, loci).T)
