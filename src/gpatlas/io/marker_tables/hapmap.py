"""HapMap: a header, then one row per locus with eleven columns of description and a call for every sample.

    rs# alleles chrom pos strand assembly# center protLSID assayLSID panelLSID QCcode sample_1 sample_2 …

Calls have two letters (AC, also A/C) or one: A C G T, and for heterozygotes the IUPAC codes R Y S W K M (Cornish-Bowden
1985); TASSEL adds + and - for insertions and deletions and 0 for their heterozygote. N and X are missing, and so is
"-" where `alleles` does not list a deletion. Dosage counts the second of `alleles`.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset
from gpatlas.errors import DataError
from gpatlas.io.field_data import field_dataset
from gpatlas.io.text import shown, text_lines, unfinished
from gpatlas.wording import several, some_names

N_DESCRIPTION = 11  # columns before the first sample
FIRST_COLUMNS = ("alleles", "chrom", "pos")
HETEROZYGOTES = {"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC", "0": "+-"}
LETTERS = "ACGT+-"
MISSING_LETTERS = "NX.?"
_UNKNOWN = np.uint8(255)
_ABSENT = np.uint8(254)


def _pairs_of_letters() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Tabulate the two alleles of every one-letter call: indices into LETTERS, `_ABSENT`, or `_UNKNOWN`."""
    first, second = (np.full(256, _UNKNOWN) for _ in range(2))
    for letter in MISSING_LETTERS:
        first[ord(letter)] = second[ord(letter)] = _ABSENT
    for letter, pair in (HETEROZYGOTES | {letter: 2 * letter for letter in LETTERS}).items():
        first[ord(letter)], second[ord(letter)] = (LETTERS.index(allele) for allele in pair)
    return first, second


FIRST, SECOND = _pairs_of_letters()


@dataclass
class _Noticed:
    """What is counted while a file is read."""

    heterozygous: int = 0
    half: int = 0
    unlisted: int = 0
    reverse: int = 0
    multiallelic: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def sentences(self, letters: int) -> list[str]:
        said = [f"HapMap with calls of {several(letters, 'letter')}, {self.heterozygous:,} heterozygous"]
        if self.multiallelic:
            many = several(len(self.multiallelic), "locus")
            said.append(f"{many} with more than two alleles left out ({some_names(self.multiallelic)})")
        if self.other:
            said.append(
                f"{several(len(self.other), 'locus', 'lists')} other alleles than are called "
                f"({some_names(self.other)}): of those called, the rarer is counted"
            )
        if self.half:
            said.append(f"{several(self.half, 'call')} with one allele missing taken as missing")
        if self.unlisted:
            said.append(f"{several(self.unlisted, 'locus', 'lists')} no alleles: the rarer of those called is counted")
        if self.reverse:
            said.append(f"{several(self.reverse, 'locus', 'is')} on the - strand; alleles are kept as written")
        return said


def read_hapmap(path: str | Path) -> Dataset:
    """Read a HapMap file, gzipped or not; diploid.

    Loci whose calls have more than two alleles are left out and counted.

    Raises
    ------
    DataError
        A header, row or call that the format does not allow: file, line, value, what is allowed.
    StoreError
        The file cannot be read.
    """
    lines = text_lines(path)
    samples = _samples(next(lines, (1, ""))[1], path)
    noticed, letters = _Noticed(), 0
    description: list[list[str]] = []
    columns: list[NDArray[np.int8]] = []
    alleles: list[tuple[str, str]] = []
    for number, line in lines:
        *described, calls = _cut(line, number, path)
        where = f"{path}, line {number} ({described[0]})"
        first, second, width = _call_alleles(calls, len(samples), where)
        if letters not in (0, width):
            raise DataError(f"{where}: calls of {several(width, 'letter')}, but the lines before have {letters}")
        letters = width
        kept = _locus(described, first, second, noticed)
        if kept is not None:
            columns.append(kept[0])
            alleles.append(kept[1])
            description.append(described)
    if not columns:
        left_out = len(noticed.multiallelic)
        raise DataError(f"{path}: no locus in it" + f" but {left_out} with more than two alleles" * bool(left_out))
    return field_dataset(
        path,
        np.ascontiguousarray(np.array(columns).T),
        samples,
        [of_locus[0] for of_locus in description],
        ploidy=2,
        chromosome=[of_locus[2] for of_locus in description],
        position=np.array([_position(of_locus, path) for of_locus in description]),
        position_unit="bp",
        alleles=np.array(alleles),
        account=[*noticed.sentences(letters), *unfinished(path)],
    )


def _locus(
    described: list[str], first: NDArray[np.uint8], second: NDArray[np.uint8], noticed: _Noticed
) -> tuple[NDArray[np.int8], tuple[str, str]] | None:
    """Return dosage, and the other and the counted allele; None for a locus with more than two."""
    name, listed = described[0], _listed(described[1])
    if "-" not in listed:
        first, second = _without_deletion(first), _without_deletion(second)
    called = _called(first, second)
    if len(called) > 2:
        noticed.multiallelic.append(name)
        return None
    if listed and not set(called) <= set(listed):
        noticed.other.append(name)
    pair = _two_alleles(listed, called)
    dosage = _dosage(first, second, pair[1])
    noticed.heterozygous += int((dosage == 1).sum())
    noticed.half += int(((first == _ABSENT) != (second == _ABSENT)).sum())
    noticed.unlisted += not listed
    noticed.reverse += described[4] == "-"
    return dosage, pair


def is_hapmap(header: str) -> bool:
    """Whether this is the first line of a HapMap file."""
    names = tuple(header.lower().split()[:4])
    return len(names) == 4 and names[0].startswith("rs") and names[1:] == FIRST_COLUMNS


def _samples(header: str, path: str | Path) -> list[str]:
    if not is_hapmap(header):
        raise DataError(f"{path}, line 1: expected `rs# alleles chrom pos …`, found {shown(' '.join(header.split()))}")
    names = [name.strip().strip('"') for name in _split(header)]
    if len(names) <= N_DESCRIPTION:
        raise DataError(f"{path}, line 1: {len(names)} columns; samples start at column {N_DESCRIPTION + 1}")
    return names[N_DESCRIPTION:]


def _split(line: str, at_most: int = -1) -> list[str]:
    return line.split("\t", at_most) if "\t" in line else line.split(None, at_most)


def _cut(line: str, number: int, path: str | Path) -> list[str]:
    parts = [part.strip() for part in _split(line, N_DESCRIPTION)]
    if len(parts) <= N_DESCRIPTION:
        raise DataError(f"{path}, line {number}: {len(parts)} fields, none of them a call")
    return parts


def _call_alleles(calls: str, n_samples: int, where: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int]:
    """Parse the calls of a locus to two alleles each, and the number of letters of a call."""
    text = np.frombuffer(calls.encode(), dtype=np.uint8)
    for width in (1, 2):  # fixed width, the usual case, is read as an array
        if len(text) == (width + 1) * n_samples - 1 and np.isin(text[width :: width + 1], (9, 32)).all():
            first, second = _decoded(text[:: width + 1], text[width - 1 :: width + 1], width)
            if not ((first == _UNKNOWN) | (second == _UNKNOWN)).any():
                return first, second, width
    tokens = [call.strip().strip('"').upper() for call in _split(calls)]
    if len(tokens) != n_samples:
        raise DataError(f"{where}: {len(tokens)} calls, but the header names {n_samples} samples")
    plain = [call[0] + call[2] if len(call) == 3 and call[1] in "/|" else call for call in tokens]
    widths = {len(call) for call in plain}
    if len(widths) > 1 or not widths <= {1, 2}:
        usual = max(sorted(widths), key=[len(call) for call in plain].count)
        odd = next(call for call in plain if len(call) != usual or not 1 <= usual <= 2)
        raise DataError(f"{where}: call {shown(odd)}; calls have one letter or two, throughout")
    width = widths.pop()
    try:
        text = np.frombuffer("".join(plain).encode("latin-1"), dtype=np.uint8)  # a byte for a letter
        first, second = _decoded(text[::width], text[width - 1 :: width], width)
    except UnicodeEncodeError:
        first = second = np.full(n_samples, _UNKNOWN)
    unknown = np.flatnonzero((first == _UNKNOWN) | (second == _UNKNOWN))
    if unknown.size:
        raise DataError(
            f"{where}: call {shown(tokens[unknown[0]])} is not of A, C, G, T, +, -, their IUPAC codes, or N for missing"
        )
    return first, second, width


def _decoded(
    first: NDArray[np.uint8], second: NDArray[np.uint8], width: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if width == 1:
        return FIRST[first], SECOND[first]
    # each letter of two stands for one allele, so a code of a heterozygote is no allele
    return tuple(np.where(FIRST[x] == SECOND[x], FIRST[x], _UNKNOWN) for x in (first, second))  # type: ignore[return-value]


def _listed(alleles: str) -> list[str]:
    """Return the alleles of a locus as the file lists them: "A/C"; none for "NA", "N" or nothing."""
    names = [] if alleles.upper() in ("", "NA", "N", "N/N", ".") else alleles.upper().split("/")
    return list(dict.fromkeys(name for name in names if name not in ("", "N", "NA")))


def _without_deletion(alleles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.where(alleles == LETTERS.index("-"), _ABSENT, alleles)


def _called(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> list[str]:
    """Return the alleles of the calls, the most frequent first."""
    times = np.bincount(np.concatenate([first, second]), minlength=256)[: len(LETTERS)]
    return [LETTERS[k] for k in np.argsort(-times, kind="stable") if times[k]]


def _two_alleles(listed: list[str], called: list[str]) -> tuple[str, str]:
    """Return the other and the counted allele: as listed, unless the calls have others."""
    pair = listed if len(listed) <= 2 and set(called) <= set(listed) else [name for name in listed if name in called]
    if not set(called) <= set(pair):
        pair = called
    return tuple([*pair, "", ""][:2])  # type: ignore[return-value] # of length two


def _dosage(first: NDArray[np.uint8], second: NDArray[np.uint8], counted: str) -> NDArray[np.int8]:
    number = LETTERS.index(counted) if counted in tuple(LETTERS) else 200  # listed in other letters, never called
    dosage = (first == number).astype(np.int8) + (second == number)
    dosage[(first == _ABSENT) | (second == _ABSENT)] = -1
    return dosage


def _position(described: list[str], path: str | Path) -> float:
    text = described[3]
    try:
        return np.nan if text.upper() in ("", "NA", ".") else float(text)
    except ValueError:
        raise DataError(f"{path}: position {shown(text)} of {shown(described[0])} is not a number") from None
