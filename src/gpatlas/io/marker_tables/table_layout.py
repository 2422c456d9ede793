"""What stands where in a table of dosages: header, names, descriptions of loci, and which way round it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mode
from typing import Literal

from gpatlas.errors import DataError
from gpatlas.io.marker_tables.count_tokens import Counts

Rows = Literal["samples", "loci"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SAMPLE_WORDS = _words(
    "id iid sample samples sampleid samplename taxa taxon line lines linename individual individuals ind indiv animal "
    "genotype genotypes accession accessions name names entry gid germplasm strain plant subject participant"
)
LOCUS_WORDS = _words(
    "marker markers markerid markername snp snps snpid snpname locus loci locusid locusname rs rsid variant variants "
    "variantid site sites probe probeid qtl"
)
# columns that describe a locus, by what they hold
DESCRIPTIONS = {
    "chromosome": _words("chr chrom chromosome chromosomes"),
    "position": _words("pos position bp posbp physicalposition"),
    "centimorgan": _words("cm poscm geneticposition"),
    "other": _words("ref reference other otherallele a2 allele0 majorallele"),
    "counted": _words("alt alternate alternative counted countedallele a1 allele1 minorallele"),
    "alleles": _words("alleles allele"),
}
PLINK_RAW = ("fid", "iid", "pat", "mat", "sex", "phenotype")

_LOCUS_NAME = re.compile(
    r"(rs|ss|snp|marker|mrk|loc|locus|site|var|ax|affx)[\W_]*\d+\w*|(chr)?[a-z]{0,4}\d{0,2}[a-z]?[_:.]\d{3,}([_:.]\w+)*",
    re.IGNORECASE,
)
_SAMPLE_NAME = re.compile(r"(sample|ind|individual|line|plant|animal|subject|tsk|taxon)[\W_]*\d+", re.IGNORECASE)
_DISTINCT_MEANS_NAMES = 5  # so many different small numbers, none twice, are names rather than counts


@dataclass(frozen=True)
class Layout:
    """Where the parts of a table are.

    Parameters
    ----------
    header
        Names of the columns, or None.
    name_column
        Column that names the rows, or None.
    counts
        Columns that hold counts.
    rows, because
        What a row is, or None where nothing tells; and what told.
    width
        Number of columns.
    described
        Column of each description of loci, by what it holds (see `DESCRIPTIONS`).
    left_out
        Columns that are neither names nor counts.
    """

    header: list[str] | None
    name_column: int | None
    counts: list[int]
    rows: Rows | None
    because: str
    width: int
    described: dict[str, int] = field(default_factory=dict)
    left_out: list[int] = field(default_factory=list)


def layout_of(lines: Sequence[list[str]], path: str | Path, ignore: Sequence[str] = ()) -> Layout:
    """Judge a table by its first lines, cut into fields; the columns named in `ignore` hold no counts.

    Raises
    ------
    DataError
        The first line has another number of fields than the others, or is nearly that of PLINK's .raw.
    """
    known = Counts()
    width = mode(len(line) for line in lines[1:]) if len(lines) > 1 else len(lines[0])
    first = ["", *lines[0]] if lacks_corner(lines[0], width) else list(lines[0])
    if len(first) != width:
        raise DataError(f"{path}: the first line has {len(first)} fields, but the lines below have {width}")
    words = [word_of(name) for name in first]
    header = first if _names(first[1:], known) or words[0] in SAMPLE_WORDS | LOCUS_WORDS else None
    body = lines[1:] if header else lines
    if header and tuple(words[: len(PLINK_RAW)]) == PLINK_RAW:
        return Layout(
            header, 1, list(range(len(PLINK_RAW), width)), "samples", "PLINK's .raw", width, left_out=[0, 2, 3, 4, 5]
        )
    if header and words[:2] == ["fid", "iid"] and set(words[2:6]) & set(PLINK_RAW):
        expected = " ".join(PLINK_RAW).upper()
        raise DataError(f"{path}, line 1: expected {expected}, as PLINK writes them, found {' '.join(header[:6])}")
    left_out = [k for k, name in enumerate(header or []) if name in ignore]
    described = {} if header is None else described_columns(words, left_out)
    name_column = next((k for k, word in enumerate(words) if word in SAMPLE_WORDS | LOCUS_WORDS), 0) if header else 0
    if "fid" in words[:1] and header:
        left_out, name_column = [*left_out, 0], (words.index("iid") if "iid" in words else 0)
    described = {what: k for what, k in described.items() if k != name_column}
    named = bool(header and not first[name_column]) or words[name_column] in SAMPLE_WORDS | LOCUS_WORDS
    if not named and not _names([line[name_column] for line in body if len(line) > name_column], known):
        names: int | None = None
    else:
        names = name_column
    aside = {names, *described.values(), *left_out}
    counts = [k for k in range(width) if k not in aside]
    corner = words[name_column] if header and names is not None else ""
    row_names = [line[names] for line in body if len(line) > names] if names is not None else []
    rows, because = _orientation(corner, [first[k] for k in counts] if header else [], row_names, bool(described))
    return Layout(header, names, counts, rows, because, width, described, left_out)


def lacks_corner(header: Sequence[str], width: int) -> bool:
    """Whether a header lacks a name for the rows' names, as R writes it, rather than a name further on."""
    return len(header) == width - 1 and word_of(header[0]) not in SAMPLE_WORDS | LOCUS_WORDS


def word_of(name: str) -> str:
    """Return a column's name in small letters and digits alone: "SNP ID" is "snpid"."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _names(tokens: Sequence[str], known: Counts) -> bool:
    """Whether these are names rather than counts."""
    if not all(known.is_count(token) for token in tokens):
        return True
    return len(set(tokens)) == len(tokens) > _DISTINCT_MEANS_NAMES or any(
        token.strip("-").isdigit() and known[token] > 8 for token in tokens
    )


def described_columns(words: Sequence[str], left_out: Sequence[int] = ()) -> dict[str, int]:
    """Find columns that describe loci; a lone one is no evidence, as a sample may be called anything."""
    found = {
        what: k
        for what, names in DESCRIPTIONS.items()
        for k, word in reversed(list(enumerate(words)))
        if word in names and k not in left_out
    }
    return found if len(found) > 1 else {}


def _orientation(
    corner: str, column_names: Sequence[str], row_names: Sequence[str], described: bool
) -> tuple[Rows | None, str]:
    if described:
        return "loci", "columns describe loci"
    if corner in LOCUS_WORDS:
        return "loci", f"the names' column is '{corner}'"
    if corner in SAMPLE_WORDS:
        return "samples", f"the names' column is '{corner}'"
    for pattern, of_rows, of_columns in (
        (_LOCUS_NAME, "loci", "samples"),
        (_SAMPLE_NAME, "samples", "loci"),
    ):
        in_rows, in_columns = (_share(pattern, names) for names in (row_names, column_names))
        kind = "loci" if pattern is _LOCUS_NAME else "samples"
        if in_columns > 0.5 >= in_rows:
            return of_columns, f"the columns are named like {kind}"  # type: ignore[return-value]
        if in_rows > 0.5 >= in_columns:
            return of_rows, f"the rows are named like {kind}"  # type: ignore[return-value]
    return None, ""


def _share(pattern: re.Pattern[str], names: Sequence[str]) -> float:
    return sum(bool(pattern.fullmatch(name)) for name in names) / max(len(names), 1)
