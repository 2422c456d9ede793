"""Reading the published pipeline's text tables: `…_g.txt`, `…_p.txt` and `…_eff.txt`.

    _g    header `qtl id_1 id_2 …`; one row per locus: name, then 0/1 for every individual (haploids)
    _p    header `ind Trait1 …`; one row per individual, NA where missing
    _eff  header `trait locus add_eff epi_loc epi_eff sfs`; one row per trait × locus, see `effects`

Genotypes are streamed line by line and packed as they come, so a table of a million columns needs its packed size
and one block of lines. The effects table has no intercept.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, Effects, Pairs
from gpatlas.errors import DataError, StoreError
from gpatlas.io.published.effects import effects_and_pairs
from gpatlas.io.text import shown
from gpatlas.packed import PackedBits, n_bytes
from gpatlas.wording import some_names

_EFFECT_COLUMNS = ["trait", "locus", "add_eff", "epi_loc", "epi_eff"]


@dataclass(frozen=True)
class PublishedTables:
    """One simulation of the published pipeline, as its tables have it.

    Parameters
    ----------
    genotypes
        Packed 0/1, `(n_samples, n_loci)`.
    phenotypes
        float64 `(n_samples, n_traits)` in the order of the genotypes; NaN where the table has NA.
    sample_id, locus_id, trait_id
        Names.
    effects, pairs
        Causal loci and epistatic pairs, or None without an effects table.
    """

    genotypes: PackedBits
    phenotypes: NDArray[np.float64]
    sample_id: list[str]
    locus_id: list[str]
    trait_id: list[str]
    effects: Effects | None
    pairs: Pairs | None


def read_published_tables(stem: str | Path) -> PublishedTables:
    """Read one simulation of the published pipeline.

    Parameters
    ----------
    stem
        Path without `_g.txt`, `_p.txt`, `_eff.txt`. The effects table may be absent.

    Raises
    ------
    StoreError
        The genotype or phenotype table is absent.
    DataError
        A header, row, allele, name or number that the format does not allow: file, line, value, what is allowed.
        Epistatic partners that make no pairs.
    """
    stem = Path(stem)
    g_path, p_path, eff_path = (stem.with_name(f"{stem.name}_{part}.txt") for part in ("g", "p", "eff"))
    names, trait_id, phenotypes = _read_phenotypes(p_path)
    locus_id, samples, genotypes = read_genotype_table(g_path)
    order = _match(samples, names, g_path, p_path)
    effects = pairs = None
    if eff_path.exists():
        effects, pairs = _read_effects(eff_path, len(locus_id), len(trait_id))
    return PublishedTables(genotypes, phenotypes[order], [names[k] for k in order], locus_id, trait_id, effects, pairs)


def read_published_genotypes(path: str | Path) -> Dataset:
    """Read a `_g.txt` table alone: haploids, without positions; a locus's name starts with its chromosome.

    Raises
    ------
    DataError, StoreError
        As `read_published_tables`.
    """
    locus_id, samples, genotypes = read_genotype_table(Path(path))
    return Dataset(
        genotypes=genotypes,
        phenotypes=np.empty((len(samples), 0)),
        sample_id=np.array(samples).astype("S"),
        locus_id=np.array(locus_id).astype("S"),
        trait_id=np.empty(0, dtype="S1"),
        ploidy=1,
        fold=np.zeros(len(samples), dtype=np.uint8),
        chromosome=np.array([name.split("_")[0] for name in locus_id]).astype("S"),
        position=np.full(len(locus_id), np.nan),
        position_unit="",
    )


def read_genotype_table(path: Path) -> tuple[list[str], list[str], PackedBits]:
    """Stream a `_g.txt` table to `(locus names, column names, packed 0/1 genotypes (n_samples, n_loci))`."""
    lines = _lines(path)
    header = next(lines, "").split()
    if len(header) < 2:
        raise DataError(f"{path}, line 1: expected `qtl` and sample names, found {shown(' '.join(header))}")
    samples: list[str] = header[1:]
    locus_id: list[str] = []
    columns: list[NDArray[np.uint8]] = []  # one packed byte column per eight loci
    block = np.zeros((8, len(samples)), dtype=np.uint8)
    for number, line in enumerate(lines, start=2):
        name, _, calls = line.partition(" ")
        block[len(locus_id) % 8] = _alleles(calls, len(samples), f"{path}, line {number} ({name})")
        locus_id.append(name)
        if len(locus_id) % 8 == 0:
            columns.append(np.packbits(block, axis=0, bitorder="little")[0])
    if not locus_id:
        raise DataError(f"{path}: no locus below the header")
    if len(locus_id) % 8:
        block[len(locus_id) % 8 :] = 0
        columns.append(np.packbits(block, axis=0, bitorder="little")[0])
    bits = np.empty((len(samples), n_bytes(len(locus_id))), dtype=np.uint8)
    for k, column in enumerate(columns):
        bits[:, k] = column
    return locus_id, samples, PackedBits(bits, len(locus_id))


def _alleles(calls: str, n_samples: int, where: str) -> NDArray[np.uint8]:
    """Parse `0 1 1 0 …`: one digit, one space, and nothing else."""
    text = np.frombuffer(calls.encode(), dtype=np.uint8)
    alleles = text[::2] - np.uint8(ord("0"))
    if len(text) == 2 * n_samples - 1 and (alleles <= 1).all() and (text[1::2] == ord(" ")).all():
        return alleles
    tokens = calls.split()  # slow, and only to say what is wrong
    if len(tokens) != n_samples:
        raise DataError(f"{where}: {len(tokens)} alleles, but the header names {n_samples} samples")
    odd = next((token for token in tokens if token not in ("0", "1")), None)
    if odd is not None:
        raise DataError(f"{where}: allele {shown(odd)}, but only 0 and 1 are allowed")
    return np.array(tokens, dtype=np.uint8)


def _read_phenotypes(path: Path) -> tuple[list[str], list[str], NDArray[np.float64]]:
    lines = _lines(path)
    header = next(lines, "").split()
    if not header or header[0] != "ind":
        raise DataError(f"{path}, line 1: column 'ind' is missing; found {shown(' '.join(header))}")
    if len(header) < 2:
        raise DataError(f"{path}, line 1: no trait column beside 'ind'")
    names, rows = [], []
    for number, line in enumerate(lines, start=2):
        name, *values = line.split()
        if len(values) != len(header) - 1:
            raise DataError(
                f"{path}, line {number}: {len(values)} values, but the header names {len(header) - 1} traits"
            )
        names.append(name)
        rows.append([_number(value, f"{path}, line {number}") for value in values])
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(f"{path}: individual '{twice[0]}' has more than one row")
    return names, header[1:], np.array(rows, dtype=np.float64).reshape(len(names), len(header) - 1)


def _number(text: str, where: str) -> float:
    if text in ("NA", "NaN", "nan"):
        return np.nan
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{where}: {shown(text)} is not a number (missing values are written NA)") from None
    if not np.isfinite(value):
        raise DataError(f"{where}: phenotype {text} is not finite (missing values are written NA)")
    return value


def _match(samples: list[str], names: list[str], g_path: Path, p_path: Path) -> NDArray[np.intp]:
    """Find every genotype column's phenotype row; AlphaSimR names haplotype columns id_1."""
    row = {name: k for k, name in enumerate(names)}
    stripped = [name.removesuffix("_1") for name in samples]
    wanted = max(stripped, samples, key=lambda found: sum(name in row for name in found))
    twice = [name for name, times in Counter(wanted).items() if times > 1]
    if twice:
        raise DataError(f"{g_path}: sample '{twice[0]}' has more than one column")
    without = [name for name in wanted if name not in row]
    unused = set(names) - set(wanted)
    if without or unused:
        problems = [
            f"{len(some)} only in {path.name} ({some_names(sorted(some))})"
            for some, path in ((without, g_path), (unused, p_path))
            if some
        ]
        raise DataError(f"{g_path}: samples do not match those of {p_path.name}: {'; '.join(problems)}")
    return np.array([row[name] for name in wanted])


def _read_effects(path: Path, n_loci: int, n_traits: int) -> tuple[Effects, Pairs]:
    lines = _lines(path)
    header = next(lines, "").split()
    absent = [name for name in _EFFECT_COLUMNS if name not in header]
    if absent:
        raise DataError(f"{path}, line 1: column '{absent[0]}' is missing; found {shown(' '.join(header))}")
    columns = [header.index(name) for name in _EFFECT_COLUMNS]
    rows = []
    for number, line in enumerate(lines, start=2):
        values = line.split()
        if len(values) != len(header):
            raise DataError(f"{path}, line {number}: {len(values)} values for {len(header)} columns")
        rows.append([_number(values[k], f"{path}, line {number}") for k in columns])
    table = np.array(rows, dtype=np.float64).reshape(-1, len(columns))
    return effects_and_pairs(table, n_traits, n_loci, str(path))


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="ascii", newline=None) as file:
            for line in file:
                yield line.rstrip("\n")
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a plain text table") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None
